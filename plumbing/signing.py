"""Ed25519 signatures (RFC 8032) tied to a purpose, so that one kind of message never passes for another (I12).

The signed bytes are ``purpose + message``. Purposes are fixed ASCII constants, none a prefix of another.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from plumbing.files import read_private, write_private

RAW_SIZE = 32
SIGNATURE_SIZE = 64


class BadKeyError(Exception):
    """Bytes that should be an Ed25519 key are not one; the message says where they came from."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The half everyone may know; call it to check a signature."""

    raw: bytes
    _key: Ed25519PublicKey

    @classmethod
    def from_raw(cls, raw: bytes) -> PublicKey:
        """From the 32 raw bytes. Raises BadKeyError."""
        if len(raw) != RAW_SIZE:
            raise BadKeyError(f"an Ed25519 public key has {RAW_SIZE} bytes, not {len(raw)}")
        try:
            return cls(raw, Ed25519PublicKey.from_public_bytes(raw))
        except ValueError as exc:
            raise BadKeyError("these 32 bytes are not an Ed25519 public key") from exc

    @property
    def fingerprint(self) -> str:
        """What people compare aloud: 32 hex digits of SHA-256 of the raw key, in groups of four."""
        return fingerprint(self.raw)

    def __call__(self, purpose: bytes, message: bytes, signature: bytes) -> bool:
        """Check *signature*; never raises on foreign bytes."""
        if len(signature) != SIGNATURE_SIZE:
            return False
        try:
            self._key.verify(signature, purpose + message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """The half that signs; call it. Its repr never shows the secret."""

    _key: Ed25519PrivateKey
    public: PublicKey

    @classmethod
    def generate(cls) -> PrivateKey:
        """A new random key, in memory only."""
        return cls._wrap(Ed25519PrivateKey.generate())

    @classmethod
    def from_raw(cls, raw: bytes) -> PrivateKey:
        """From the 32-byte seed. Raises BadKeyError."""
        if len(raw) != RAW_SIZE:
            raise BadKeyError(f"an Ed25519 private key has {RAW_SIZE} bytes, not {len(raw)}")
        return cls._wrap(Ed25519PrivateKey.from_private_bytes(raw))

    @classmethod
    def _wrap(cls, key: Ed25519PrivateKey) -> PrivateKey:
        return cls(key, PublicKey.from_raw(key.public_key().public_bytes_raw()))

    @property
    def raw(self) -> bytes:
        """The 32-byte seed, for writing to a private file and nothing else."""
        return self._key.private_bytes_raw()

    def __call__(self, purpose: bytes, message: bytes) -> bytes:
        """64 bytes over ``purpose + message``; the same input gives the same signature."""
        return self._key.sign(purpose + message)

    def __repr__(self) -> str:
        return f"PrivateKey({self.public.fingerprint})"


def create_key(path: Path) -> PrivateKey:
    """Make a key and write its seed to *path*, mode 0600. Raises FileExistsError: a key is never overwritten."""
    key = PrivateKey.generate()
    write_private(path, key.raw)
    return key


def load_key(path: Path) -> PrivateKey:
    """Read a raw or PEM (PKCS #8) key. Raises BadKeyError, ExposedFileError, OSError."""
    data = read_private(path)
    if not data.startswith(b"-----BEGIN"):
        try:
            return PrivateKey.from_raw(data)
        except BadKeyError as exc:
            raise BadKeyError(f"{path}: {exc}") from exc
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError) as exc:
        raise BadKeyError(f"{path}: not an unencrypted PEM private key") from exc
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKeyError(f"{path}: a PEM key, but not Ed25519")
    return PrivateKey.from_raw(key.private_bytes_raw())


def load_or_create_key(path: Path) -> PrivateKey:
    """The key in *path*, made now if the file is absent. Raises as `load_key`."""
    return load_key(path) if path.exists() else create_key(path)


def fingerprint(public_raw: bytes) -> str:
    """32 hex digits of SHA-256 in groups of four: ``5b3c 09aa …``."""
    digits = hashlib.sha256(public_raw).hexdigest()[:32]
    return " ".join(digits[start : start + 4] for start in range(0, 32, 4))
