"""Cars that come and go while somebody looks at the screens, with an attendant for whatever nobody else does."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

import aiohttp

from domain.plate import PROVINCES
from domain.wire import Json
from lotgate.demo.folder import DemoError
from lotgate.demo.lots import Gate, Ways
from lotgate.demo.pages import Booth, Pages
from lotgate.demo.photos import Photo
from lotgate.demo.script import yuan
from lotgate.demo.system import System

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
PAUSE_S = (2.0, 5.0)
MINUTE_MS = 60_000
WAITS_S = 8.0  # so long somebody at the booth may act before the scripted attendant does
AT_LEAST, AT_MOST = 5, 30  # cars inside


async def drive(system: System, photos: Sequence[Photo]) -> None:
    """Until cancelled. Raises DemoError when a part of the system has ended."""
    async with Pages(system.edge_url) as pages:
        await pages.sign_in(**system.known["attendant"])
        traffic = Traffic(system, Booth(pages), photos)
        await traffic.find_inside()
        lot = system.folder.lot
        coming, going = (traffic.come(ways) for ways in lot.ways_in), (traffic.go(ways) for ways in lot.ways_out)
        await asyncio.gather(*coming, *going)


class Traffic:
    """Cars that come and cars that go, each kind one after another."""

    def __init__(self, system: System, booth: Booth, photos: Sequence[Photo]) -> None:
        self._system, self._street, self._booth = system, system.street, booth
        self._photos = {photo.plate: photo.path for photo in photos if photo.plate}
        self._inside: list[tuple[str, str]] = []  # zone and plate
        self._random = random.Random()  # noqa: S311 - traffic is no secret

    async def find_inside(self) -> None:
        """Cars an earlier demo left inside may leave in this one."""
        self._inside = [(str(row["zone"]), str(row["plate"])) for row in await self._system.api.get("cars")]

    async def come(self, ways: Ways) -> None:
        """Cars come while there is room, at one of these gates after the other."""
        while True:
            if len(self._inside) < AT_MOST:
                await self._one(self._one_of(ways), self._come)
            await asyncio.sleep(self._random.uniform(*PAUSE_S))

    async def go(self, ways: Ways) -> None:
        """Cars leave while some stay."""
        while True:
            await asyncio.sleep(self._random.uniform(*PAUSE_S))
            gate = self._one_of(ways)
            if len(self._inside) > AT_LEAST and self._in_zone(gate):
                await self._one(gate, self._leave)

    async def _one(self, gate: Gate, act: Callable[[Gate], Awaitable[None]]) -> None:
        """What goes wrong with one car does not end the others."""
        if not await self._system.is_being_paid():  # an order would expire under its payer's hands
            self._system.clock.advance(self._random.randint(*self._system.folder.lot.minutes) * MINUTE_MS)
        try:
            await act(gate)
        except (DemoError, aiohttp.ClientError):
            self._system.look_for_ended()
            await self._street.clear_away(gate)

    def _one_of(self, ways: Ways) -> Gate:
        return self._random.choices([gate for gate, _ in ways], [share for _, share in ways])[0]

    def _in_zone(self, gate: Gate) -> list[tuple[str, str]]:
        return [one for one in self._inside if one[0] == gate.zone]

    async def _come(self, gate: Gate) -> None:
        plate = self._new_plate(gate)
        view = await self._street.arrive(gate, plate, photo=self._photos.get(plate) if not gate.smart else None)
        if view["verdict"] != "Admit":
            await self._seen_to(gate, plate, view)
        await self._street.drive_through(gate)
        self._inside.append((gate.zone, plate))
        await self._street.is_clear(gate)

    async def _leave(self, gate: Gate) -> None:
        leaving = self._random.choice(self._in_zone(gate))
        self._inside.remove(leaving)
        plate = leaving[1]
        view = await self._street.arrive(gate, plate, photo=self._photos.get(plate) if not gate.smart else None)
        if view["verdict"] != "Admit":
            await self._seen_to(gate, plate, view)
        await self._street.drive_through(gate)
        await self._street.is_clear(gate)

    async def _seen_to(self, gate: Gate, plate: str, view: Json) -> None:
        """Leave it to whoever sits at the booth; after a while type the plate, then take the money."""
        if await self._opens(gate):
            return
        if view["verdict"] == "Ask":
            await self._booth.type_plate(gate.name, plate)
            view = await self._street.lane(gate, lambda now: now["verdict"] != "Ask")
        if view["verdict"] == "PayFirst" and not await self._opens(gate):
            await self._booth.take_cash(view["stay_id"], yuan(view["due_fen"]))

    async def _opens(self, gate: Gate) -> bool:
        try:
            await self._street.lane(gate, lambda now: now["phase"] == "Passing", WAITS_S)
        except DemoError:
            return False
        return True

    def _new_plate(self, gate: Gate) -> str:
        if not gate.smart and (
            free := [plate for plate in self._photos if all(plate != one for _, one in self._inside)]
        ):
            return self._random.choice(free)
        return random_plate(self._random)


def random_plate(rng: random.Random) -> str:
    """A plain plate of some province."""
    return rng.choice(PROVINCES) + rng.choice("ABCDEF") + "".join(rng.choices(LETTERS + "0123456789", k=5))
