"""Every way into the cloud and who may take it, in one table (E65).

The application does not start while a route is missing here, and the guard refuses by this table before a page's own
code runs; a test walks every role through every door. Calls of ``/api/v1`` name their scope where they are listed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Final

from aiohttp import web

from cloud.access.roles import Right, may
from plumbing.web import require_session, walk


class Open(StrEnum):
    """Doors that no right guards."""

    ANYONE = "anyone"  # pages of drivers, the login page, signed callers, what the proxy keeps inside
    SIGNED_IN = "signed_in"  # whoever has a session
    KEY = "key"  # a call that proves itself by a token or a key


Door = Open | Right
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

API: Final = "/api/v1/"
STATIC: Final = "/static/"

_BEHIND: Final[dict[Door, tuple[str, ...]]] = {
    Open.ANYONE: (
        "GET /v/{token}",
        "POST /v/{token}",
        "GET /V/{token}",
        "POST /V/{token}",
        "GET /c/mine",
        "POST /c/mine",
        "POST /c/mine/rebind",
        "GET /c/{code}",
        "POST /c/{code}",
        "GET /C/{code}",
        "POST /C/{code}",
        "GET /login",
        "POST /login",
        "GET /m/login",
        "POST /m/login",
        "POST /logout",
        "GET /wechat",
        "GET /wechat/join/{ticket}",
        "GET /wechat/back",
        "POST /wechat/bind",
        "GET /lane/{code}",
        "POST /lane/{code}",
        "GET /pay/{lot}",
        "POST /pay/{lot}",
        "POST /pay/{lot}/pass",
        "GET /Q/{token}",
        "POST /Q/{token}",
        "GET /payments/wallet/{provider}.js",
        "GET /payments/{order}",
        "GET /payments/{order}/live",
        "GET /payments/{order}/{provider}",
        "GET /p/{code}",
        "POST /p/{code}",
        "GET /payments/{order}/invoice",
        "POST /payments/{order}/invoice",
        "GET /healthz",
        "GET /metrics",
    ),
    Open.KEY: (
        "POST /api/payments/notices/{account}",  # signed by the payment provider
        "POST /api/fees/code",  # signed by the lot
        "POST /api/claims/booth",  # the same
    ),
    Open.SIGNED_IN: (
        "GET /",
        "GET /password",
        "POST /password",
        "POST /wechat/unbind",
    ),
    Right.AUDIT: ("GET /admin/audit", "GET /admin/audit.{kind}"),
    Right.ACCOUNTS: (
        "GET /admin/accounts",
        "GET /admin/accounts.{kind}",
        "POST /admin/accounts",
        "POST /admin/accounts/{user_id}/role",
        "POST /admin/accounts/{user_id}/enabled",
        "POST /admin/accounts/{user_id}/password",
    ),
    Right.KEYS: (
        "GET /admin/keys",
        "GET /admin/keys.{kind}",
        "POST /admin/keys",
        "POST /admin/keys/revoke",
        "GET /admin/hooks",
        "GET /admin/hooks.{kind}",
        "POST /admin/hooks",
        "GET /admin/hooks/{hook_id}",
        "GET /admin/hooks/{hook_id}.{kind}",
        "POST /admin/hooks/{hook_id}/switch",
        "POST /admin/hooks/{hook_id}/ping",
        "POST /admin/hooks/{hook_id}/again",
    ),
    Right.VIEW_LOTS: (
        "GET /admin",
        "GET /admin/live",
        "GET /admin/cars",
        "GET /admin/cars.{kind}",
        "GET /admin/incidents",
        "GET /admin/incidents.{kind}",
        "GET /admin/arrears",
        "GET /admin/arrears.{kind}",
        "GET /admin/arrears/{debt}",
        "GET /admin/coupons/reports",
        "GET /admin/coupons/reports.{kind}",
        "GET /admin/people",
        "GET /admin/people.{kind}",
        "GET /admin/people/blocked",
        "GET /admin/people/blocked.{kind}",
        "GET /admin/people/booth-visitors",
        "GET /admin/people/booth-visitors.{kind}",
        "GET /admin/people/excused",
        "GET /admin/people/passes",
        "GET /admin/people/passes.{kind}",
        "GET /admin/people/passes/prices.{kind}",
        "GET /admin/people/excused.{kind}",
        "GET /admin/shifts",
        "GET /admin/shifts.{kind}",
        "GET /admin/shifts/{shift}",
        "GET /admin/lots/{lot}/slips",
        "GET /admin/lots/merchants",
        "GET /admin/lots/merchants.{kind}",
    ),
    Right.RUN_LOTS: (
        "GET /admin/lots/{lot}/lanes/{lane}/open",
        "POST /admin/lots/{lot}/lanes/{lane}/open",
        "POST /admin/lots/{lot}/slips",
        "POST /admin/incidents/close",
        "GET /admin/people/new",
        "GET /admin/people/import",
        "GET /admin/people/monthly-cars.xlsx",
        "POST /admin/people/import",
        "POST /admin/people/new",
        "GET /admin/people/{number}",
        "POST /admin/people/{number}",
        "POST /admin/people/{number}/end",
        "POST /admin/people/blocked",
        "POST /admin/people/blocked/{number}/end",
        "GET /admin/booth-people",
        "GET /admin/booth-people.{kind}",
        "POST /admin/booth-people",
        "POST /admin/booth-people/{person}/pin",
        "POST /admin/booth-people/{person}/end",
    ),
    Right.CHECK: ("GET /admin/check",),
    Right.VIEW: (
        "GET /admin/waiting",
        "GET /admin/waiting.{kind}",
        "GET /admin/edges",
        "GET /admin/edges.{kind}",
        "GET /admin/payments",
        "GET /admin/payments.{kind}",
        "GET /admin/payments/accounts",
        "GET /admin/payments/accounts.{kind}",
        "GET /admin/payments/bills",
        "GET /admin/payments/bills.{kind}",
        "GET /admin/payments/differences.{kind}",
        "GET /admin/payments/invoices",
        "GET /admin/payments/invoices.{kind}",
        "GET /admin/payments/payouts",
        "GET /admin/payments/payouts.{kind}",
        "GET /admin/payments/{order}",
        "POST /admin/payments/{order}/look",
        "GET /admin/merchants",
        "GET /admin/merchants/{merchant_id}",
        "GET /admin/merchants/{merchant_id}/statements",
        "GET /admin/merchants/{merchant_id}/statements.{kind}",
        "GET /admin/statements/{statement_id}",
        "GET /admin/statements/{statement_id}.{kind}",
        "GET /admin/merchants.{kind}",
        "GET /admin/merchants/{merchant_id}/branches",
        "GET /admin/merchants/{merchant_id}/branches.{kind}",
        "GET /admin/coupons/usage",
        "GET /admin/coupons/usage.{kind}",
        "GET /admin/coupons/discounts",
        "GET /admin/coupons/discounts.{kind}",
        "GET /admin/coupons/vouchers",
        "GET /admin/coupons/vouchers.{kind}",
        "GET /admin/shop",
        "GET /admin/shop.{kind}",
        "GET /admin/shop/purchases",
        "GET /admin/shop/purchases.{kind}",
        "GET /admin/books",
        "GET /admin/books.{kind}",
        "GET /admin/leases",
        "GET /admin/leases.{kind}",
        "GET /admin/coupons",
        "GET /admin/coupons/{coupon_id}",
        "GET /admin/coupons/limits",
        "GET /admin/coupons/plates",
        "GET /admin/coupons/plates.{kind}",
        "GET /admin/coupons/often",
        "GET /admin/coupons/often.{kind}",
        "GET /admin/payments/days",
        "GET /admin/payments/days.{kind}",
        "GET /admin/events",
        "GET /admin/events.{kind}",
    ),
    Right.MANAGE: (
        "GET /admin/lots/new",
        "POST /admin/lots/new",
        "POST /admin/edges",
        "POST /admin/edges/claim",
        "POST /admin/edges/replace",
        "POST /admin/edges/revoke",
        "GET /admin/merchants/new",
        "POST /admin/merchants/new",
        "POST /admin/merchants/{merchant_id}/enabled",
        "POST /admin/merchants/{merchant_id}/password",
        "POST /admin/merchants/{merchant_id}/remark",
        "POST /admin/merchants/{merchant_id}/branches/members",
        "POST /admin/merchants/{merchant_id}/branches/members/dismiss",
        "POST /admin/merchants/{merchant_id}/branches/members/password",
        "POST /admin/merchants/{merchant_id}/branches/{branch_id}/logins",
        "GET /admin/merchants/{merchant_id}/wechat",
        "POST /admin/merchants/{merchant_id}/wechat/unbind",
        "POST /admin/coupons/limits",
        "POST /admin/coupons/plates",
        "POST /admin/coupons/plates/{number}/end",
        "POST /admin/events/rerun",
    ),
    Right.MONEY: (
        "POST /admin/people/passes",
        "POST /admin/people/{number}/extend",
        "POST /admin/payments/days",
        "POST /admin/payments/days/differences",
        "POST /admin/payments/accounts",
        "POST /admin/payments/bills",
        "POST /admin/payments/differences",
        "POST /admin/payments/invoices/{invoice}",
        "POST /admin/payments/payouts/{payout}/handed",
        "POST /admin/payments/payouts/{payout}/back",
        "POST /admin/payments/{order}/refund",
        "POST /admin/payments/{order}/decide",
        "POST /admin/payments/{order}/again",
        "POST /admin/payments/{order}/code",
        "POST /admin/merchants/{merchant_id}/settlement",
        "POST /admin/merchants/{merchant_id}/top-up",
        "POST /admin/merchants/{merchant_id}/correct",
        "POST /admin/merchants/{merchant_id}/refund",
        "POST /admin/merchants/{merchant_id}/refund/decide",
        "POST /admin/merchants/{merchant_id}/contract",
        "POST /admin/merchants/{merchant_id}/contract/end",
        "POST /admin/merchants/{merchant_id}/credit",
        "POST /admin/merchants/{merchant_id}/low",
        "POST /admin/merchants/{merchant_id}/statements",
        "POST /admin/statements/{statement_id}/say",
        "POST /admin/statements/{statement_id}/correct",
        "POST /admin/statements/{statement_id}/pay",
        "POST /admin/leases/call-back",
        "POST /admin/merchants/{merchant_id}/branches",
        "POST /admin/merchants/{merchant_id}/branches/{branch_id}",
        "POST /admin/merchants/{merchant_id}/branches/{branch_id}/fill",
        "POST /admin/shop",
        "POST /admin/shop/{product_id}/withdraw",
        "POST /admin/shop/purchases/{purchase_id}/paid",
        "POST /admin/shop/purchases/{purchase_id}/refund",
        "POST /admin/shop/purchases/{purchase_id}/decide",
    ),
    Right.ISSUE: (
        "POST /admin/merchants/{merchant_id}/templates",
        "POST /admin/merchants/{merchant_id}/templates/delete",
        "GET /admin/coupons/issue",
        "GET /admin/coupons/issue/{stay}/picture",
        "POST /admin/coupons/issue",
        "POST /admin/coupons/void",
        "POST /admin/coupons/{coupon_id}/rebind",
        "POST /admin/coupons/{coupon_id}/driver",
        "GET /admin/merchants/{merchant_id}/posters",
        "GET /admin/merchants/{merchant_id}/posters.{kind}",
        "POST /admin/merchants/{merchant_id}/posters",
        "POST /admin/merchants/{merchant_id}/posters/down",
        "GET /admin/merchants/{merchant_id}/posters/{poster_id}",
    ),
    Right.GIVE: (
        "GET /m/issue",
        "GET /m/issue/{stay}/picture",
        "POST /m/issue",
        "GET /m/records",
        "POST /m/records/{coupon_id}/driver",
    ),
    Right.HAND_OUT: (
        "GET /m/posters",
        "GET /m/posters.{kind}",
        "POST /m/posters",
        "POST /m/posters/down",
        "GET /m/posters/{poster_id}",
        "GET /m/codes",
        "GET /m/codes.{kind}",
        "POST /m/codes",
        "GET /m/codes/{batch}",
        "GET /m/codes/{batch}/live",
        "POST /m/codes/{batch}/fresh",
        "POST /m/codes/{batch}/close",
        "GET /m/print",
        "GET /m/print.{kind}",
        "POST /m/print",
        "GET /m/print/{batch}",
        "GET /m/print/{batch}/sheet",
        "GET /m/print/{batch}/sheet.pdf",
        "POST /m/print/{batch}/close",
    ),
    Right.OWN_BRANCH: (
        "GET /m",
        "GET /m/ledger",
        "GET /m/ledger.{kind}",
        "GET /m/records/usage",
        "GET /m/records/usage.{kind}",
        "GET /m/records/discounts",
        "GET /m/records/discounts.{kind}",
        "GET /m/records/{coupon_id}",
        "GET /m/places",
        "POST /m/places",
    ),
    Right.OWN_MERCHANT: (
        "POST /m/low",
        "GET /m/invoices",
        "GET /m/invoices.{kind}",
        "GET /m/invoices/{at_office}",
        "POST /m/invoices/{at_office}",
        "POST /m/templates",
        "POST /m/templates/delete",
        "POST /m/records/{coupon_id}/rebind",
        "GET /m/records/vouchers",
        "GET /m/records/vouchers.{kind}",
        "POST /m/print/lot",
        "GET /m/staff",
        "GET /m/staff.{kind}",
        "POST /m/staff",
        "POST /m/staff/{user_id}/limits",
        "POST /m/staff/{user_id}/enabled",
        "POST /m/staff/{user_id}/password",
        "POST /m/records/void",
        "GET /m/top-up",
        "POST /m/top-up",
        "GET /m/shop",
        "GET /m/shop/{product_id}",
        "POST /m/shop/{product_id}",
        "GET /m/shop/purchases",
        "GET /m/shop/purchases.{kind}",
        "GET /m/statements",
        "GET /m/statements.{kind}",
        "GET /m/statements/{statement_id}",
        "POST /m/statements/{statement_id}/say",
        "GET /m/statements/{statement_id}.{kind}",
    ),
}

DOORS: Final[dict[str, Door]] = {route: door for door, routes in _BEHIND.items() for route in routes}


class UnguardedRouteError(Exception):
    """A route nobody has said who may take."""


def door_of(method: str, path: str) -> Door | None:
    """Who may take the route whose pattern is *path*; None where nobody has said so."""
    if path.startswith(STATIC):
        return Open.ANYONE
    if path.startswith(API):
        return Open.KEY
    return DOORS.get(f"{'GET' if method == 'HEAD' else method} {path}")


def check(app: web.Application) -> None:
    """Raises UnguardedRouteError, which names every route of *app* that is missing in the table."""
    missing = sorted({f"{way.method} {way.path}" for way in walk(app) if door_of(way.method, way.path) is None})
    if missing:
        listed = "\n  ".join(missing)
        raise UnguardedRouteError(
            f"cloud/web/doors.py does not say who may take:\n  {listed}\n"
            "Add each line to the tuple of the right its handler asks for (allow(request, Right.…)), or to ANYONE."
        )


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what the table refuses. Raises LoginNeededError, HTTPForbidden."""
    resource = request.match_info.route.resource
    door = None if resource is None else door_of(request.method, resource.canonical)
    if isinstance(door, Right):
        session = await require_session(request)
        if not may(session.role, door):
            raise web.HTTPForbidden
    return await handler(request)
