"""What the settings file says of an account at WeChat Pay."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class WechatOptions:
    """``[payments.wechat.NAME]``. Key files are read at start and must be readable by their owner alone."""

    mchid: str  # 商户号
    appid: str  # of the service account or mini program the merchant number is bound to
    serial: str  # of the merchant certificate (商户API证书序列号)
    key_file: Path  # the merchant's private key (apiclient_key.pem)
    api_key_file: Path  # the API v3 key, 32 characters
    platform_keys: dict[str, Path]  # serial or PUB_KEY_ID_… -> WeChat's certificate or public key (PEM)
    app_secret_file: Path | None = None  # of the service account: needed to be paid inside WeChat (JSAPI)
    base_url: str = "https://api.mch.weixin.qq.com"
    authorize_url: str = "https://open.weixin.qq.com/connect/oauth2/authorize"
    app_url: str = "https://api.weixin.qq.com"
