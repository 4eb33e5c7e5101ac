"""What the office has to pay out by hand: who is owed what, handing it over, taking it back."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from cloud import sheets
from cloud.access.roles import Right, may
from cloud.act import Refused
from cloud.payments import paying_out
from cloud.payments.desk import DESK
from cloud.web.state import allow, change, done, field_of, login_of, path_id, read, search_of, words, zone_of
from domain.fen import yuan
from plumbing.i18n import Texts
from plumbing.web import page_number, render, texts

PATH: Final = "/admin/payments/payouts"


def _asked(request: web.Request) -> tuple[str, str]:
    state = request.query.get("state", "")
    return state if state in paying_out.STATES else "", search_of(request)


async def _page(request: web.Request, refused: Refused | None = None) -> web.Response:
    session = await allow(request, Right.VIEW)
    state, search = _asked(request)
    found = await read(request, paying_out.listed, state, search, page_number(request.query))
    return render(
        request, "pay_outs.html", status=422 if refused else 200, error=words(request, refused), tab="payouts",
        page=found, state=state, search=search, states=paying_out.STATES, means=paying_out.MEANS,
        money=may(session.role, Right.MONEY),
    )  # fmt: skip


async def page(request: web.Request) -> web.Response:
    """All of it, the newest first."""
    return await _page(request)


def _of(t: Texts, subject: str) -> str:
    kind, _, number = subject.partition(":")
    return t("payout.of_purchase", number=number) if kind == "purchase" else t("payout.of_purse")


async def file(request: web.Request) -> web.Response:
    """The same as a file."""
    await allow(request, Right.VIEW)
    t, zone = texts(request), zone_of(request)
    found = await read(request, paying_out.every, *_asked(request), sheets.MOST_ROWS)
    rows: list[list[sheets.Cell]] = [
        [
            row["payout_id"], row["payee"], _of(t, row["subject"]),
            yuan(row["amount"]) if row["commodity"] == "FEN" else row["amount"], t(f"unit.{row['commodity']}"),
            row["reason"], row["asked_by"], row["agreed_by"], sheets.written(row["agreed_ms"], zone),
            t(f"payout_state.{row['state']}"), t(f"means.{row['means']}") if row["means"] else "", row["remark"],
            row["ended_by"], sheets.written(row["ended_ms"], zone),
        ]
        for row in found
    ]  # fmt: skip
    names = (
        "payout.number", "payout.payee", "payout.of", "payments.amount", "waiting.unit", "col.reason",
        "payout.asked_by", "payments.agreed_by", "payout.agreed_at", "col.state", "payout.means", "col.remark",
        "payout.ended_by", "payout.ended_at",
    )  # fmt: skip
    heads = [t(name) for name in names]
    return await sheets.table_file(request.match_info["kind"], "payouts", t("payments.tab_payouts"), heads, rows)


async def hand_over(request: web.Request) -> web.Response:
    """It was handed over."""
    session = await allow(request, Right.MONEY)
    how = path_id(request, "payout"), await field_of(request, "means"), await field_of(request, "note")
    duties = request.config_dict[DESK].duties
    refused = await change(request, login_of(session), paying_out.hand_over, duties, *how)
    if refused is not None:
        return await _page(request, refused)
    raise done(PATH, "payout_paid")


async def take_back(request: web.Request) -> web.Response:
    """It is not handed over after all."""
    session = await allow(request, Right.MONEY)
    why = path_id(request, "payout"), await field_of(request, "reason")
    refused = await change(request, login_of(session), paying_out.take_back, request.config_dict[DESK].duties, *why)
    if refused is not None:
        return await _page(request, refused)
    raise done(PATH, "payout_taken_back")


def add_routes(app: web.Application) -> None:
    """The list, its files, and both ways it ends."""
    app.router.add_get(PATH, page)
    app.router.add_get(PATH + ".{kind:csv|xlsx}", file)
    app.router.add_post(PATH + "/{payout}/handed", hand_over)
    app.router.add_post(PATH + "/{payout}/back", take_back)
