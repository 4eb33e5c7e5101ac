"""Alipay's open platform (支付宝). Everything that is Alipay's own stays in this folder."""
