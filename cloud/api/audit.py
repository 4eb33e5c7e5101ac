"""The call about who did what."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from cloud.access import audit
from cloud.access.scopes import Scope
from cloud.act import Act
from cloud.api.operation import Ask, Operation, rows
from cloud.api.schema import AT_MS, MOMENT, PAGE, WHOLE, listing, maybe, record, text


def list_audit(conn: Connection, act: Act, ask: Ask) -> Any:
    """Who did what, newest first; what an act changed is told to who may see plates, for they may stand in it."""
    query = ask.query
    sought = audit.Sought(query.get("by", ""), query.get("q", ""), (), query.get("from_ms"), query.get("until_ms"))
    found = rows(audit.listed(conn, act.operator_id, sought, ask.page))
    if not ask.may(Scope.PLATES):
        for row in found.items:
            row |= {"before": "", "after": "", "reason": ""}
    return found


_DEED = record({
    "audit_id": WHOLE, "lot_id": maybe(WHOLE), "made_by": text(), "act": text(), "subject": text(),
    "reason": text(2000), "before": text(100_000), "after": text(100_000), "made_ms": MOMENT,
})  # fmt: skip
_TIMES = {"from_ms": AT_MS, "until_ms": AT_MS}

OPERATIONS = (
    Operation(
        "GET", "/audit", "list_audit", "Who did what, newest first; with the scope plates also why and what changed",
        list_audit, listing(_DEED), Scope.AUDIT, query={"by": text(60), "q": text(60), **_TIMES, "page": PAGE},
    ),
)  # fmt: skip
