"""WeChat Pay, API v3 (微信支付). Everything that is WeChat's own stays in this folder."""
