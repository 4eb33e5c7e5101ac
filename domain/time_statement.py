"""The time as the cloud says it over a nonce, for a device that cannot check a certificate's dates (sync §8)."""

from __future__ import annotations

from domain.moment import Anchor, Moment
from domain.wire import BadMessageError, Json, Verify, is_genuine, text, whole

PURPOSE = "time"
SLOWEST_MS = 60_000  # an answer that takes longer says too little


def statement(nonce: str, utc_ms: int) -> Json:
    """What the cloud says (before signing)."""
    return {"nonce": nonce, "utc_ms": utc_ms}


def open_statement(
    edge: str, message: Json, nonce: str, asked: Moment, heard: Moment, verify: Verify, least_ms: int
) -> Anchor:
    """The comparison of clocks it gives: the cloud's time at the middle of the exchange, within half its length.

    Raises BadMessageError unless the pinned key said it for this *edge* and *nonce*, in time, and not before
    *least_ms*, the latest time this edge is sure of.
    """
    if not is_genuine(PURPOSE, edge, message, verify) or text(message, "nonce") != nonce:
        raise BadMessageError("not said by our cloud to this question")
    took = heard.boot_ms - asked.boot_ms
    if asked.boot != heard.boot or not 0 <= took <= SLOWEST_MS:
        raise BadMessageError("the answer came too late")
    utc_ms, uncertainty = whole(message, "utc_ms"), (took + 1) // 2
    if utc_ms + uncertainty < least_ms:
        raise BadMessageError("it is before a time that is past for certain: the cloud's clock is wrong")
    return Anchor(heard.boot, asked.boot_ms + took // 2, utc_ms, uncertainty)
