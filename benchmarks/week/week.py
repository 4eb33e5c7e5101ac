"""The week itself: cars, troubles, shops and the clock, played to the end; then everything is left lying for checks."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

from benchmarks.week.devices import Devices
from benchmarks.week.house import House
from benchmarks.week.line import Cloud, Line
from benchmarks.week.lot import week_lot
from benchmarks.week.people import Booth
from benchmarks.week.plan import DAY_S, Plan, Trouble
from benchmarks.week.street import Street
from benchmarks.week.truth import Truth, Visit
from benchmarks.week.virtual_time import VirtualLoop
from edge.counterdesk import Printed
from edge.facade import Edge
from plumbing.onethread import ThreadClosedError
from plumbing.signing import load_or_create_key

MONDAY_MS = 1_794_758_400_000  # 2026-11-16 00:00 at the lot
NIGHTLY_S = 3.5 * 3600
TURN_S = 15.0  # an idle lane looks up each second; here each 15 virtual ones, or the week would take an hour more
LAST_S = 3600.0  # after the last car came: those that are at a lane get through, the log drains


class Week:
    """Everything of one week. ``play`` runs it; what it leaves is looked at by the checks and the report."""

    def __init__(self, plan: Plan, folder: Path, loop: VirtualLoop, tell: Callable[[str], None] = print) -> None:
        self.plan, self.folder, self.loop, self.tell = plan, folder, loop, tell
        self.truth = Truth()
        self.rng = random.Random(plan.seed + 1)
        self.devices = Devices(loop.time)
        self.cloud = Cloud(folder / "cloud.db", random.Random(plan.seed + 2), self.wall_ms)
        self.cloud.furnish(week_lot(folder / "data", "edge", plan.places))
        self.settings = week_lot(folder / "data", self.cloud.edge_id, plan.places)
        self.house = House(self.settings, loop, MONDAY_MS)
        self.line = Line(self.house, self.cloud)
        self.booth = Booth(self.house, self.truth)
        lanes = {lane.name: lane for lane in self.settings.lanes}
        self.street = Street(lanes, self.devices, self.house, self.booth, self.truth)
        self.took_s = 0.0
        self._cars: set[asyncio.Task[None]] = set()

    def wall_ms(self) -> int:
        """What a right clock shows."""
        return MONDAY_MS + round(self.loop.time() * 1000)

    @property
    def ends_s(self) -> float:
        """When the week is over, in virtual seconds."""
        return self.plan.days * DAY_S + LAST_S

    async def play(self) -> None:
        """From the first car until the log has drained and the daemon has ended in order."""
        began = time.monotonic()
        with self.devices.registered(), patch("edge.lanes.worker.TURN_S", TURN_S):
            self.settings.data.mkdir(parents=True)
            self.cloud.admit(load_or_create_key(self.settings.key_file).public.raw, self.plan.monthly)
            await self.house.start()
            for barrier in self.devices.barriers.values():
                barrier.cut = self.house.at_pulse
            async with asyncio.TaskGroup() as group:
                helpers = [
                    group.create_task(work)
                    for work in (
                        self.line.run(),
                        self._break_things(),
                        self._nights(),
                        self._leases(),
                        self._progress(began),
                    )
                ]
                await self._let_come()
                await asyncio.sleep(self.ends_s - self.loop.time())
                for helper in helpers:
                    helper.cancel()
            await self._end()
        self.took_s = time.monotonic() - began

    async def _end(self) -> None:
        for task in self._cars:
            task.cancel()
        await asyncio.gather(*self._cars, return_exceptions=True)
        self.line.is_up = True
        for _ in range(20):
            await self.line.turn()
            await asyncio.sleep(15)
        await self.house.stop()

    async def _let_come(self) -> None:
        for car in self.plan.cars:
            await asyncio.sleep(max(0.0, car.comes_s - self.loop.time()))
            task = asyncio.create_task(self._visit(self.truth.visit(car)))
            self._cars.add(task)
            task.add_done_callback(self._gone)

    def _gone(self, task: asyncio.Task[None]) -> None:
        self._cars.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.truth.odd.append(f"a car's script broke: {error!r}")
            raise error

    async def _visit(self, visit: Visit) -> None:
        if not await self._pass(visit, inwards=True):
            return
        car = visit.car
        half = car.stays_s / 2
        await asyncio.sleep(half)
        if "coupon" in car.traits:
            self._coupon(visit)
        if "voucher" in car.traits:
            await self._voucher(visit)
        await asyncio.sleep(half)
        await self._pass(visit, inwards=False)

    async def _pass(self, visit: Visit, *, inwards: bool) -> bool:
        return await self.street.through(visit, inwards=inwards)

    def _coupon(self, visit: Visit) -> None:
        """A shop on the cloud's page; it needs the cloud to know the car and the line to be up for the lot to hear."""
        shop = self.rng.choice(list(self.cloud.shops))
        given = self.line.is_up and bool(visit.booked) and self.cloud.give_coupon(visit.booked, shop)
        self.truth.told["coupons given" if given else "coupons that could not be given"] += 1

    async def _voucher(self, visit: Visit) -> None:
        """A shop at the counter prints one."""
        edge, shop = self.house.edge, self.rng.choice(list(self.cloud.shops))
        if edge is None:
            self.truth.told["no voucher: the lot was down"] += 1
            return
        with suppress(ThreadClosedError):
            printed = await edge.counter.issue_voucher(shop, self.cloud.shops[shop][2], "shop", "service-desk")
            if isinstance(printed, Printed):
                self.truth.told[f"vouchers printed {printed.state}"] += 1
                visit.paper = await self._token(edge, printed)
            else:
                self.truth.told[f"no voucher: {printed.code}"] += 1

    async def _token(self, edge: Edge, printed: Printed) -> str:
        rows = await edge.counter.vouchers()
        return next((row.token for row in rows if (row.key_id, row.counter) == (printed.key_id, printed.counter)), "")

    async def _leases(self) -> None:
        await asyncio.sleep(30)
        while True:
            if self.line.is_up:
                self.cloud.refill_leases()
            await asyncio.sleep(3600)

    async def _nights(self) -> None:
        while True:
            await asyncio.sleep((NIGHTLY_S - self.loop.time()) % DAY_S or DAY_S)
            await self.house.nightly()

    async def _progress(self, began: float) -> None:
        step = self.ends_s / 50
        while True:
            await asyncio.sleep(step)
            done = self.loop.time() / self.ends_s
            spent = time.monotonic() - began
            self.tell(
                f"{done:4.0%}  day {int(self.loop.time() // DAY_S) + 1} {int(self.loop.time() % DAY_S // 3600):02d}h  "
                f"{len(self.truth.crossings)} crossings, {len(self.truth.inside)} inside, {self.house.kills} kills, "
                f"{len(self.truth.odd)} odd; about {spent / done - spent:.0f} s left"
            )

    async def _break_things(self) -> None:
        async with asyncio.TaskGroup() as group:
            for trouble in self.plan.troubles:
                await asyncio.sleep(max(0.0, trouble.begins_s - self.loop.time()))
                group.create_task(self._trouble(trouble))

    async def _trouble(self, trouble: Trouble) -> None:
        match trouble.kind:
            case "power":
                await self._power_cut(trouble)
            case "crash":
                await self._crash(trouble)
            case "line":
                self.line.is_up = False
                await asyncio.sleep(trouble.lasts_s)
                self.line.is_up = True
            case kind:
                await self._dead(kind, trouble)

    async def _dead(self, kind: str, trouble: Trouble) -> None:
        devices = [device for name in trouble.subject.split() for device in self._hit(kind, name)]
        for device in devices:
            device.switch(on=False)
        await asyncio.sleep(trouble.lasts_s)
        for device in devices:
            device.switch(on=True)

    def _hit(self, kind: str, name: str) -> list:  # type: ignore[type-arg]
        """What goes dark: a camera, a printer, or a relay board with the barrier and the loops on it."""
        if kind == "board":
            barrier = self.settings.lane(name)
            assert barrier is not None
            return [self.devices.barriers[barrier.barrier], self.devices.loops[name]]
        return [self.devices.named(kind, name)]

    async def _crash(self, trouble: Trouble) -> None:
        """The daemon is killed: right before or after the next pulse, or wherever it is."""
        died = self.house.died
        if trouble.subject == "any":
            self.house.die()
        else:
            self.house.cut_at_pulse = trouble.subject
        with suppress(TimeoutError):
            async with asyncio.timeout(6 * 3600):
                await died.wait()
                await self._rise(trouble.lasts_s, power_was_off=False)

    async def _power_cut(self, trouble: Trouble) -> None:
        self.booth.arms_up = trouble.subject == "arms up"
        self.house.die()
        for device in self.devices.everything():
            device.switch(on=False)
        await self._rise(trouble.lasts_s, power_was_off=True)
        self.booth.arms_up = False

    async def _rise(self, after_s: float, *, power_was_off: bool) -> None:
        if not await self.house.bury():
            return  # another trouble killed it, and brings it back
        await asyncio.sleep(after_s)
        for device in self.devices.everything():
            device.switch(on=True)
        await self.house.start(power_was_off=power_was_off)
