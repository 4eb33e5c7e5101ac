"""The last reads of a lane's cameras in full; the state machine knows them by their ids."""

from __future__ import annotations

from collections import OrderedDict

from domain.lane import Car
from drivers.base import PlateRead
from edge.lanes.reads import best_read, plate_of

REMEMBERED = 64


class HeardReads:
    """Remembers the newest reads and gives back those of a car."""

    def __init__(self) -> None:
        self._reads: OrderedDict[str, PlateRead] = OrderedDict()

    def keep(self, read: PlateRead) -> None:
        """Remember one more, and forget the oldest when there are many."""
        self._reads[read.read_id] = read
        while len(self._reads) > REMEMBERED:
            self._reads.popitem(last=False)

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
