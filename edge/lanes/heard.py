"""The last reads of a lane's cameras in full; the state machine knows them by their ids."""

from __future__ import annotations

from collections import OrderedDict

from domain.lane import Car, Idle, Read, State
from drivers.base import PlateRead
from edge.lanes.reads import best_read, plate_of

REMEMBERED = 64


class HeardReads:
    """Remembers the newest reads and gives back those of a car."""

    def __init__(self) -> None:
        self._reads: OrderedDict[str, PlateRead] = OrderedDict()

    def keep(self, read: PlateRead, state: State) -> None:
        """Remember one more; when there are many, forget the oldest that *state* does not speak of."""
        self._reads[read.read_id] = read
        if len(self._reads) > REMEMBERED:
            wanted = {one.read_id for one in _reads_in(state)}
            oldest = next((read_id for read_id in self._reads if read_id not in wanted), "")
            self._reads.pop(oldest, None)

    def of(self, car: Car) -> list[PlateRead]:
        """The reads of *car* that are still remembered."""
        return [self._reads[read.read_id] for read in car.reads if read.read_id in self._reads]

    def picture(self, car: Car) -> bytes:
        """What its best read showed of a car that nobody decided on, b"" when nothing did."""
        best = best_read(self.of(car))
        return best.image if best else b""

    def plate(self, car: Car) -> str:
        """What to call a car that nobody decided on: an attendant's word, else its best trusted read."""
        best = best_read(read for read in self.of(car) if read.trusted)
        return car.chosen or (plate_of(best) if best else "")


def _reads_in(state: State) -> tuple[Read, ...]:
    """The reads a lane still counts on: of the car at hand, of the one behind it, and those put aside."""
    phase = state.phase
    if isinstance(phase, Idle):
        return state.early
    following = getattr(phase, "following", None)
    return (*state.early, *phase.car.reads, *(following.reads if following else ()))
