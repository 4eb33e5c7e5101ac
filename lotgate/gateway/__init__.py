"""A payment gateway to try things with: it speaks as WeChat Pay and as Alipay do, with keys of its own and no money."""
