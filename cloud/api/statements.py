"""Calls about statements: made, agreed on by both sides, corrected, paid."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping

from cloud.access.scopes import Scope
from cloud.act import Act
from cloud.api.merchants import merchant_there
from cloud.api.operation import Ask, NotThereError, Operation, done, made
from cloud.api.schema import DONE, ID, MOMENT, MOST_FEN, WHOLE, listing, maybe, one_of, record, text, whole
from cloud.coupons import service as coupons
from cloud.merchants import statements


def list_statements(conn: Connection, act: Act, ask: Ask) -> Any:
    """A merchant's statements, the newest first."""
    merchant_id = merchant_there(conn, act, ask)["merchant_id"]
    return [dict(row) for row in statements.of_merchant(conn, act.operator_id, merchant_id)]


def make(conn: Connection, act: Act, ask: Ask) -> Any:
    """State everything charged since the last one and before a moment."""
    made_now = statements.close(conn, act, ask.id("merchant_id"), ask.body["until_ms"], coupons.facts)
    return made(made_now, "statement_id")


def _own(conn: Connection, act: Act, ask: Ask) -> RowMapping:
    row = statements.get(conn, act.operator_id, ask.id("statement_id"))
    if row is None:
        raise NotThereError
    ask.merchant(row["merchant_id"])
    return row


def get(conn: Connection, act: Act, ask: Ask) -> Any:
    """One statement with its lines."""
    row = _own(conn, act, ask)
    return dict(row) | {"lines": [dict(each) for each in statements.lines(conn, act.operator_id, row["statement_id"])]}


def say(conn: Connection, act: Act, ask: Ask) -> Any:
    """Confirm or dispute lines, for the side the caller is of."""
    _own(conn, act, ask)
    side = "operator" if ask.caller.merchant_id is None else "merchant"
    body = ask.body
    args = side, body["lines"], body["word"], body.get("note", "")
    return done(statements.say(conn, act, ask.id("statement_id"), *args))


def correct(conn: Connection, act: Act, ask: Ask) -> Any:
    """Give a part of a line back."""
    body = ask.body
    return done(statements.correct(conn, act, ask.id("statement_id"), body["line"], body["amount"], body["reason"]))


def pay(conn: Connection, act: Act, ask: Ask) -> Any:
    """Mark it paid; both sides must have confirmed every line."""
    return done(statements.mark_paid(conn, act, ask.id("statement_id"), ask.body.get("note", "")))


_ROW = {
    "statement_id": WHOLE, "merchant_id": WHOLE, "from_ms": MOMENT, "until_ms": MOMENT, "owed_fen": WHOLE,
    "owed_min": WHOLE, "made_ms": MOMENT, "made_by": text(), "due_ms": maybe(MOMENT), "paid_ms": maybe(MOMENT),
    "paid_by": text(),
}  # fmt: skip
_LINE = record({
    "line": WHOLE, "lot_id": WHOLE, "subject": text(), "kind": text(), "face": WHOLE, "reduced_fen": WHOLE,
    "owed": WHOLE, "commodity": text(), "happened_ms": MOMENT, "operator_word": text(), "merchant_word": text(),
    "note": text(),
})  # fmt: skip
_STATEMENT = {"statement_id": ID}
_LINE_NO = whole(1, 10**6)
_NOTE = text(128)

OPERATIONS = (
    Operation(
        "GET", "/merchants/{merchant_id}/statements", "list_statements", "A merchant's statements, the newest first",
        list_statements, listing(record(_ROW)), Scope.READ, for_merchants=True, within={"merchant_id": ID},
    ),
    Operation(
        "POST", "/merchants/{merchant_id}/statements", "make_statement", "State everything charged before a moment",
        make, record({"statement_id": WHOLE}), Scope.MONEY, within={"merchant_id": ID}, moves_money=True, status=201,
        body=record({"until_ms": whole(0, 1 << 47)}),
    ),
    Operation(
        "GET", "/statements/{statement_id}", "get_statement", "One statement with its lines", get,
        record({**_ROW, "lines": listing(_LINE)}), Scope.READ, for_merchants=True, within=_STATEMENT,
    ),
    Operation(
        "POST", "/statements/{statement_id}/say", "say_to_statement", "Confirm or dispute lines, for one's own side",
        say, DONE, Scope.ISSUE, for_merchants=True, moves_money=True, within=_STATEMENT,
        body=record(
            {"lines": listing(_LINE_NO, 1000), "word": one_of(statements.CONFIRMED, statements.DISPUTED)},
            {"note": _NOTE},
        ),
    ),
    Operation(
        "POST", "/statements/{statement_id}/correct", "correct_statement", "Give a part of a line back", correct, DONE,
        Scope.MONEY, within=_STATEMENT, moves_money=True,
        body=record({"line": _LINE_NO, "amount": whole(1, MOST_FEN), "reason": text(128, 1)}),
    ),
    Operation(
        "POST", "/statements/{statement_id}/pay", "pay_statement", "Mark it paid", pay, DONE, Scope.MONEY,
        within=_STATEMENT, moves_money=True, body=record({}, {"note": _NOTE}),
    ),
)  # fmt: skip
