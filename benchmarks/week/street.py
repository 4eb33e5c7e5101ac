"""Cars at the lanes: they queue, stand on loops, are read, wait for the arm, cross, turn back or follow too close."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from benchmarks.week.devices import Devices, Look
from benchmarks.week.house import House
from benchmarks.week.people import BACK, LIFT, Booth
from benchmarks.week.truth import Crossing, Truth, Visit
from edge.settings import Lane

LOOK_S = 3.0  # how often somebody in the booth looks at a car that waits
TAIL_WAITS_S = 1_200.0


@dataclass(slots=True)
class Way:
    """A lane on the street: one car before the arm at a time, and perhaps one that means to follow it through."""

    lane: Lane
    turn: asyncio.Lock
    tail: asyncio.Future[None] | None = None
    tail_visit: Visit | None = None


@dataclass(slots=True)
class Street:
    """All lanes and everything that drives."""

    lanes: Mapping[str, Lane]
    devices: Devices
    house: House
    booth: Booth
    truth: Truth
    ways: dict[str, Way] = field(default_factory=dict)

    def __post_init__(self) -> None:
        turns = {lane.barrier: asyncio.Lock() for lane in self.lanes.values()}
        self.ways = {name: Way(lane, turns[lane.barrier]) for name, lane in self.lanes.items()}

    @property
    def now_s(self) -> float:
        """Seconds of the week."""
        return self.house.loop.time()

    async def through(self, visit: Visit, *, inwards: bool) -> bool:
        """A car at its lane; True once it is on the other side."""
        car = visit.car
        way = self.ways[car.lane_in if inwards else car.lane_out]
        if ("tailgates_in" if inwards else "tailgates_out") in car.traits and await self._follow(way, visit):
            return True
        look = car.look_in if inwards else car.look_out
        async with way.turn:
            await self._come(way, look)
            return await self._before_the_arm(way, visit, inwards=inwards)

    async def _come(self, way: Way, look: Look) -> None:
        self.devices.barriers[way.lane.barrier].opened.clear()
        self._loop(way, way.lane.loop, taken=True)
        await asyncio.sleep(0.5)
        for camera in way.lane.cameras:
            self.devices.cameras[camera].see(look)

    async def _before_the_arm(self, way: Way, visit: Visit, *, inwards: bool) -> bool:
        opened = self.devices.barriers[way.lane.barrier].opened
        looks = 0  # of somebody in the booth, while there is a booth
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await opened.wait()
            if opened.is_set():
                self._note_decision(way, visit, inwards=inwards)
                return await self._opened(way, visit, inwards=inwards)
            answer = await self.booth.help(way.lane.name, visit, looks, inwards=inwards)
            looks += self.house.edge is not None
            if answer == BACK:
                await self._back(way)
                return False
            if answer == LIFT:
                seen = self.house.edge is not None
                await self._cross(way, visit, inwards=inwards, how="lifted" if seen else "unseen")
                await self.booth.clear(way.lane.name)
                return True

    def _note_decision(self, way: Way, visit: Visit, *, inwards: bool) -> None:
        view = self.house.edge.live.get(way.lane.name) if self.house.edge else None
        if view is None:
            return
        if inwards:
            visit.stay_in, visit.booked = view.stay_id, view.plate
        else:
            visit.stay_out = view.stay_id

    async def _opened(self, way: Way, visit: Visit, *, inwards: bool) -> bool:
        if ("reverses_in" if inwards else "reverses_out") in visit.car.traits and visit.car.number not in self._turned:
            self._turned.add(visit.car.number)
            await asyncio.sleep(3)
            await self._back(way)
            self.truth.told["turned back with the arm up"] += 1
            if inwards:
                visit.went_away = "reversed"
                return False
            await asyncio.sleep(90)  # forgot something; comes again at once
            await self._come(way, visit.car.look_out)
            return await self._before_the_arm(way, visit, inwards=inwards)
        await self._cross(way, visit, inwards=inwards, how="pulse")
        return True

    _turned: set[int] = field(default_factory=set)

    async def _back(self, way: Way) -> None:
        self._loop(way, way.lane.loop, taken=False)
        self._unseen(way)
        await asyncio.sleep(8)

    async def _cross(self, way: Way, visit: Visit, *, inwards: bool, how: str) -> None:
        await asyncio.sleep(1.2)
        self._loop(way, way.lane.passage_loop, taken=True)
        self._unseen(way)
        await asyncio.sleep(0.9)
        self._loop(way, way.lane.loop, taken=False)
        tail = way.tail_visit if how == "pulse" else None
        if tail is not None:
            way.tail_visit = None
            await asyncio.sleep(0.4)
            self._loop(way, way.lane.loop, taken=True)
            for camera in way.lane.cameras:
                self.devices.cameras[camera].see(tail.car.look_in if inwards else tail.car.look_out)
        await asyncio.sleep(1.1)
        self._loop(way, way.lane.passage_loop, taken=False)
        self._crossed(way, visit, inwards=inwards, how=how)
        if tail is not None:
            await self._cross_behind(way, tail, inwards=inwards)
        await asyncio.sleep(6)

    async def _cross_behind(self, way: Way, visit: Visit, *, inwards: bool) -> None:
        await asyncio.sleep(0.5)
        self._loop(way, way.lane.passage_loop, taken=True)
        self._unseen(way)
        await asyncio.sleep(0.7)
        self._loop(way, way.lane.loop, taken=False)
        await asyncio.sleep(0.9)
        self._loop(way, way.lane.passage_loop, taken=False)
        look = visit.car.look_in if inwards else visit.car.look_out
        is_read = bool(look.text) and any(self.devices.cameras[name].is_on for name in way.lane.cameras)
        self._crossed(way, visit, inwards=inwards, how="tailgate" if is_read else "trailer")
        if way.tail is not None and not way.tail.done():
            way.tail.set_result(None)

    def _crossed(self, way: Way, visit: Visit, *, inwards: bool, how: str) -> None:
        loops = self.devices.loops[way.lane.reporting_loops[0]]
        seen = self.house.edge is not None and loops.is_on and how != "trailer"
        how = how if seen or how in ("pulse", "trailer") else "unseen"
        self.truth.told["close behind and unread: no loop tells it from a trailer"] += how == "trailer"
        self.truth.crossings.append(Crossing(self.now_s, way.lane.name, inwards, visit.car.number, how, seen))
        if inwards:
            visit.entered_s, visit.how_in = self.now_s, how
        else:
            visit.left_s, visit.how_out = self.now_s, how
        if how == "tailgate":
            if inwards:
                visit.booked = visit.car.look_in.text
            else:
                visit.unpaid = "tailgate"

    async def _follow(self, way: Way, visit: Visit) -> bool:
        """Stick to the bumper of whoever goes next; False when nobody does for long."""
        if way.tail_visit is not None or (way.tail is not None and not way.tail.done()):
            return False
        way.tail = tail = asyncio.get_running_loop().create_future()
        way.tail_visit = visit
        with suppress(TimeoutError):
            async with asyncio.timeout(TAIL_WAITS_S):
                await asyncio.shield(tail)
        if tail.done():
            return True
        if way.tail_visit is visit:
            way.tail_visit = None
            tail.cancel()
            return False
        await tail  # it is under way right now
        return True

    def _loop(self, way: Way, loop: str, *, taken: bool) -> None:
        """Every lane that watches this loop hears of it."""
        for lane in self.lanes.values():
            if loop in (lane.loop, lane.passage_loop):
                self.devices.loops[lane.reporting_loops[0]].set(loop, taken=taken)

    def _unseen(self, way: Way) -> None:
        for camera in way.lane.cameras:
            self.devices.cameras[camera].before = None
