"""What services know of the lot they work for: its rules, price lists and keys, handed in as one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from domain import voucher
from domain.decision import Decision, Refuse, Seen, TariffRef
from domain.moment import Moment
from domain.pricing import PriceLists
from domain.stay import OUTSIDE
from edge.settings import Lane, LotRules, Zone
from edge.workstations import Workstation

NewId = Callable[[Moment], str]


@dataclass(frozen=True, slots=True)
class Lot:
    """Handed to every service. *started* is when this daemon came up; *public_key* is that of the device key."""

    lot_id: int
    edge: str
    name: str
    tz: ZoneInfo
    locale: str
    rules: LotRules
    lanes: Mapping[str, Lane]
    zones: Mapping[str, Zone]
    tariffs: Mapping[str, tuple[TariffRef, ...]]
    calendars: tuple[str, ...]
    price: PriceLists
    new_id: NewId
    started: Moment
    public_key: bytes
    sign: voucher.Sign
    verify: voucher.Verify
    cloud_key: bytes = b""  # the cloud's public key, empty before this edge was claimed
    workstations: Mapping[str, Workstation] = field(default_factory=dict)

    @property
    def is_nested(self) -> bool:
        """Does any lane lead from zone to zone within the lot?"""
        return any(lane.is_inner for lane in self.lanes.values())

    def leads_outwards(self, lane: Lane) -> bool:
        """Does *lane* lead towards the street?"""
        source = self.zones.get(lane.source)
        return lane.target == OUTSIDE or (source is not None and source.inside == lane.target)

    def workstation_of(self, lane: str) -> str:
        """The workstation that sees to a lane, "" when none does."""
        return next((place.name for place in self.workstations.values() if lane in place.lanes), "")

    def local(self, wall_ms: int) -> datetime:
        """Lot-local time of *wall_ms*, naive, cut to the minute."""
        return datetime.fromtimestamp(wall_ms // 60_000 * 60, self.tz).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A vehicle at a lane: its reads, and the plate they or a person give it (normal form).

    *agreed*: the attendant lets it in although all places of its entitlement are taken.
    """

    lane: str
    plate: str
    plate_raw: str
    seen: tuple[Seen, ...] = ()
    vehicle_class: str = "small"
    typed_by: str = ""
    agreed: bool = False
    frame: bytes = field(default=b"", repr=False)
    crop: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Decided:
    """A committed decision. *opens*: this call reserved its one pulse, so the caller must give it now, once."""

    decision_id: str
    decision: Decision
    stay_id: str
    opens: bool
    made_boot_ms: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """It was done; *subject* is the id of what it was done to."""

    subject: str


Result = Done | Refuse
