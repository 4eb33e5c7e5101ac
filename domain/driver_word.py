"""What a plate typed by the driver is worth: a word that somebody gains by, so what the cameras saw weighs it.

A driver stands alone before the barrier and types a plate on a phone, or shows a ticket. The word counts for the car
that is there; it never makes a stay of somebody else free, and never ends one without the money it owes.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from domain.lookalike import compare
from domain.plate import is_virtual

if TYPE_CHECKING:
    from domain.decision import Seen

DRIVER = "driver:"  # how ``typed_by`` begins when the driver did; what follows says on which page
NEAR = 75  # a score at which two texts may be one plate: one character of any kind, or three that look alike


class Support(StrEnum):
    """What the cameras say to a plate that was typed."""

    SEEN = "seen"  # a confirmed read is this very plate
    NEAR = "near"  # a read may well be of it
    NONE = "none"  # no camera read a plate, or only doubtfully another one
    UNLIKE = "unlike"  # a confirmed read is of another plate


def is_driver(typed_by: str) -> bool:
    """Did the driver type it? Nobody employed has such a name: it has a colon."""
    return typed_by.startswith(DRIVER)


def support(plate: str, seen: Sequence[Seen]) -> Support:
    """How the live reads stand to *plate*. A ticket's number is on no plate: any confirmed read speaks against it."""
    live = [read for read in seen if read.live and read.plate]
    confirmed = [read.plate for read in live if read.trusted]
    if plate in confirmed:
        return Support.SEEN
    if not is_virtual(plate) and any(compare(read.plate, plate).score >= NEAR for read in live):
        return Support.NEAR
    return Support.UNLIKE if confirmed else Support.NONE
