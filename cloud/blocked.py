"""What a list of plates that are kept from something asks of whoever adds to it."""

from __future__ import annotations

from typing import Final

from cloud.act import Refused
from domain.plate import classify

LONGEST_REASON: Final = 128


def refusal(plate: str, typed: str, reason: str) -> Refused | None:
    """Why *plate*, as it was *typed*, cannot be put on such a list for this *reason*; None where it can."""
    if classify(plate) is None:
        return Refused("plate_malformed", {"plate": typed[:20]})
    if not reason.strip():
        return Refused("reason_missing")
    if len(reason) > LONGEST_REASON:
        return Refused("text_too_long", {"most": LONGEST_REASON})
    return None
