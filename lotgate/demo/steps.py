"""Steps that scenes are made of: time passes, a car comes in, is asked for what the script has, pays and goes."""

from __future__ import annotations

from domain.wire import Json
from lotgate.demo.acts import Act
from lotgate.demo.folder import DemoError
from lotgate.demo.lots import Gate
from lotgate.demo.pages import Booth
from lotgate.demo.script import Car, published_fee, yuan
from lotgate.demo.system import System

MINUTE_MS = 60_000


class Steps:
    """*minute* of the script it is; *attendant* is whoever sits at the booth."""

    def __init__(self, system: System, attendant: Booth) -> None:
        self._system, self._street, self._attendant = system, system.street, attendant
        self.minute = 0

    def later(self, minutes: int) -> None:
        """*minutes* pass for the lot and for the cloud."""
        self._system.clock.advance(minutes * MINUTE_MS)
        self.minute += minutes

    async def enter(self, act: Act, gate: Gate, car: Car) -> None:
        """A car comes in; exactly one pulse lets it."""
        before = await self._street.pulses(gate)
        view = await self._street.arrive(gate, car.plate, photo=car.photo)
        if view["verdict"] == "Ask":
            view = await self.typed(act, gate, car, view)
        act.expect(f"{car.plate} let in", "Admit", view["verdict"])
        act.expect("under its own plate", car.plate, view["plate"])
        await self._street.drive_through(gate)
        act.expect("pulses", 1, await self._street.pulses(gate) - before)
        car.entered, car.stay_id = self.minute, view["stay_id"]

    async def typed(self, act: Act, gate: Gate, car: Car, view: Json) -> Json:
        """A plain camera's reader is not sure: the attendant types what the picture shows; what the lane says then."""
        act.expect("only a plain camera asks", False, gate.smart)
        asked = view["updated_wall_ms"]
        await self._attendant.type_plate(gate.name, car.plate)
        return await self._street.lane(gate, lambda now: now["verdict"] != "Ask" and now["updated_wall_ms"] >= asked)

    def fee(self, car: Car) -> int:
        """What the stay of *car* costs by now, in fen, by the script."""
        return published_fee(self.minute - car.entered)

    async def is_asked_for(self, act: Act, car: Car, view: Json, off: int = 0, paid: int = 0) -> int:
        """Compare what the lane asks of *car* with the script's figures; returns what is due by the script."""
        fee = self.fee(car)
        due = max(0, fee - off - paid)
        act.expect_fen("fee", fee, view["fee_fen"], telling=True)
        act.expect_fen("lines add up", view["fee_fen"], sum(line["fen"] for line in view["lines"]))
        act.expect_fen("taken off", off, view["off_fen"], telling=bool(off))
        act.expect_fen("due", due, view["due_fen"], telling=True)
        act.expect("its own stay", car.stay_id, view["stay_id"])
        if view["due_fen"] != due:
            raise DemoError(f"{car.plate} is asked for another amount than the script has: it does not pay")
        return due

    async def pays_and_goes(self, act: Act, gate: Gate, car: Car, due: int, *, follower: bool = False) -> None:
        """The attendant takes *due* in cash and the car leaves by one pulse; a *follower* is then behind it."""
        before = await self._street.pulses(gate)
        page = await self._attendant.take_cash(car.stay_id, yuan(due))
        act.expect("cash taken", 200, page.status)
        await self._street.drive_through(gate, follower=follower)
        act.expect("pulses", 1, await self._street.pulses(gate) - before)
