"""Stays in the lot and out of it, and the keys by which misread plates are found."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from domain.lookalike import lookalike_keys
from domain.moment import Moment, Quality
from domain.wire import canonical


class StayRow(NamedTuple):
    """A stay as stored; fields that belong together stand in the order of ``COLUMNS``.

    *arrived* is when its car came to an exit and its fee was frozen, *settled* when nothing more was due;
    *base_fee_fen* was charged by the stay it continues. *zone* is where it entered, *zone_now* where its car is after
    so many *moves*. *closings* counts how often it was ended and opened again.
    """

    stay_id: str
    plate: str
    plate_raw: str
    vehicle_class: str
    zone: str
    lane_in: str
    decision_in: str
    entered: Moment
    arrived: Moment | None
    settled: Moment | None
    settled_off: tuple[tuple[str, int], ...]
    is_open: bool
    passed: bool
    continues: str
    paid_fen: int
    waived_fen: int
    base_fee_fen: int
    settled_fee_fen: int
    lane_out: str
    decision_out: str
    closed_wall_ms: int | None
    outcome: str
    cause: str
    fee_fen: int
    discount_fen: int
    owed_fen: int
    tariff: str
    zone_now: str
    moves: int
    closings: int


def _clock(name: str) -> str:
    return ", ".join(f"{name}_{part}" for part in ("boot", "boot_ms", "wall_ms", "quality", "uncertainty_ms"))


COLUMNS = (
    f"stay_id, plate, plate_raw, vehicle_class, zone, lane_in, decision_in, {_clock('entered')}, {_clock('arrived')},"
    f" {_clock('settled')}, settled_off, state = 'open', passed, ifnull(continues, ''), paid_fen, waived_fen,"
    " base_fee_fen, settled_fee_fen, lane_out, decision_out, closed_wall_ms, outcome, cause, fee_fen, discount_fen,"
    " owed_fen, tariff, ifnull(zone_now, zone), moves, closings"
)


@dataclass(frozen=True, slots=True)
class Closing:
    """How a stay ends; fee = discount + waived + paid + owed or the table refuses it."""

    lane: str
    decision_id: str
    outcome: str
    cause: str
    fee_fen: int
    discount_fen: int
    waived_fen: int
    paid_fen: int
    owed_fen: int
    tariff: str


def insert(
    conn: sqlite3.Connection,
    stay_id: str,
    plate: str,
    plate_raw: str,
    vehicle_class: str,
    zone: str,
    lane: str,
    decision_id: str,
    entered: Moment,
    continues: str = "",
    base_fee_fen: int = 0,
) -> None:
    """Open a stay. Raises sqlite3.IntegrityError when this plate has one whose car is still here."""
    conn.execute(
        "INSERT INTO stay (stay_id, plate, plate_raw, vehicle_class, zone, lane_in, decision_in, entered_boot,"
        " entered_boot_ms, entered_wall_ms, entered_quality, entered_uncertainty_ms, continues, base_fee_fen)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (stay_id, plate, plate_raw, vehicle_class, zone, lane, decision_id, *_columns(entered), continues or None,
         base_fee_fen),
    )  # fmt: skip
    _add_keys(conn, plate)


def get(conn: sqlite3.Connection, stay_id: str) -> StayRow | None:
    """One stay, open or not."""
    return _first(_where(conn, "stay_id = ?", stay_id))


def find_here(conn: sqlite3.Connection, plate: str) -> StayRow | None:
    """The one stay of *plate* whose car may still be here: open, or settled and its passage out not seen."""
    return _first(_where(conn, "plate = ? AND passed = 0", plate))


def find_open(conn: sqlite3.Connection, plate: str) -> StayRow | None:
    """The open stay of *plate*."""
    stay = find_here(conn, plate)
    return stay if stay is not None and stay.is_open else None


def near(conn: sqlite3.Connection, plate: str) -> tuple[str, ...]:
    """Plates that may still be in the lot and share a look-alike key with *plate*, sorted."""
    keys = tuple(lookalike_keys(plate))
    marks = ",".join("?" * len(keys))
    rows = conn.execute(f"SELECT plate FROM stay_key WHERE key IN ({marks})", keys)  # noqa: S608
    return tuple(sorted({plate for (plate,) in rows}))


def open_stays(conn: sqlite3.Connection, most: int = 200, containing: str = "") -> list[StayRow]:
    """Cars inside, the newest first; *containing* narrows to plates with these characters."""
    condition = "passed = 0 AND state = 'open' AND instr(plate, ?) > 0 ORDER BY entered_wall_ms DESC LIMIT ?"
    return _where(conn, condition, containing, most)


LISTED = "passed = 0 AND state = 'open' AND instr(plate, ?1) > 0 AND (?2 = '' OR ifnull(zone_now, zone) = ?2)"


def all_open(conn: sqlite3.Connection) -> list[StayRow]:
    """Every car inside."""
    return _where(conn, "passed = 0 AND state = 'open'")


def longest_inside(conn: sqlite3.Connection, most: int = 200) -> list[StayRow]:
    """Cars inside, the longest first."""
    return _where(conn, "passed = 0 AND state = 'open' ORDER BY entered_wall_ms, stay_id LIMIT ?", most)


def open_page(conn: sqlite3.Connection, most: int, after: int, containing: str = "", zone: str = "") -> list[StayRow]:
    """One page of the cars inside, of all zones or one, the newest first, *after* rows left out."""
    condition = f"{LISTED} ORDER BY entered_wall_ms DESC, stay_id LIMIT ?3 OFFSET ?4"
    return _where(conn, condition, containing, zone, most, after)


def count_containing(conn: sqlite3.Connection, containing: str, zone: str = "") -> int:
    """Cars inside, of all zones or one, whose plates have these characters."""
    row = conn.execute(f"SELECT count(*) FROM stay WHERE {LISTED}", (containing, zone))  # noqa: S608
    return int(row.fetchone()[0])


def open_plates(conn: sqlite3.Connection) -> list[str]:
    """The plates of all cars inside."""
    return [row[0] for row in conn.execute("SELECT plate FROM stay WHERE passed = 0 AND state = 'open'")]


def count_open(conn: sqlite3.Connection, zone: str | None = None) -> int:
    """Cars inside, in one zone or all."""
    row = conn.execute(
        "SELECT count(*) FROM stay WHERE passed = 0 AND state = 'open' AND (?1 IS NULL OR ifnull(zone_now, zone) = ?1)",
        (zone,),
    ).fetchone()
    return int(row[0])


def count_classes(conn: sqlite3.Connection, zone: str) -> dict[str, int]:
    """Cars in a zone by vehicle class."""
    rows = conn.execute(
        "SELECT vehicle_class, count(*) FROM stay WHERE passed = 0 AND state = 'open' AND ifnull(zone_now, zone) = ?"
        " GROUP BY vehicle_class",
        (zone,),
    )
    return {vehicle_class: count for vehicle_class, count in rows}


def inside_before(
    conn: sqlite3.Connection, plate: str, wall_ms: int, since_ms: int | None = None
) -> list[tuple[int, int | None]]:
    """(entered, left or None) by the wall clock of the stays of *plate* that began before *wall_ms* and reach it.

    With *since_ms* also those that reach into the time since then.
    """
    rows = conn.execute(
        "SELECT entered_wall_ms, closed_wall_ms FROM stay WHERE plate = ? AND entered_wall_ms < ?"
        " AND (closed_wall_ms IS NULL OR closed_wall_ms > ?) ORDER BY entered_wall_ms",
        (plate, wall_ms, wall_ms if since_ms is None else since_ms),
    )
    return [(entered, left) for entered, left in rows]


def entered_between(conn: sqlite3.Connection, plate: str, start_ms: int, end_ms: int) -> bool:
    """Did a stay of *plate* begin in [start, end) by the wall clock, other than by turning back at the entry?"""
    query = (
        "SELECT 1 FROM stay WHERE plate = ? AND entered_wall_ms >= ? AND entered_wall_ms < ? AND cause <> 'reversed'"
    )
    return conn.execute(query, (plate, start_ms, end_ms)).fetchone() is not None


def fees_between(conn: sqlite3.Connection, plate: str, zone: str, start_ms: int, end_ms: int) -> int:
    """What closed stays of *plate* in *zone* that began in [start, end) came to, in fen."""
    query = (
        "SELECT coalesce(sum(fee_fen), 0) FROM stay WHERE plate = ? AND zone = ? AND state = 'closed'"
        " AND entered_wall_ms >= ? AND entered_wall_ms < ?"
    )
    return int(conn.execute(query, (plate, zone, start_ms, end_ms)).fetchone()[0])


def add_paid(conn: sqlite3.Connection, stay_id: str, amount_fen: int) -> None:
    """Money was taken for an open stay."""
    conn.execute("UPDATE stay SET paid_fen = paid_fen + ? WHERE stay_id = ? AND state = 'open'", (amount_fen, stay_id))


def add_waived(conn: sqlite3.Connection, stay_id: str, amount_fen: int) -> None:
    """Part of an open stay's fee was let go."""
    conn.execute(
        "UPDATE stay SET waived_fen = waived_fen + ? WHERE stay_id = ? AND state = 'open'", (amount_fen, stay_id)
    )


def let_go(conn: sqlite3.Connection, stay_id: str, amount_fen: int) -> None:
    """What an open stay still owes is let go as it ends."""
    conn.execute(
        "UPDATE stay SET waived_fen = waived_fen + ?1, let_go_fen = ?1 WHERE stay_id = ?2 AND state = 'open'",
        (amount_fen, stay_id),
    )


def last_left(conn: sqlite3.Connection, plate: str) -> StayRow | None:
    """The newest stay of *plate*, if its car is gone."""
    found = _first(_where(conn, "plate = ? ORDER BY entered_wall_ms DESC LIMIT 1", plate))
    return found if found is not None and found.passed and found.closed_wall_ms is not None else None


def ended_by_entry(conn: sqlite3.Connection, plate: str, decision_id: str) -> StayRow | None:
    """The stay of *plate* that ended because this decision let the plate in again."""
    return _first(_where(conn, "plate = ? AND decision_out = ? AND lane_out = '' LIMIT 1", plate, decision_id))


def is_continued(conn: sqlite3.Connection, stay_id: str) -> bool:
    """Does another stay go on where this one ended? It is of the same plate, or of what that was mended to."""
    return conn.execute("SELECT 1 FROM stay WHERE continues = ?", (stay_id,)).fetchone() is not None


def reopen(conn: sqlite3.Connection, stay: StayRow) -> None:
    """Open a closed stay again: its end never was. One that an exit let out may still leave within its time."""
    kept = "settled_boot" if not stay.cause else "NULL"
    conn.execute(
        "UPDATE stay SET state = 'open', passed = 0, lane_out = '', decision_out = '', outcome = '', cause = '',"  # noqa: S608
        " closed_wall_ms = NULL, fee_fen = 0, discount_fen = 0, waived_fen = waived_fen - let_go_fen, let_go_fen = 0,"
        f" owed_fen = 0, tariff = '', closings = closings + 1, settled_boot = {kept} WHERE stay_id = ?",
        (stay.stay_id,),
    )
    _add_keys(conn, stay.plate)


def settle(
    conn: sqlite3.Connection, stay_id: str, now: Moment, fee_fen: int, off: tuple[tuple[str, int], ...] = ()
) -> None:
    """Remember that nothing is due since *now*, at this fee and with these coupons."""
    conn.execute(
        "UPDATE stay SET settled_boot = ?, settled_boot_ms = ?, settled_wall_ms = ?, settled_quality = ?,"
        " settled_uncertainty_ms = ?, settled_fee_fen = ?, settled_off = ? WHERE stay_id = ?",
        (*_columns(now), fee_fen, canonical(off).decode(), stay_id),
    )


def unsettle(conn: sqlite3.Connection, stay_id: str) -> None:
    """Something may be due again."""
    conn.execute("UPDATE stay SET settled_boot = NULL WHERE stay_id = ? AND state = 'open'", (stay_id,))


def close(
    conn: sqlite3.Connection,
    stay: StayRow,
    closing: Closing,
    off: tuple[tuple[str, int], ...],
    now: Moment,
    *,
    passed: bool = False,
) -> bool:
    """End a stay with its final figures, settled now; False when it is not open (any more)."""
    done = conn.execute(
        "UPDATE stay SET state = 'closed', lane_out = ?, decision_out = ?, outcome = ?, cause = ?, fee_fen = ?,"
        " discount_fen = ?, waived_fen = ?, paid_fen = ?, owed_fen = ?, tariff = ?, closed_wall_ms = ?,"
        " settled_boot = ?, settled_boot_ms = ?, settled_wall_ms = ?, settled_quality = ?, settled_uncertainty_ms = ?,"
        " settled_fee_fen = ?, settled_off = ?, arrived_boot = NULL WHERE stay_id = ? AND state = 'open'",
        (closing.lane, closing.decision_id, closing.outcome, closing.cause, closing.fee_fen, closing.discount_fen,
         closing.waived_fen, closing.paid_fen, closing.owed_fen, closing.tariff, now.wall_ms, *_columns(now),
         closing.fee_fen, canonical(off).decode(), stay.stay_id),
    )  # fmt: skip
    if done.rowcount != 1:
        return False
    if passed:
        mark_passed(conn, stay)
    return True


def mark_passed(conn: sqlite3.Connection, stay: StayRow) -> None:
    """A closed stay's car is out of the lot: it can no longer be what a misread plate means."""
    done = conn.execute(
        "UPDATE stay SET passed = 1 WHERE stay_id = ? AND state = 'closed' AND passed = 0", (stay.stay_id,)
    )
    if done.rowcount:
        _drop_keys(conn, stay.plate)


def by_exit_decision(conn: sqlite3.Connection, decision_id: str) -> StayRow | None:
    """The stay an exit decision closed, or let go again."""
    pulsed = "stay_id = (SELECT stay_id FROM pulse WHERE decision_id = ?1)"
    return _first(_where(conn, f"{pulsed} AND decision_out = ?1 AND state = 'closed'", decision_id))


def set_entry_decision(conn: sqlite3.Connection, stay_id: str, decision_id: str) -> None:
    """A car asked for again before it crossed comes in by this decision."""
    conn.execute("UPDATE stay SET decision_in = ? WHERE stay_id = ?", (decision_id, stay_id))


def set_exit_decision(conn: sqlite3.Connection, stay_id: str, decision_id: str) -> None:
    """A settled stay gets another decision to leave by."""
    conn.execute("UPDATE stay SET decision_out = ? WHERE stay_id = ?", (decision_id, stay_id))


def not_passed_before(conn: sqlite3.Connection, wall_ms: int) -> list[StayRow]:
    """Closed stays whose passage was not seen and that ended before *wall_ms*."""
    return _where(conn, "passed = 0 AND state = 'closed' AND closed_wall_ms < ?", wall_ms)


def by_entry_decision(conn: sqlite3.Connection, decision_id: str) -> StayRow | None:
    """The stay an entry decision opened."""
    pulsed = "stay_id = (SELECT stay_id FROM pulse WHERE decision_id = ?1)"
    return _first(_where(conn, f"{pulsed} AND decision_in = ?1", decision_id))


def correct(conn: sqlite3.Connection, stay: StayRow, plate: str) -> None:
    """Give an open stay another plate; ``plate_raw`` stays as it was read. No other car of that plate may be here."""
    conn.execute("UPDATE stay SET plate = ? WHERE stay_id = ?", (plate, stay.stay_id))
    _drop_keys(conn, stay.plate)
    _add_keys(conn, plate)


def set_class(conn: sqlite3.Connection, stay_id: str, vehicle_class: str) -> None:
    """Charge an open stay as another class."""
    conn.execute("UPDATE stay SET vehicle_class = ? WHERE stay_id = ? AND state = 'open'", (vehicle_class, stay_id))


def uncorrected(conn: sqlite3.Connection, boot: str) -> list[StayRow]:
    """Open stays that began in *boot* and whose entry time no later clock comparison has mended."""
    mended = "SELECT stay_id FROM time_correction"
    return _where(conn, f"passed = 0 AND state = 'open' AND entered_boot = ? AND stay_id NOT IN ({mended})", boot)


def correct_entry(conn: sqlite3.Connection, stay: StayRow, entered: Moment, *, applied: bool) -> None:
    """Keep what the entry time really was; with *applied* the stay is priced by it from now on."""
    conn.execute(
        "INSERT OR REPLACE INTO time_correction (stay_id, old_wall_ms, wall_ms, quality, uncertainty_ms, applied)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (stay.stay_id, stay.entered.wall_ms, entered.wall_ms, int(entered.quality), entered.uncertainty_ms, applied),
    )
    if applied:
        conn.execute(
            "UPDATE stay SET entered_wall_ms = ?, entered_quality = ?, entered_uncertainty_ms = ? WHERE stay_id = ?",
            (entered.wall_ms, int(entered.quality), entered.uncertainty_ms, stay.stay_id),
        )


def freeze(conn: sqlite3.Connection, stay_id: str, now: Moment) -> None:
    """From now on the fee is that of *now*, as long as the lot's setting says."""
    conn.execute(
        "UPDATE stay SET arrived_boot = ?, arrived_boot_ms = ?, arrived_wall_ms = ?, arrived_quality = ?,"
        " arrived_uncertainty_ms = ? WHERE stay_id = ?",
        (*_columns(now), stay_id),
    )


def recent(conn: sqlite3.Connection, most: int = 50) -> list[StayRow]:
    """The last cars that left."""
    return _where(conn, "state = 'closed' ORDER BY closed_wall_ms DESC LIMIT ?", most)


def _add_keys(conn: sqlite3.Connection, plate: str) -> None:
    rows = ((key, plate) for key in lookalike_keys(plate))
    conn.executemany("INSERT OR IGNORE INTO stay_key (key, plate) VALUES (?, ?)", rows)


def _drop_keys(conn: sqlite3.Connection, plate: str) -> None:
    rows = ((key, plate) for key in lookalike_keys(plate))
    conn.executemany("DELETE FROM stay_key WHERE key = ? AND plate = ?", rows)


def _columns(moment: Moment) -> tuple[str, int, int, int, int]:
    return moment.boot, moment.boot_ms, moment.wall_ms, int(moment.quality), moment.uncertainty_ms


def _where(conn: sqlite3.Connection, condition: str, *values: object) -> list[StayRow]:
    """Stays for which our own SQL *condition* holds with these *values*."""
    return [_stay(row) for row in conn.execute(_query(condition), values)]


@cache
def _query(condition: str) -> str:
    return f"SELECT {COLUMNS} FROM stay WHERE {condition}"  # noqa: S608


def _first(found: list[StayRow]) -> StayRow | None:
    return found[0] if found else None


def _stay(row: sqlite3.Row) -> StayRow:
    """A row in the order of ``COLUMNS``."""
    values: tuple[Any, ...] = tuple(row)
    entered, arrived, settled, off = values[7:12], values[12:17], values[17:22], values[22]
    clocks = (_moment(*entered), _moment(*arrived) if arrived[0] else None, _moment(*settled) if settled[0] else None)
    coupons = () if off == "[]" else tuple((ref, fen) for ref, fen in json.loads(off))
    return StayRow(*(*values[:7], *clocks, coupons, bool(values[23]), bool(values[24]), *values[25:]))


def _moment(boot: str, boot_ms: int, wall_ms: int, quality: int, uncertainty_ms: int) -> Moment:
    return Moment(boot, boot_ms, wall_ms, Quality(quality), uncertainty_ms)
