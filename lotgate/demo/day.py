"""The scripted day: cars, coupons, a cloud that goes away and comes back; every figure is checked by the script."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp

import edge.web
from domain.ledger import REDEEMED
from domain.voucher import strip_to_token
from lotgate.demo import script
from lotgate.demo.acts import Act
from lotgate.demo.audit import Seen, audit
from lotgate.demo.economy import Economy
from lotgate.demo.folder import DemoError
from lotgate.demo.forgery import forged_like
from lotgate.demo.lots import EAST_IN, EAST_OUT, WEST_IN, WEST_OUT
from lotgate.demo.pages import Booth, Counter, Pages
from lotgate.demo.photos import Photo
from lotgate.demo.qr import read_qr
from lotgate.demo.script import Car, published_fee
from lotgate.demo.steps import Steps
from lotgate.demo.system import System
from plumbing.i18n import SHELL_LOCALE, load_catalogue
from plumbing.paper.picture import render

REFUSED = 409
SHANGHAI = ZoneInfo("Asia/Shanghai")
MORNING = clock_time(8)

WORDS = load_catalogue(SHELL_LOCALE, Path(edge.web.__file__).parent / "locale").speaking("zh-CN")

Scene = Callable[[Act], Awaitable[None]]


class Day:
    """Plays the scenes in order; a scene that cannot be played to its end is the last."""

    def __init__(self, system: System, photos: Sequence[Photo]) -> None:
        self._system, self._street = system, system.street
        self._plain = [Car(plate) for plate in script.DRAWN]
        for car, photo in zip(self._plain, photos, strict=False):
            car.plate, car.photo = photo.plate or car.plate, photo.path
        self._cars = {plate: Car(plate) for plate in script.SMART_LANE}
        self._booth_pages = Pages(system.edge_url)
        self._attendant = Booth(self._booth_pages)
        self._steps = Steps(system, self._attendant)
        self._economy = Economy(system, self._steps)
        self._began_ms = time.time_ns() // 1_000_000 + system.clock.ahead_ms()
        self._token = ""
        self._owed: dict[str, int] = {}  # by the script, what leaves unpaid
        self.scenes: list[tuple[str, Scene]] = [
            ("cars come in at the east gate, read by its smart camera", self._smart_entries),
            ("cars come in at the west gate, read on a plain camera's pictures", self._plain_entries),
            ("a car leaves within the free minutes", self._free_exit),
            ("a car pays the published fee in cash", self._cash_exit),
            ("a merchant gives coupons to cars inside", self._coupons_given),
            ("a coupon is taken off at the exit", self._coupon_exit),
            ("the cloud stops and the broker dies", self._cut_off),
            ("a coupon is taken off with the cloud gone", self._cached_exit),
            ("a voucher is printed with the cloud gone", self._voucher_printed),
            ("a forged voucher is refused", self._forged_voucher),
            ("the printed voucher pays at the exit, once", self._voucher_exit),
            ("a misread plate is matched", self._misread_exit),
            ("a car follows another out and owes its fee", self._tailgater),
            ("a car is let out by hand and owes its fee", self._by_hand),
            ("a plain-camera car leaves, read and paid", self._plain_exit),
            ("broker and cloud come back, the backlog drains", self._back),
            ("the cloud knows of everything", self._known_above),
            *self._economy.scenes,
        ]

    async def play(self, tell: Callable[[str], None]) -> list[Act]:
        """Every act with its checks, up to the first that cannot go on."""
        acts = []
        self._wait_for_morning()
        self._spent_before = await self._spent()
        async with contextlib.AsyncExitStack() as stack:
            for pages in (self._booth_pages, *self._economy.people):
                await stack.enter_async_context(pages)
            for name, scene in self.scenes:
                tell(name)
                act = Act(name)
                acts.append(act)
                if not await _played(scene, act):
                    break
        return acts

    async def settle(self) -> dict[str, list[str]]:
        """Stop the daemons once nothing waits to be sent, and lay both sides' stored data side by side."""
        system = self._system
        with contextlib.suppress(DemoError):  # what did not arrive is told by the audit
            if system.cloud.pid is None:
                await system.bring_back()
            await system.in_touch()
        pulses = sum([await self._street.pulses(gate) for gate in (EAST_IN, EAST_OUT, WEST_IN, WEST_OUT)])
        await system.stop_daemons()
        seen = Seen(system.known["edge"], self._began_ms, pulses, self._owed)
        return await asyncio.to_thread(audit, system.folder, seen)

    def _wait_for_morning(self) -> None:
        """The day begins at eight the next morning, whatever an earlier one left inside."""
        now = datetime.fromtimestamp(self._began_ms / 1000, SHANGHAI)
        morning = datetime.combine(now.date() + timedelta(days=1), MORNING, SHANGHAI)
        self._system.clock.advance(round((morning - now).total_seconds() * 1000))

    async def _spent(self) -> dict[str, int]:
        """What the merchant's used coupons and vouchers cost it so far, by commodity."""
        spent = {"FEN": 0, "MIN": 0}
        for books in await self._system.api.get("books"):
            if books["merchant_id"] == self._system.known["merchant_id"]:
                spent[books["commodity"]] += books["accounts"].get(REDEEMED, 0)
        return spent

    # The scenes

    async def _smart_entries(self, act: Act) -> None:
        for car in self._cars.values():
            await self._steps.enter(act, EAST_IN, car)
        inside = (await self._system.local.standing())["inside"]
        act.expect("cars inside", True, inside >= len(self._cars))

    async def _plain_entries(self, act: Act) -> None:
        await self._booth_pages.sign_in(**self._system.known["attendant"])
        for car in self._plain:
            await self._steps.enter(act, WEST_IN, car)

    async def _free_exit(self, act: Act) -> None:
        self._steps.later(15)
        car = self._cars[script.SHORT]
        view = await self._street.arrive(EAST_OUT, car.plate)
        act.expect("let out", "Admit", view["verdict"])
        await self._steps.is_asked_for(act, car, view)
        await self._street.drive_through(EAST_OUT)

    async def _cash_exit(self, act: Act) -> None:
        self._steps.later(110)
        car = self._cars[script.CASH]
        view = await self._street.arrive(EAST_OUT, car.plate)
        act.expect("waits for money", "PayFirst", view["verdict"])
        await self._steps.pays_and_goes(act, EAST_OUT, car, await self._steps.is_asked_for(act, car, view))

    async def _coupons_given(self, act: Act) -> None:
        """On the merchant's own pages; the edge holds both before the cloud goes."""
        known, local = self._system.known, self._system.local
        version = (await local.standing())["coupons_version"]
        async with Pages(self._system.cloud_url) as pages:
            await pages.sign_in(**known["merchant"])
            for plate, template in ((script.COUPON, "amount"), (script.CACHED, "duration")):
                found = await pages.open(f"/m/issue?q={plate}")
                act.expect(f"{plate} found inside", self._cars[plate].stay_id, found.hidden.get("stay_id"))
                fields = {"template_id": str(known["templates"][template]), "q": plate}
                given = await pages.submit("/m/issue", fields, form=f"/m/issue?q={plate}")
                act.expect("given", 200, given.status)

        await self._system.until("the coupons to reach the lot", lambda now: now["coupons_version"] >= version + 2)
        await self._system.in_touch()

    async def _coupon_exit(self, act: Act) -> None:
        car = self._cars[script.COUPON]
        view = await self._street.arrive(EAST_OUT, car.plate)
        await self._steps.pays_and_goes(
            act, EAST_OUT, car, await self._steps.is_asked_for(act, car, view, script.COUPON_OFF)
        )

    async def _cut_off(self, act: Act) -> None:
        await self._system.until("an allowance to print from", lambda now: now["leases"] > 0)
        await self._system.cut_off()

        standing = await self._system.until("the edge to notice", lambda now: now["link"] == "offline")
        act.expect("the cloud answers", False, await self._system.api.answers())
        act.expect("the broker runs", None, self._system.broker.pid)
        act.expect("the line", "offline", standing["link"], telling=True)

    async def _cached_exit(self, act: Act) -> None:
        """A duration coupon takes the last two hours off: what is left is the fee of a stay that much shorter."""
        self._steps.later(60)
        car = self._cars[script.CACHED]
        length = self._steps.minute - car.entered
        off = published_fee(length) - published_fee(length - script.DURATION_MIN)
        view = await self._street.arrive(EAST_OUT, car.plate)
        await self._steps.pays_and_goes(act, EAST_OUT, car, await self._steps.is_asked_for(act, car, view, off))

    async def _voucher_printed(self, act: Act) -> None:
        """The slip is looked at as the printer got it, and its code read off that picture."""
        known, hardware = self._system.known, self._system.hardware
        printed = await hardware.jobs()
        async with Pages(self._system.counter_url) as pages:
            await pages.sign_in(**known["attendant"])
            counter = Counter(pages)
            await counter.serve(known["merchant_id"])
            page = await counter.print_voucher(known["templates"]["voucher"])
        act.expect("order taken", 200, page.status)
        png = render(await hardware.job(printed))
        (self._system.folder.slips / f"voucher-{printed + 1:02d}.png").write_bytes(png)
        text = read_qr(png)
        self._token = strip_to_token(text)
        if not text:
            raise DemoError("no code could be read off the slip")
        act.expect("its code", "HTTPS://PARK.EXAMPLE.COM/V/LG1", text[:30], telling=True)
        act.expect("jobs printed", 1, await hardware.jobs() - printed)

    async def _forged_voucher(self, act: Act) -> None:
        """The same promise under another signature, laid on a car that waits at the exit."""
        car = self._cars[script.VOUCHER]
        view = await self._street.arrive(EAST_OUT, car.plate)
        await self._steps.is_asked_for(act, car, view)
        page = await self._attendant.scan(car.stay_id, forged_like(self._token))
        act.expect("answer", REFUSED, page.status)
        act.expect("says", WORDS("refused.voucher_bad_signature"), page.said, telling=True)
        view = await self._street.lane(EAST_OUT, lambda now: now["phase"] == "Waiting")
        act.expect_fen("still due", self._steps.fee(car), view["due_fen"], telling=True)

    async def _voucher_exit(self, act: Act) -> None:
        car, other = self._cars[script.VOUCHER], self._cars[script.MISREAD]
        page = await self._attendant.scan(car.stay_id, self._token)
        act.expect("accepted", 200, page.status)
        view = await self._street.lane(EAST_OUT, lambda now: now["off_fen"] > 0 and now["phase"] == "Waiting")
        await self._steps.pays_and_goes(
            act, EAST_OUT, car, await self._steps.is_asked_for(act, car, view, script.VOUCHER_OFF)
        )
        again = await self._attendant.scan(other.stay_id, self._token)
        act.expect("a second time", REFUSED, again.status)
        act.expect("says", WORDS("refused.voucher_used"), again.said, telling=True)

    async def _misread_exit(self, act: Act) -> None:
        """One look-alike character is wrong; the car behind comes up meanwhile."""
        car = self._cars[script.MISREAD]
        view = await self._street.arrive(EAST_OUT, car.plate, read=script.MISREAD_AS)
        act.expect("read", script.MISREAD_AS, view["plate"], telling=True)
        act.expect("matched", "fuzzy", view["matched"])
        act.expect("taken for", car.plate, view["stay_plate"], telling=True)
        due = await self._steps.is_asked_for(act, car, view)
        await self._steps.pays_and_goes(act, EAST_OUT, car, due, follower=True)

    async def _tailgater(self, act: Act) -> None:
        car = self._cars[script.TAILGATER]
        before = await self._street.pulses(EAST_OUT)
        view = await self._street.is_seen(EAST_OUT, car.plate)
        act.expect("must pay", "PayFirst", view["verdict"])
        self._owed[car.stay_id] = await self._steps.is_asked_for(act, car, view)
        await self._street.cross_the_loop(EAST_OUT)
        act.expect("pulses", 0, await self._street.pulses(EAST_OUT) - before)
        await self._street.is_clear(EAST_OUT)

    async def _by_hand(self, act: Act) -> None:
        car = self._cars[script.BY_HAND]
        before = await self._street.pulses(EAST_OUT)
        view = await self._street.arrive(EAST_OUT, car.plate)
        self._owed[car.stay_id] = await self._steps.is_asked_for(act, car, view)
        page = await self._attendant.open_barrier(EAST_OUT.name, "演示：现金不足，放行后追缴")
        act.expect("opened", 200, page.status)
        await self._street.drive_through(EAST_OUT)
        act.expect("pulses", 1, await self._street.pulses(EAST_OUT) - before)
        await self._street.is_clear(EAST_OUT)

    async def _plain_exit(self, act: Act) -> None:
        for car in self._plain:
            view = await self._street.arrive(WEST_OUT, car.plate, photo=car.photo)
            if view["verdict"] == "Ask":
                view = await self._steps.typed(act, WEST_OUT, car, view)
            act.expect("waits for money", "PayFirst", view["verdict"])
            await self._steps.pays_and_goes(act, WEST_OUT, car, await self._steps.is_asked_for(act, car, view))

    async def _back(self, act: Act) -> None:
        waiting = (await self._system.local.standing())["backlog"]
        act.expect("events waited", True, waiting > 0)
        await self._system.bring_back()
        standing = await self._system.in_touch()
        act.expect("backlog", 0, standing["backlog"], telling=True)
        act.expect("the line", "online", standing["link"], telling=True)

    async def _known_above(self, act: Act) -> None:
        """Stays, coupons and the voucher as the cloud's own interface tells them."""
        api, ours = self._system.api, {car.stay_id for car in (*self._cars.values(), *self._plain)}
        inside = {row["stay_id"] for row in await api.get("cars")}
        act.expect("our cars inside", 0, len(ours & inside), telling=True)
        redeemed = {row["stay_id"]: row["off_fen"] for row in await api.get("coupons") if row["state"] == "REDEEMED"}
        act.expect_fen("coupon redeemed", script.COUPON_OFF, redeemed.get(self._cars[script.COUPON].stay_id, 0))
        act.expect("cached coupon redeemed", True, self._cars[script.CACHED].stay_id in redeemed)
        spent, before = await self._spent(), self._spent_before
        cost = script.COUPON_OFF + script.VOUCHER_OFF
        act.expect_fen("merchant pays", cost, spent["FEN"] - before["FEN"], telling=True)
        act.expect("and minutes", script.DURATION_MIN, spent["MIN"] - before["MIN"], telling=True)


async def _played(scene: Scene, act: Act) -> bool:
    """False when the scene could not be played to its end; the act says why."""
    began = time.monotonic()
    try:
        await scene(act)
    except (DemoError, aiohttp.ClientError, OSError) as exc:
        act.trouble = str(exc) or type(exc).__name__
    act.seconds = round(time.monotonic() - began, 1)
    return not act.trouble
