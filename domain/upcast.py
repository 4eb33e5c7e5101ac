"""Older versions of events read as today's, one version at a time; an edge may be one release behind (sync §3).

@upcast("stay.opened", 1)
def _colour(payload: Json) -> Json:
    return {**payload, "colour": ""}    # version 2 has a colour
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from domain.events import TYPES, Envelope, Event, decode
from domain.wire import Json

Upcast = Callable[[Json], Json]
UPCASTS: dict[tuple[str, int], Upcast] = {}


def upcast(name: str, version: int) -> Callable[[Upcast], Upcast]:
    """Register how a payload of type *name* in *version* becomes one of the next version."""

    def register(step: Upcast) -> Upcast:
        UPCASTS[name, version] = step
        return step

    return register


def read(envelope: Envelope) -> Event:
    """The payload in today's version. Raises BadMessageError for types and versions nobody here knows."""
    version, payload = envelope.version, envelope.payload
    while (step := UPCASTS.get((envelope.type, version))) is not None:
        version, payload = version + 1, step(payload)
    return decode(envelope if version == envelope.version else replace(envelope, version=version, payload=payload))


def missing() -> list[tuple[str, int]]:
    """Versions with a newer one of their type and no step to it: events of that release could not be read."""
    return sorted((name, version) for name, version in TYPES if (name, version + 1) in TYPES
                  and (name, version) not in UPCASTS)  # fmt: skip


@upcast("shift.closed", 1)
def _none_set_by_hand(payload: Json) -> Json:
    return {**payload, "by_hand_fen": 0}


@upcast("barrier.opened", 1)
def _for_nobody_named(payload: Json) -> Json:
    return {**payload, "stay_id": ""}
