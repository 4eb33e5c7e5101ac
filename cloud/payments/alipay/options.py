"""What the settings file says of an account at Alipay."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class AlipayOptions:
    """``[payments.alipay.NAME]``. Key files are read at start; the private one readable by its owner alone."""

    app_id: str
    key_file: Path  # the application's private key (应用私钥, PEM)
    alipay_key_file: Path  # Alipay's public key (支付宝公钥, PEM)
    gateway: str = "https://openapi.alipay.com/gateway.do"
