"""An attendant's day: one thing after another goes wrong at the lot, told as it happens, and waits for the booth.

Whoever sits at the booth sees to it; what nobody has seen to in time the script does itself, so that the day goes on.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp

from domain.wire import Json
from lotgate.demo.folder import DemoError
from lotgate.demo.lots import EAST_IN, EAST_OUT, Gate
from lotgate.demo.pages import Booth, Counter, Pages
from lotgate.demo.script import yuan
from lotgate.demo.system import System
from lotgate.demo.traffic import MINUTE_MS, random_plate
from plumbing.i18n import load_catalogue

WORDS = load_catalogue(Path(__file__).parents[1] / "locale")
SPOKEN = tuple(WORDS.speaking(language) for language in ("zh-CN", "en"))
LOOK_S = 0.3
PATIENCE_S = 60.0
PAUSE_S = 5.0
ABSENCE_S = 20.0  # how long the cloud stays away
STAY_MIN = 95
BACK = "5.00"  # yuan
ON_PAPER = 6  # commands of a slip that are printed before the paper ends: it begins, and has no code yet
SHANGHAI = ZoneInfo("Asia/Shanghai")


async def attend(system: System, patience_s: float) -> None:
    """Round after round until cancelled. Raises DemoError when a part of the system has ended."""
    async with AsyncExitStack() as stack:
        booth, counter = [await stack.enter_async_context(Pages(url)) for url in (system.edge_url, system.counter_url)]
        for pages in (booth, counter):
            await pages.sign_in(**system.known["attendant"])
        await Counter(counter).serve(system.known["merchant_id"])
        day = AttendantsDay(system, booth, counter, Guide(patience_s))
        while True:
            await day.go_round()


class Guide:
    """Says what happens and what there is to do, in both languages, and waits until it is done."""

    def __init__(self, patience_s: float, tell: Callable[[str], None] = lambda line: print(line, flush=True)) -> None:
        self._patience_s, self._tell = patience_s, tell

    def happens(self, scene: str, number: str) -> None:
        """A scene begins."""
        self._say(f"{scene}.happens", f"{number} ", {})

    def notes(self, key: str, **values: str) -> None:
        """Something to look at; nobody has to act."""
        self._say(key, "     · ", values)

    async def wants(
        self, key: str, done: Callable[[], Awaitable[bool]], helps: Callable[[], Awaitable[object]], **values: str
    ) -> None:
        """Something to do: wait until it is *done*; after a while have it done by the script. Raises DemoError."""
        self._say(key, "     → ", values)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience_s
        while not await done():
            if loop.time() > deadline:
                self.notes("nobody")
                await helps()
                await _until(done, "what the script did to show")
                return
            await asyncio.sleep(LOOK_S)

    async def pause(self, most_s: float = PAUSE_S) -> None:
        """Time to look."""
        await asyncio.sleep(min(most_s, self._patience_s))

    def _say(self, key: str, mark: str, values: dict[str, str]) -> None:
        chinese, english = (speaks(f"attendant.{key}", **values) for speaks in SPOKEN)
        self._tell(f"{mark}{chinese}\n{' ' * len(mark)}{english}")


class AttendantsDay:
    """What happens at the east gate and at the counter, a round of scenes after another."""

    def __init__(self, system: System, pages: Pages, counter: Pages, guide: Guide) -> None:
        self._system, self._street, self._guide = system, system.street, guide
        self._pages, self._booth, self._counter = pages, Booth(pages), counter
        self._random = random.Random()  # noqa: S311 - traffic is no secret
        self._scenes = {
            "arrivals": self._arrivals,
            "cash": self._cash,
            "refund": self._refund,
            "misread": self._misread,
            "alike": self._alike,
            "unknown": self._unknown,
            "tailgater": self._tailgater,
            "paper": self._paper,
            "camera": self._camera,
            "cloud": self._cloud,
        }

    async def go_round(self) -> None:
        """Every scene once; one that cannot be played leaves the others be. Raises DemoError for an ended process."""
        for place, (name, play) in enumerate(self._scenes.items(), 1):
            self._guide.happens(name, f"{place:>2}/{len(self._scenes)}")
            try:
                await play()
            except (DemoError, aiohttp.ClientError) as exc:
                self._system.look_for_ended()
                self._guide.notes("trouble", why=str(exc) or type(exc).__name__)
                for gate in (EAST_IN, EAST_OUT):
                    await self._street.clear_away(gate)
            await self._guide.pause()
        self._guide.notes("round")

    async def _arrivals(self) -> None:
        for _ in range(3):
            plate = self._new()
            await self._comes_in(plate)
            self._guide.notes("arrivals.one", plate=plate)
            await self._guide.pause(1.0)

    async def _cash(self) -> None:
        plate = self._new()
        await self._comes_in(plate)
        await self._later()
        await self._leaves(await self._street.arrive(EAST_OUT, plate))

    async def _refund(self) -> None:
        """Who has paid shows a coupon after all, or was asked for too much; the exit stands."""
        plate = self._new()
        stay_id = await self._comes_in(plate)
        await self._later()
        await self._leaves(await self._street.arrive(EAST_OUT, plate))

        async def is_given() -> bool:
            return f"−¥{BACK}" in (await self._pages.open(f"/booth/stay/{stay_id}")).text

        helps = lambda: self._booth.give_back(stay_id, BACK)  # noqa: E731
        url = f"{self._system.edge_url}/booth/stay/{stay_id}"
        await self._guide.wants("refund.do", is_given, helps, plate=plate, yuan=BACK, url=url)

    async def _misread(self) -> None:
        """It came in under another plate; on its picture anybody can read the right one."""
        stem = self._new()[:-2]
        plate, read = f"{stem}8C", f"{stem}B0"
        stay_id = await self._comes_in(plate, read)

        async def is_mended() -> bool:
            return plate in (await self._pages.open(f"/booth/stay/{stay_id}")).text

        await self._guide.wants(
            "misread.do", is_mended, lambda: self._booth.mend(stay_id, plate), plate=plate, read=read
        )
        await self._later()
        await self._leaves(await self._street.arrive(EAST_OUT, plate))

    async def _alike(self) -> None:
        """Two cars inside differ in one character, the one that the exit's camera cannot see."""
        stem = self._new()[:-1]
        for last in "57":
            await self._comes_in(stem + last)
        await self._later()
        view = await self._street.arrive(EAST_OUT, f"{stem}7", read=stem)
        if view["verdict"] == "Ask":
            helps = lambda: self._booth.type_plate(EAST_OUT.name, f"{stem}7")  # noqa: E731
            await self._guide.wants("alike.do", self._is_past("Ask"), helps, plate=f"{stem}7")
            view = await self._street.lane(EAST_OUT, lambda now: now["verdict"] != "Ask")
        await self._leaves(view)

    async def _unknown(self) -> None:
        plate = self._new()
        view = await self._street.arrive(EAST_OUT, plate)
        if view["verdict"] == "Ask":
            came = self._now() - timedelta(hours=2)
            at = f"{came:%Y-%m-%dT%H:%M}"
            helps = lambda: self._booth.write_entry(EAST_OUT.name, plate, at, EAST_OUT.zone)  # noqa: E731
            await self._guide.wants("unknown.do", self._is_past("Ask"), helps, plate=plate, at=f"{came:%H:%M}")
            view = await self._street.lane(EAST_OUT, lambda now: now["verdict"] != "Ask")
        await self._leaves(view)

    async def _tailgater(self) -> None:
        """The one behind goes through under the boom that was opened for the first."""
        first, second = self._new(), self._new()
        for plate in (first, second):
            await self._comes_in(plate)
        await self._later()
        await self._leaves(await self._street.arrive(EAST_OUT, first), follower=True)
        await self._street.is_seen(EAST_OUT, second)
        await self._street.cross_the_loop(EAST_OUT)
        self._guide.notes("tailgater.look", plate=second)
        await self._street.is_clear(EAST_OUT)

    async def _paper(self) -> None:
        """The paper ends in the middle of a voucher: nobody but a person can tell what came out."""
        hardware, desk = self._system.hardware, Counter(self._counter)
        await self._system.until("an allowance to print from", lambda now: now["leases"] > 0)
        await hardware.order("paper_out", after=ON_PAPER)
        try:
            await desk.print_voucher(self._system.known["templates"]["voucher"])

            async def is_in_doubt() -> bool:
                return bool(await desk.doubtful())

            await _until(is_in_doubt, "the printer")
            self._guide.notes("paper.look")
            await self._guide.pause()
        finally:
            await hardware.order("paper_in")

        async def is_answered() -> bool:
            return not await desk.doubtful()

        await self._guide.wants("paper.do", is_answered, desk.withdraw_doubtful, url=self._system.counter_url)

    async def _cloud(self) -> None:
        plate = self._new()
        await self._comes_in(plate)
        await self._later()
        await self._system.cut_off()
        try:
            await self._system.until("the edge to notice", lambda now: now["link"] == "offline")
            self._guide.notes("cloud.look")
            await self._leaves(await self._street.arrive(EAST_OUT, plate))
            await self._guide.pause(ABSENCE_S)
        except (DemoError, aiohttp.ClientError):  # not when all of it is stopped
            await self._system.bring_back()
            raise
        await self._system.bring_back()
        await self._system.in_touch()
        self._guide.notes("cloud.back")

    async def _camera(self) -> None:
        """A car stands at the exit and nobody reads its plate."""
        plate = self._new()
        await self._comes_in(plate)
        await self._later()
        await self._system.hardware.order("unplug", camera=EAST_OUT.camera)
        try:
            self._guide.notes("camera.look")
            view = await self._street.stands_unseen(EAST_OUT)
            helps = lambda: self._booth.type_plate(EAST_OUT.name, plate)  # noqa: E731
            await self._guide.wants("camera.do", self._is_past("Ask"), helps, plate=plate)
            view = await self._street.lane(EAST_OUT, lambda now: now["verdict"] != "Ask")
        finally:
            await self._system.hardware.order("plug", camera=EAST_OUT.camera)
        self._guide.notes("camera.back")
        await self._leaves(view)

    async def _comes_in(self, plate: str, read: str = "") -> str:
        """A car comes in by itself, the camera reading *read*; its stay."""
        view = await self._street.arrive(EAST_IN, plate, read=read)
        await self._street.drive_through(EAST_IN)
        await self._street.is_clear(EAST_IN)
        return str(view["stay_id"])

    async def _leaves(self, view: Json, *, follower: bool = False) -> None:
        """The car at the exit is let out once its money was taken."""
        if view["verdict"] == "PayFirst":
            stay_id, due = view["stay_id"], yuan(view["due_fen"])

            async def is_paid() -> bool:
                return str((await self._system.local.lane(EAST_OUT.name))["phase"]) == "Passing"

            plate = view["stay_plate"] or view["plate"]
            await self._guide.wants("pays", is_paid, lambda: self._booth.take_cash(stay_id, due), plate=plate, yuan=due)
        await self._street.drive_through(EAST_OUT, follower=follower)
        if not follower:
            await self._street.is_clear(EAST_OUT)

    def _is_past(self, verdict: str, gate: Gate = EAST_OUT) -> Callable[[], Awaitable[bool]]:
        async def look() -> bool:
            return str((await self._system.local.lane(gate.name))["verdict"]) != verdict

        return look

    async def _later(self) -> None:
        """Cars inside have been there for a while."""
        if not await self._system.is_being_paid():
            self._system.clock.advance(STAY_MIN * MINUTE_MS)

    def _now(self) -> datetime:
        return datetime.now(SHANGHAI) + timedelta(milliseconds=self._system.clock.ahead_ms())

    def _new(self) -> str:
        return random_plate(self._random)


async def _until(holds: Callable[[], Awaitable[bool]], what: str, within_s: float = 15.0) -> None:
    """Wait for it. Raises DemoError naming *what*."""
    for _ in range(round(within_s / LOOK_S)):
        if await holds():
            return
        await asyncio.sleep(LOOK_S)
    raise DemoError(f"waited in vain for {what}")
