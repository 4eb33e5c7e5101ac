"""WeChat Pay's signatures and its encryption of notices: WECHATPAY2-SHA256-RSA2048 and AEAD_AES_256_GCM."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cloud.payments.provider import BadNoticeError
from plumbing.files import read_private, read_secret

SCHEME = "WECHATPAY2-SHA256-RSA2048"
WINDOW_S = 300  # how far the time in a signature may be from ours
API_KEY_BYTES = 32


class WrongSignatureError(Exception):
    """Signed by nobody we know, for another time, or not at all; WeChat also sends wrong signatures on purpose."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The merchant's private key, WeChat's public ones by serial, and the key of notices. Never shown."""

    private: RSAPrivateKey
    platform: Mapping[str, RSAPublicKey]
    api_key: bytes

    def __repr__(self) -> str:
        return f"Keys({sorted(self.platform)})"


def read_keys(key_file: Path, api_key_file: Path, platform: Mapping[str, Path]) -> Keys:
    """The keys in these files. Raises ValueError for what is none, ExposedFileError, OSError."""
    private = serialization.load_pem_private_key(read_private(key_file), None)
    if not isinstance(private, RSAPrivateKey):
        raise ValueError(f"{key_file} holds no RSA key")
    api_key = read_secret(api_key_file).encode()
    if len(api_key) != API_KEY_BYTES:
        raise ValueError(f"{api_key_file} must hold the {API_KEY_BYTES} characters of the API v3 key")
    return Keys(private, {serial: _public(path) for serial, path in platform.items()}, api_key)


def _public(path: Path) -> RSAPublicKey:
    pem = path.read_bytes()
    is_certificate = b"BEGIN CERTIFICATE" in pem
    key = x509.load_pem_x509_certificate(pem).public_key() if is_certificate else serialization.load_pem_public_key(pem)
    if not isinstance(key, RSAPublicKey):
        raise ValueError(f"{path} holds no RSA key")
    return key


def sign(key: RSAPrivateKey, *lines: str) -> str:
    """The signature under *lines*, each ended by a line feed, as base64."""
    text = "".join(f"{line}\n" for line in lines)
    return base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()


def authorization(keys: Keys, mchid: str, serial: str, request: tuple[str, str, str], now_s: int) -> str:
    """The Authorization header of a request: (method, path with query, body)."""
    method, target, body = request
    nonce = secrets.token_hex(16)
    signature = sign(keys.private, method, target, str(now_s), nonce, body)
    values = {
        "mchid": mchid,
        "nonce_str": nonce,
        "signature": signature,
        "timestamp": str(now_s),
        "serial_no": serial,
    }
    return f"{SCHEME} " + ",".join(f'{name}="{value}"' for name, value in values.items())


def verify(keys: Keys, headers: Mapping[str, str], body: bytes, now_s: int) -> None:
    """Raises WrongSignatureError unless WeChat signed *body*, as it came, within the window."""
    serial, signature = headers.get("Wechatpay-Serial", ""), headers.get("Wechatpay-Signature", "")
    timestamp, nonce = headers.get("Wechatpay-Timestamp", ""), headers.get("Wechatpay-Nonce", "")
    key = keys.platform.get(serial)
    if key is None:
        raise WrongSignatureError(f"no platform key {serial[:60]!r} in the settings")
    if not (timestamp.isascii() and timestamp.isdigit()) or abs(now_s - int(timestamp[:15])) > WINDOW_S:
        raise WrongSignatureError(f"signed at {timestamp[:20]!r}, now it is {now_s}")
    text = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
    try:
        key.verify(base64.b64decode(signature, validate=True), text, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError) as exc:
        raise WrongSignatureError("the signature is wrong") from exc


def decrypt(keys: Keys, nonce: str, associated: str, ciphertext: str) -> bytes:
    """What a notice holds. Raises BadNoticeError."""
    try:
        sealed = base64.b64decode(ciphertext, validate=True)
        return AESGCM(keys.api_key).decrypt(nonce.encode(), sealed, associated.encode())
    except (InvalidTag, binascii.Error, ValueError) as exc:
        raise BadNoticeError("a notice that the API v3 key does not open") from exc
