"""A small picture of a car inside that the cloud asks a lot for: told once, never an event (docs/sync.md §4).

The cloud sends ``dn/see``, the lot answers ``up/seen``. Both are signed; the picture is sealed for the cloud's
key, so a broker sees none. Neither is sent again: whoever hears nothing shows nothing.
"""

from __future__ import annotations

from typing import Final

ASK: Final = "see"
TOLD: Final = "seen"
MOST_BYTES: Final = 20_000  # of one picture
LONGEST: Final = 64  # of the names in both messages


def label(ask: str) -> bytes:
    """What the seal of an answer is bound to: the question it answers."""
    return f"seen:{ask}".encode()
