"""PIN hashes as they stand in the database: closed under a key that lies in the device key's file (the pepper).

Whoever has the database alone cannot try PINs against it. Hashes made in the cloud come closed for the same key.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from edge.db.people import SEALED
from plumbing.sealing import BadSealError, SealKey, seal

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PinBox:
    """Closes and opens PIN hashes of one device."""

    key: SealKey

    def close(self, name: str, pin_hash: str) -> str:
        """A hash as it is stored; one that is closed already stays as it is."""
        if pin_hash.startswith(SEALED):
            return pin_hash
        return SEALED + seal(self.key.public, pin_hash.encode(), label(name)).hex()

    def open(self, name: str, stored: str) -> str | None:
        """The hash to compare with; None where this device cannot open it (it was closed for another)."""
        if not stored.startswith(SEALED):
            return stored
        try:
            return self.key.open(bytes.fromhex(stored.removeprefix(SEALED)), label(name)).decode()
        except (BadSealError, ValueError) as exc:
            logger.warning("the PIN of somebody cannot be opened on this device: %s", exc)
            return None


def label(name: str) -> bytes:
    """Binds a hash to its person: a row cannot be given to another name."""
    return f"pin:{name}".encode()
