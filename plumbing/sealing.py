"""Small secrets closed so that only the holder of one private key opens them (X25519, HKDF-SHA-256, ChaCha20-Poly1305).

Each seal is under a key of its own; a *label* is bound to it, so that it opens only as what it was closed as.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from plumbing.signing import PrivateKey

PUBLIC_SIZE = 32
ONCE = bytes(12)  # the nonce of a key that is used for one message


class BadSealError(Exception):
    """These bytes were not sealed for this key and label, or were changed."""


@dataclass(frozen=True, slots=True)
class SealKey:
    """What opens seals; derived from a signing key, so it lies in that key's file and nowhere else."""

    _key: X25519PrivateKey
    public: bytes

    @classmethod
    def of(cls, key: PrivateKey) -> SealKey:
        """The one that belongs to *key*."""
        seed = HKDF(SHA256(), 32, salt=None, info=b"lotgate-seal-key-1").derive(key.raw)
        private = X25519PrivateKey.from_private_bytes(seed)
        return cls(private, private.public_key().public_bytes_raw())

    def open(self, sealed: bytes, label: bytes) -> bytes:
        """What was sealed. Raises BadSealError."""
        once, closed = sealed[:PUBLIC_SIZE], sealed[PUBLIC_SIZE:]
        try:
            shared = self._key.exchange(X25519PublicKey.from_public_bytes(once))
            return ChaCha20Poly1305(_message_key(shared, once, self.public)).decrypt(ONCE, closed, label)
        except (InvalidTag, ValueError) as exc:
            raise BadSealError("not sealed for this key") from exc

    def __repr__(self) -> str:
        return f"SealKey({self.public.hex()[:16]})"


def seal(public: bytes, plain: bytes, label: bytes) -> bytes:
    """Close *plain* for the holder of *public*. Raises BadSealError when that is no key."""
    once = X25519PrivateKey.generate()
    named = once.public_key().public_bytes_raw()
    try:
        shared = once.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError as exc:
        raise BadSealError("not an X25519 public key") from exc
    return named + ChaCha20Poly1305(_message_key(shared, named, public)).encrypt(ONCE, plain, label)


def _message_key(shared: bytes, once: bytes, public: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=once + public, info=b"lotgate-sealed-1").derive(shared)
