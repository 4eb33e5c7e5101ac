"""The cloud's pages put together: one listener, navigation by role, words and templates of every capability."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from aiohttp import web

import cloud
from cloud.access.roles import Right, may
from cloud.web import named
from plumbing.i18n import SHELL_LOCALE, Catalogue, load_catalogue
from plumbing.lanepage import pages as lanepage
from plumbing.web import NavItem, Sessions, Shell, create_app, current_session
from plumbing.web.rendering import ENVIRONMENT

HERE = Path(cloud.__file__).parent
LOCALES = tuple(
    HERE / name / "locale" for name in ("", "coupons", "booth", "payments", "fees", "shop", "members", "reconciling")
)
CAPABILITIES = (
    "web",
    "access",
    "lots",
    "merchants",
    "coupons",
    "members",
    "booth",
    "payments",
    "fees",
    "shop",
    "reconciling",
    "waiting",
    "hooks",
)

STAFF = (
    (Right.VIEW_LOTS, NavItem("/admin", "nav.dashboard", "nav.lots")),
    (Right.VIEW_LOTS, NavItem("/admin/cars", "nav.cars", "nav.lots")),
    (Right.VIEW_LOTS, NavItem("/admin/arrears", "nav.arrears", "nav.lots")),
    (Right.VIEW_LOTS, NavItem("/admin/people", "nav.people", "nav.lots")),
    (Right.VIEW_LOTS, NavItem("/admin/shifts", "nav.shifts", "nav.lots")),
    (Right.RUN_LOTS, NavItem("/admin/booth-people", "nav.booth_people", "nav.lots")),
    (Right.VIEW_LOTS, NavItem("/admin/incidents", "nav.incidents", "nav.lots")),
    (Right.VIEW, NavItem("/admin/merchants", "nav.merchants", "nav.shops")),
    (Right.VIEW_LOTS, NavItem("/admin/lots/merchants", "nav.serving", "nav.shops")),
    (Right.VIEW, NavItem("/admin/coupons", "nav.coupons", "nav.shops")),
    (Right.CHECK, NavItem("/admin/check", "nav.check", "nav.shops")),
    (Right.VIEW, NavItem("/admin/shop", "nav.sale", "nav.shops")),
    (Right.VIEW, NavItem("/admin/waiting", "nav.waiting", "nav.money")),
    (Right.VIEW, NavItem("/admin/payments", "nav.payments", "nav.money")),
    (Right.VIEW, NavItem("/admin/books", "nav.books", "nav.money")),
    (Right.VIEW, NavItem("/admin/leases", "nav.leases", "nav.money")),
    (Right.VIEW, NavItem("/admin/edges", "nav.edges", "nav.system")),
    (Right.VIEW, NavItem("/admin/events", "nav.events", "nav.system")),
    (Right.ACCOUNTS, NavItem("/admin/accounts", "nav.accounts", "nav.system")),
    (Right.KEYS, NavItem("/admin/keys", "nav.keys", "nav.system")),
    (Right.KEYS, NavItem("/admin/hooks", "nav.hooks", "nav.system")),
    (Right.AUDIT, NavItem("/admin/audit", "nav.audit", "nav.system")),
)
LOT_REPORT = NavItem("/admin/coupons/reports", "nav.lot_report", "nav.shops")  # others find it among coupons
MERCHANT = (
    NavItem("/m", "nav.home", "nav.give"),
    NavItem("/m/issue", "nav.issue", "nav.give"),
    NavItem("/m/codes", "nav.codes", "nav.give"),
    NavItem("/m/print", "nav.print", "nav.give"),
    NavItem("/m/posters", "nav.posters", "nav.give"),
    NavItem("/m/records", "nav.records", "nav.look"),
    NavItem("/m/ledger", "nav.ledger", "nav.look"),
    NavItem("/m/statements", "nav.statements", "nav.look"),
    NavItem("/m/invoices", "nav.invoices", "nav.look"),
    NavItem("/m/shop", "nav.shop", "nav.more"),
    NavItem("/m/staff", "nav.staff", "nav.more"),
)

GIVERS = frozenset({"/m/issue", "/m/codes", "/m/print", "/m/records", "/m/posters"})
OF_BRANCH = GIVERS | {"/m", "/m/ledger"}


def _navigation(request: web.Request) -> Sequence[NavItem]:
    session = current_session(request)
    if session is None or session.data.get("must_change") == "1":
        return ()
    if may(session.role, Right.OWN_BRANCH) and session.data.get("branch_id", "0") != "0":
        return [item for item in MERCHANT if item.href in OF_BRANCH]
    if may(session.role, Right.OWN_MERCHANT):
        return MERCHANT
    if may(session.role, Right.GIVE):
        return [item for item in MERCHANT if item.href in GIVERS]
    items = [item for right, item in STAFF if may(session.role, right)]
    return items if may(session.role, Right.VIEW) or not may(session.role, Right.VIEW_LOTS) else [*items, LOT_REPORT]


def _allowed(request: web.Request, right: str) -> bool:
    """Whether who looks has a right, for links to pages not everybody may open."""
    session = current_session(request)
    return session is not None and may(session.role, Right(right))


def cloud_shell(
    sessions: Sessions, *, https: bool, zone: str, origins: Sequence[str], trusted_proxies: Sequence[str] = ()
) -> Shell:
    """How the cloud's pages look and sign in."""
    return Shell(
        name="cloud",
        catalogue=_words(),
        templates=(*(HERE / name / "templates" for name in CAPABILITIES), lanepage.TEMPLATES),
        static=lanepage.STATIC,
        sessions=sessions,
        navigation=_navigation,
        title_key="cloud.brand",
        home="/",
        https=https,
        zone=zone,
        origins=origins,
        trusted_proxies=trusted_proxies,
    )


@cache
def _words() -> Catalogue:
    return load_catalogue(SHELL_LOCALE, *LOCALES, lanepage.LOCALE)


def shell_app(shell: Shell) -> web.Application:
    """An application of *shell* whose templates can also say who did what, read JSON and ask what somebody may."""
    app = create_app(shell)
    app[ENVIRONMENT].filters["from_json"] = json.loads
    app[ENVIRONMENT].globals |= {"allowed": _allowed, "named": named}
    return app
