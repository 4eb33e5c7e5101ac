"""A lane's arm and loops on a simulated board: cars come, drive through, tow, edge and back off over real sockets."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path

from domain.lane import Phase
from drivers.camera.simulated import Sight
from edge.lanes.live import LaneView
from edge.settings import EdgeSettings, LotRules
from tests.edge.test_daemon import QUICK, Running, lot_settings

SETTLED_S = 0.15  # several polls and the debounce, on a busy machine
INPUTS = {"in-before": 0, "in-under": 1, "out-before": 2, "out-under": 3}
# a gap is told from none by a machine that may be busy with other things
RULES = replace(QUICK, closing_s=1, trailer_gap_ms=400, read_timeout_ms=600)


def gated(folder: Path, board_port: int, rules: LotRules = RULES) -> EdgeSettings:
    """An entry and an exit, each with a loop before its arm and one under it."""
    plain = lot_settings(folder, board_port, rules)
    board = {"type": "modbus_tcp", "host": "127.0.0.1", "port": board_port, "poll_ms": 10, "debounce_ms": 20}
    lanes = tuple(
        replace(lane, loop=f"{lane.name}-before", passage_loop=f"{lane.name}-under", loop_devices=("board",))
        for lane in plain.lanes
    )
    return replace(plain, lanes=lanes, devices=replace(plain.devices, loops={"board": {**board, "inputs": INPUTS}}))


@dataclass
class Gate:
    """One lane: *before* and *under* are its loops on the board. Its arm falls once a car is off the one under it."""

    lot: Running
    lane: str
    before: int
    under: int
    channel: int
    stood_under_a_shut_arm: list[str] = field(default_factory=list)
    _pulses_used: int = 0

    @property
    def pulses(self) -> int:
        return sum(pulse.channel == self.channel for pulse in self.lot.board.pulses)

    @property
    def view(self) -> LaneView:
        view = self.lot.opened.edge.live.get(self.lane)
        assert view is not None
        return view

    @property
    def state(self) -> Phase:
        return self.lot.opened.edge.workers[self.lane].state.phase

    async def input(self, place: int, on: bool) -> None:
        self.lot.board.set_input(place, on)
        await asyncio.sleep(SETTLED_S)

    async def until(self, *phases: str) -> None:
        await self.lot.until(lambda: self.view.phase in phases)

    async def comes(self, plate: str = "") -> None:
        """A car drives up to the arm, and its camera reads *plate*, or nothing."""
        await self.input(self.before, True)
        if plate:
            await self.sees(plate)

    async def sees(self, plate: str) -> None:
        await self.lot.cameras[self.lane].see(Sight(plate))

    async def opens(self, pulses: int) -> None:
        """The arm was told to open for the *pulses*-th time."""
        await self.lot.until(lambda: self.pulses >= pulses)
        assert self.pulses == pulses

    async def noses_in(self, who: str = "") -> None:
        """Somebody takes the loop under the arm."""
        if self.pulses == self._pulses_used:
            self.stood_under_a_shut_arm.append(who)
        await self.input(self.under, True)

    async def through(self, who: str = "", follower: str = "") -> None:
        """The car before the arm drives through, *follower* close behind it and read while it does."""
        await self.noses_in(who)
        await self.input(self.before, False)
        if follower:
            await self.comes(follower)
        await self.off()

    async def off(self) -> None:
        """The loop under the arm comes free, and the arm falls."""
        self._pulses_used = self.pulses
        await self.input(self.under, False)


def entry(lot: Running) -> Gate:
    return Gate(lot, "in", 0, 1, 0)


def way_out(lot: Running) -> Gate:
    return Gate(lot, "out", 2, 3, 1)


async def codes(lot: Running) -> list[str]:
    """Incidents so far, oldest first."""
    return [one.code for one in reversed(await lot.opened.edge.incidents())]


async def passages(lot: Running, lane: str) -> list[tuple[str, str]]:
    """How vehicles passed a lane, and as whom, oldest first."""
    rows = await lot.opened.edge.read(
        lambda conn: conn.execute("SELECT kind, plate FROM passage WHERE lane = ? ORDER BY rowid", (lane,)).fetchall()
    )
    return [(row[0], row[1]) for row in rows]
