"""What a driver's phone and the lane say to each other: the lane's code, what may be typed, and the answer.

The same values travel between the edge's own page and the lane, and through the cloud as a command and its result.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from enum import StrEnum

from domain.ids import crockford_encode
from domain.plate import PROVINCES, classify, is_virtual, normalise
from domain.wire import Json, canonical

LONGEST_TYPED = 20
MOST_LINES = 12
_CODE_BYTES = 5


def lane_code(lot_id: int, lane: str) -> str:
    """The eight characters of a lane's code. No secret: whoever stands at the lane can read it."""
    return crockford_encode(hashlib.sha256(f"lotgate-lane {lot_id} {lane}".encode()).digest()[:_CODE_BYTES])


def lane_url(base: str, code: str) -> str:
    """What the QR at the lane holds."""
    return f"{base.rstrip('/')}/lane/{code}"


class Wish(StrEnum):
    """What a driver asks of the lane."""

    PLATE = "plate"  # this is my plate
    PICK = "pick"  # it is that one of those you showed me
    TICKET = "ticket"  # my car has no plate: let me in with a number
    NUMBER = "number"  # this is my ticket


class Outcome(StrEnum):
    """What came of it."""

    OPENS = "opens"
    PAY = "pay"
    PICK = "pick"  # several cars inside look like it
    CALL = "call"  # a person has to look
    REFUSED = "refused"
    NO_CAR = "no_car"  # nobody stands at the lane
    BUSY = "busy"  # the lane is at it; ask again
    TOO_MANY = "too_many"
    SILENT = "silent"  # the lot did not answer


@dataclass(frozen=True, slots=True)
class Question:
    """*text* is what was typed; *turn* is the answer a pick belongs to."""

    wish: Wish
    text: str = ""
    turn: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the phone shows. *plate* and *choices* are masked; *entered* is lot-local, "" where nobody vouches for it.

    *lines* have ``zh-CN`` and ``en`` words and ``fen``; *number* and *token* are a ticket just given.
    """

    outcome: Outcome
    code: str = ""
    plate: str = ""
    entered: str = ""
    minutes: int = 0
    fee_fen: int = 0
    off_fen: int = 0
    due_fen: int = 0
    lines: tuple[Json, ...] = ()
    choices: tuple[str, ...] = ()
    turn: str = ""
    number: str = ""
    token: str = ""
    quote: str = ""  # signed by the lot: what is due, to be paid by phone

    def text(self) -> str:
        """As it travels: what is empty stays at home."""
        said = {name: value for name, value in asdict(self).items() if value}
        return canonical(said).decode()


def open_answer(text: str) -> Answer:
    """Read an answer back; a command's own refusal, and whatever makes no sense, is a person's business."""
    try:
        said = json.loads(text)
        kept = {field.name: said[field.name] for field in fields(Answer) if field.name in said}
        outcome = Outcome(kept.pop("outcome"))
    except (ValueError, TypeError, KeyError, AttributeError):
        return Answer(Outcome.SILENT)
    for name in ("lines", "choices"):
        kept[name] = tuple(kept.get(name, ()))
    return Answer(outcome, **kept)


def typed_plate(text: str) -> tuple[str, str]:
    """The plate in normal form, and what is wrong with it ("" when nothing is)."""
    plate = normalise(text[:LONGEST_TYPED])
    if classify(plate) is not None or is_virtual(plate):
        return plate, ""
    return plate, _problem(plate)


def _problem(plate: str) -> str:
    if not plate:
        return "plate_missing"
    if plate[0] not in PROVINCES:
        return "plate_province"
    if len(plate) < 7:
        return "plate_short"
    if len(plate) > 8:
        return "plate_long"
    if not ("A" <= plate[1] <= "Z"):
        return "plate_letter"
    return "plate_new_energy" if len(plate) == 8 else "plate_form"
