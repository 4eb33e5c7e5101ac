"""All devices of the demo's lot in one process: smart cameras, the relay board with its loops, the printer.

It takes one JSON order a line on standard input and answers each with one line: the demo is the street outside, this
is the hardware. Everything between here and the edge is the real wire: HTTP pushes, Modbus TCP, ESC/POS over TCP.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import sys
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from domain.wire import Json
from drivers.barrier.simulated import SimulatedRelayBoard
from drivers.camera.simulated import Sight, SimulatedVzenith
from drivers.printer.simulated import PrinterFault, SimulatedPrinter
from lotgate.demo.folder import secret_variable
from lotgate.demo.scenes import colour_of, draw_scene

ORDER_BYTES = 1 << 20
Acts = Mapping[str, Callable[[Json], Awaitable[Json]]]


class Hardware:
    """Carries out orders; every method is one, named as in the order's ``do``."""

    def __init__(
        self, board: SimulatedRelayBoard, printer: SimulatedPrinter, cameras: Mapping[str, SimulatedVzenith], plug: Plug
    ) -> None:
        self._board, self._printer, self._cameras, self._plug = board, printer, cameras, plug

    async def see(self, order: Json) -> Json:
        """A smart camera reads *plate* on a car that wears *wears*, and pushes it with the picture."""
        wears = str(order.get("wears") or order["plate"])
        photo = order.get("photo")
        image = await asyncio.to_thread(Path(photo).read_bytes if photo else lambda: _scene(wears))
        camera = self._cameras[str(order["camera"])]
        delivery = await camera.see(Sight(str(order["plate"]), colour_of(wears), image=image))
        return {"answered": delivery.reply is not None, "fired_relay": delivery.fired_relay}

    async def show(self, order: Json) -> Json:
        """A plain camera has a picture: a photograph linked into its folder, or a scene drawn there."""
        target = Path(str(order["folder"])) / f"{order['number']:06d}.jpg"
        if order.get("photo"):
            target.symlink_to(str(order["photo"]))  # photographs stay where they are
            return {}
        scene = await asyncio.to_thread(_scene, str(order["plate"]))
        fresh = target.with_suffix(".new")
        fresh.write_bytes(scene)
        fresh.rename(target)  # a camera's folder never shows half a picture
        return {}

    async def loop(self, order: Json) -> Json:
        """A ground loop's contact closes or opens."""
        self._board.set_input(int(order["input"]), bool(order["on"]))
        return {}

    async def pulses(self, order: Json) -> Json:
        """How often each output was pulsed."""
        channels = [pulse.channel for pulse in self._board.pulses]
        return {"pulses": {str(channel): channels.count(channel) for channel in sorted(set(channels))}}

    async def job(self, order: Json) -> Json:
        """The bytes of printed job *number*, counted from 0; none when it has not come."""
        number = int(order["number"])
        jobs = self._printer.jobs
        return {"jobs": len(jobs), "data": base64.b64encode(jobs[number]).decode() if number < len(jobs) else ""}

    async def paper_out(self, order: Json) -> Json:
        """The paper ends once *after* commands of the next job are on it."""
        self._printer.break_after(int(order["after"]), PrinterFault.PAPER_OUT)
        return {}

    async def paper_in(self, _order: Json) -> Json:
        """There is a new roll."""
        self._printer.fault = None
        return {}

    async def unplug(self, _order: Json) -> Json:
        """The exit's camera has no network any more."""
        await self._plug.pull()
        return {}

    async def plug(self, _order: Json) -> Json:
        """It is back."""
        await self._plug.put()
        return {}

    @property
    def acts(self) -> Acts:
        """Every order it takes."""
        every = (self.see, self.show, self.loop, self.pulses, self.job, self.paper_out, self.paper_in)
        return {act.__name__: act for act in (*every, self.unplug, self.plug)}


class Plug:
    """The page of a smart camera as far as the edge looks at it: something that answers on its port."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: asyncio.Server | None = None

    async def put(self) -> None:
        """Answer."""
        if self._server is None:
            self._server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", self._port)

    async def pull(self) -> None:
        """Answer no more."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            await server.wait_closed()


async def _carried_out(acts: Acts, order: Json) -> Json:
    """One order; what goes wrong is the answer."""
    try:
        return await acts[str(order["do"])](order)
    except (OSError, KeyError, ValueError) as exc:
        return {"error": f"{type(exc).__name__}: {exc}"}


def _scene(plate: str) -> bytes:
    """The same car each time this plate is seen."""
    return draw_scene(plate, zlib.crc32(plate.encode()))


async def _orders() -> asyncio.StreamReader:
    reader = asyncio.StreamReader(ORDER_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


def _say(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


async def _run(args: argparse.Namespace) -> None:
    async with AsyncExitStack() as stack:
        acts = await _every_make(args.lot, stack) if args.lot else await _small_lot(args, stack)
        orders = await _orders()
        _say({"ready": True})
        while line := await orders.readline():  # ends with the demo's end of the pipe
            _say(await _carried_out(acts, json.loads(line)))


async def _every_make(lot_file: Path, stack: AsyncExitStack) -> Acts:
    from lotgate.demo.twins import Twins  # the small lot does without most of what it imports

    twins = Twins(lot_file, stack)
    await twins.open()
    return {"see": twins.see, "gone": twins.gone, "loop": twins.loop}


async def _small_lot(args: argparse.Namespace, stack: AsyncExitStack) -> Acts:
    board = await stack.enter_async_context(SimulatedRelayBoard(port=args.board))
    printer = await stack.enter_async_context(SimulatedPrinter(port=args.printer))
    cameras = {}
    for name in args.camera:
        url = f"http://127.0.0.1:{args.device}/device/{os.environ[secret_variable(name)]}"
        cameras[name] = await stack.enter_async_context(SimulatedVzenith(url, f"demo-{name}"))
    if args.slips:
        from lotgate.demo.slips import serve

        stack.push_async_callback((await serve(printer, args.slips)).cleanup)
    plug = Plug(args.plug)
    await plug.put()
    stack.push_async_callback(plug.pull)
    return Hardware(board, printer, cameras, plug).acts


def main(argv: Sequence[str]) -> int:
    """Run until standard input ends."""
    parser = argparse.ArgumentParser()
    for name in ("board", "printer", "device", "slips", "plug"):
        parser.add_argument(f"--{name}", type=int, default=0)
    parser.add_argument("--lot", type=Path)
    parser.add_argument("--camera", action="append", default=[])
    asyncio.run(_run(parser.parse_args(argv)))
    return 0
