"""A voucher held before a scanner, at the lane and in the booth of a running lot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from domain.lease import Lease, LeaseState
from domain.ledger import Commodity, Funds
from drivers.camera.simulated import Sight
from drivers.display.simulated import SimulatedDisplay
from drivers.serial_simulated import SimulatedSerial
from edge.db import leases
from edge.db.database import transaction
from edge.services.issuing import Issued, issue
from edge.settings import EdgeSettings
from tests.edge.lots import SmallLot
from tests.edge.services.test_vouchers_and_coupons import ALWAYS, ORDER, template
from tests.edge.test_daemon import PLATE, Running, lot_settings, running


def settings(folder: Path, port: int, scanner: str) -> EdgeSettings:
    plain = lot_settings(folder, port)
    lanes = (plain.lanes[0], replace(plain.lanes[1], display="out", scanner=scanner))
    devices = replace(
        plain.devices,
        displays={"out": {"type": "simulated"}},
        scanners={"reader": {"type": "serial", "device": str(folder / "ttyACM0")}},
    )
    return replace(plain, lanes=lanes, devices=devices)


@asynccontextmanager
async def scanning(folder: Path, scanner: str) -> AsyncIterator[tuple[Running, SimulatedSerial]]:
    async with (
        SimulatedSerial(folder / "ttyACM0") as reader,
        running(folder, lambda at, port: settings(at, port, scanner)) as lot,
    ):
        await asyncio.sleep(0.3)  # until the port is open: what came before is thrown away
        yield lot, reader


async def voucher_of(lot: Running) -> str:
    """A voucher of 5 yuan, issued by this very lot."""
    office = lot.opened.edge.office

    def make() -> str:
        small, now = SmallLot(office.db, office.lot, key=None), office.now()  # type: ignore[arg-type]
        small.put("keys", "1", {"key_id": 1, "public": office.lot.public_key.hex(), "lot_id": 7, **ALWAYS})
        terms = {"amount_percent": 100, "duration_percent": 100, "waiver_cap_fen": 3000}
        small.put("rules", "merchant:3", {"merchant_id": 3, "name": "Shop", "enabled": True, "contracts": {"7": terms}})
        small.put("rules", "template:5", template())
        lease = Lease(1, 1200, 0, LeaseState.ACTIVE)
        held = leases.HeldLease(lease, 3, Commodity.FEN, Funds.PAID, now.boot, now.boot_ms + 36_000_000)
        with transaction(office.db) as conn:
            leases.insert(conn, held, 1)
        slip = issue(office.db, office.lot, ORDER, now)
        assert isinstance(slip, Issued)
        return slip.token

    return await office.thread.run(make)


async def car_that_owes(lot: Running) -> None:
    await lot.passes("in", PLATE, 1)
    lot.later(61)
    await lot.cameras["out"].see(Sight(PLATE))
    await lot.until(lambda: bool(lot.opened.edge.workers["out"].waiting_stay))


def board(lot: Running) -> SimulatedDisplay:
    display = lot.opened.devices.displays["out"]
    assert isinstance(display, SimulatedDisplay)
    return display


async def test_a_voucher_at_the_exit_pays_part_and_one_that_is_none_is_told(tmp_path: Path) -> None:
    async with scanning(tmp_path, "reader") as (lot, reader):
        reader.say(b"LG1NONSENSE\r\n")
        await lot.until(lambda: board(lot).now.lines[:1] == ("请先驶入车道",))
        await car_that_owes(lot)
        token = await voucher_of(lot)
        await lot.until(lambda: board(lot).now.lines[-1:] == ("请缴费 10 元",))

        reader.say(b"134567890123456789\r\n")  # a payment code, and no line to the cloud
        await lot.until(lambda: board(lot).now.lines == ("付款没有成功", "请重试或按铃"))
        reader.say(b"6901234567892\r\n")
        await lot.until(lambda: board(lot).now.lines == ("无法识别此码", "请出示停车券"))
        reader.say(b"LG1OTHER\r\n")
        await lot.until(lambda: board(lot).now.lines == ("这不是完整的停车券码", "请重新扫描"))
        reader.say(token.encode() + b"\r\n")

        await lot.until(lambda: board(lot).now.lines[-1:] == ("请缴费 5 元",))


async def test_a_scanner_in_the_booth_counts_for_the_one_car_that_waits(tmp_path: Path) -> None:
    async with scanning(tmp_path, "") as (lot, reader):
        await car_that_owes(lot)
        token = await voucher_of(lot)

        reader.say(token.encode() + b"\r\n")

        await lot.until(lambda: board(lot).now.lines[-1:] == ("请缴费 5 元",))
