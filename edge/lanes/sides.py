"""Lanes that share one barrier: who holds it may open, the others wait; and whose the loop under its arm speaks of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from domain.lane import Event, OtherHeld


class Turn:
    """What the sides of one barrier share: the lock, who had it last, and before whose side a vehicle stands."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.last: SharedBarrier | None = None
        self.taken: set[SharedBarrier] = set()


class SharedBarrier:
    """One lane's side of a barrier; *turn* is the same for every lane of it, None for a lane alone."""

    def __init__(self, turn: Turn | None, post: Callable[[Event], None]) -> None:
        self._turn, self._post = turn, post
        self._holding: asyncio.Task[None] | None = None
        if turn is not None and turn.last is None:
            turn.last = self

    def hold(self, decision_id: str) -> None:
        """Ask for the turn; ``OtherHeld`` says when it has come."""
        if self._turn is not None:
            self._holding = asyncio.create_task(self._hold(self._turn, decision_id))

    async def _hold(self, turn: Turn, decision_id: str) -> None:
        await turn.lock.acquire()
        turn.last = self
        self._post(OtherHeld(decision_id))

    def release(self) -> None:
        """Give the barrier free, whether it was held or still waited for."""
        holding, self._holding = self._holding, None
        if holding is None or self._turn is None:
            return
        if holding.done() and not holding.cancelled():
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
