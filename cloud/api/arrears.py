"""Calls about what plates left owing."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection

from cloud.access.scopes import Scope
from cloud.act import Act
from cloud.api.lots import plates_shown, shown_page
from cloud.api.operation import Ask, NotThereError, Operation
from cloud.api.schema import ID, MOMENT, NAMED, PAGE, WHOLE, listing, maybe, one_of, record, text
from cloud.lots import arrears
from cloud.lots.arrears import Sought
from domain.plate import normalise


def list_arrears(conn: Connection, act: Act, ask: Ask) -> Any:
    """Debts in one state, newest first; looked for by who may see plates."""
    query = ask.query
    search = normalise(query.get("q", "")) if ask.may(Scope.PLATES) else ""
    sought = Sought(query.get("state", arrears.OPEN), search, query.get("lot_id"))
    return shown_page(ask, arrears.arrears(conn, act.operator_id, sought, ask.page))


def get_debt(conn: Connection, act: Act, ask: Ask) -> Any:
    """One debt and what became of it."""
    row = arrears.get(conn, act.operator_id, ask.path["debt_id"])
    if row is None:
        raise NotThereError
    moves = [dict(move) for move in arrears.moves(conn, act.operator_id, row["debt_id"])]
    return plates_shown(ask, {**row, "moves": moves})


_DEBT = {
    "debt_id": text(), "lot_id": WHOLE, "lot_name": text(), "stay_id": text(), "plate": text(), "cause": text(),
    "owed_fen": WHOLE, "left_fen": WHOLE, "state": text(), "recorded_ms": MOMENT, "entered_ms": maybe(MOMENT),
}  # fmt: skip
_MOVE = record({
    "move_id": text(), "kind": text(), "amount_fen": WHOLE, "made_by": text(), "reason": text(1000), "made_ms": MOMENT,
})  # fmt: skip
_STATES: Final = (arrears.OPEN, arrears.DISPUTED, arrears.SETTLED)

OPERATIONS = (
    Operation(
        "GET", "/arrears", "list_arrears", "What plates left owing, newest first", list_arrears,
        listing(record(_DEBT)), Scope.READ,
        query={"state": one_of(*_STATES), "lot_id": ID, "q": text(20), "page": PAGE},
    ),
    Operation(
        "GET", "/arrears/{debt_id}", "get_debt", "One debt and what became of it", get_debt,
        record({**_DEBT, "moves": listing(_MOVE)}), Scope.READ, within={"debt_id": NAMED},
    ),
)  # fmt: skip
