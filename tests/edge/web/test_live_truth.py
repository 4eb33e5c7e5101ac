"""Devices unplugged and plugged in while a lot runs: the booth says so and what to do, and nothing is restarted."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from drivers.camera.simulated import Sight
from drivers.printer.simulated import PrinterFault
from drivers.serial_simulated import SimulatedSerial
from edge.lanes.watching import LOOK_S
from edge.settings import EdgeSettings
from tests.edge.web.running import Lot, Visitor, running, visiting
from tests.fakes.silent_port import SilentPort

SOON_S = 20.0  # it is two on a machine with nothing else to do


def with_a_page_and_scanner(folder: Path, port: int) -> object:
    def change(settings: EdgeSettings) -> EdgeSettings:
        devices = settings.devices
        camera = {**devices.cameras["in"], "page_port": port}
        scanners = {"desk": {"type": "serial", "device": str(folder / "ttyACM0")}}
        return replace(settings, devices=replace(devices, cameras={**devices.cameras, "in": camera}, scanners=scanners))

    return change


async def says(booth: Visitor, words: str, *, so: bool = True) -> None:
    """Wait until the booth's page says *words*, or no longer does."""
    async with asyncio.timeout(SOON_S):
        while (words in await booth.get("/booth")) is not so:
            await asyncio.sleep(0.05)


async def test_what_is_unplugged_shows_with_what_to_do_and_works_again_by_itself(tmp_path: Path) -> None:
    async with (
        SimulatedSerial(tmp_path / "ttyACM0") as scanner,
        SilentPort() as camera,
        running(tmp_path, with_a_page_and_scanner(tmp_path, camera.port)) as lot,  # type: ignore[arg-type]
        visiting(lot, "booth") as booth,
    ):
        await booth.sign_in()

        await lot.printer.stop()
        scanner.unplug()
        await lot.board.stop()
        for words in ("连不上打印机", "扫码枪 desk 断开", "道闸继电器 in 连接不上", "道闸继电器 out 连接不上"):
            await says(booth, words)
        lot.printer.fault = PrinterFault.PAPER_OUT
        await lot.printer.start()
        scanner.plug_in()
        await lot.board.start()
        await says(booth, "打印机缺纸")
        lot.printer.fault = None
        for words in ("打印机缺纸", "连不上打印机", "扫码枪 desk 断开", "道闸继电器"):
            await says(booth, words, so=False)

        await one_lane_goes_on_while_the_other_has_no_camera(lot, booth, camera)


async def one_lane_goes_on_while_the_other_has_no_camera(lot: Lot, booth: Visitor, camera: SilentPort) -> None:
    """Where the camera is was learned from its own push; a car passing meanwhile is the other lane's."""
    await lot.enters()
    await asyncio.sleep(1.5 * LOOK_S)  # it was seen there once
    await camera.unplug()
    await says(booth, "相机 in 没有信号")
    assert "相机 out 没有信号" not in await booth.get("/booth")
    await lot.cameras["out"].see(Sight("京A12345"))
    await lot.until(lambda: lot.view("out").verdict == "PayFirst", SOON_S)
    await camera.plug_in()
    await says(booth, "相机 in 没有信号", so=False)
