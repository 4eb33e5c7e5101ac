"""The cloud's side of the log: what a batch means, given how far this edge's log is known (sync §3).

Exactly-once effect comes from here: the cursor moves in the transaction that applies the events.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from domain.sync.batch import Batch


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the log of one edge is applied: *head* is the chain hash at *seq*."""

    epoch: int
    seq: int
    head: bytes


@dataclass(frozen=True, slots=True)
class Apply:
    """Events from *first* on are new and chain on to what is known; *skip* of the batch are known already."""

    first: int
    skip: int


@dataclass(frozen=True, slots=True)
class Known:
    """Everything in the batch was applied before: ack again, do nothing."""


@dataclass(frozen=True, slots=True)
class Nak:
    """Nothing is applied; send from *want* on. *why*: gap or hash."""

    want: int
    why: str


@dataclass(frozen=True, slots=True)
class Fork:
    """The edge holds another history than the one applied: two devices with one identity, or a restored image."""

    seq: int


@dataclass(frozen=True, slots=True)
class NewEpoch:
    """The batch belongs to an epoch that was fenced; the edge must move to *epoch*."""

    epoch: int


Verdict = Apply | Known | Nak | Fork | NewEpoch
HashAt = Callable[[int], bytes | None]


def judge(cursor: Cursor, batch: Batch, hashes: list[bytes], hash_at: HashAt) -> Verdict:
    """What to do with *batch*. *hash_at* looks up the stored chain hash of an applied seq of this epoch."""
    if batch.epoch != cursor.epoch:
        return NewEpoch(cursor.epoch)
    if batch.start > cursor.seq + 1:
        return Nak(cursor.seq + 1, "gap")
    if batch.start < 1:
        return Nak(cursor.seq + 1, "hash")
    known_last = min(batch.last, cursor.seq)
    if known_last >= batch.start and hash_at(known_last) != hashes[known_last - batch.start]:
        return Fork(known_last)
    if batch.last <= cursor.seq:
        return Known()
    skip = cursor.seq + 1 - batch.start
    joint = hashes[skip - 1] if skip else batch.previous
    if joint != cursor.head:
        return Fork(cursor.seq)
    return Apply(cursor.seq + 1, skip)


def judge_hello(cursor: Cursor, epoch: int, seq: int, head: bytes) -> str | None:
    """Why an edge that says it stands at (*epoch*, *seq*, *head*) must be fenced, or None when its log fits ours."""
    if epoch != cursor.epoch:
        return "epoch"
    if seq < cursor.seq:
        return "behind"
    if seq == cursor.seq and head != cursor.head:
        return "fork"
    return None
