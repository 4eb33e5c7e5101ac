"""How a lot's slips are laid out: as the cloud says, else as the lot file says, else as they are shipped."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from domain.slip_layouts import Layout
from domain.slip_parse import LayoutError
from domain.wire import Json
from edge.db import channels
from plumbing.paper.shipped import layout_of

log = logging.getLogger(__name__)

CHANNEL = "config"


@dataclass(frozen=True, slots=True)
class OwnSlip:
    """What a lot file changes on one *slip*: lines above it and below its words, or its whole *layout* (a file)."""

    slip: str
    head: tuple[str, ...] = ()
    foot: tuple[str, ...] = ()
    layout: Path | None = None

    def __post_init__(self) -> None:
        self.read()

    def read(self) -> Layout:
        """The layout with all of this. Raises ValueError that says what is wrong and where."""
        try:
            text = self.layout.read_text(encoding="utf-8") if self.layout else ""
        except (OSError, UnicodeDecodeError) as exc:
            raise ValueError(f"layout {self.layout} cannot be read: {exc}") from exc
        return layout_of(self.slip, text, self.head, self.foot)


class Layouts:
    """Asked for each slip, so that what the cloud changes counts from the next one on."""

    def __init__(self, read: Callable[..., Awaitable[Json | None]], own: Iterable[OwnSlip]) -> None:
        self._read = read
        self._own: Mapping[str, Layout] = {one.slip: one.read() for one in own}
        self._refused: dict[str, Json] = {}

    async def of(self, name: str) -> Layout:
        """The layout of the slips called *name*."""
        row = await self._read(channels.get, CHANNEL, f"slip:{name}")
        own = self._own.get(name) or layout_of(name)
        return own if row is None else self._told(name, row, own)

    def _told(self, name: str, row: Json, own: Layout) -> Layout:
        try:
            return layout_of(name, str(row.get("text", "")), _lines(row, "head"), _lines(row, "foot"))
        except LayoutError as exc:  # made for a newer release than this
            if self._refused.get(name) != row:
                self._refused[name] = row
                log.warning("the cloud's layout of the %s cannot be used here: %s", name, exc)
            return own


def _lines(row: Json, key: str) -> tuple[str, ...]:
    return tuple(str(line) for line in row.get(key) or ())
