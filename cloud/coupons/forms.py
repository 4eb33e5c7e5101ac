"""What somebody types under a template, turned into its terms."""

from __future__ import annotations

from datetime import time
from typing import Any

from cloud.act import Refused
from cloud.web.state import whole
from domain.coupon.terms import Terms

ANYWHERE = "any"  # in place of a lot: wherever the coupon is good (E9)
NUMBERS = ("min_stay", "leave_within", "per_stay", "max_minutes")


def terms_in(posted: Any) -> Terms | Refused:
    """The terms a posted form gives; what cannot be read is refused here, what makes no sense by the service."""
    texts = {name: value.strip() for name, value in posted.items() if isinstance(value, str)}
    numbers = [whole(texts.get(name) or "0") for name in NUMBERS]
    uses = whole(texts.get("uses") or "1")
    weekdays = [whole(str(each)) for each in posted.getall("weekday", ())]
    lots = [whole(str(each)) for each in posted.getall("lot", ())]
    begins, ends, until = (_minute(texts.get(name, "")) for name in ("hour_from", "hour_to", "until"))
    if None in numbers or uses is None or None in weekdays or None in lots or None in (begins, ends, until):
        return Refused("terms_malformed")
    if (begins == -1) != (ends == -1):
        return Refused("terms_malformed")
    min_stay, leave_within, per_stay, max_minutes = (number or 0 for number in numbers)
    return Terms(
        begins=texts.get("begins", ""),
        ends=texts.get("ends", ""),
        weekdays=tuple(sorted({day for day in weekdays if day is not None})),
        hours=() if begins == -1 else ((begins or 0, ends or 0),),
        lots=tuple(sorted({lot for lot in lots if lot is not None})),
        min_stay=min_stay,
        leave_within=leave_within,
        until=-1 if until is None else until,
        uses=uses,
        alone=texts.get("alone") == "1",
        per_stay=per_stay,
        max_minutes=max_minutes,
    )


def _minute(text: str) -> int | None:
    """Minutes of the day; -1 for nothing typed, None for what is no time."""
    if not text:
        return -1
    try:
        at = time.fromisoformat(text)
    except ValueError:
        return None
    return at.hour * 60 + at.minute
