"""Pages on the drivers' boards: filled from decisions, spoken as loud as the hour allows, idle when nobody is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from textwrap import wrap

from domain.board import EVENTS, Page, Template, event_of, page, volume_at
from domain.decision import ExitInputs, PayFirst
from domain.fen import yuan
from domain.stay import OUTSIDE
from drivers.base import Audible, DeviceError, Display, Trouble
from edge.lanes.office import Office
from edge.services.lot import Decided
from edge.settings import Boards, Lane
from edge.supervise import Health
from plumbing.i18n import Texts

IDLE_S = 2.0
SHOW_AGAIN_S = 60.0  # an idle page is shown anew, for a board that lost its power in between
MINUTE_MS = 60_000
LINE = 26  # columns; a hanzi takes two


class Board:
    """The boards of a lot. One page at a time goes to each."""

    def __init__(self, texts: Texts, boards: Boards, lot: str) -> None:
        self._texts = texts
        self._boards = boards
        self._lot = lot
        self._templates = (*boards.texts, *default_templates(texts))
        self._turns: dict[Display, asyncio.Lock] = {}
        self._shown: dict[Display, tuple[Page, float]] = {}
        self._volume: dict[Display, int] = {}

    def decided(
        self, lane: Lane, decided: Decided, vehicle_class: str, local: datetime, *, attended: bool = True
    ) -> Page:
        """The page for a decision."""
        event = event_of(decided.decision.verdict, leaving=lane.target == OUTSIDE, attended=attended)
        return self.page(event, lane, vehicle_class, _facts(decided, self._texts), local)

    def idle(self, lane: Lane, free: int | None, local: datetime, zones: Mapping[str, int] | None = None) -> Page:
        """The page between cars; *free* places where the lane leads in, None where that does not matter.

        *zones* has the free places of every zone that can fill.
        """
        all_zones = "  ".join(f"{zone} {max(0, left)}" for zone, left in (zones or {}).items())
        values = {"free": "" if free is None else str(max(0, free)), "zones": all_zones}
        return self.page("idle.full" if free is not None and free <= 0 else "idle", lane, "", values, local)

    def page(self, event: str, lane: Lane, vehicle_class: str, values: dict[str, str], local: datetime) -> Page:
        """The page for any event, with what is the same for all of them filled in."""
        common = {"lot": self._lot, "lane": lane.name, "notice": self._boards.notice, "time": f"{local:%H:%M}"}
        return page(self._templates, event, lane.name, vehicle_class, common | values)

    async def show(self, display: Display, shown: Page, local: datetime) -> None:
        """Put a page on a board. Raises DeviceError."""
        volume = volume_at(self._boards.volume, local.hour * 60 + local.minute)
        async with self._turns.setdefault(display, asyncio.Lock()):
            self._shown.pop(display, None)
            if shown.speak and volume and isinstance(display, Audible) and self._volume.get(display) != volume:
                await display.set_volume(volume)
                self._volume[display] = volume
            await display.show(shown.lines, speak=shown.speak if volume else "")
            self._shown[display] = (shown, asyncio.get_running_loop().time())

    def stands(self, display: Display, shown: Page) -> bool:
        """Whether this very page went to the board not long ago."""
        last, at = self._shown.get(display, (None, 0.0))
        return last == shown and asyncio.get_running_loop().time() - at < SHOW_AGAIN_S


class LaneBoard:
    """The board of one lane; one that fails is told to the booth and keeps nobody waiting."""

    def __init__(self, lane: Lane, board: Board, display: Display | None, office: Office, health: Health) -> None:
        self._lane, self._board, self._display = lane, board, display
        self._office, self._health = office, health

    async def show_decision(self, decided: Decided, vehicle_class: str) -> None:
        """Tell the driver."""
        local = self._local()
        attended = self._office.is_attended(self._lane)
        await self._show(self._board.decided(self._lane, decided, vehicle_class, local, attended=attended), local)

    async def show_event(self, event: str) -> None:
        """Tell the driver something that is no decision."""
        local = self._local()
        await self._show(self._board.page(event, self._lane, "", {}, local), local)

    async def keep_idle(self, is_idle: Callable[[], bool]) -> None:
        """Free places and the notice whenever nobody is here, until cancelled."""
        while self._display is not None:
            if is_idle():
                await self._show_idle(self._display, is_idle)
            await asyncio.sleep(IDLE_S)

    async def _show_idle(self, display: Display, is_idle: Callable[[], bool]) -> None:
        zones, local = await self._office.places_free(), self._local()
        leads_in = not self._office.lot.leads_outwards(self._lane)
        shown = self._board.idle(self._lane, zones.get(self._lane.target) if leads_in else None, local, zones)
        if is_idle() and not self._board.stands(display, shown):
            await self._show(shown, local)

    async def _show(self, shown: Page, local: datetime) -> None:
        if self._display is None:
            return
        try:
            await self._board.show(self._display, shown, local)
        except DeviceError as exc:
            self._health.set(f"display {self._lane.display}", Trouble.of(exc))
        else:
            self._health.set(f"display {self._lane.display}", "")

    def _local(self) -> datetime:
        return self._office.lot.local(self._office.now().wall_ms)


def default_templates(texts: Texts) -> Iterator[Template]:
    """The pages every lot has, from the catalogue."""
    words = texts.catalogue.templates[texts.language]
    for event in EVENTS:
        key = event.replace(".", "_")
        if f"board.{key}" in words:
            yield Template(event, _lines(words[f"board.{key}"]), words.get(f"board_voice.{key}", ""))


def _lines(text: str) -> tuple[str, ...]:
    """Lines as written; a whole sentence, which pages share, is broken where a board would cut it."""
    parts = [part for line in text.split("\n") for part in (line.split("，") if "{" not in line else [line])]
    return tuple(line for part in parts for line in (wrap(part, _widest(part)) if "{" not in part else [part]))


def _widest(text: str) -> int:
    return LINE if text.isascii() else LINE // 2


def _facts(decided: Decided, texts: Texts) -> dict[str, str]:
    """The variables a decision gives."""
    decision, why = decided.decision, decided.decision.explanation
    verdict, inputs = decision.verdict, decision.inputs
    facts = {"plate": inputs.plate, "minutes": str(inputs.rules.leave_within_min)}
    if why.get("owed_fen"):
        facts["owed"] = _amount(why["owed_fen"])
    if isinstance(inputs, ExitInputs) and inputs.stay is not None:
        facts |= {
            "stayed": _stayed(inputs.length_ms, texts),
            "fee": _amount(why.get("fee_fen", 0)),
            "off": _amount(why.get("off_fen", 0)),
        }
    if isinstance(verdict, PayFirst):
        facts["yuan"] = _amount(verdict.due_fen)
    return facts


def _stayed(length_ms: int, texts: Texts) -> str:
    hours, minutes = divmod(length_ms // MINUTE_MS, 60)
    if hours:
        return texts("board.stayed_hours", hours=hours, minutes=minutes)
    return texts("board.stayed_minutes", minutes=minutes)


def _amount(fen: int) -> str:
    """Whole yuan without their ".00": a board is narrow and a voice slow."""
    return yuan(fen).removesuffix(".00")
