"""Statements: what a merchant was charged in a time, line by line, agreed on by both sides before payment (E16, E19).

A line is a ledger entry that brought value to where it counts as charged, or took it away again. So the lines of all
statements and of what is not stated yet always sum to the books.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, or_, select, update

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.db import new_id
from cloud.merchants import credit, ledger, service
from cloud.merchants.tables import ledger_entry, posting, statement, statement_line
from domain.ledger import AVAILABLE, RECHARGE, REDEEMED, Commodity, Funds, move

DAY_MS = 86_400_000
CONFIRMED, DISPUTED = "confirmed", "disputed"
SIDES = {"operator": statement_line.c.operator_word, "merchant": statement_line.c.merchant_word}
CORRECTION = "statement.corrected"


@dataclass(frozen=True, slots=True)
class Fact:
    """What a line's coupon or voucher was worth: *face* in its own *unit*, *reduced_fen* what it took off the fee."""

    lot_id: int
    face: int
    reduced_fen: int
    branch_id: int = 0  # that gave it
    unit: str = Commodity.FEN.value

    def face_in(self, commodity: str) -> int:
        """What it was worth where that is told in *commodity* at all; 0 where minutes are charged in money."""
        return self.face if self.unit == commodity else 0


Facts = Callable[[Connection, Sequence[str]], Mapping[str, Fact]]


def close(conn: Connection, act: Act, merchant_id: int, until_ms: int, facts: Facts) -> int | Refused:
    """State everything charged since the last statement and before *until_ms*; returns the statement's id."""
    row = service.get(conn, act.operator_id, merchant_id)
    if row is None:
        return Refused("merchant_unknown")
    from_ms = _stated_until(conn, merchant_id) or row["created_ms"]
    if not from_ms < until_ms <= act.now_ms:
        return Refused("statement_period_malformed")
    charged = _charged(conn, merchant_id, row["settlement_mode"], until_ms)
    owed = {unit: sum(line["owed"] for line in charged if line["commodity"] == unit) for unit in Commodity}
    statement_id = new_id(
        conn,
        insert(statement).values(
            operator_id=act.operator_id,
            merchant_id=merchant_id,
            from_ms=from_ms,
            until_ms=until_ms,
            owed_fen=owed[Commodity.FEN],
            owed_min=owed[Commodity.MIN],
            made_ms=act.now_ms,
            made_by=act.by,
            due_ms=_due(row, act.now_ms, sum(owed.values())),
            paid_by="",
        ),
    )
    known = facts(conn, sorted({line["subject"] for line in charged}))
    shared = {"statement_id": statement_id, "operator_id": act.operator_id, "operator_word": "", "merchant_word": ""}
    for number, line in enumerate(charged, 1):
        fact = known.get(line["subject"], Fact(0, 0, 0))
        worth = {
            "lot_id": fact.lot_id,
            "face": fact.face_in(line["commodity"]),
            "reduced_fen": fact.reduced_fen,
            "note": "",
        }
        worth |= {"branch_id": fact.branch_id}
        conn.execute(insert(statement_line).values(**shared, **line, **worth, line=number))
    audit.record(conn, act, "statement.closed", f"statement:{statement_id}", after={"merchant": merchant_id})
    return statement_id


def _due(row: RowMapping, now_ms: int, owed: int) -> int | None:
    is_postpaid = row["payment_mode"] == service.PaymentMode.POSTPAID.value
    return now_ms + row["pay_within_days"] * DAY_MS if is_postpaid and row["pay_within_days"] and owed > 0 else None


def is_stated(conn: Connection, merchant_id: int, until_ms: int) -> bool:
    """Is there a statement up to *until_ms* or later?"""
    return (_stated_until(conn, merchant_id) or 0) >= until_ms


@dataclass(frozen=True, slots=True)
class Part:
    """What one branch (0: none) at one lot (0: none) makes of a statement."""

    branch_id: int
    lot_id: int
    commodity: str
    lines: int
    owed: int


def parts(lines: Sequence[RowMapping]) -> list[Part]:
    """A statement split by branch and lot; the parts sum to it."""
    sums: dict[tuple[int, int, str], list[int]] = defaultdict(list)
    for line in lines:
        sums[line["branch_id"], line["lot_id"], line["commodity"]].append(line["owed"])
    return [Part(*key, len(owed), sum(owed)) for key, owed in sorted(sums.items())]


def _stated_until(conn: Connection, merchant_id: int) -> int | None:
    query = select(func.max(statement.c.until_ms)).where(statement.c.merchant_id == merchant_id)
    until_ms: int | None = conn.execute(query).scalar_one()
    return until_ms


def _charged(conn: Connection, merchant_id: int, settlement_mode: str | None, until_ms: int) -> list[dict[str, Any]]:
    """What each entry before *until_ms* charged of paid value and no statement has told of yet.

    So what a lot did before the last statement and reported after it is in the next one.
    """
    is_told = select(statement_line.c.entry_id).where(
        statement_line.c.entry_id == ledger_entry.c.entry_id, statement_line.c.commodity == posting.c.commodity
    )
    entry = (ledger_entry.c.entry_id, ledger_entry.c.subject, ledger_entry.c.kind, ledger_entry.c.made_ms)
    rows = conn.execute(
        select(*entry, posting.c.commodity, func.sum(posting.c.amount).label("owed"))
        .join(posting, posting.c.entry_id == ledger_entry.c.entry_id)
        .where(
            ledger_entry.c.merchant_id == merchant_id,
            ledger_entry.c.made_ms < until_ms,
            posting.c.funds == Funds.PAID.value,
            posting.c.account.in_(credit.settled_accounts(settlement_mode)),
            ~is_told.exists(),
        )
        .group_by(*entry, posting.c.commodity)
        .order_by(ledger_entry.c.entry_id)
    )
    return [
        {
            "entry_id": row.entry_id,
            "subject": row.subject,
            "kind": row.kind,
            "owed": int(row.owed),
            "commodity": row.commodity,
            "happened_ms": row.made_ms,
        }
        for row in rows
        if row.owed
    ]


def unstated(conn: Connection, merchant_id: int, settlement_mode: str | None, now_ms: int) -> dict[str, int]:
    """What was charged and stands in no statement yet, by commodity."""
    owed: dict[str, int] = defaultdict(int)
    for line in _charged(conn, merchant_id, settlement_mode, now_ms + 1):
        owed[line["commodity"]] += line["owed"]
    return dict(owed)


def say(
    conn: Connection, act: Act, statement_id: int, side: str, lines: Iterable[int], word: str, note: str = ""
) -> Refused | None:
    """One *side* (operator or merchant) confirms or disputes lines; a dispute says why."""
    found = get(conn, act.operator_id, statement_id)
    if found is None:
        return Refused("statement_unknown")
    if found["paid_ms"] is not None:
        return Refused("statement_paid")
    if word == DISPUTED and not note.strip():
        return Refused("reason_missing")
    if len(note) > service.REMARK_LENGTH:
        return Refused("remark_too_long", {"most": service.REMARK_LENGTH})
    wanted = sorted(set(lines))
    values = {SIDES[side]: word} | ({statement_line.c.note: note.strip()} if note.strip() else {})
    conn.execute(
        update(statement_line)
        .where(statement_line.c.statement_id == statement_id, statement_line.c.line.in_(wanted))
        .values(values)
    )
    audit.record(
        conn, act, f"statement.{word}", f"statement:{statement_id}", reason=note, after={"side": side, "lines": wanted}
    )
    return None


def correct(conn: Connection, act: Act, statement_id: int, line: int, amount: int, reason: str) -> Refused | None:
    """Give *amount* of a line back by a new entry, which the next statement tells of; nothing is edited (E14)."""
    row = _line(conn, act.operator_id, statement_id, line)
    if row is None:
        return Refused("statement_unknown")
    if not reason.strip():
        return Refused("reason_missing")
    subject = f"statement:{statement_id}:{line}"
    given = select(func.coalesce(func.sum(posting.c.amount), 0)).join(
        ledger_entry, ledger_entry.c.entry_id == posting.c.entry_id
    )
    before = conn.execute(
        given.where(
            ledger_entry.c.subject == subject, ledger_entry.c.kind == CORRECTION, posting.c.account == AVAILABLE
        )
    ).scalar_one()
    if not 0 < amount <= row["owed"] - int(before):
        return Refused("amount_malformed")
    merchant_id, commodity = row["merchant_id"], Commodity(row["commodity"])
    if ledger.held_by(conn, merchant_id, REDEEMED, commodity, Funds.PAID) < amount:
        return Refused("amount_malformed")
    entry = ledger.Entry(
        act.operator_id, merchant_id, act.uuid(), CORRECTION, subject, act.by, act.now_ms, reason.strip()
    )
    ledger.post(conn, entry, move(REDEEMED, AVAILABLE, amount, commodity, Funds.PAID))
    audit.record(
        conn, act, CORRECTION, f"statement:{statement_id}", reason=reason, after={"line": line, "back": amount}
    )
    return None


def _line(conn: Connection, operator_id: int, statement_id: int, line: int) -> RowMapping | None:
    query = (
        select(statement_line, statement.c.merchant_id)
        .join(statement, statement.c.statement_id == statement_line.c.statement_id)
        .where(
            statement.c.operator_id == operator_id,
            statement_line.c.statement_id == statement_id,
            statement_line.c.line == line,
        )
    )
    return conn.execute(query).mappings().one_or_none()


def mark_paid(conn: Connection, act: Act, statement_id: int, note: str) -> Refused | None:
    """The merchant has paid: once, and only when both sides agree on every line. A postpaid purse is filled again."""
    row = get(conn, act.operator_id, statement_id)
    if row is None:
        return Refused("statement_unknown")
    if row["paid_ms"] is not None:
        return Refused("statement_paid")
    agreed = (statement_line.c.operator_word == CONFIRMED) & (statement_line.c.merchant_word == CONFIRMED)
    open_lines = select(func.count()).where(statement_line.c.statement_id == statement_id, ~agreed)
    waiting = conn.execute(open_lines).scalar_one()
    if waiting:
        return Refused("statement_unconfirmed", {"lines": waiting})
    merchant = service.get(conn, act.operator_id, row["merchant_id"])
    if merchant is not None and merchant["payment_mode"] == service.PaymentMode.POSTPAID.value:
        owed = {Commodity.FEN: row["owed_fen"], Commodity.MIN: row["owed_min"]}
        for commodity, amount in owed.items():
            source, target = (RECHARGE, AVAILABLE) if amount > 0 else (AVAILABLE, RECHARGE)
            entry = ledger.Entry(
                act.operator_id, row["merchant_id"], f"statement:{statement_id}:{commodity}", "statement.paid",
                f"statement:{statement_id}", act.by, act.now_ms, note,
            )  # fmt: skip
            ledger.post(conn, entry, move(source, target, abs(amount), commodity, Funds.PAID))
    conn.execute(
        update(statement).where(statement.c.statement_id == statement_id).values(paid_ms=act.now_ms, paid_by=act.by)
    )
    audit.record(conn, act, "statement.paid", f"statement:{statement_id}", reason=note)
    return None


def get(conn: Connection, operator_id: int, statement_id: int) -> RowMapping | None:
    """One statement, locked until the transaction ends."""
    query = select(statement).where(statement.c.statement_id == statement_id, statement.c.operator_id == operator_id)
    return conn.execute(query.with_for_update()).mappings().one_or_none()


def lines(conn: Connection, operator_id: int, statement_id: int) -> Sequence[RowMapping]:
    """The lines of a statement, in order."""
    query = select(statement_line).where(
        statement_line.c.statement_id == statement_id, statement_line.c.operator_id == operator_id
    )
    return conn.execute(query.order_by(statement_line.c.line)).mappings().all()


def of_merchant(conn: Connection, operator_id: int, merchant_id: int) -> Sequence[RowMapping]:
    """A merchant's statements, the newest first."""
    query = select(statement).where(statement.c.merchant_id == merchant_id, statement.c.operator_id == operator_id)
    return conn.execute(query.order_by(statement.c.statement_id.desc())).mappings().all()


def disputed(conn: Connection, operator_id: int) -> Sequence[RowMapping]:
    """Statements not paid yet of which a line is disputed, the oldest first."""
    lines_of = select(statement_line.c.statement_id).where(
        statement_line.c.operator_id == operator_id,
        or_(*(word == DISPUTED for word in SIDES.values())),
    )
    query = select(statement).where(
        statement.c.operator_id == operator_id, statement.c.paid_ms.is_(None), statement.c.statement_id.in_(lines_of)
    )
    return conn.execute(query.order_by(statement.c.statement_id)).mappings().all()
