"""Everything pages, the local API and the command line may ask of a running edge, and nothing else.

Each method is one service on the database thread plus what has to follow it: a lane told, a pulse given, a slip
printed. Refusals come back as ``domain.decision.Refuse``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import InitVar, asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from domain import lane as lanes
from domain.decision import Decision, Refuse
from domain.plate import normalise
from domain.wire import Json
from drivers.base import Camera
from edge.clock import Clock
from edge.copies import Copies
from edge.counterdesk import CounterDesk
from edge.db import (
    alarms,
    channels,
    decisions,
    journal,
    leases,
    leave_extensions,
    log,
    money,
    stays,
    zone_counts,
)
from edge.db import arrears as owed
from edge.db.stays import StayRow
from edge.db.zone_counts import CountRow
from edge.lanedesk import LaneDesk
from edge.lanes.claims import ClaimDesk
from edge.lanes.cloud_line import CloudLine
from edge.lanes.door import DriverDoor
from edge.lanes.live import LiveLanes
from edge.lanes.office import Office
from edge.lanes.phone import PhoneDesk
from edge.lanes.scans import BoothScans
from edge.lanes.tickets import TicketDesk
from edge.lanes.till import CodeTill
from edge.lanes.worker import LaneWorker
from edge.printing import SlipPrinter
from edge.receipt_faces import Wording
from edge.services import (
    alarming,
    arrears,
    audit,
    classing,
    extending,
    facts,
    fee_setting,
    filling,
    list_ages,
    manual,
    offline_list,
    paying,
    plate_locking,
    redeeming,
    refunding,
    reopening,
    settling,
    visitors,
)
from edge.services.filling import Filling
from edge.services.lot import Done, Result
from edge.services.manual import Candidate
from edge.services.paying import Taken
from edge.services.redeeming import LaidOn
from edge.settings import EdgeSettings
from edge.slipdesk import SlipDesk
from edge.staffroom import StaffRoom
from edge.stocktakes import StockTakes
from edge.supervise import Health
from edge.tills import Tills

T = TypeVar("T")
PLAIN = Wording(str, str)


@dataclass(slots=True)
class Edge:
    """One running edge. *link_state* says ``off``, ``offline`` or ``online``."""

    settings: EdgeSettings
    office: Office
    live: LiveLanes
    workers: Mapping[str, LaneWorker]
    copies: Copies
    printers: Mapping[str, SlipPrinter] = field(default_factory=dict)
    link_state: Callable[[], str] = lambda: "off"
    stuck: Callable[[], tuple[str, ...]] = tuple
    cameras: InitVar[Mapping[str, Camera] | None] = None
    wording: Wording = PLAIN  # of receipts
    parts: Health = field(default_factory=Health)  # of devices that belong to no lane
    scans: BoothScans = field(init=False)  # of the booth's own scanners
    door: DriverDoor = field(init=False)  # what a driver may ask of the lane it stands at
    tickets: TicketDesk = field(init=False)  # for cars without plates
    phone: PhoneDesk = field(init=False)  # for fees paid by phone
    till: CodeTill = field(init=False)  # for payment codes that drivers show
    claims: ClaimDesk = field(init=False)  # for claim codes of shops
    staff: StaffRoom = field(init=False)  # who may sign in
    walks: StockTakes = field(init=False)  # walks through the lot
    slips: SlipDesk = field(init=False)  # receipts, tickets and reports on their way to paper
    counter: CounterDesk = field(init=False)  # vouchers of merchants
    lanes: LaneDesk = field(init=False)  # barriers, and which plate stands before them
    tills: Tills = field(init=False)  # shifts, and what is printed for them

    def __post_init__(self, cameras: Mapping[str, Camera] | None) -> None:
        host = self.settings.voucher_host
        self.scans = BoothScans(self.settings, self.workers)
        self.phone = PhoneDesk(self.office, host)
        told, sign = self.settings, self.office.lot.sign
        cloud = CloudLine(told.edge, told.cloud_url_file, told.cloud_ca, sign, lambda: self.link_state())
        self.till, self.claims = CodeTill(cloud, self.phone), ClaimDesk(self.office, cloud)
        for worker in self.workers.values():
            worker.codes.till, worker.codes.claims = self.till, self.claims
        self.door = DriverDoor(self.office, self.live, self.workers, self.phone)
        self.slips = SlipDesk(self.office, self.printers)
        self.lanes = LaneDesk(self.office, self.live, self.workers, cameras or {})
        self.counter = CounterDesk(self.settings, self.office, self.printers, lambda: self.link_state())
        self.tickets = TicketDesk(self.office, self.door, self.workers, self.printers, self.slips, host)
        self.staff, self.walks = StaffRoom(self.office), StockTakes(self.office, self.live)
        self.tills = Tills(self.office, self.printers, self.slips, self.wording)

    @property
    def clock(self) -> Clock:
        """Both clocks."""
        return self.office.clock

    async def read(self, query: Callable[..., T], *args: Any) -> T:
        """Run ``query(conn, *args)`` on the database thread; for looking, never for changing."""
        return await self.office.read(query, *args)

    async def _do(self, service: Callable[..., T], *args: Any) -> T | Refuse:
        """Run ``service(db, *args, now)`` on the database thread; refuses ``not_recorded`` when the disk is full."""
        return await self.office.do(service, *args)

    async def _must(self, service: Callable[..., T], *args: Any) -> T:
        """The same; raises DiskFullError when there is no room."""
        return await self.office.commit(service, self.office.db, *args, self.office.now())

    # The booth

    async def cars_inside(self, containing: str = "", most: int = 200) -> list[StayRow]:
        """Open stays, the newest first."""
        return await self.read(stays.open_stays, most, normalise(containing))

    async def stay(self, stay_id: str) -> StayRow | None:
        """One stay."""
        return await self.read(stays.get, stay_id)

    async def recent_stays(self, most: int = 50) -> list[StayRow]:
        """The last cars that left."""
        return await self.read(stays.recent, most)

    async def quote(self, stay_id: str) -> Decision | None:
        """What an open stay costs now, with its lines and coupons; None when it is not open."""

        def look(conn: sqlite3.Connection) -> Decision | None:
            stay = stays.get(conn, stay_id)
            if stay is None or not stay.is_open:
                return None
            return settling.standing(conn, self.office.lot, stay, self.office.now())

        return await self.read(look)

    async def take_cash(
        self, payment_id: str, stay_id: str, amount_fen: int, by: str, *, at: str = "", tendered_fen: int = 0
    ) -> Taken | Refuse:
        """Take cash at a workstation; a car of this stay that waits at a lane is decided on again at once."""
        take = partial(paying.take_cash, at=at, tendered_fen=tendered_fen)
        result = await self._do(take, self.office.lot, payment_id, stay_id, amount_fen, by)
        self._due_changed(stay_id)
        return result

    async def waive(self, stay_id: str, amount_fen: int, by: str, reason: str, *, approved_by: str = "") -> Result:
        """Let go of part of a fee, if need be with a supervisor's word."""
        result = await self._do(
            partial(manual.waive, approved_by=approved_by), self.office.lot, stay_id, amount_fen, by, reason
        )
        self._due_changed(stay_id)
        return result

    async def lock_plate(self, stay_id: str, by: str, reason: str) -> Result:
        """Keep a car in."""
        result = await self._do(plate_locking.lock, stay_id, by, reason)
        self._due_changed(stay_id)
        return result

    async def unlock_plate(self, stay_id: str, by: str, *, approved_by: str = "") -> Result:
        """Let it go again; a lane where it waits decides anew."""
        result = await self._do(partial(plate_locking.unlock, approved_by=approved_by), stay_id, by)
        self._due_changed(stay_id)
        return result

    async def set_fee(
        self, set_id: str, stay_id: str, fee_fen: int, by: str, reason: str, *, approved_by: str = "", at: str = ""
    ) -> Result:
        """Set a fee by hand, if need be with a supervisor's word."""
        act = partial(fee_setting.set_fee, approved_by=approved_by, at=at)
        result = await self._do(act, self.office.lot, set_id, stay_id, fee_fen, by, reason)
        self._due_changed(stay_id)
        return result

    async def refund(
        self,
        refund_id: str,
        stay_id: str,
        amount_fen: int,
        by: str,
        reason: str,
        *,
        approved_by: str = "",
        at: str = "",
    ) -> Result:
        """Give cash back out of a workstation's drawer; a car of this stay that waits at a lane is decided on again."""
        give = partial(refunding.refund, approved_by=approved_by, at=at)
        result = await self._do(give, self.office.lot, refund_id, stay_id, amount_fen, by, reason)
        self._due_changed(stay_id)
        return result

    async def correct_plate(self, stay_id: str, typed: str, by: str) -> Result:
        """Mend the plate of an open stay."""
        result = await self._do(manual.correct_plate, stay_id, typed, by)
        self._decide_again(normalise(typed), result)
        return result

    async def look_alikes(self, typed: str) -> list[Candidate]:
        """Cars inside that a typed or misread plate may be."""
        return await self.read(manual.look_alikes, typed)

    async def pick_class(self, stay_id: str, vehicle_class: str, by: str, *, approved_by: str = "") -> Result:
        """Charge an open stay as another class; where its car waits, the lane decides again."""
        pick = partial(classing.pick, approved_by=approved_by)
        result = await self._do(pick, self.office.lot, stay_id, vehicle_class, by)
        self._due_changed(stay_id)
        return result

    async def enter_missing(
        self, typed: str, zone: str, entered_wall_ms: int, by: str, reason: str, vehicle_class: str = "", *,
        approved_by: str = "",
    ) -> Result:  # fmt: skip
        """Write an entry nobody recorded."""
        write = partial(manual.enter_missing, vehicle_class=vehicle_class, approved_by=approved_by)
        result = await self._do(write, self.office.lot, typed, zone, entered_wall_ms, by, reason)
        self._decide_again(normalise(typed), result)
        return result

    async def set_entry(self, stay_id: str, entered_wall_ms: int, by: str, reason: str) -> Result:
        """Name the time of an entry no clock vouches for."""
        result = await self._do(manual.set_entry, stay_id, entered_wall_ms, by, reason)
        self._due_changed(stay_id)
        return result

    async def extend_leaving(self, minutes: int, by: str, role: str, reason: str) -> Result:
        """Give everybody who has paid more time to leave; Done names until when."""
        return await self._do(extending.extend, self.office.lot, minutes, by, role, reason)

    async def end_extension(self, by: str, role: str) -> Result:
        """Let times to leave run out again."""
        return await self._do(extending.end, by, role)

    async def note_charging(self, stay_id: str, minutes: int, by: str) -> Result:
        """Say how long a car has charged; some price lists give it more free minutes."""
        result = await self._do(facts.note_charging, stay_id, minutes, by)
        self._due_changed(stay_id)
        return result

    async def lay_voucher(self, stay_id: str, scanned: str, by: str, lane: str = "") -> LaidOn | Refuse:
        """Lay a voucher on a stay, scanned or by the number printed on it."""
        lay = redeeming.lay_number if redeeming.NUMBER.fullmatch(scanned.strip()) else redeeming.lay_voucher
        result = await self._do(lay, self.office.lot, stay_id, scanned, by, lane)
        self._due_changed(stay_id)
        return result

    async def take_off(self, ref: str, by: str) -> Result:
        """Take a voucher off its stay again."""
        result = await self._do(redeeming.take_off, self.office.lot, ref, by)
        if isinstance(result, Done):
            self._due_changed(result.subject)
        return result

    async def set_coupon_aside(self, stay_id: str, ref: str, by: str, *, aside: bool) -> Result:
        """Take a coupon of the cloud off a stay, or let it count again."""
        act = redeeming.set_aside if aside else redeeming.put_back
        result = await self._do(act, self.office.lot, stay_id, ref, by)
        self._due_changed(stay_id)
        return result

    async def add_visitor(self, typed: str, host: str, by: str, role: str) -> Result:
        """Let a visitor park free for the rest of the day; a lane where its car waits decides again."""
        result = await self._do(visitors.add, self.office.lot, typed, host, by, role)
        self._decide_again(normalise(typed), result)
        return result

    async def end_visitor(self, visitor_id: str, by: str, role: str) -> Result:
        """Let a visitor park free no longer."""
        return await self._do(visitors.end, self.office.lot, visitor_id, by, role)

    async def approved(self, approver: str, by: str, act: str, subject: str) -> None:
        """Put on record that a supervisor stood beside somebody who acted; nothing where nobody did."""
        if approver:
            await self._must(audit.record_approval, approver, act, subject, by)

    async def record_act(self, by: str, act: str, subject: str = "", reason: str = "") -> None:
        """Put an act with its name on record."""
        await self._must(audit.record_act, by, act, subject, reason)

    async def zones(self) -> tuple[list[Filling], list[CountRow]]:
        """How full every zone is, and the last counts by hand."""

        def look(conn: sqlite3.Connection) -> tuple[list[Filling], list[CountRow]]:
            return filling.of_lot(conn, self.office.lot), zone_counts.newest(conn, 8)

        return await self.read(look)

    async def count_zone(self, zone: str, vehicle_class: str, counted: int, by: str, role: str, reason: str) -> Result:
        """Write down how many cars somebody counted in a zone."""
        return await self._do(filling.count, self.office.lot, zone, vehicle_class, counted, by, role, reason)

    async def picture(self, decision_id: str, kind: str = "frame") -> bytes | None:
        """The JPEG a decision was taken on."""
        wall_ms = await self.read(decisions.picture_time, decision_id, kind)
        return None if wall_ms is None else await self.office.pictures.get(decision_id, kind, wall_ms)

    async def incidents(self, most: int = 100) -> list[journal.IncidentRow]:
        """What a person should look at."""
        return await self.read(journal.incidents, most)

    async def see_alarms(self, oldest: int, newest: int, by: str) -> int:
        """Somebody has seen these incidents; returns how many nobody had seen before."""
        return await self._must(alarming.see, oldest, newest, by)

    async def acts(self, most: int = 100) -> list[journal.ActRow]:
        """Who did what."""
        return await self.read(journal.acts, most)

    async def debts(self, plate: str | None = None) -> list[money.DebtRow]:
        """What plates owe."""
        return await self.read(money.debts, normalise(plate) if plate else None)

    async def reopen_stay(self, stay_id: str, by: str, role: str, reason: str) -> Result:
        """Take the end of a stay back: its car is inside, and what its end redeemed and left owing is as before."""
        result = await self._do(reopening.reopen, self.office.lot, stay_id, by, role, reason)
        stay = await self.stay(stay_id)
        self._decide_again(stay.plate if stay else "", result)
        return result

    async def undo_second_entry(self, stay_id: str, typed: str, by: str, role: str, reason: str) -> Result:
        """A second entry was a misread: open the first stay again, and give the other car its plate."""
        return await self._do(reopening.undo_second_entry, self.office.lot, stay_id, typed, by, role, reason)

    async def pay_debts(
        self, payment_id: str, plate: str, amount_fen: int, by: str, *, at: str = "", tendered_fen: int = 0
    ) -> Result:
        """Take cash at a workstation for what a plate owes, without a visit; the oldest debt first."""
        pay = partial(arrears.pay, at=at, tendered_fen=tendered_fen)
        result = await self._do(pay, self.office.lot, payment_id, normalise(plate), amount_fen, by)
        self._decide_again(normalise(plate), result)
        return result

    async def waive_debt(self, debt_id: str, amount_fen: int, by: str, reason: str, *, approved_by: str = "") -> Result:
        """Let go of part of a debt, if need be with a supervisor's word."""
        return await self._of_debt(partial(arrears.waive, approved_by=approved_by), debt_id, amount_fen, by, reason)

    async def dispute_debt(self, debt_id: str, by: str, role: str, reason: str) -> Result:
        """Note that the driver denies a debt: nobody is asked for it meanwhile."""
        return await self._of_debt(arrears.dispute, debt_id, by, role, reason)

    async def uphold_debt(self, debt_id: str, by: str, role: str, reason: str) -> Result:
        """Say that a disputed debt stands."""
        return await self._of_debt(arrears.uphold, debt_id, by, role, reason)

    async def _of_debt(self, act: Callable[..., Result], debt_id: str, *args: Any) -> Result:
        result = await self._do(act, self.office.lot, debt_id, *args)
        debt = await self.read(owed.get, debt_id)
        self._decide_again(debt.plate if debt else "", result)
        return result

    # Operations

    async def backup(self, folder: Path) -> Path:
        """Copy the database into *folder*; lanes go on meanwhile. Raises plumbing.backup.BackupError."""
        return await self.copies.make(folder)

    async def standing(self) -> Json:
        """How this edge is: for /healthz, the booth's status line and ``doctor``."""

        def look(conn: sqlite3.Connection) -> Json:
            return {
                "inside": stays.count_open(conn),
                "backlog": log.backlog(conn),
                "alarms": alarms.unseen(conn),
                "salvage": log.salvage_left(conn),
                "oldest_unacked_wall_ms": log.oldest_unacked_wall_ms(conn),
                "rules_version": channels.version(conn, "rules"),
                "coupons_version": channels.version(conn, "coupons"),
                "leases": len(leases.active(conn)),
                "lists_min": list_ages.oldest_min(conn, now),
                "extended": asdict(more) if (more := leave_extensions.standing(conn, now)) else None,
                "lists": offline_list.standing(conn, [one.camera for one in self.settings.camera_lists], now.wall_ms),
            }

        now = self.office.now()
        wrong = {f"{view.lane}: {part}": why for view in self.live.snapshot() for part, why in view.wrong.items()}
        wrong |= self.parts.wrong
        return {
            **await self.read(look),
            "lot": self.settings.name,
            "edge": self.settings.edge,
            "link": self.link_state(),
            "clock": int(now.quality),
            "disk": self.office.disk.level.name.lower(),
            "disk_free_percent": self.office.disk.free,
            "copies": self.copies.standing.values(),
            "wall_ms": now.wall_ms,
            "wrong": wrong,
            "stuck": list(self.stuck()),
            "lanes": [view.values() for view in self.live.snapshot()],
        }

    def _decide_again(self, plate: str, result: Result) -> None:
        """A car of this plate that was asked about at a lane may have its stay now."""
        for name, worker in self.workers.items():
            view = self.live.get(name)
            if isinstance(result, Done) and view is not None and plate in (view.plate, view.stay_plate):
                worker.post(lanes.DueChanged())

    def _due_changed(self, stay_id: str) -> None:
        for worker in self.workers.values():
            if worker.waiting_stay == stay_id:
                worker.post(lanes.DueChanged())
