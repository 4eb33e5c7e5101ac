"""A run of events on its way up: consecutive, chained, signed at its head."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from domain.wire import BadMessageError, Json, Sign, Verify, chain_hash, digest_bytes, text, whole

PURPOSE = b"lotgate-batch-1\x00"
MOST_EVENTS = 200
MOST_BYTES = 256 * 1024  # of bodies before compression: well under 64 KiB on the line, under 1 MiB unpacked


@dataclass(frozen=True, slots=True)
class Batch:
    """Events ``start … last`` of *epoch*; *previous* is the chain hash before the first of them."""

    epoch: int
    start: int
    previous: bytes
    bodies: tuple[bytes, ...]

    @property
    def last(self) -> int:
        return self.start + len(self.bodies) - 1

    def hashes(self) -> list[bytes]:
        """The chain hash after each event."""
        hashes, head = [], self.previous
        for body in self.bodies:
            head = chain_hash(head, body)
            hashes.append(head)
        return hashes


def _to_sign(edge: str, epoch: int, last: int, head: bytes) -> bytes:
    return b"\x00".join((edge.encode(), b"%d" % epoch, b"%d" % last, head))


def batch_message(edge: str, batch: Batch, head: bytes, sign: Sign) -> Json:
    """The message that carries *batch*; the signature covers the head and so every event before it."""
    signature = sign(PURPOSE, _to_sign(edge, batch.epoch, batch.last, head))
    return {
        "v": 1,
        "ep": batch.epoch,
        "from": batch.start,
        "prev": batch.previous.hex(),
        "evs": [body.decode() for body in batch.bodies],
        "sig": base64.b64encode(signature).decode(),
    }


def open_batch(edge: str, message: Json, verify: Verify) -> tuple[Batch, list[bytes]]:
    """The batch and its hashes. Raises BadMessageError unless well formed and signed by *edge*'s key."""
    if whole(message, "v") != 1:
        raise BadMessageError("a protocol version this side does not speak")
    bodies = message.get("evs")
    if not isinstance(bodies, list) or not 1 <= len(bodies) <= MOST_EVENTS:
        raise BadMessageError("a batch carries 1 to 200 events")
    if not all(isinstance(body, str) for body in bodies):
        raise BadMessageError("event bodies must be strings")
    batch = Batch(
        whole(message, "ep"),
        whole(message, "from"),
        digest_bytes(message, "prev"),
        tuple(body.encode() for body in bodies),
    )
    hashes = batch.hashes()
    try:
        signature = base64.b64decode(text(message, "sig"), validate=True)
    except binascii.Error as exc:
        raise BadMessageError("signature is not base64") from exc
    if not verify(PURPOSE, _to_sign(edge, batch.epoch, batch.last, hashes[-1]), signature):
        raise BadMessageError("batch is not signed by this edge")
    return batch, hashes


def cut(bodies: Sequence[bytes]) -> int:
    """How many of *bodies* fit into one batch (at least one)."""
    size = 0
    for count, body in enumerate(bodies[:MOST_EVENTS]):
        size += len(body)
        if size > MOST_BYTES and count:
            return count
    return min(len(bodies), MOST_EVENTS)
