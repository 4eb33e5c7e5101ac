"""Keeps the lists of cameras filled, so that entitled cars come in while this appliance is dead.

Every change is noted when the camera has taken it, so that a run that was cut short is gone on with by the next.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from domain.moment import Quality
from domain.stay import OUTSIDE
from drivers.base import Camera, DeviceError, DeviceRefusedError, ListedCar, ListHolding, ListReadable
from edge.db import camera_list
from edge.db.camera_list import Bounds, Run
from edge.db.database import DiskFullError
from edge.lanes.office import Office
from edge.services import offline_list
from edge.settings import EdgeSettings

logger = logging.getLogger(__name__)

LONGEST_S = 900.0  # for one camera; the next run goes on
LOOKED_UP = 200  # plates a call: the lanes share this thread
CHECK_HOUR = 3  # when a list is read back, once a day
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Duty:
    """One camera's list: who is to be in it."""

    camera: str
    zones: tuple[str, ...]
    most: int


def duties(settings: EdgeSettings) -> list[Duty]:
    """The lists the lot file asks for."""
    found = []
    for listed in settings.camera_lists:
        lanes = [lane for lane in settings.lanes if listed.camera in lane.cameras]
        zones = dict.fromkeys(lane.source if lane.target == OUTSIDE else lane.target for lane in lanes)
        found.append(Duty(listed.camera, tuple(zones), listed.most))
    return found


async def keep_lists(office: Office, cameras: Mapping[str, Camera], named: Sequence[Duty]) -> None:
    """Bring every list up to date, one after the other; once a day what a camera lost is written again."""
    check = office.lot.local(office.now().wall_ms).hour == CHECK_HOUR
    for duty in named:
        try:
            async with asyncio.timeout(LONGEST_S):
                run = await _keep(office, cameras[duty.camera], duty, check=check)
        except (DeviceError, TimeoutError) as exc:
            why = str(exc) or f"not finished within {LONGEST_S:.0f} s; the next hour goes on"
            logger.warning("camera %s: its list is not up to date (%s)", duty.camera, why)
            run = Run(duty.camera, why=why)
        try:
            await office.commit(offline_list.note, office.db, run)
        except DiskFullError as exc:
            logger.warning("camera %s: %s", duty.camera, exc)


async def _keep(office: Office, camera: Camera, duty: Duty, *, check: bool) -> Run:
    if not isinstance(camera, ListHolding):
        raise DeviceRefusedError(
            f"camera {duty.camera}: a camera of its type keeps no list; take it out of camera_lists"
        )
    if office.now().quality is Quality.UNKNOWN:
        return Run(duty.camera, why="this machine does not know the time")
    everybody = await _wanted(office, duty)
    if everybody is None:
        return Run(duty.camera, why="no list of people came from the cloud yet")
    held = await office.thread.run(camera_list.held, office.db.conn, duty.camera)
    if check and isinstance(camera, ListReadable):
        for plates in _batches(sorted(held), LOOKED_UP):
            lost = await camera.unlisted(plates)
            await office.commit(offline_list.gone, office.db, duty.camera, lost)
            held = {plate: bounds for plate, bounds in held.items() if plate not in lost}
    fitting = dict(list(everybody.items())[: duty.most])
    await _change(office, camera, duty.camera, fitting, held)
    return Run(duty.camera, office.now().wall_ms, len(everybody) - len(fitting))


async def _wanted(office: Office, duty: Duty) -> dict[str, Bounds] | None:
    plates = await office.thread.run(offline_list.entitled_plates, office.db.conn)
    if plates is None:
        return None
    found: dict[str, Bounds] = {}
    for some in _batches(plates, LOOKED_UP):
        found |= await office.thread.run(
            offline_list.wanted, office.db.conn, office.lot, some, duty.zones, office.now()
        )
    return found


async def _change(
    office: Office, camera: ListHolding, name: str, fitting: dict[str, Bounds], held: dict[str, Bounds]
) -> None:
    """Strike out first: that also makes room. Raises DeviceError."""
    for plates in _batches(sorted(held.keys() - fitting.keys()), camera.list_batch):
        await camera.unlist_cars(plates)
        await office.commit(offline_list.gone, office.db, name, plates)
    for plates in _batches([plate for plate in fitting if held.get(plate) != fitting[plate]], camera.list_batch):
        await camera.list_cars([_car(office, plate, fitting[plate]) for plate in plates])
        await office.commit(offline_list.written, office.db, name, {plate: fitting[plate] for plate in plates})


def _car(office: Office, plate: str, bounds: Bounds) -> ListedCar:
    begins, ends = (datetime.fromisoformat(text).replace(tzinfo=office.lot.tz) for text in bounds)
    return ListedCar(plate, begins, ends)


def _batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[begins : begins + size] for begins in range(0, len(items), size))
