"""Is every car accounted for? What truly happened against what lot and cloud have on record, figure by figure."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from benchmarks.week.truth import Crossing, Visit
from benchmarks.week.week import MONDAY_MS, Week
from cloud.checking import check_all
from domain.plate import mask
from edge.services.checking import check_books, replay

NEAR_S = 20.0  # a crossing and its record belong together within this; and a kill this soon after takes it along
REPLAYED = 1_000  # decisions worked out again; all of them where there are fewer
OUTCOMES = ("PAID", "FREE", "WAIVED", "UNPAID")


@dataclass(frozen=True, slots=True)
class Check:
    """One promise (its words are in words.toml), the figure it must be, the one found, and what is wrong one by one."""

    name: str
    expected: object
    seen: object
    wrong: tuple[str, ...] = ()

    @property
    def held(self) -> bool:
        """Did it hold?"""
        return self.expected == self.seen and not self.wrong


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay as the lot has it."""

    stay_id: str
    plate: str
    lane_in: str
    entered_s: float
    state: str
    outcome: str
    cause: str
    fee_fen: int
    paid_fen: int
    owed_fen: int
    continues: str
    closed_s: float


class Books:
    """Everything looked up once, after the daemon has ended."""

    def __init__(self, week: Week) -> None:
        self.week, self.truth = week, week.truth
        self.lot = _look(week.settings.database)
        self.cloud = _look(week.cloud.file)
        query = (
            "SELECT stay_id, plate, lane_in, (entered_wall_ms - ?) / 1000.0, state, outcome, cause, fee_fen, paid_fen,"
            " owed_fen, coalesce(continues, ''), (coalesce(closed_wall_ms, 0) - ?) / 1000.0 FROM stay"
        )
        rows = self.lot.execute(query, (MONDAY_MS, MONDAY_MS))
        self.stays = {row[0]: Stay(*row) for row in rows}
        self.continued = {one.continues: one for one in self.stays.values() if one.continues}
        self.of_visit = self._matched()

    def _matched(self) -> dict[int, Stay]:
        """The stay of each car that went in, where it has one: as the booth named it, else by plate and time."""
        free = dict(self.stays)
        found: dict[int, Stay] = {}
        cars = [visit for visit in self.truth.visits.values() if visit.entered_s is not None]
        for visit in cars:
            stay = free.get(visit.stay_in) or free.get(self._begun(visit.stay_out))
            if stay is not None:
                found[visit.car.number] = free.pop(stay.stay_id)
        by_plate: dict[str, list[Stay]] = {}
        for stay in free.values():
            by_plate.setdefault(stay.plate, []).append(stay)
        for visit in cars:
            if visit.car.number not in found:
                near = [one for one in by_plate.get(visit.booked, []) if abs(one.entered_s - _in(visit)) < 6 * NEAR_S]
                if near and near[0].stay_id in free:
                    found[visit.car.number] = free.pop(near[0].stay_id)
        self.unowned = [stay for stay in free.values() if not stay.continues and stay.cause != "reversed"]
        return found

    def _begun(self, stay_id: str) -> str:
        """The first of a chain of stays of one visit."""
        while (stay := self.stays.get(stay_id)) is not None and stay.continues:
            stay_id = stay.continues
        return stay_id

    def last(self, stay: Stay) -> Stay:
        """The last of the chain: a car that settled, did not leave in time and went on."""
        while stay.stay_id in self.continued:
            stay = self.continued[stay.stay_id]
        return stay

    def one(self, query: str, *args: object) -> object:
        """A single figure of the lot."""
        return self.lot.execute(query, args).fetchone()[0]

    def close(self) -> None:
        """Both databases."""
        self.lot.close()
        self.cloud.close()


def _look(file: object) -> sqlite3.Connection:
    conn = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    conn.row_factory = sqlite3.Row
    return conn


def _in(visit: Visit) -> float:
    return visit.entered_s or 0.0


def check_week(week: Week) -> list[Check]:
    """Every check, in the order people ask: the cars, the money, the arms, the papers, both sides."""
    with closing(Books(week)) as books:
        return [
            *cars(books),
            *crossings(books),
            *money(books),
            *pulses(books),
            *papers(books),
            *both_sides(books),
            Check("unexplained", 0, len(week.truth.odd), tuple(week.truth.odd[:10])),
        ]


def cars(books: Books) -> Iterator[Check]:
    """Where every car is."""
    visits = list(books.truth.visits.values())
    came_in = [visit for visit in visits if visit.entered_s is not None]
    inside, left = [v for v in came_in if v.left_s is None], [v for v in came_in if v.left_s is not None]
    turned = Counter(visit.went_away for visit in visits if visit.entered_s is None and visit.went_away)
    yield Check(
        "cars_came",
        len(visits),
        len(came_in) + sum(turned.values()) + sum(visit.entered_s is None and not visit.went_away for visit in visits),
    )
    yield Check(
        "street_adds_up",
        sum(one.inwards for one in books.truth.crossings),
        sum(not one.inwards for one in books.truth.crossings) + len(inside),
    )
    unseen = [visit for visit in came_in if visit.car.number not in books.of_visit]
    wrong = tuple(f"car {v.car.number} came in ({v.how_in}) and has no stay" for v in unseen if v.how_in == "pulse")
    yield Check("cars_in_have_stays", len(came_in), len(books.of_visit) + len(unseen), wrong)
    yield Check(
        "stays_without_car",
        0,
        len(books.unowned),
        tuple(f"{one.stay_id[-6:]} {one.lane_in} {one.state} {one.cause}" for one in books.unowned[:10]),
    )
    expected = {books.last(books.of_visit[v.car.number]).stay_id for v in inside if v.car.number in books.of_visit}
    gone = {v.car.number: books.last(books.of_visit[v.car.number]) for v in left if v.car.number in books.of_visit}
    ghosts = {s.stay_id for n, s in gone.items() if s.state == "open" and _escaped(books.truth.visits[n])}
    open_now = {stay.stay_id for stay in books.stays.values() if stay.state == "open"}
    yield Check(
        "open_is_inside",
        len(expected | ghosts),
        len(open_now),
        tuple(sorted(one[-6:] for one in open_now ^ (expected | ghosts))[:10]),
    )
    closed = [stay for stay in books.stays.values() if stay.state == "closed"]
    yield Check("every_exit_has_outcome", len(closed), sum(one.outcome in OUTCOMES for one in closed))
    own = [v for v in left if v.stay_in and v.stay_out]
    other = [v for v in own if books._begun(v.stay_out) != books._begun(v.stay_in)]
    yield Check("own_stay", len(own), len(own) - len(other), tuple(_mistaken(books, v) for v in other[:5]))


def _mistaken(books: Books, visit: Visit) -> str:
    """A car that left by the stay of another, and how that came about."""
    car, stay = visit.car, books.stays[books._begun(visit.stay_out)]
    return (
        f"car {car.number} {mask(car.plate)}, read {mask(car.look_in.text)} and {mask(car.look_out.text)}, booked"
        f" {mask(visit.booked)}, left by {mask(stay.plate)} {visit.helps}"
    )


def _escaped(visit: Visit) -> bool:
    """Could the lot not know that it left? Its loops or the daemon were dead, or nobody could read its plate."""
    return visit.how_out in ("unseen", "lifted", "tailgate", "trailer")


def crossings(books: Books) -> Iterator[Check]:
    """Every vehicle under an arm has one record."""
    query = "SELECT lane, (wall_ms - ?) / 1000.0, kind FROM passage WHERE kind NOT IN ('reversed', 'replayed')"
    records: dict[str, list[float]] = {}
    for lane, at_s, _ in books.lot.execute(query, (MONDAY_MS,)):
        records.setdefault(lane, []).append(at_s)
    lost: list[Crossing] = []
    for crossing in books.truth.crossings:
        found = _nearest(records.get(crossing.lane, []), crossing)
        if found is not None:
            records[crossing.lane].remove(found)
        elif crossing.seen and not _killed(books, crossing.at_s):
            lost.append(crossing)
    seen = [one for one in books.truth.crossings if one.seen]
    extra = [f"{lane} at {at_s:.0f} s" for lane, times in records.items() for at_s in times]
    yield Check(
        "crossings_recorded",
        len(seen),
        len(seen) - len(lost),
        tuple(f"{one.lane} at {one.at_s:.0f} s, car {one.car} ({one.how})" for one in lost[:10]),
    )
    yield Check("no_phantom_crossing", 0, len(extra), tuple(extra[:10]))


def _nearest(records: list[float], crossing: Crossing) -> float | None:
    """The record of a crossing; one the lot could not see has none, but for a car the loops saw leave."""
    within = NEAR_S if crossing.seen else 2.0
    near = [at_s for at_s in records if -2 <= at_s - crossing.at_s < within]
    return min(near, key=lambda at_s: abs(at_s - crossing.at_s), default=None)


def _killed(books: Books, at_s: float) -> bool:
    """Did the daemon die right after?"""
    return any(died_s - NEAR_S < at_s < up_s for died_s, up_s in books.week.house.dark)


def money(books: Books) -> Iterator[Check]:
    """What drivers handed over, and what they owe."""
    taken = books.truth.cash_fen
    yield Check("cash_is_payments", taken, books.one("SELECT coalesce(sum(amount_fen), 0) FROM payment"))
    yield Check(
        "payments_are_ledger",
        books.one("SELECT coalesce(sum(amount_fen), 0) FROM payment"),
        books.one("SELECT coalesce(sum(amount), 0) FROM posting WHERE account = 'cash'"),
    )
    settled = int(str(books.one("SELECT coalesce(sum(amount_fen), 0) FROM debt_move WHERE kind = 'paid'")))
    yield Check(
        "paid_is_ledger",
        sum(stay.paid_fen for stay in books.stays.values()) + settled,
        books.one("SELECT coalesce(sum(amount), 0) FROM posting WHERE account = 'cash'"),
    )
    yield Check(
        "owed_is_left",
        books.one("SELECT coalesce(sum(owed_fen), 0) - (SELECT coalesce(sum(amount_fen), 0) FROM debt_move) FROM debt"),
        books.one("SELECT coalesce(sum(amount), 0) FROM posting WHERE account = 'owed'"),
    )
    yield Check(
        "debts_are_unpaid",
        sum(stay.owed_fen for stay in books.stays.values() if stay.outcome == "UNPAID"),
        books.one("SELECT coalesce(sum(owed_fen), 0) FROM debt"),
    )
    fled = [visit for visit in books.truth.visits.values() if visit.unpaid and visit.car.number in books.of_visit]
    ends = {v.car.number: books.last(books.of_visit[v.car.number]) for v in fled}
    wrong = [
        n
        for n, s in ends.items()
        if s.state == "closed" and (s.outcome, s.paid_fen) not in (("UNPAID", 0), ("FREE", 0))
    ]
    wrong = [n for n in wrong if not books.truth.visits[n].cash]
    yield Check(
        "unpaid_cars_owe",
        len(fled),
        len(fled) - len(wrong),
        tuple(f"car {n}: {ends[n].outcome} {ends[n].paid_fen}" for n in wrong[:5]),
    )


def pulses(books: Books) -> Iterator[Check]:
    """No arm moves without its decision, and none twice."""
    barriers = books.week.devices.barriers
    for_lane = {lane.name: lane.barrier for lane in books.week.settings.lanes}
    rows = Counter(for_lane[lane] for (lane,) in books.lot.execute("SELECT lane FROM pulse"))
    given = {name: len(barrier.pulses) for name, barrier in barriers.items()}
    lost = {name: barrier.lost for name, barrier in barriers.items()}
    unasked = sum(rows.values()) - sum(given.values()) - sum(lost.values())
    yield Check(
        "pulses_committed",
        sum(rows.values()),
        sum(given.values()) + sum(lost.values()) + min(max(unasked, 0), books.week.house.kills),
    )
    double = [f"{name}: {given[name]} given, {rows[name]} committed" for name in given if given[name] > rows[name]]
    yield Check("no_double_pulse", 0, len(double), tuple(double))
    yield Check(
        "decisions_are_pulses",
        books.one("SELECT count(*) FROM decision WHERE verdict = 'Admit'"),
        books.one("SELECT count(*) FROM pulse WHERE by = ''"),
    )


def papers(books: Books) -> Iterator[Check]:
    """Coupons and vouchers."""
    used = books.one("SELECT count(*) FROM voucher_used")
    yield Check(
        "vouchers_once", used, books.one("SELECT count(*) FROM voucher_used JOIN voucher USING (key_id, counter)")
    )
    printed = int(str(books.one("SELECT count(*) FROM voucher WHERE state = 'confirmed'")))
    slips = sum(printer.slips for printer in books.week.devices.printers.values())
    yield Check("slips_cover", printed, min(printed, slips))
    yield Check(
        "coupons_agree",
        books.one("SELECT count(*) FROM coupon_used"),
        books.cloud.execute("SELECT count(*) FROM coupon WHERE state = 'REDEEMED'").fetchone()[0],
    )


def both_sides(books: Books) -> Iterator[Check]:
    """The lot's own book, its decisions worked out again, and the cloud's copy."""
    wrong = check_books(books.lot)
    yield Check("lot_ledger", 0, len(wrong), tuple(wrong[:10]))
    ids = [row[0] for row in books.lot.execute("SELECT decision_id FROM decision ORDER BY decision_id")]
    chosen = random.Random(1).sample(ids, min(REPLAYED, len(ids)))
    other = [one for one in chosen if not replay(books.lot, one).same]
    yield Check(
        "decisions_replay",
        len(chosen),
        len(chosen) - len(other),
        tuple(other[:5]),
    )
    with books.week.cloud.engine.begin() as conn:
        wrong = check_all(conn)
    yield Check("cloud_ledger", 0, len(wrong), tuple(wrong[:10]))
    yield Check(
        "events_agree",
        books.one("SELECT max(seq) FROM outbox"),
        books.cloud.execute("SELECT count(*) FROM inbox").fetchone()[0],
    )
    figures = "SELECT stay_id, outcome, fee_fen, discount_fen, waived_fen, paid_fen, owed_fen FROM stay WHERE "
    ours = {tuple(row) for row in books.lot.execute(figures + "state = 'closed'")}
    theirs = {tuple(row) for row in books.cloud.execute(figures + "left_ms IS NOT NULL")}
    yield Check("exits_agree", len(ours), len(ours & theirs), tuple(one[0][-6:] for one in sorted(ours ^ theirs)[:5]))
    sums = "SELECT coalesce(sum({}), 0) FROM {}"
    for key, table, column in (("payments_agree", "payment", "amount_fen"), ("debts_agree", "debt", "owed_fen")):
        query = sums.format(column, table)
        yield Check(key, books.one(query), books.cloud.execute(query).fetchone()[0])
