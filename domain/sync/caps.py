"""What an edge can do, as it says in every hello: the cloud sends nothing above it (sync §3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from domain.events import TYPES
from domain.wire import BadMessageError, Json


@dataclass(frozen=True, slots=True)
class Caps:
    """Kinds of *commands* it carries out, *channels* it keeps, and the version it writes each type of *events* in."""

    commands: frozenset[str]
    channels: frozenset[str]
    events: Mapping[str, int]

    def message(self) -> Json:
        """As it travels, and as it is stored."""
        return {"cmd": sorted(self.commands), "ch": sorted(self.channels), "ev": dict(sorted(self.events.items()))}


FIRST = Caps(
    frozenset({"lease.grant", "lease.return"}),
    frozenset({"rules", "people", "keys", "vstate", "config", "coupons", "payments"}),
    {},
)
"""Those of a release that announced none."""


def own_caps(commands: Collection[str], channels: Collection[str]) -> Caps:
    """Those of this release: it writes each event type in its newest version."""
    return Caps(frozenset(commands), frozenset(channels), newest_versions())


def newest_versions() -> dict[str, int]:
    """The newest version of every event type this release knows."""
    newest: dict[str, int] = {}
    for name, version in TYPES:
        newest[name] = max(version, newest.get(name, 0))
    return newest


def open_caps(value: object) -> Caps:
    """What a hello's ``caps`` say; those of the first release when there are none. Raises BadMessageError."""
    if value in (None, [], ""):
        return FIRST
    if not isinstance(value, dict):
        raise BadMessageError("'caps' must be an object")
    events = value.get("ev")
    if not isinstance(events, dict) or not all(isinstance(version, int) for version in events.values()):
        raise BadMessageError("'caps' must name a version for each event type")
    return Caps(
        _names(value, "cmd"), _names(value, "ch"), {str(name): int(version) for name, version in events.items()}
    )


def _names(value: Json, key: str) -> frozenset[str]:
    names = value.get(key)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadMessageError(f"'caps' must list its {key}")
    return frozenset(names)


def unreadable(caps: Caps) -> list[str]:
    """Event types the edge writes in a version this release cannot read: its cloud must be upgraded."""
    known = newest_versions()
    return sorted(name for name, version in caps.events.items() if version > known.get(name, 0))
