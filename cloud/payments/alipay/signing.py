"""Alipay's signatures: RSA2 over parameters in the order of their names."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from plumbing.files import read_private


class WrongSignatureError(Exception):
    """Not signed by Alipay."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The application's private key and Alipay's public one. Never shown."""

    private: RSAPrivateKey
    alipay: RSAPublicKey

    def __repr__(self) -> str:
        return "Keys()"


def read_keys(key_file: Path, alipay_key_file: Path) -> Keys:
    """The keys in these files. Raises ValueError for what is none, ExposedFileError, OSError."""
    private = serialization.load_pem_private_key(read_private(key_file), None)
    public = serialization.load_pem_public_key(alipay_key_file.read_bytes())
    if not isinstance(private, RSAPrivateKey) or not isinstance(public, RSAPublicKey):
        raise ValueError(f"{key_file} or {alipay_key_file} holds no RSA key")
    return Keys(private, public)


def text_of(values: Mapping[str, str], *without: str) -> str:
    """What is signed: ``a=1&b=2`` by name, empty values left out."""
    return "&".join(f"{name}={values[name]}" for name in sorted(values) if values[name] and name not in without)


def sign(keys: Keys, values: Mapping[str, str]) -> str:
    """The signature under a request's parameters, as base64."""
    signature = keys.private.sign(text_of(values, "sign").encode(), padding.PKCS1v15(), hashes.SHA256())
    return base64.b64encode(signature).decode()


def verify(keys: Keys, text: str, signature: str) -> None:
    """Raises WrongSignatureError unless Alipay signed *text*."""
    try:
        given = base64.b64decode(signature, validate=True)
        keys.alipay.verify(given, text.encode(), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError) as exc:
        raise WrongSignatureError("the signature is wrong") from exc
