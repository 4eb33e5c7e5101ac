"""Every call with good and bad values by its own schema: never a 5xx, never a field it does not tell of, never
anything of another tenant. ``make fuzz`` does the same with schemathesis, 200 cases a call and more.
"""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import pytest

from cloud.access.scopes import OF_A_MERCHANT
from cloud.api.document import PROBLEM
from cloud.api.operation import Operation
from cloud.api.routes import OPERATIONS
from cloud.api.schema import wrong
from cloud.merchants import ledger
from tests.cloud.calling import Client, key_of
from tests.cloud.schema_values import Values
from tests.cloud.stage import SECRET, THEIR_PLATE, Stage, move_out, rows_of

CASES = 10
TYPED = ("number", "lot", "person")  # words that bodies use for something else


def _address(operation: Operation, values: Values) -> str:
    def filled(found: re.Match[str]) -> str:
        schema = operation.within[found.group(1)]
        value = values.broken(schema, found.group(1)) if values.chance(0.2) else values.fitting(schema, found.group(1))
        return quote(str(value), safe="") or "x"

    path = re.sub(r"\{(\w+)\}", filled, operation.path)
    asked = [
        f"{name}={quote(str(values.broken(each, name) if values.chance(0.3) else values.fitting(each, name)))}"
        for name, each in operation.query.items()
        if values.chance(0.5)
    ]
    return f"/api/v1{path}?{'&'.join(asked)}"


async def _try(client: Client, operation: Operation, key: str, values: Values) -> None:
    body = None
    if operation.body is not None:
        body = values.broken(operation.body) if values.chance(0.5) else values.fitting(operation.body)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    if operation.moves_money and values.chance(0.4):
        headers["Idempotency-Key"] = "one-key"
    address, data = _address(operation, values), None if body is None else json.dumps(body)
    async with client.request(operation.method, address, data=data, headers=headers) as answer:
        text = await answer.text()
    where = f"{operation.method} {address} {data}: {answer.status} {text[:300]}"
    assert answer.status < 500, where
    assert SECRET not in text, where
    assert THEIR_PLATE not in text, where
    if answer.status == operation.status:
        assert wrong(operation.answer, json.loads(text)) == [], where
    elif answer.content_type == "application/problem+json":
        assert wrong(PROBLEM, json.loads(text)) == [], where
    else:
        raise AssertionError(where)


def _known(*tenants: dict[str, str]) -> dict[str, list[str]]:
    return {name: [tenant[name] for tenant in tenants] for name in tenants[0] if name not in TYPED}


@pytest.mark.parametrize("who", ["operator", "merchant"])
async def test_no_call_breaks_tells_too_much_or_reaches_another_tenant(client: Client, stage: Stage, who: str) -> None:
    if who == "operator":
        stage.cloud.db.run_here(move_out)
        key, theirs, column = key_of(stage), stage.stranger, "operator_id"
        tenant = "2"
    else:
        key, theirs, column = (
            key_of(stage, *OF_A_MERCHANT, merchant_id=int(stage.own["merchant_id"])),
            stage.neighbour,
            "merchant_id",
        )
        tenant = stage.neighbour["merchant_id"]
    before = rows_of(stage.cloud, column, tenant)
    assert before["coupon"]

    for number in range(CASES):
        for operation in OPERATIONS:
            values = Values(f"{operation.name} {number} {who}", _known(stage.own, theirs))
            await _try(client, operation, key, values)

    assert rows_of(stage.cloud, column, tenant) == before
    assert all(each.is_right for each in stage.cloud.db.run_here(ledger.merchant_books))
