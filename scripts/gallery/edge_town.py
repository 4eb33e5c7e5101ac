"""A lot whose booth, counter and lane pages are photographed: a busy afternoon through the real edge.

Cars come by simulated cameras with drawn pictures; shifts, debts, visitors and a round of the lot are done on the
pages themselves, as people do them.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product

from PIL import Image, ImageFilter

from drivers.base import DeviceUnreachableError, PlateRead
from drivers.camera.simulated import Sight
from drivers.printer.simulated import PrinterFault
from drivers.recogniser.reader import new_reader
from edge.db import arrears, stocktakes
from edge.settings import Arrears, EdgeSettings, Lane, Listener, Zone
from edge.workstations import Receipts, Shifts, Workstation
from lotgate.demo.scenes import colour_of, draw_plate, draw_scene
from plumbing.signing import PrivateKey
from tests.edge.web.running import WALL, Lot, visiting

INSIDE = ("京A12346", "粤BD12345", "沪B77777", "京A12345", "苏E8U5K9", "浙C00K21")
RUNAWAY = "川A8B0D1"
IN, OUT = "东门入口", "东门出口"
WIRED = ("before", "under", "up")  # as the board's inputs follow each other for a lane
DAY_MS = 86_400_000
SOON_S = 40.0  # on a machine with other work


def furnished(settings: EdgeSettings) -> EdgeSettings:
    """Shifts and receipts, a garage below, drivers' pages, arrears collected at the exit."""
    settings.data.mkdir(parents=True, exist_ok=True)
    settings.cloud_key_file.write_text(PrivateKey.from_raw(bytes(range(32))).public.raw.hex(), encoding="ascii")
    (main,), (way_in, way_out) = settings.zones, settings.lanes
    rules = replace(settings.rules, shifts=Shifts.NEEDED, arrears=Arrears.COLLECT, waive_limits_fen={"attendant": 300})
    return replace(
        settings,
        rules=rules,
        zones=(
            replace(main, name="地面", places=120, class_places={"large": 4}),
            Zone("地下一层", main.tariffs, 60, inside="地面"),
        ),
        lanes=(replace(way_in, name=IN, target="地面"), replace(way_out, name=OUT, source="地面")),
        workstations=(Workstation("东岗亭", (IN, OUT), "counter", Receipts.ALWAYS),),
        listeners=replace(settings.listeners, driver=Listener()),
    )


def plain(settings: EdgeSettings) -> EdgeSettings:
    """Two lanes, a printer, and nothing else."""
    return settings


def eight_lanes(settings: EdgeSettings) -> EdgeSettings:
    """Beside the two lanes with devices six that a person serves alone."""
    way_in, way_out = settings.lanes
    more = [
        Lane(f"{number}号{word}", lane.direction, lane.source, lane.target)
        for number in (2, 3, 4)
        for lane, word in ((way_in, "入口"), (way_out, "出口"))
    ]
    return replace(settings, lanes=(way_in, way_out, *more))


def gated(settings: EdgeSettings) -> EdgeSettings:
    """Two lanes whose arms and loops are wired to the board."""
    relay = settings.devices.barriers["in"]
    inputs = {f"{lane}-{what}": place for place, (lane, what) in enumerate(product(("in", "out"), WIRED))}
    board = {name: value for name, value in relay.items() if name != "channel"} | {"inputs": inputs}
    lanes = tuple(
        replace(
            lane, loop=f"{lane.name}-before", passage_loop=f"{lane.name}-under", arm_up=f"{lane.name}-up",
            loop_devices=("board",),
        )
        for lane in settings.lanes
    )  # fmt: skip
    return replace(settings, lanes=lanes, devices=replace(settings.devices, loops={"board": board}))


async def gates_at_work(lot: Lot) -> None:
    """One car has driven in and stands at the exit to pay; the next is under the open arm of the entry."""
    before, under, up, out_before = 0, 1, 2, 3
    for plate, seed in (("京A12345", 3), ("沪B77777", 7)):
        pulses = len(lot.board.pulses)
        lot.board.set_input(before, True)
        await lot.cameras["in"].see(seen(plate, seed))
        await lot.until(lambda pulses=pulses: len(lot.board.pulses) == pulses + 1, SOON_S)  # type: ignore[misc]
        lot.board.set_input(up, True)
        lot.board.set_input(under, True)
        await lot.until(lambda: lot.view("in").phase == "Crossing", SOON_S)
        if seed == 3:
            for place in (before, under, up):
                lot.board.set_input(place, False)
                await asyncio.sleep(1)
            lot.later(47)
            lot.board.set_input(out_before, True)
            await lot.cameras["out"].see(seen(plate, 9))
            await lot.until(lambda: lot.view("out").verdict == "PayFirst", SOON_S)


def seen(plate: str, seed: int, confidence: int = 96) -> Sight:
    """A car as a camera shows it."""
    crop = io.BytesIO()
    draw_plate(plate).convert("RGB").save(crop, "JPEG")
    return Sight(plate, colour_of(plate), confidence, draw_scene(plate, seed), crop.getvalue())


async def _comes_in(lot: Lot, plate: str, seed: int, minutes: int = 23) -> str:
    pulses = len(lot.board.pulses)
    await lot.cameras["in"].see(seen(plate, seed))
    await lot.until(lambda: len(lot.board.pulses) == pulses + 1, SOON_S)
    lot.later(minutes)
    return (await lot.edge.cars_inside(plate))[0].stay_id


async def _waits(lot: Lot, plate: str) -> None:
    await lot.cameras["out"].see(seen(plate, 9))
    await lot.until(lambda: lot.view(OUT).verdict == "PayFirst", SOON_S)


async def afternoon(lot: Lot) -> Mapping[str, str]:
    """Everything the booth can show; the names that stand for parts of its paths."""
    names = await _paid_and_run(lot)
    for seed, plate in enumerate(INSIDE):
        await _comes_in(lot, plate, seed)
    names |= await _people(lot)
    await _waits(lot, "京A12345")
    stay = (await lot.edge.cars_inside("京A12345"))[0].stay_id
    await lot.opens_shop(3, "咖啡店", granted=9000)
    await lot.edge.counter.issue_voucher(3, 30, WALL["shop"][0])
    await lot.edge.lay_voucher(stay, (await lot.edge.counter.vouchers(3))[0].token, WALL["attendant"][0])
    await lot.until(lambda: lot.view(OUT).off_fen > 0, SOON_S)
    await lot.cameras["in"].see(replace(seen("京N8P8F8", 11), plate="", crop=b""))
    await lot.until(lambda: lot.view(IN).verdict == "Ask", SOON_S)
    await _alarms(lot, stay)
    return names | {"stay": stay, "lane": OUT, "entry": IN}


async def _alarms(lot: Lot, stay: str) -> None:
    """What went wrong in the course of it, some of it seen."""
    decision = lot.view(OUT).decision_id
    for code, lane, detail in (
        ("clock_wrong", "", "-95000 ms"), ("pin_locked", "", WALL["attendant"][0]), ("voucher_forged", OUT, ""),
        ("tailgate", OUT, f"京A1***5 {decision}"), ("paid_more_than_fee", OUT, f"京A1***5 {stay} 500"),
    ):  # fmt: skip
        await lot.edge.office.incident(code, lane, detail)
    oldest = (await lot.edge.incidents())[-1].incident_id
    await lot.edge.see_alarms(oldest, oldest, WALL["manager"][0])


async def _paid_and_run(lot: Lot) -> dict[str, str]:
    """A shift with a car that paid, one that ran off owing, one shift handed over before."""
    async with visiting(lot, "booth") as booth:
        await booth.sign_in("attendant")
        await booth.send("/booth/shift", {"float": "300.00"})
        paid = await _comes_in(lot, "沪A31526", 21, 95)
        await _waits(lot, "沪A31526")
        pulses = len(lot.board.pulses)
        await booth.send(f"/booth/stay/{paid}/cash", {"received": "20.00"})
        await lot.until(lambda: len(lot.board.pulses) == pulses + 1, SOON_S)
        await lot.until(lambda: lot.view(OUT).phase == "Idle", SOON_S)
        shift = await lot.edge.tills.at("东岗亭")
        if shift is None:
            raise RuntimeError("no shift was begun")
        over = {"counted": "309", "takes_over": WALL["manager"][0], "pin": "408517", "kept": "300"}
        at = f"/booth/shift/{shift.row.shift_id}"
        await booth.send(f"{at}/close", over, f"{at}/close")
        await _comes_in(lot, RUNAWAY, 5, 70)
        await _waits(lot, RUNAWAY)
        await lot.edge.lanes.open_by_hand(OUT, WALL["attendant"][0], "unpaid")
        await lot.until(lambda: lot.view(OUT).phase == "Idle", SOON_S)
    (debt,) = await lot.edge.read(arrears.of_plate, RUNAWAY)
    return {"shift": shift.row.shift_id, "debt": debt.debt_id, "gone": paid, "act": "waive"}


async def _people(lot: Lot) -> dict[str, str]:
    """Somebody with a monthly card, a blocked car, a visitor, a round of the lot."""
    until_ms = lot.edge.office.now().wall_ms + 4 * DAY_MS
    card = {
        "list": "entitled",
        "plate": "苏E8U5K9",
        "id": "1",
        "grant": "monthly",
        "name": "陈建国",
        "until_ms": until_ms,
    }
    await lot.put("people", "entitled:1", card)
    await lot.put("people", "block:1", {"list": "block", "plate": "粤B12399", "reason": "多次逃费"})
    async with visiting(lot, "booth") as booth:
        await booth.sign_in("manager")
        await booth.send("/booth/lists/visitors", {"plate": "浙C00K21", "host": "302 室"}, "/booth/lists/visitors/new")
        await booth.send("/booth/stock", {})
        take = await lot.edge.read(stocktakes.current)
        if take is None:
            raise RuntimeError("no round of the lot was begun")
        await booth.send(f"/booth/stock/{take.take_id}/mark", {"plate": "京C33333"}, f"/booth/stock/{take.take_id}")
    return {"take": take.take_id}


async def cut_off(lot: Lot) -> None:
    """The line to the cloud has been down for an hour and a half."""
    lot.edge.link_state = lambda: "offline"
    lot.later(95)
    await asyncio.sleep(4)  # the pages look that often


async def stuck(lot: Lot, stay: str) -> None:
    """The barrier does not answer when a paid car should go."""
    await lot.board.stop()
    async with visiting(lot, "booth") as booth:
        await booth.sign_in("manager")
        await booth.send(f"/booth/stay/{stay}/cash", {"received": "50.00"})
    await lot.until(lambda: lot.view(OUT).phase == "Stuck", SOON_S)


@dataclass(frozen=True, slots=True)
class Glass:
    """A camera before which one picture stands, read by our own engine; without a picture it is lost."""

    image: bytes = b""

    async def view(self) -> PlateRead:
        """What the page of cameras asks for."""
        if not self.image:
            raise DeviceUnreachableError("camera in: sent no picture")
        return PlateRead(f"r{len(self.image)}", "in", new_reader().recognise(self.image), image=self.image)


def show(lot: Lot, image: bytes | None = None) -> None:
    """Before the first camera stands this picture; None: no camera is there."""
    lot.see_through({} if image is None else {lot.edge.settings.lanes[0].cameras[0]: Glass(image)})


def hard_to_read() -> bytes:
    """A picture that is out of focus."""
    blurred, image = Image.open(io.BytesIO(draw_scene("川A8B0D1", 5))).filter(ImageFilter.GaussianBlur(4)), io.BytesIO()
    blurred.save(image, "JPEG")
    return image.getvalue()


async def counter_day(lot: Lot) -> Mapping[str, str]:
    """A shop that printed four slips, ran out of paper at the next three, and withdrew one."""
    await lot.opens_shop(3, "咖啡店", granted=9000)
    async with visiting(lot, "counter") as shop:
        await shop.sign_in("shop")
        await shop.send("/counter/print/30", {"count": "4"})
        await asyncio.sleep(1.5)
        lot.printer.break_after(5, PrinterFault.PAPER_OUT)
        await shop.send("/counter/print/30", {"count": "3"})
        await asyncio.sleep(1.5)
    doubtful = next(row for row in await lot.edge.counter.vouchers(3) if row.state == "unknown")
    await lot.edge.counter.void_voucher(doubtful.key_id, 1, WALL["shop"][0], "打错了")
    await asyncio.sleep(10)  # the pages look at the printer that often
    return {"template": "30", "key": str(doubtful.key_id), "counter": str(doubtful.counter)}
