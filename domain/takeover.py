"""What a replaced device's successor is told by the cloud: all of the lot's present that its log had reached (sync §5).

The answer is signed by the cloud's config key for one edge and one nonce, like everything the cloud says.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from domain.moment import Moment, Quality
from domain.wire import BadMessageError, Json, digest_bytes, text, whole

ASK, ANSWER = "takeover.ask", "takeover"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Inside:
    """A car whose stay is open."""

    stay_id: str
    plate: str
    plate_raw: str
    vehicle_class: str
    zone: str
    lane: str
    entered: Moment


@dataclass(frozen=True, slots=True)
class Paid:
    """Money taken for a stay that is still open."""

    payment_id: str
    stay_id: str
    method: str
    amount_fen: int
    by: str
    wall_ms: int


@dataclass(frozen=True, slots=True)
class Owed:
    """What is left of what a plate owes; *state* is open or disputed."""

    debt_id: str
    stay_id: str
    plate: str
    cause: str
    owed_fen: int
    state: str
    wall_ms: int


@dataclass(frozen=True, slots=True)
class Used:
    """A voucher that opens nothing any more."""

    key_id: int
    counter: int
    redemption_id: str
    stay_id: str
    off_fen: int
    wall_ms: int


@dataclass(frozen=True, slots=True)
class Known:
    """How far the log of the device before is known: its chain hash at (*epoch*, *seq*), and when it was last heard."""

    edge: str
    epoch: int
    seq: int
    head: bytes
    told_seq: int
    heard_ms: int

    @property
    def missing(self) -> int:
        """Events it said it had and never sent; there may be more of after it was last heard."""
        return max(0, self.told_seq - self.seq)


@dataclass(frozen=True, slots=True)
class Takeover:
    """Everything a successor begins with. *epoch* is that of its own log."""

    epoch: int
    before: Known
    inside: tuple[Inside, ...]
    paid: tuple[Paid, ...]
    owed: tuple[Owed, ...]
    used: tuple[Used, ...]
    files: tuple[tuple[str, str], ...] = ()  # path from the lot file's folder, text

    def message(self) -> Json:
        """As it is sent (before signing)."""
        return {
            "ep": self.epoch,
            "before": {**_flat(self.before), "head": self.before.head.hex()},
            "inside": [{**_flat(one), "entered": _clocks(one.entered)} for one in self.inside],
            "paid": [_flat(one) for one in self.paid],
            "owed": [_flat(one) for one in self.owed],
            "used": [_flat(one) for one in self.used],
            "files": [{"name": name, "text": content} for name, content in self.files],
        }


def open_takeover(message: Json) -> Takeover:
    """Read ``Takeover.message``. Raises BadMessageError."""
    before = message.get("before")
    if not isinstance(before, dict):
        raise BadMessageError("'before' must be an object")
    known = Known(
        text(before, "edge"), whole(before, "epoch"), whole(before, "seq"), digest_bytes(before, "head"),
        whole(before, "told_seq"), whole(before, "heard_ms"),
    )  # fmt: skip
    return Takeover(
        whole(message, "ep"),
        known,
        tuple(_inside(row) for row in _rows(message, "inside")),
        tuple(_made(Paid, row) for row in _rows(message, "paid")),
        tuple(_made(Owed, row) for row in _rows(message, "owed")),
        tuple(_made(Used, row) for row in _rows(message, "used")),
        tuple((text(row, "name"), text(row, "text")) for row in _rows(message, "files")),
    )


def _flat(value: Any) -> Json:
    return {name: each for name, each in asdict(value).items() if not isinstance(each, (bytes, dict))}


def _clocks(moment: Moment) -> list[object]:
    return [moment.boot, moment.boot_ms, moment.wall_ms, int(moment.quality), moment.uncertainty_ms]


def _rows(message: Json, name: str) -> list[Json]:
    rows = message.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadMessageError(f"{name!r} must be a list of objects")
    return rows


def _made(kind: type[T], row: Json) -> T:
    fields: Json = kind.__annotations__
    return kind(**{name: whole(row, name) if wanted == "int" else text(row, name) for name, wanted in fields.items()})


def _inside(row: Json) -> Inside:
    match row.get("entered"):
        case [str(boot), int(boot_ms), int(wall_ms), int(quality), int(uncertainty)] if quality in set(Quality):
            entered = Moment(boot, boot_ms, wall_ms, Quality(quality), uncertainty)
        case _:
            raise BadMessageError("'entered' must be a moment")
    return Inside(
        text(row, "stay_id"), text(row, "plate"), text(row, "plate_raw"), text(row, "vehicle_class"), text(row, "zone"),
        text(row, "lane"), entered,
    )  # fmt: skip
