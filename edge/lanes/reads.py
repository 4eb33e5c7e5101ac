"""From what cameras say to what a decision looks at: the best plate of several reads of one car."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from domain.decision import Seen
from domain.lane import Car, Read
from domain.plate import is_no_plate, normalise
from domain.vehicle import class_of
from drivers.base import PlateCandidate, PlateRead
from edge.services.lot import Arrival

NOTHING = PlateCandidate("", 0)


def lane_read(read: PlateRead) -> Read:
    """A camera's read as the lane's state machine knows it."""
    return Read(read.read_id, plate_of(read), trusted=read.trusted, live=read.live)


def plate_of(read: PlateRead) -> str:
    """The plate a read believes in, "" for a car without one."""
    plate = normalise(_best(read).text)
    return "" if is_no_plate(plate) else plate


def _best(read: PlateRead) -> PlateCandidate:
    return read.candidates[0] if read.candidates else NOTHING


def seen(read: PlateRead) -> Seen:
    """A read as a decision records it."""
    best = _best(read)
    return Seen(
        read.read_id, read.camera, plate_of(read), best.text, round(best.confidence), best.colour.value, read.live,
        read.trusted,
    )  # fmt: skip


def arrival_of(lane: str, car: Car, reads: Sequence[PlateRead], chosen_by: str, agreed: bool = False) -> Arrival:
    """The vehicle with the plate its reads agree on, or the one a person gave it."""
    best = best_read(reads)
    plate = car.chosen or (plate_of(best) if best else "")
    candidate = _best(best) if best else NOTHING
    return Arrival(
        lane=lane,
        plate=plate,
        plate_raw=candidate.text or plate,
        seen=tuple(seen(read) for read in reads),
        vehicle_class=class_of(plate, candidate.colour),
        typed_by=(chosen_by or "booth") if car.chosen else "",
        agreed=agreed and bool(car.chosen),
        frame=best.image if best else b"",
        crop=best.crop if best else b"",
    )


def best_read(reads: Iterable[PlateRead]) -> PlateRead | None:
    """Of the plate with most confidence over trusted reads (else over all), the surest read."""
    weight: defaultdict[str, float] = defaultdict(int)
    live = [read for read in reads if read.live]
    for read in live:
        weight[plate_of(read)] += _best(read).confidence * (100 if read.trusted else 1) if plate_of(read) else 0
    return max(live, key=lambda read: (weight[plate_of(read)], _best(read).confidence), default=None)
