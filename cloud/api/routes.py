"""The table of all calls, and the routes and the document made of it."""

from __future__ import annotations

import re
from typing import Final

from aiohttp import web

from cloud.api import (
    arrears,
    audit,
    booth,
    branches,
    codes,
    coupons,
    devices,
    hooks,
    limits,
    lots,
    merchants,
    payments,
    payouts,
    people,
    posters,
    reconciling,
    records,
    shop,
    staff,
    statements,
    upkeep,
)  # fmt: skip
from cloud.api.document import document
from cloud.api.operation import BASE, Operation
from cloud.api.rates import Rates
from cloud.api.serving import RATES, handler_of
from cloud.web.state import CLOUD

OPERATIONS: Final[tuple[Operation, ...]] = (
    *devices.OPERATIONS,
    *lots.OPERATIONS,
    *upkeep.OPERATIONS,
    *merchants.OPERATIONS,
    *branches.OPERATIONS,
    *staff.OPERATIONS,
    *shop.OPERATIONS,
    *coupons.OPERATIONS,
    *codes.OPERATIONS,
    *posters.OPERATIONS,
    *limits.OPERATIONS,
    *statements.OPERATIONS,
    *records.OPERATIONS,
    *payments.OPERATIONS,
    *payouts.OPERATIONS,
    *reconciling.OPERATIONS,
    *arrears.OPERATIONS,
    *people.OPERATIONS,
    *booth.OPERATIONS,
    *audit.OPERATIONS,
    *hooks.OPERATIONS,
)


async def openapi(request: web.Request) -> web.Response:
    """The document; anybody may read how to call, nobody learns what is here."""
    return devices.answer(document(OPERATIONS, request.config_dict[CLOUD].public_url))


def pattern(operation: Operation) -> str:
    """The path in aiohttp's words: numbers are digits, so that /merchants/new is not a merchant."""

    def typed(found: re.Match[str]) -> str:
        name = found.group(1)
        return f"{{{name}:[0-9]{{1,15}}}}" if operation.within[name].get("type") == "integer" else f"{{{name}}}"

    return BASE + re.sub(r"\{(\w+)\}", typed, operation.path)


def add_routes(app: web.Application) -> None:
    """Everything under /api/v1."""
    limits = app[CLOUD].settings.api
    app[RATES] = Rates(limits.per_second, limits.burst)
    app.router.add_get(f"{BASE}/openapi.json", openapi)
    for operation in OPERATIONS:
        app.router.add_route(operation.method, pattern(operation), handler_of(operation))
