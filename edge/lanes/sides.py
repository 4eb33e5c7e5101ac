"""Lanes that share one barrier: who holds it may open, the others wait; and whose car a loop or a camera speaks of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from domain.lane import Event, OtherHeld
from domain.lookalike import is_near

DRIVES_OFF_S = 5.0  # a car that came through is on the other side's loop and before its camera for so long


class Turn:
    """What the sides of one barrier share: the lock, who had it last and for whom, and where vehicles stand."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.last: SharedBarrier | None = None
        self.plates: frozenset[str] = frozenset()  # of the car that has the turn, or had it last
        self.freed_at: float | None = None
        self.taken: set[SharedBarrier] = set()


class SharedBarrier:
    """One lane's side of a barrier; *turn* is the same for every lane of it, None for a lane alone."""

    def __init__(self, turn: Turn | None, post: Callable[[Event], None]) -> None:
        self._turn, self._post = turn, post
        self._holding: asyncio.Task[None] | None = None
        if turn is not None and turn.last is None:
            turn.last = self

    def hold(self, decision_id: str, plates: Collection[str]) -> None:
        """Ask for the turn of a car called *plates*; ``OtherHeld`` says when it has come."""
        if self._turn is not None:
            self._holding = asyncio.create_task(self._hold(self._turn, decision_id, frozenset(plates)))

    async def _hold(self, turn: Turn, decision_id: str, plates: frozenset[str]) -> None:
        await turn.lock.acquire()
        turn.last, turn.plates = self, plates
        self._post(OtherHeld(decision_id))

    def release(self) -> None:
        """Give the barrier free, whether it was held or still waited for."""
        holding, self._holding = self._holding, None
        if holding is None or self._turn is None:
            return
        if holding.done() and not holding.cancelled():
            self._turn.freed_at = _now()
            self._turn.lock.release()
        else:
            holding.cancel()

    def stands_before(self, taken: bool) -> None:
        """A vehicle came onto this side's own loop, or left it."""
        if self._turn is not None:
            (self._turn.taken.add if taken else self._turn.taken.discard)(self)

    def is_mine(self) -> bool:
        """Does a vehicle under the arm come from this side? The turn says so; where nobody has it, who stands there.

        Where that is nobody or more than one, it is the side that had the turn last: somebody follows its car.
        """
        turn = self._turn
        if turn is None or turn.lock.locked() or len(turn.taken) != 1:
            return turn is None or turn.last is self
        return self in turn.taken

    def other_drives_off_for(self) -> float:
        """For how many more seconds what this side sees may be the car that another side let through."""
        turn = self._turn
        if turn is None or turn.last is self:
            return 0.0
        if turn.lock.locked():
            return DRIVES_OFF_S
        return 0.0 if turn.freed_at is None else max(0.0, turn.freed_at + DRIVES_OFF_S - _now())

    def is_other_car(self, plate: str) -> bool:
        """Is *plate* on the back of the car that another side lets, or just let, through?"""
        turn = self._turn
        if turn is None or not self.other_drives_off_for():
            return False
        return any(is_near(plate, other) for other in turn.plates)


def _now() -> float:
    return asyncio.get_running_loop().time()
