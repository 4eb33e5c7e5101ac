"""What a person does at a lane: says which plate stands there, opens or holds its barrier, looks through a camera."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Coroutine, Mapping

from domain import lane as lanes
from domain.decision import Refuse
from domain.plate import normalise
from domain.stay import OUTSIDE
from domain.wire import Json
from drivers.base import Camera, DeviceError, PlateRead, Snapshots, Viewable
from edge.lanes.live import LiveLanes
from edge.lanes.office import Office
from edge.lanes.witness import Act, keep_picture
from edge.lanes.worker import LaneWorker
from edge.services import attending, audit, holding, manual
from edge.services.audit import AFAR
from edge.services.lot import Done, Result


class LaneDesk:
    """Puts each act on record first, then tells the lane or its barrier."""

    def __init__(
        self, office: Office, live: LiveLanes, workers: Mapping[str, LaneWorker], cameras: Mapping[str, Camera]
    ) -> None:
        self._office, self._live, self._workers, self.cameras = office, live, workers, cameras

    async def choose_plate(self, lane: str, typed: str, by: str, *, agreed: bool = False) -> Result:
        """Say which plate the car at a lane has (typed, or a candidate picked); the lane decides again with it.

        *agreed*: it may come in although all places of its entitlement are taken.
        """
        plate = normalise(typed)
        if not manual.is_plate(plate):
            return Refuse("not_a_plate")
        worker = self._workers.get(lane)
        if worker is None:
            return Refuse("no_such_lane")
        noted = await self._office.do(audit.record_act, by, "places.agree" if agreed else "plate.type", lane, "")
        if isinstance(noted, Refuse):
            return noted
        worker.choose(plate, by, agreed=agreed)
        return Done(lane)

    async def open_by_hand(self, lane: str, by: str, reason: str, plate: str = "") -> Result:
        """Open once, with a reason. Without *plate* the car waiting there is meant: it leaves with what it owes."""
        result = await self._pulse_by_hand(lane, by, reason, plate)
        if isinstance(result, Done):
            await self._keep_picture(Act(result.subject, lane, by))
        return result

    async def open_from_afar(self, body: Json) -> str:
        """The cloud's ``barrier.open``: once, by name and reason like any opening by hand. Returns what came of it."""
        lane, by, reason = (str(body.get(name, "")) for name in ("lane", "by", "reason"))
        worker = self._workers.get(lane)
        if worker is None or not worker.lane.barrier:
            return "no_barrier" if worker else "no_such_lane"
        result = await self._pulse_by_hand(lane, f"{AFAR}{by}", reason, "")
        if isinstance(result, Refuse):
            return result.code
        picture = self._keep_picture(Act(result.subject, lane, f"{AFAR}{by}"))
        outcome, _ = await asyncio.gather(worker.barrier.outcome(result.subject), picture)
        return outcome

    async def _pulse_by_hand(self, lane: str, by: str, reason: str, plate: str) -> Result:
        """Commit to a pulse and tell the lane; nothing waits once it was told, so that its outcome can be heard."""
        worker = self._workers.get(lane)
        if worker is None:
            return Refuse("no_such_lane")
        view = self._live.get(lane)
        from_inside = self._office.lot.lanes[lane].source != OUTSIDE
        waiting = (view.stay_plate if from_inside else view.plate) if view else ""
        known = normalise(plate) or waiting
        result = await self._office.do(manual.open_barrier, self._office.lot, lane, by, reason, known)
        if isinstance(result, Done):
            worker.post(lanes.ManualOpen(result.subject, known))
        return result

    def _keep_picture(self, act: Act) -> Coroutine[None, None, None]:
        """Of the car that stands there now, whatever the lane shows when it is awaited."""
        view = self._live.get(act.lane)
        camera = next((self.cameras.get(name) for name in self._workers[act.lane].lane.cameras), None)
        return keep_picture(self._office, act, view.picture_of if view else "", camera)

    async def hold_open(self, lane: str, by: str, role: str, reason: str, note: str = "", owes: bool = False) -> Result:
        """Hold a lane's barrier open until it is let go; *owes*: cars that just leave owe their fee.

        Refuses ``cannot_hold`` where the barrier has no contact for it.
        """
        worker = self._workers.get(lane)
        if worker is not None and worker.lane.barrier and not worker.barrier.can_hold:
            return Refuse("cannot_hold")
        result = await self._office.do(holding.hold_open, self._office.lot, lane, by, role, reason, note, owes)
        self._at_barrier(result, lanes.HoldOpenSet(reason))
        return result

    async def release_hold(self, lane: str, by: str, role: str) -> Result:
        """Let go of a barrier held open."""
        result = await self._office.do(holding.release, self._office.lot, lane, by, role)
        self._at_barrier(result, lanes.HoldOpenReleased())
        return result

    async def attend(self, lane: str, attended: bool, until_wall_ms: int, by: str, role: str) -> Result:
        """Say for a while whether somebody is at a lane, whatever its timetable says."""
        said = await self._office.do(attending.attend, self._office.lot, lane, attended, until_wall_ms, by, role)
        if isinstance(said, Refuse):
            return said
        self._office.attendance.said(lane, said)
        return Done(lane)

    def _at_barrier(self, result: Result, event: lanes.Event) -> None:
        """Tell every lane of the barrier that was acted on."""
        for worker in self._workers.values():
            if isinstance(result, Done) and worker.lane.barrier == result.subject:
                worker.post(event)

    async def clear_fault(self, lane: str, by: str) -> Result:
        """Say that a stuck lane was seen to."""
        worker = self._workers.get(lane)
        if worker is None:
            return Refuse("no_such_lane")
        noted = await self._office.do(audit.record_act, by, "lane.clear", lane, "")
        if isinstance(noted, Refuse):
            return noted
        worker.post(lanes.FaultCleared())
        return Done(lane)

    async def look_through(self, camera: str) -> PlateRead | DeviceError | None:
        """What a camera sees now; of one that reads by itself what it said last, before that its bare picture of now.

        None where a camera gives a picture only with a vehicle and none came yet.
        """
        device, last = self.cameras.get(camera), self._live.last_read(camera)
        try:
            if isinstance(device, Viewable):
                return await device.view()
            if last is None and isinstance(device, Snapshots):
                return PlateRead(uuid.uuid4().hex, camera, (), image=await device.snapshot())
        except DeviceError as exc:
            return exc
        return last
