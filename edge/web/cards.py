"""What a person needs to see of a car: read in one go on the database thread, shaped for the templates."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from domain.decision import SET_BY_HAND, Priced
from domain.moment import Moment
from domain.stay import OUTSIDE
from domain.wire import Json
from edge.db import arrears, boots, channels, charging, coupons_aside, decisions, fees_set, plate_locks, stays, vouchers
from edge.db.arrears import Debt
from edge.db.coupons_aside import Aside
from edge.db.fees_set import FeeSet
from edge.db.plate_locks import PlateLock
from edge.db.stays import StayRow
from edge.lanes.attendance import Attended
from edge.lanes.live import LaneView
from edge.services import classing, learning, listed, manual, settling
from edge.services.listed import Standing
from edge.services.lot import Lot
from edge.settings import Lane

MINUTE_MS = 60_000
SOMEBODY = Attended(True)


@dataclass(frozen=True, slots=True)
class Pictures:
    """Decision ids whose pictures are kept; "" where there is none."""

    frame: str = ""
    crop: str = ""
    entry: str = ""
    entry_crop: str = ""


@dataclass(frozen=True, slots=True)
class LaneCard:
    """One lane on the screen. *minutes* is the stay so far, None when no stay is known."""

    lane: Lane
    view: LaneView
    stay: StayRow | None = None
    minutes: int | None = None
    pictures: Pictures = field(default_factory=Pictures)
    debt_fen: int = 0
    elsewhere: tuple[Json, ...] = ()  # what the plate owes at other lots, to be shown only
    ended: StayRow | None = None  # the stay this entry ended: the plate was inside by the books
    left: StayRow | None = None  # when this plate left before, where the exit asks about it
    debt_id: str = ""  # the oldest it may be asked for
    payers: Mapping[str, str] = field(default_factory=dict)  # coupon's ref -> name of the merchant that pays
    attended: Attended = SOMEBODY
    standing: Standing | None = None  # what the lists say of its plate
    lock: PlateLock | None = None  # why it is not to leave

    @property
    def state(self) -> str:
        """In one word what the attendant is to think of it: idle, look, pay, ask, refused, open, stuck."""
        view = self.view
        if view.phase == "Stuck":
            return "stuck"
        if view.phase in ("Passing", "Crossing", "Clearing", "Holding"):
            return "open"
        if view.phase == "Waiting":
            return {"PayFirst": "pay", "Ask": "ask", "Refuse": "refused"}.get(view.verdict, "look")
        return "look" if view.phase in ("Reading", "Deciding") else "idle"

    @property
    def needs_a_person(self) -> bool:
        return self.state in ("pay", "ask", "refused", "stuck")


@dataclass(frozen=True, slots=True)
class StayCard:
    """One car with its fee as it stands; *due_fen* is None for a car that has gone."""

    stay: StayRow
    minutes: int
    pictures: Pictures
    fee_fen: int = 0
    off_fen: int = 0
    due_fen: int | None = None
    lines: tuple[Json, ...] = ()
    coupons: tuple[Json, ...] = ()
    papers: tuple[str, ...] = ()
    debts: tuple[Debt, ...] = ()
    collected: tuple[Json, ...] = ()  # debts in what is due
    lane: str = ""
    payers: Mapping[str, str] = field(default_factory=dict)
    charging: int | None = None  # minutes of charging, None where no price list asks
    classes: tuple[str, ...] = ()  # what the price lists tell apart
    aside: tuple[Aside, ...] = ()  # coupons a person took off this stay
    lock: PlateLock | None = None
    sets: tuple[FeeSet, ...] = ()  # its fee, as people set it

    @property
    def tied(self) -> list[Json]:
        """Coupons the cloud tied to the car, by what became of them here: one step for each."""
        return list({str(step["coupon"]): step for step in self.coupons if step["coupon"] not in self.papers}.values())

    @property
    def listed_fen(self) -> int:
        """The fee without what was set by hand."""
        return self.fee_fen - sum(int(line["fen"]) for line in self.lines if line["rule"] == SET_BY_HAND)


@dataclass(frozen=True, slots=True)
class CandidateCard:
    """A car inside that a misread plate may be, and why."""

    plate: str
    stay_id: str
    score: int
    slip: str
    minutes: int
    entered_wall_ms: int
    picture: str
    zone: str = ""


def lane_card(conn: sqlite3.Connection, lot: Lot, lane: Lane, view: LaneView, now: Moment) -> LaneCard:
    """A lane with the stay its car belongs to."""
    stay = stays.get(conn, view.stay_id) if view.stay_id else None
    plate = view.stay_plate or view.plate
    debts = arrears.open_of(conn, plate) if plate else []
    return LaneCard(
        lane,
        view,
        stay,
        _minutes(conn, stay, now) if stay else None,
        _pictures(conn, view.picture_of, stay.decision_in if stay else ""),
        sum(debt.left_fen for debt in debts),
        _elsewhere(conn, plate),
        stays.ended_by_entry(conn, stay.plate, stay.decision_in) if stay and lane.target != OUTSIDE else None,
        stays.last_left(conn, plate) if view.code == "left_already" else None,
        debts[0].debt_id if debts else "",
        _payers(conn, view.stay_id, view.coupons),
        standing=listed.standing(conn, lot, plate, now) if plate else None,
        lock=plate_locks.get(conn, stay.plate) if stay else None,
    )


def stay_card(conn: sqlite3.Connection, lot: Lot, stay_id: str, now: Moment, lane: str = "") -> StayCard | None:
    """A car with what it owes now; *lane* is where it waits, if it does."""
    stay = stays.get(conn, stay_id)
    if stay is None:
        return None
    pictures = _pictures(conn, "", stay.decision_in)
    debts = tuple(one for one in arrears.of_plate(conn, stay.plate) if one.left_fen or one.stay_id == stay_id)
    sets = tuple(fees_set.of_stay(conn, stay_id))
    if not stay.is_open:
        ended = max(0, (stay.closed_wall_ms or now.wall_ms) - stay.entered.wall_ms) // MINUTE_MS
        return StayCard(stay, ended, pictures, stay.fee_fen, stay.discount_fen, None, debts=debts, sets=sets)
    decision = settling.standing(conn, lot, stay, now)
    why, priced = decision.explanation, decision.priced or Priced(0, ())
    papers = tuple(laid.ref for laid in vouchers.laid_on(conn, stay_id))
    return StayCard(
        stay, _minutes(conn, stay, now), pictures, priced.fee_fen, priced.off_fen, int(why.get("due_fen", 0)),
        tuple(priced.lines), tuple(priced.steps), papers, debts, tuple(why.get("debts", ())), lane,
        _payers(conn, stay_id, priced.steps),
        charging.minutes(conn, stay_id) if lot.price.asks_for_charging(lot.tariffs.get(stay.zone, ())) else None,
        classing.known(lot, now), tuple(coupons_aside.of_stay(conn, stay_id)),
        plate_locks.get(conn, stay.plate), sets,
    )  # fmt: skip


def candidate_cards(
    conn: sqlite3.Connection, texts: Sequence[str], camera: str, now: Moment, most: int = 12
) -> list[CandidateCard]:
    """Cars inside that one of *texts* may be, likeliest first, ranked by what *camera* is known to mix up."""
    table = learning.table_of(conn, camera, now)
    best: dict[str, manual.Candidate] = {}
    for found in (found for text in texts for found in manual.look_alikes(conn, text, table, most)):
        held = best.setdefault(found.stay.stay_id, found)
        if found.score > held.score:
            best[found.stay.stay_id] = found
    ranked = sorted(best.values(), key=lambda found: -found.score)[:most]
    return [
        CandidateCard(
            found.stay.plate, found.stay.stay_id, found.score, found.slip, _minutes(conn, found.stay, now),
            found.stay.entered.wall_ms, _pictures(conn, "", found.stay.decision_in).entry,
        )
        for found in ranked
    ]  # fmt: skip


def car_cards(conn: sqlite3.Connection, cars: list[StayRow], now: Moment) -> list[CandidateCard]:
    """Rows of a list of cars."""
    return [
        CandidateCard(
            car.plate, car.stay_id, 0, "", _minutes(conn, car, now), car.entered.wall_ms,
            _pictures(conn, "", car.decision_in).entry, car.zone_now,
        )
        for car in cars
    ]  # fmt: skip


def _elsewhere(conn: sqlite3.Connection, plate: str) -> tuple[Json, ...]:
    """What the cloud last told of the plate's debts at the operator's other lots."""
    return tuple(row for _, row in channels.for_plate(conn, "debts", plate)) if plate else ()


def _payers(conn: sqlite3.Connection, stay_id: str, steps: Sequence[Json]) -> dict[str, str]:
    """Who pays for each coupon, as far as this lot knows."""
    laid = {paper.ref: paper.merchant_id for paper in vouchers.laid_on(conn, stay_id)} if steps else {}
    names = {}
    for ref in {str(step["coupon"]) for step in steps}:
        row = channels.get(conn, "coupons", ref) or {}
        merchant = channels.get(conn, "rules", f"merchant:{laid.get(ref) or row.get('merchant_id')}") or {}
        names[ref] = str(merchant.get("name", ""))
    return names


def _minutes(conn: sqlite3.Connection, stay: StayRow, now: Moment) -> int:
    return int(boots.since(conn, stay.entered, now).total_seconds()) // 60


def _pictures(conn: sqlite3.Connection, now_id: str, entry_id: str) -> Pictures:
    here = decisions.picture_kinds(conn, now_id) if now_id else frozenset()
    there = decisions.picture_kinds(conn, entry_id) if entry_id and entry_id != now_id else frozenset()
    return Pictures(
        now_id if "frame" in here else "",
        now_id if "crop" in here else "",
        entry_id if "frame" in there else "",
        entry_id if "crop" in there else "",
    )
