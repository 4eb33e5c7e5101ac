"""An edge in a process of its own with four lanes: cameras that push to it, a relay board it pulses, all simulated."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import secrets
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from domain.lookalike import is_near
from drivers.barrier.simulated import SimulatedRelayBoard
from drivers.camera.simulated import Sight, SimulatedVzenith
from plumbing.broker import free_port

LANES = 4
CONFIG = Path(__file__).parent.parent / "config"
UNDER_S = 0.5  # a passage: loops are polled each 30 ms and believed after 80, on a machine that may be busy
AWAY_S = 1.0  # the next car is read once the lane knows that no trailer follows this one (trailer_gap_ms)
PULSE_WITHIN_S = 10


@dataclass(slots=True)
class Rig:
    """A running edge with its cameras and its board; *pid* is the edge's, *began* when it was started."""

    cameras: list[SimulatedVzenith]
    board: SimulatedRelayBoard
    pid: int
    began: float

    async def car(self, lane: int, plate: str) -> float:
        """Let one car in and through; seconds from the camera's push until the board was told to pulse."""
        waited = await self.opens(lane, plate)
        self.board.set_input(lane, True)
        await asyncio.sleep(UNDER_S)
        self.board.set_input(lane, False)
        await asyncio.sleep(AWAY_S)
        return waited

    async def opens(self, lane: int, plate: str) -> float:
        """A car comes to a lane; seconds from the camera's push until the board was told to pulse."""
        seen, began = len(self.board.pulses), time.monotonic()
        await self.cameras[lane].see(Sight(plate))
        try:
            async with asyncio.timeout(PULSE_WITHIN_S):
                while not (pulses := [one for one in self.board.pulses[seen:] if one.channel == lane]):
                    await asyncio.sleep(0.002)
        except TimeoutError as exc:
            raise RuntimeError(f"lane {lane}: no pulse for {plate} within {PULSE_WITHIN_S} s") from exc
        return pulses[0].started_at - began


def plates(lane: int, start: int) -> Iterator[str]:
    """Plates, none twice among 10,000: a lot refuses a car that is inside.

    No two in a row could be one car misread: a lane takes those for the car it just let in.
    """
    last = ""
    for number in itertools.cycle(random.Random(start).sample(range(10_000), 10_000)):
        plate = f"粤{'ABCD'[lane]}{start % 10}{number:04d}"
        if not is_near(plate, last):
            last = plate
            yield plate


@contextlib.asynccontextmanager
async def edge(folder: Path, broker_port: int = 0, *, quick: bool = False) -> AsyncIterator[Rig]:
    """The daemon as a process of its own, ready for cars.

    *quick*: no loops, a car is through as soon as the barrier opens, every second lane leads out, and what a camera
    sent is remembered for a minute instead of an hour.
    """
    async with SimulatedRelayBoard() as board, contextlib.AsyncExitStack() as stack:
        device_port = free_port()
        config = _write_lot_file(folder, board.port, device_port, broker_port, quick=quick)
        if not (folder / "data" / "lot.db").exists():
            await _provision(config)
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "lotgate", "edge", "--config", str(config), "--log-level", "ERROR"
        )
        stack.push_async_callback(_end, process)
        await until_listening(device_port)
        cameras = [
            await stack.enter_async_context(
                SimulatedVzenith(f"http://127.0.0.1:{device_port}/device/{secret_of(folder, n).read_text()}", f"s{n}")
            )
            for n in range(LANES)
        ]
        yield Rig(cameras, board, process.pid, began)


async def _provision(config: Path) -> None:
    provision = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "lotgate", "provision", "--config", str(config), stdout=asyncio.subprocess.DEVNULL
    )
    if await provision.wait():
        raise SystemExit(f"lotgate provision --config {config} failed")


async def _end(process: asyncio.subprocess.Process) -> None:
    process.terminate()
    await process.wait()


async def until_listening(port: int) -> None:
    """Wait until something accepts connections on *port*."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.005)


def _write_lot_file(folder: Path, board_port: int, device_port: int, broker_port: int, *, quick: bool) -> Path:
    """Four lanes, each with a camera and a barrier, all on one board."""
    folder.mkdir(exist_ok=True)
    broker = f"broker = {{ port = {broker_port} }}" if broker_port else ""
    rules = "rules = { assumed_passage_s = 0, closing_s = 0 }" if quick else ""
    head = f"""
lot_id = 1
name = "bench"
edge = "e1"
data = "{folder / "data"}"
listeners = {{ booth = {{ port = {free_port()} }}, device = {{ port = {device_port} }} }}
zones = [{{ name = "yard", tariffs = ["{CONFIG / "tariffs/g5-qianshan-jicuimen.toml"}"] }}]
{rules}
{broker}
"""
    lanes = (_lane(folder, n, quick=quick) + _devices(board_port, n, loop=not quick) for n in range(LANES))
    path = folder / "lot.toml"
    path.write_text(head + "".join(lanes))
    return path


def _lane(folder: Path, n: int, *, quick: bool) -> str:
    direction, source, target = ("exit", "yard", "outside") if quick and n % 2 else ("entry", "outside", "yard")
    return f"""
[devices.cameras.c{n}]
type = "vzenith"
secret_file = "{secret_of(folder, n)}"
serials = ["s{n}"]
dedupe_minutes = {1 if quick else 60}
[[lanes]]
name = "lane{n}"
direction = "{direction}"
source = "{source}"
target = "{target}"
cameras = ["c{n}"]
barrier = "b{n}"
"""


def _devices(board_port: int, n: int, *, loop: bool) -> str:
    """What goes on at the end of a lane's own table, and its devices on the board."""
    # a board in this very process may be slow to answer while the machine is busy; a real one is given 300 ms
    board = f'type = "modbus_tcp"\nhost = "127.0.0.1"\nport = {board_port}\ntimeout_ms = 3000'
    barrier = f"[devices.barriers.b{n}]\n{board}\nchannel = {n}\n"
    if not loop:
        return barrier
    return (
        f'passage_loop = "p{n}"\nloop_devices = ["l{n}"]\n{barrier}'
        f"[devices.loops.l{n}]\n{board}\ninputs = {{ p{n} = {n} }}\n"
    )


def secret_of(folder: Path, number: int) -> Path:
    """A secret path of its own for every camera."""
    path = folder / f"camera-{number}"
    if not path.exists():
        path.write_text(secrets.token_hex(16))
        path.chmod(0o600)
    return path
