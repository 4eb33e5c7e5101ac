"""Below which balances a merchant is warned: typed by the operator or by the merchant itself (E17)."""

from __future__ import annotations

from aiohttp import web

from cloud.act import Refused
from cloud.merchants import service
from cloud.web.state import change, field_of, whole
from domain.fen import fen_from_yuan


async def save(request: web.Request, by: str, merchant_id: int) -> Refused | None:
    """Keep what the form says; an empty limit is the usual one, 0 warns of nothing; an empty amount orders none."""
    yuan, minutes = await field_of(request, "low_yuan"), await field_of(request, "low_minutes")
    try:
        suggest = int(fen_from_yuan(await field_of(request, "suggest_yuan") or "0"))
        fen = int(fen_from_yuan(yuan)) if yuan.strip() else None
    except ValueError:
        return Refused("amount_malformed")
    low_min = whole(minutes)
    if minutes.strip() and low_min is None:
        return Refused("amount_malformed")
    return await change(request, by, service.set_low, merchant_id, fen, low_min, suggest)
