"""Lists the cloud owns and an edge holds: versions, deltas in parts, and digests that show a difference (sync §4).

A row is (key, version, value); a value of None is a tombstone. Rows are compared in 64 buckets by key, so one
differing row is found and re-sent by its bucket.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from domain.wire import BadMessageError, Json, canonical, text, whole

CHANNELS = ("rules", "people", "keys", "vstate", "config", "coupons", "payments", "debts", "booth")
BUCKETS = 64
PART_BYTES = 48 * 1024
PARTS_AT_ONCE = 32  # 1.5 MiB: what may be on its way before the edge says how far it has come
_WORDS = struct.Struct(f">{BUCKETS}Q")


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of a channel at the version that last changed it; *value* None says it was removed."""

    key: str
    version: int
    value: Json | None


def bucket_of(key: str) -> int:
    """0-63, from the key alone."""
    return hashlib.sha256(key.encode()).digest()[0] % BUCKETS


def row_weight(row: Row) -> int:
    """The 64 bits a live row adds to its bucket; a tombstone adds nothing."""
    if row.value is None:
        return 0
    content = canonical([row.key, row.version, row.value])
    return int.from_bytes(hashlib.sha256(content).digest()[:8], "big")


def digest(rows: Iterable[Row]) -> list[int]:
    """64 sums modulo 2^64; equal on both sides when they hold the same rows."""
    buckets = [0] * BUCKETS
    for row in rows:
        place = bucket_of(row.key)
        buckets[place] = (buckets[place] + row_weight(row)) % (1 << 64)
    return buckets


def differing(ours: Sequence[int], theirs: Sequence[int]) -> list[int]:
    """Buckets that are not the same on both sides."""
    return [place for place in range(BUCKETS) if ours[place] != theirs[place]]


def digest_text(buckets: Sequence[int]) -> str:
    """All buckets as hex, for a message."""
    return _WORDS.pack(*buckets).hex()


def digest_from(written: str) -> list[int]:
    """Read back ``digest_text``. Raises BadMessageError."""
    try:
        return list(_WORDS.unpack(bytes.fromhex(written)))
    except (ValueError, struct.error) as exc:
        raise BadMessageError("a channel digest has 64 buckets of 16 hex digits") from exc


@dataclass(frozen=True, slots=True)
class Part:
    """Part *part* of *parts* of the step of *channel* from version *start* to *end*.

    *repair* lists buckets sent whole (anti-entropy): rows of these buckets that are not in the delta do not exist.
    *more*: further parts follow once the edge has said that it keeps this one.
    """

    channel: str
    start: int
    end: int
    part: int
    parts: int
    rows: tuple[Row, ...]
    digest: str
    repair: tuple[int, ...] = ()
    more: bool = False

    def message(self) -> Json:
        """As it is sent (before signing)."""
        return {
            "ch": self.channel,
            "from": self.start,
            "to": self.end,
            "part": self.part,
            "parts": self.parts,
            "rows": [[row.key, row.version, row.value] for row in self.rows],
            "digest": self.digest,
            "repair": list(self.repair),
            **({"more": True} if self.more else {}),
        }


def open_part(message: Json) -> Part:
    """Read a part. Raises BadMessageError."""
    rows = message.get("rows")
    repair = message.get("repair")
    if not isinstance(rows, list) or not isinstance(repair, list):
        raise BadMessageError("a delta carries rows and repair lists")
    if not all(isinstance(place, int) and 0 <= place < BUCKETS for place in repair):
        raise BadMessageError("repair lists bucket numbers")
    part = Part(
        text(message, "ch"),
        whole(message, "from"),
        whole(message, "to"),
        whole(message, "part"),
        whole(message, "parts"),
        tuple(_open_row(row) for row in rows),
        text(message, "digest"),
        tuple(repair),
        message.get("more") is True,
    )
    if part.channel not in CHANNELS or not 1 <= part.part <= part.parts or part.end < part.start:
        raise BadMessageError("a delta that makes no sense")
    return part


def _open_row(row: object) -> Row:
    match row:
        case [str(key), int(version), (dict() | None) as value]:
            return Row(key, version, value)
        case _:
            raise BadMessageError("a channel row is [key, version, value]")


def split(
    channel: str, start: int, end: int, rows: Sequence[Row], full_digest: Sequence[int], repair: Iterable[int] = ()
) -> list[Part]:
    """Cut a step into parts that fit a message each."""
    groups: list[list[Row]] = [[]]
    size = 0
    for row in rows:
        weight = len(canonical([row.key, row.version, row.value]))
        if groups[-1] and size + weight > PART_BYTES:
            groups.append([])
            size = 0
        groups[-1].append(row)
        size += weight
    written = digest_text(full_digest)
    return [
        Part(channel, start, end, number, len(groups), tuple(group), written, tuple(repair))
        for number, group in enumerate(groups, 1)
    ]


@dataclass(frozen=True, slots=True)
class Kept:
    """How far the edge has come with a step in *parts*: the first *count* of them are kept aside."""

    start: int
    end: int
    parts: int
    count: int

    def message(self) -> list[int]:
        """As a hello says it."""
        return [self.start, self.end, self.parts, self.count]


def open_kept(message: object) -> Kept | None:
    """Read back ``Kept.message``; None when nothing is kept. Raises BadMessageError."""
    match message:
        case None:
            return None
        case [int(start), int(end), int(parts), int(count)] if 0 <= count <= parts:
            return Kept(start, end, parts, count)
        case _:
            raise BadMessageError("parts kept are told as [from, to, parts, count]")


def next_parts(parts: Sequence[Part], kept: Kept | None) -> list[Part]:
    """The parts to send now: after those *kept* of this very step, no more than may be on their way at once."""
    first = parts[0]
    same = kept is not None and (kept.start, kept.end, kept.parts) == (first.start, first.end, first.parts)
    begin = kept.count if same and kept is not None else 0
    chosen = list(parts[begin : begin + PARTS_AT_ONCE])
    if chosen and chosen[-1].part < first.parts:
        chosen[-1] = replace(chosen[-1], more=True)
    return chosen


def replaced(buckets: Sequence[int], before: Row | None, after: Row) -> list[int]:
    """The digest after one row took another's place."""
    result = list(buckets)
    _add(result, after.key, row_weight(after) - (row_weight(before) if before else 0))
    return result


@dataclass(frozen=True, slots=True)
class Step:
    """What a complete step changes: rows to write, keys to remove, and the buckets afterwards."""

    changed: tuple[Row, ...]
    gone: tuple[str, ...]
    buckets: list[int]


def advance(buckets: Sequence[int], held: Mapping[str, Row], parts: Sequence[Part]) -> Step:
    """The change that *parts* make to a channel whose digest is *buckets*.

    *held* are the rows we have among those the parts name and among all of the repaired buckets. Raises
    BadMessageError when the digest does not come out: nothing may become visible then.
    """
    emptied = set(parts[0].repair)
    fresh = {row.key: row for part in parts for row in part.rows}
    after = list(buckets)
    gone = []
    for key, row in held.items():
        new = fresh.get(key)
        if new == row or (new is None and bucket_of(key) not in emptied):
            continue
        _add(after, key, -row_weight(row))
        if new is None or new.value is None:
            gone.append(key)
    changed = tuple(row for row in fresh.values() if row.value is not None and held.get(row.key) != row)
    for row in changed:
        _add(after, row.key, row_weight(row))
    if digest_text(after) != parts[0].digest:
        raise BadMessageError(f"{parts[0].channel}: rows do not give the digest of version {parts[0].end}")
    return Step(changed, tuple(gone), after)


def _add(buckets: list[int], key: str, weight: int) -> None:
    place = bucket_of(key)
    buckets[place] = (buckets[place] + weight) % (1 << 64)
