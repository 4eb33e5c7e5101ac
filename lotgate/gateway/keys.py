"""The keys of a simulated gateway and of its one merchant, made into a folder at the first use."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from plumbing.files import read_private, write_private

MCHID, APPID, SERIAL = "1900000001", "wx00000000000000aa", "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
PLATFORM_SERIAL = "PUB_KEY_ID_0119000000012026010100"
ALIPAY_APP = "2021000000000001"


@dataclass(frozen=True, slots=True)
class GatewayKeys:
    """What the gateway signs with, and what it knows its merchant by."""

    platform: RSAPrivateKey
    merchant: RSAPublicKey
    api_key: bytes
    alipay: RSAPrivateKey
    alipay_app: RSAPublicKey


def make_keys(folder: Path) -> GatewayKeys:
    """The keys in *folder*, fresh ones where there are none. Files of the merchant's side are what a cloud is given."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    platform, merchant = _pair(folder, "wechat-platform"), _pair(folder, "wechat-merchant")
    alipay, alipay_app = _pair(folder, "alipay-platform"), _pair(folder, "alipay-app")
    api_key = folder / "wechat-api-v3"
    for path in (api_key, folder / "wechat-app-secret"):
        if not path.exists():
            write_private(path, secrets.token_hex(16).encode())
    return GatewayKeys(platform, merchant.public_key(), read_private(api_key), alipay, alipay_app.public_key())


def _pair(folder: Path, name: str) -> RSAPrivateKey:
    path = folder / f"{name}.key"
    if not path.exists():
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        write_private(path, made.private_bytes(serialization.Encoding.PEM, *form))
        public = serialization.PublicFormat.SubjectPublicKeyInfo
        (folder / f"{name}.pem").write_bytes(made.public_key().public_bytes(serialization.Encoding.PEM, public))
    key = serialization.load_pem_private_key(read_private(path), None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError(f"{path} holds no RSA key")
    return key


def account_settings(folder: Path, url: str) -> dict[str, object]:
    """``[payments]`` of a cloud that is to be paid through the gateway at *url*."""
    wechat = {
        "mchid": MCHID,
        "appid": APPID,
        "serial": SERIAL,
        "key_file": str(folder / "wechat-merchant.key"),
        "api_key_file": str(folder / "wechat-api-v3"),
        "platform_keys": {PLATFORM_SERIAL: str(folder / "wechat-platform.pem")},
        "app_secret_file": str(folder / "wechat-app-secret"),
        "base_url": url,
        "authorize_url": f"{url}/connect/oauth2/authorize",
        "app_url": url,
    }
    alipay = {
        "app_id": ALIPAY_APP,
        "key_file": str(folder / "alipay-app.key"),
        "alipay_key_file": str(folder / "alipay-platform.pem"),
        "gateway": f"{url}/gateway.do",
    }
    return {"wechat": {"demo-wechat": wechat}, "alipay": {"demo-alipay": alipay}}
