"""The lot file: one TOML read once into frozen values; docs/edge.md and config/lots/ explain every key."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.attendance import Span, span_of
from domain.board import Template, minute_of
from domain.decision import Rules
from domain.plate import FREE_BY_KIND, PlateKind
from domain.stay import OUTSIDE, Direction
from domain.zones import CapPer, Charge, ZoneRule
from edge import workstations
from edge.layouts import OwnSlip
from edge.workstations import Shifts, Workstation
from plumbing.demo_clock import refuse_outside_demo
from plumbing.i18n import LANGUAGES
from plumbing.settings import load

DeviceTable = dict[str, Any]
"""One device: ``type`` names its driver, the rest are that driver's own keys, read strictly when it is opened."""


class NoEntry(StrEnum):
    """What an exit does with a car that never entered by our books."""

    CALL = "call"  # a person finds or enters the missing entry
    FIRST_SEGMENT = "first_segment"  # it pays the first thing its price list charges for
    FIXED_FEE = "fixed_fee"  # it pays no_entry_fen


class TypedFree(StrEnum):
    """What becomes of a plate that the driver typed, no camera vouches for, and that owes nothing."""

    ASK = "ask"  # a person looks
    MARK = "mark"  # it leaves, with a picture and an incident


class MissedExit(StrEnum):
    """What becomes of a stay whose car comes in again (E27)."""

    WAIVE = "waive"  # nobody knows when it left: its fee is written off, with an incident
    OWE = "owe"  # the fee up to the second entry becomes a debt


class Arrears(StrEnum):
    """What becomes of a car that owes from an earlier visit."""

    SHOW = "show"  # board and booth tell; nothing more
    COLLECT = "collect"  # the exit asks for it beside the fee
    ASK = "ask"  # the entry asks the attendant, who may let it in
    REFUSE = "refuse"  # the entry stays shut until it is paid


class SameCap(StrEnum):
    """Which earlier stays of a car fill the caps of its next one."""

    OFF = "off"  # each stay has its own
    HOURS_24 = "24h"  # those that began within 24 hours before it
    DAY = "day"  # those that began on the same day


class DecidedBy(StrEnum):
    """Who at the booth may do an act of weight alone; an attendant may with a supervisor's PIN beside."""

    SUPERVISOR = "supervisor"
    ATTENDANT = "attendant"


class VisitorsBy(StrEnum):
    """Who at the booth may let a visitor park free for the day."""

    NOBODY = "nobody"  # visitors come from the cloud alone
    MANAGER = "manager"
    ATTENDANT = "attendant"


@dataclass(frozen=True, slots=True)
class Listener:
    """Where one set of pages listens. Port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = 0
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together")
        if not 0 <= self.port <= 65535:
            raise ValueError("port must be 0 to 65535")


@dataclass(frozen=True, slots=True)
class Listeners:
    """Each on its own port; the counter's and the drivers' only where they are configured."""

    booth: Listener = Listener(port=8620)
    device: Listener = Listener(port=8621)
    counter: Listener | None = None
    driver: Listener | None = None


@dataclass(frozen=True, slots=True)
class Devices:
    """Every device of the lot by the name lanes call it."""

    cameras: dict[str, DeviceTable] = field(default_factory=dict)
    recognisers: dict[str, DeviceTable] = field(default_factory=dict)
    barriers: dict[str, DeviceTable] = field(default_factory=dict)
    loops: dict[str, DeviceTable] = field(default_factory=dict)
    displays: dict[str, DeviceTable] = field(default_factory=dict)
    printers: dict[str, DeviceTable] = field(default_factory=dict)
    scanners: dict[str, DeviceTable] = field(default_factory=dict)

    def tables(self) -> list[DeviceTable]:
        """Every device's table."""
        kinds = (self.cameras, self.recognisers, self.barriers, self.loops, self.displays, self.printers, self.scanners)
        return [table for kind in kinds for table in kind.values()]


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of the lot with its price lists (all versions of it; dates inside say which holds).

    *inside* names the zone around it, *charge* what that one takes meanwhile (docs/zones.md). A class with places of
    its own fills these alone; *kept_places* are for cars with an entitlement.
    """

    name: str
    tariffs: tuple[Path, ...] = ()
    places: int | None = None  # None: never full
    class_places: dict[str, int] = field(default_factory=dict)
    kept_places: int = 0
    inside: str = ""
    charge: Charge = Charge.REPLACES
    shared_cap_fen: int | None = None
    shared_cap_per: CapPer = CapPer.HOURS_24

    def __post_init__(self) -> None:
        if not self.tariffs:
            raise ValueError("tariffs: name at least one price list; one that charges nothing is a file too")
        if self.places is not None and self.places < 1:
            raise ValueError("places must be 1 or more; leave the key out where the zone never fills")
        if any(places < 0 for places in self.class_places.values()):
            raise ValueError("class_places must be 0 or more for each class")
        if self.kept_places and not 0 < self.kept_places <= (self.places or 0):
            raise ValueError("kept_places must be 0 to places")
        self._check_charge()

    def _check_charge(self) -> None:
        if not self.inside and self.charge is not Charge.REPLACES:
            raise ValueError("charge says what the zone around takes: name that zone with inside")
        if (self.shared_cap_fen is not None) != (self.charge is Charge.SHARED_CAP):
            raise ValueError('shared_cap_fen belongs to charge = "shared_cap", which needs it')
        if self.shared_cap_fen is not None and self.shared_cap_fen < 0:
            raise ValueError("shared_cap_fen must be 0 or more")

    @property
    def rule(self) -> ZoneRule:
        """The part a decision records."""
        return ZoneRule(self.name, self.inside, self.charge.value, self.shared_cap_fen or 0, self.shared_cap_per.value)


@dataclass(frozen=True, slots=True)
class Lane:
    """A way from zone to zone. The first camera is the main one.

    *loop* is the ground loop before the arm, *passage_loop* the one under it; *loop_devices* are what reports them,
    if not devices of these very names. Two lanes that share a barrier are the two sides of a two-way lane.
    """

    name: str
    direction: Direction
    source: str
    target: str
    cameras: tuple[str, ...] = ()
    barrier: str = ""
    loop: str = ""
    passage_loop: str = ""
    loop_devices: tuple[str, ...] = ()
    arm_up: str = ""  # the input that is closed while the arm is up, reported beside the loops
    bell: str = ""  # the input of the button by which a driver calls, reported beside the loops
    display: str = ""
    scanner: str = ""  # where vouchers are held; one that no lane names stands in the booth
    printer: str = ""  # where entry tickets come out
    attended: bool = True
    unattended: tuple[str, ...] = ()  # when nobody is there all the same: "22:00-07:00", "sat,sun 00:00-24:00"

    def __post_init__(self) -> None:
        if self.source == self.target:
            raise ValueError("a lane leads from one zone to another")
        for text in self.unattended:
            span_of(text)

    @property
    def unattended_spans(self) -> tuple[Span, ...]:
        """*unattended*, read."""
        return tuple(map(span_of, self.unattended))

    @property
    def is_inner(self) -> bool:
        """Does it lead from zone to zone within the lot?"""
        return OUTSIDE not in (self.source, self.target)

    @property
    def reporting_loops(self) -> tuple[str, ...]:
        """The loop devices of this lane."""
        inputs = (self.loop, self.passage_loop, self.arm_up, self.bell)
        return self.loop_devices or tuple(dict.fromkeys(name for name in inputs if name))


@dataclass(frozen=True, slots=True)
class LotRules:
    """How this lot decides. Minutes, fen and seconds are whole numbers."""

    free_kinds: tuple[PlateKind, ...] = tuple(sorted(FREE_BY_KIND))
    least_confidence: int = 60
    leave_within_min: int = 15
    frozen_fee_min: int = 10
    no_entry: NoEntry = NoEntry.CALL
    no_entry_fen: int = 0
    typed_free: TypedFree = TypedFree.ASK
    missed_exit: MissedExit = MissedExit.WAIVE
    stock_take: MissedExit = MissedExit.WAIVE  # what becomes of the fee of a car that a stock-take did not find
    overstay_hours: dict[str, int] = field(
        default_factory=dict
    )  # by class, "entitled" and "any": longer is a left-over
    arrears: Arrears = Arrears.SHOW
    waive_limits_fen: dict[str, int] = field(default_factory=dict)  # by role, for one stay or debt; none: no limit
    fee_limits_fen: dict[str, int] = field(default_factory=lambda: {"attendant": 2_000})  # apart from the list's fee
    refund_limits_fen: dict[str, int] = field(default_factory=lambda: {"attendant": 2_000})  # for one stay, in cash
    same_cap: SameCap = SameCap.OFF
    shifts: Shifts = Shifts.OFF
    booth_lock_min: int = 30  # a screen of the booth that nobody touched this long asks for the PIN again
    visitors_by: VisitorsBy = VisitorsBy.MANAGER
    lists_by: DecidedBy = DecidedBy.ATTENDANT  # who searches who is on the lists; everybody sees today's visitors
    reopen_by: DecidedBy = DecidedBy.SUPERVISOR  # who takes an exit back
    dispute_by: DecidedBy = DecidedBy.SUPERVISOR  # who says that a debt is not asked for meanwhile, or that it stands
    cheaper_class_by: DecidedBy = DecidedBy.SUPERVISOR  # who charges a car as a class cheaper than its plate's
    left_before_h: int = 24  # a plate at an exit without a stay that left within these hours is asked about as such
    turnaround_s: int = 300  # sooner than that no car leaves, comes in unseen and stands at an exit again
    same_car_s: int = 120  # a second entry read within this time is the same arrival
    merge_window_ms: int = 400  # main and auxiliary camera see one car within it
    read_timeout_ms: int = 3_000  # a loop says a car is there and no camera has read it
    waiting_alarm_s: int = 180
    ticket_wait_s: int = 10  # an unread car at an unattended entry with a printer gets a ticket after this
    code_good_s: int = 600  # without a loop, a car may answer for itself this long after it was last decided on
    passage_timeout_s: int = 60
    assumed_passage_s: int = 6  # without loops a car is taken as through after this
    closing_s: int = 4
    trailer_gap_ms: int = 800  # the loop under the arm free for no longer: the same vehicle, with a trailer
    edging_s: int = 10  # it came free and a vehicle still stands before it: whether that went back shows within this
    remembered_s: int = 20  # a plate seen before its car's turn, and that of a car just gone, count this long
    arm_moves_s: int = 8  # told to open, the arm must be up within this time
    arm_up_s: int = 90  # up this long with nothing under it and nobody holding it, it should have fallen
    loop_taken_s: int = 900  # nobody stands on a loop for longer
    restart_grace_min: int = 15
    quote_good_min: int = 10  # what a phone is told to pay holds for this long

    def __post_init__(self) -> None:
        if not 1 <= self.booth_lock_min <= 720:
            raise ValueError("booth_lock_min must be 1 to 720")
        if (self.no_entry is NoEntry.FIXED_FEE) != (self.no_entry_fen > 0):
            raise ValueError('no_entry_fen goes with no_entry = "fixed_fee", and is more than 0')

    def for_decisions(self, leave_within_min: int | None = None, coupons: str = "") -> Rules:
        """The part a decision records; *leave_within_min* where another time to leave holds for this car."""
        within = self.leave_within_min if leave_within_min is None else leave_within_min
        return Rules(
            _names(self.free_kinds), self.least_confidence, within, self.frozen_fee_min, self.arrears.value,
            self.typed_free.value, coupons,
        )  # fmt: skip


@lru_cache(maxsize=8)
def _names(kinds: tuple[PlateKind, ...]) -> tuple[str, ...]:
    return tuple(sorted(kind.value for kind in kinds))


@dataclass(frozen=True, slots=True)
class Boards:
    """What the lanes' boards show and how loud they speak; docs/boards.md explains it."""

    notice: str = ""
    volume: dict[str, int] = field(default_factory=lambda: {"07:00": 80, "22:00": 0})
    texts: tuple[Template, ...] = ()

    def __post_init__(self) -> None:
        for at, percent in self.volume.items():
            minute_of(at)
            if not 0 <= percent <= 100:
                raise ValueError(f"volume at {at} is {percent}; 0 (no voice) to 100 is taken")


@dataclass(frozen=True, slots=True)
class Broker:
    """The line to the cloud; absent, the lot runs alone."""

    host: str = "127.0.0.1"
    port: int = 1883
    username: str = ""
    password_file: Path | None = None
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    longest_wait_s: int = 300  # between two tries to connect, after a long silence

    def __post_init__(self) -> None:
        if self.longest_wait_s < 1:
            raise ValueError("longest_wait_s is 1 or more")


@dataclass(frozen=True, slots=True)
class KeptPictures:
    """How long pictures stay at the lot, and how much room they may take.

    *afar*: whoever looks a car up in the cloud is shown a small one of its entry, while it is inside.
    """

    days: int = 30
    most_mb: int = 4_000
    afar: bool = True

    def __post_init__(self) -> None:
        if self.days < 1 or self.most_mb < 1:
            raise ValueError("days and most_mb are 1 or more")


@dataclass(frozen=True, slots=True)
class Copies:
    """Where copies of the database go by themselves: a second medium, or nowhere."""

    folder: Path | None = None
    keep: int = 12
    every_min: int = 5
    same_disk: bool = False  # for trying it out: such copies die with the disk they are copies of

    def __post_init__(self) -> None:
        if self.keep < 1 or self.every_min < 1:
            raise ValueError("keep and every_min are 1 or more")


@dataclass(frozen=True, slots=True)
class CameraList:
    """A camera whose own list is kept filled with entitled cars, so that they come in while the edge is dead.

    *used* is what the camera's own page says of when it uses that list: only "offline" is safe beside a running edge.
    """

    camera: str
    used: str
    at_exit: bool = False  # a car let out by a camera is not charged, whatever it owes
    most: int = 1000  # as many as the camera holds; 0 strikes out what was written before

    def __post_init__(self) -> None:
        if self.used != "offline":
            raise ValueError(
                f'used is {self.used!r}; only "offline" is taken: set the camera so that it uses its list only while '
                "nobody answers it, else it opens beside the edge"
            )
        if not 0 <= self.most <= 20_000:
            raise ValueError(f"most is {self.most}; 0 to 20000 is taken")


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """Everything one edge is told. Raises ValueError from checks between keys; ``load_settings`` names the place."""

    lot_id: int
    name: str
    zones: tuple[Zone, ...]
    lanes: tuple[Lane, ...]
    workstations: tuple[Workstation, ...] = ()
    edge: str = "edge"
    time_zone: str = "Asia/Shanghai"
    data: Path = Path("data")
    calendars: tuple[Path, ...] = ()
    voucher_host: str = "LOTGATE.EXAMPLE"
    driver_url: str = ""  # where drivers' phones find the lanes' pages; the cloud's at https://voucher_host without it
    locale: str = "zh-CN"
    devices: Devices = field(default_factory=Devices)
    listeners: Listeners = field(default_factory=Listeners)
    rules: LotRules = field(default_factory=LotRules)
    boards: Boards = field(default_factory=Boards)
    broker: Broker | None = None
    cloud_ca: Path | None = None  # believed alone when the cloud is called over HTTPS; else the system's authorities
    copies: Copies = field(default_factory=Copies)
    pictures: KeptPictures = field(default_factory=KeptPictures)
    camera_lists: tuple[CameraList, ...] = ()
    slips: tuple[OwnSlip, ...] = ()  # what the lot changes on what it prints
    watchdog_s: int = 20
    demo_clock: Path | None = None  # a file that puts the clocks forward: demos and tests on one machine only

    def __post_init__(self) -> None:
        _check_zone_name(self.time_zone)
        if self.demo_clock is not None:
            refuse_outside_demo(self._hosts())
        if self.locale not in LANGUAGES:
            raise ValueError(f"locale: expected one of {', '.join(LANGUAGES)}, got {self.locale!r}")
        zones = {zone.name for zone in self.zones} | {OUTSIDE}
        for lane in self.lanes:
            _check_lane(lane, zones, self.devices)
        for listed in self.camera_lists:
            _check_list(listed, self.lanes)
        for text in self.boards.texts:
            if text.lane and self.lane(text.lane) is None:
                raise ValueError(f"boards.texts: no lane {text.lane!r}")
        _check_once("lanes", [lane.name for lane in self.lanes])
        _check_once("zones", [OUTSIDE, *(zone.name for zone in self.zones)])
        _check_nesting(self.zones)
        names = [lane.name for lane in self.lanes]
        workstations.check(
            self.workstations, names, self.devices.printers, self.devices.scanners, self.rules.shifts
        )  # fmt: skip

    def _hosts(self) -> list[str]:
        """Every address this edge listens on or speaks to the cloud at."""
        named = (
            self.listeners.booth, self.listeners.device, self.listeners.counter, self.listeners.driver, self.broker,
        )  # fmt: skip
        return [one.host for one in named if one is not None]

    @property
    def lanes_url(self) -> str:
        """What the codes at the lanes begin with."""
        return self.driver_url or f"https://{self.voucher_host.lower()}"

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def database(self) -> Path:
        return self.data / "lot.db"

    @property
    def key_file(self) -> Path:
        return self.data / "device.key"

    @property
    def cloud_key_file(self) -> Path:
        """The cloud's public key in hex, pinned when the edge was claimed."""
        return self.data / "cloud.pub"

    @property
    def cloud_url_file(self) -> Path:
        """Where the cloud answers over HTTP, as the claim named it."""
        return self.data / "cloud.url"

    @property
    def socket(self) -> Path:
        """Where the command line finds a running daemon."""
        return self.data / "edge.sock"

    def lane(self, name: str) -> Lane | None:
        """The lane called *name*."""
        return next((lane for lane in self.lanes if lane.name == name), None)


def _check_zone_name(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as exc:
        raise ValueError(f"time_zone: no zone is called {name!r}") from exc


def _check_once(what: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            taken = "is the street's own name" if name == OUTSIDE else "is given twice; each needs a name of its own"
            raise ValueError(f"{what}: {name!r} {taken}")


def _check_nesting(zones: tuple[Zone, ...]) -> None:
    known = {zone.name: zone for zone in zones}
    for zone in filter(lambda one: one.inside, zones):
        around = known.get(zone.inside)
        if around is None or around is zone:
            raise ValueError(f"zone {zone.name}: no other zone {zone.inside!r}; known: {', '.join(sorted(known))}")
        if around.inside:
            raise ValueError(f"zone {zone.name}: {zone.inside} is inside {around.inside}; zones nest once")
    caps = {
        (zone.inside, zone.shared_cap_fen, zone.shared_cap_per) for zone in zones if zone.shared_cap_fen is not None
    }
    if len({around for around, *_ in caps}) < len(caps):
        raise ValueError(
            "zones inside one zone that share its cap must name the same shared_cap_fen and shared_cap_per"
        )


def _check_lane(lane: Lane, zones: set[str], devices: Devices) -> None:
    for zone in (lane.source, lane.target):
        if zone not in zones:
            raise ValueError(f"lane {lane.name}: no zone {zone!r}; known: {', '.join(sorted(zones))}")
    wanted = (
        ("camera", lane.cameras, devices.cameras),
        ("barrier", (lane.barrier,), devices.barriers),
        ("loop", lane.reporting_loops, devices.loops),
        ("display", (lane.display,), devices.displays),
        ("scanner", (lane.scanner,), devices.scanners),
        ("printer", (lane.printer,), devices.printers),
    )
    for kind, names, known in wanted:
        for name in names:
            if name and name not in known:
                raise ValueError(f"lane {lane.name}: no {kind} {name!r}; known: {', '.join(sorted(known)) or 'none'}")


def _check_list(listed: CameraList, lanes: tuple[Lane, ...]) -> None:
    named = [lane for lane in lanes if listed.camera in lane.cameras]
    if not named:
        raise ValueError(f"camera_lists: no lane has a camera {listed.camera!r}")
    leaving = [lane.name for lane in named if lane.target == OUTSIDE]
    if leaving and not listed.at_exit:
        raise ValueError(
            f"camera_lists: {listed.camera!r} stands at the exit {leaving[0]!r}, where it would let cars out that owe "
            "money; at_exit = true says that this is meant"
        )


def load_settings(path: Path) -> EdgeSettings:
    """Read a lot file; relative paths start at its folder. Raises plumbing.settings.SettingsError."""
    return load(path, EdgeSettings)
