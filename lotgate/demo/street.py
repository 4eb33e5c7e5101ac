"""Cars on the street: what the demo has the simulated devices do, and what it sees of the lanes meanwhile."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import Callable
from pathlib import Path

from domain.wire import Json
from lotgate.demo.folder import DemoError, Folder
from lotgate.demo.local import LocalEdge
from lotgate.demo.lots import Gate
from lotgate.demo.processes import Child
from plumbing.paper.commands import CUT
from plumbing.paper.encode import FEED_AND_CUT

ANSWER_S = 15.0
LANE_S = 15.0
POLL_S = 0.04
TAKEN_S = 0.5  # how long a car stands on a loop that nothing shows it was seen on
NOTED_S, CROSSINGS = 3.0, 3


class Hardware:
    """Orders to the devices' process."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._turn = asyncio.Lock()

    async def greet(self) -> None:
        """Wait until every device is there."""
        await self._answer()

    async def order(self, do: str, **values: object) -> Json:
        """Have one thing done. Raises DemoError when it could not be."""
        process = self._child.process
        if process is None or process.stdin is None:
            raise DemoError("the simulated devices do not run")
        async with self._turn:
            process.stdin.write(json.dumps({"do": do, **values}).encode() + b"\n")
            await process.stdin.drain()
            answer = await self._answer()
        if "error" in answer:
            raise DemoError(f"simulated devices: {do}: {answer['error']}")
        return answer

    async def _answer(self) -> Json:
        process = self._child.process
        if process is None or process.stdout is None:
            raise DemoError("the simulated devices do not run")
        async with asyncio.timeout(ANSWER_S):  # wait_for may swallow the Ctrl-C that comes as it ends
            line = await process.stdout.readline()
        if not line:
            raise DemoError(f"the simulated devices ended; their last words:\n{self._child.last_words()}")
        answer: Json = json.loads(line)
        return answer

    async def job(self, number: int) -> bytes:
        """The bytes of a printed job, waited for until the slip is cut off."""
        for _ in range(round(ANSWER_S / POLL_S)):
            data = base64.b64decode((await self.order("job", number=number))["data"])
            if data.endswith(CUT + FEED_AND_CUT):
                return data
            await asyncio.sleep(POLL_S)
        raise DemoError("nothing came out of the printer")

    async def jobs(self) -> int:
        """How many jobs were printed so far."""
        return int((await self.order("job", number=0))["jobs"])


class Street:
    """Drives cars up to lanes and through them."""

    def __init__(self, folder: Folder, hardware: Hardware, edge: LocalEdge) -> None:
        self._folder, self._hardware, self._edge = folder, hardware, edge
        self._poll_s = POLL_S * len(folder.lot.ways_in)  # a lane beside others is looked at less often
        self._pictures = 0

    async def arrive(self, gate: Gate, plate: str, *, read: str = "", photo: Path | None = None) -> Json:
        """A car stops before the barrier and is read (as *read* where the camera errs); the lane once it decided.

        It may come up while the barrier is still closing behind the one before.
        """
        await self._loop(gate.approach, on=True)
        await self.lane(gate, lambda view: view["phase"] not in ("Idle", "Closing"))
        return await self.is_seen(gate, plate, read=read, photo=photo)

    async def is_seen(self, gate: Gate, plate: str, *, read: str = "", photo: Path | None = None) -> Json:
        """The camera of *gate* sees the car before it."""
        image = str(photo) if photo else None
        if gate.smart:
            for camera in (gate.camera, *gate.cameras):
                answer = await self._hardware.order("see", camera=camera, plate=read or plate, wears=plate, photo=image)
                if not answer["answered"]:
                    raise DemoError(f"the edge did not answer the camera at {gate.name}")
        else:
            self._pictures += 1
            folder = str(self._folder.pictures(gate.camera).resolve())
            await self._hardware.order("show", folder=folder, number=self._pictures, plate=plate, photo=image)
        return await self.lane(gate, _has_decided)

    async def stands_unseen(self, gate: Gate) -> Json:
        """A car stops before the barrier and no camera reads it; the lane once it asks for its plate."""
        await self._loop(gate.approach, on=True)
        return await self.lane(gate, _has_decided)

    async def lane(self, gate: Gate, holds: Callable[[Json], bool], within_s: float = LANE_S) -> Json:
        """The lane as soon as *holds* is true of it. Raises DemoError when it does not come to that."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while not holds(view := await self._edge.lane(gate.name)):
            if loop.time() > deadline:
                raise DemoError(f"{gate.name} stays {view['phase']} {view['verdict']} {view['code']}".strip())
            await asyncio.sleep(self._poll_s)
        return view

    async def drive_through(self, gate: Gate, *, follower: bool = False) -> None:
        """The car passes under the open barrier; a *follower* is then already before it."""
        await self.lane(gate, lambda view: view["phase"] == "Passing")
        await self._loop(gate.passage, on=True)
        await self.lane(gate, lambda view: view["phase"] == "Crossing")
        await self._loop(gate.approach, on=False)
        if follower:
            await asyncio.sleep(TAKEN_S)
            await self._loop(gate.approach, on=True)
            await asyncio.sleep(TAKEN_S)
        await self._gone(gate)
        await self._loop(gate.passage, on=False)
        await self.lane(gate, lambda view: view["phase"] not in ("Passing", "Crossing", "Clearing"))

    async def cross_the_loop(self, gate: Gate) -> None:
        """A car goes under the barrier that was not opened for it. Raises DemoError when the lane takes no note."""
        for _ in range(CROSSINGS):  # a machine under load may look away from a loop for as long as it is taken
            for place, on in ((gate.passage, True), (gate.approach, False), (gate.passage, False)):
                await self._loop(place, on=on)
                await asyncio.sleep(TAKEN_S)
            with contextlib.suppress(DemoError):
                await self.lane(gate, lambda view: view["phase"] in ("Closing", "Idle"), NOTED_S)
                return
            await self._loop(gate.approach, on=True)
        raise DemoError(f"{gate.name} did not see the car go")

    async def clear_away(self, gate: Gate) -> None:
        """Whatever stands at *gate* backs off."""
        await self._gone(gate)
        for place in (gate.approach, gate.passage):
            await self._loop(place, on=False)

    async def is_clear(self, gate: Gate) -> None:
        """Wait until nobody is at the lane and its barrier is down."""
        await self.lane(gate, lambda view: view["phase"] == "Idle")

    async def pulses(self, gate: Gate) -> int:
        """How often the barrier of *gate* was told to open."""
        found: dict[str, int] = (await self._hardware.order("pulses"))["pulses"]
        return found.get(str(gate.channel), 0)

    async def _gone(self, gate: Gate) -> None:
        if self._folder.lot.tells_all:
            await self._hardware.order("gone", camera=gate.camera)

    async def _loop(self, place: int | str, *, on: bool) -> None:
        await self._hardware.order("loop", input=place, on=on)


def _has_decided(view: Json) -> bool:
    return view["phase"] in ("Waiting", "Passing", "Crossing", "Clearing", "Stuck") and bool(view["verdict"])
