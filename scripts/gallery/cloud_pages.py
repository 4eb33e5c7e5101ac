"""Every page of the cloud, empty, full and in error, by who sees it."""

from __future__ import annotations

from collections.abc import Iterator

from cloud.web.doors import DOORS
from scripts.gallery.camera import DESKTOP, PHONE, Shot, Surface, shape

NO_PAGES = frozenset(
    {
        "GET /",  # leads on
        "GET /admin/coupons/issue/{stay}/picture",
        "GET /m/issue/{stay}/picture",
        "GET /C/{code}",  # as /c/{code}, for phones that shout
        "GET /V/{token}",
        "GET /healthz",
        "GET /metrics",
        "GET /payments/{order}/{provider}",  # leads on to the provider
        "GET /wechat",  # leads on to WeChat
        "GET /wechat/join/{ticket}",
        "GET /wechat/back",
        "GET /admin/merchants/{merchant_id}/wechat",  # where WeChat is set up alone
    }
)
"""Routes that show nobody anything; beside these, streams (…/live) and files (….csv)."""

TYPED, NEXT, SEND = "input[name=text]", "main form .button.primary", "main .button.primary"

ADMIN = (
    Shot("board", "/admin"),
    Shot("cars", "/admin/cars"),
    Shot("cars-none", "/admin/cars", "?q=Z99Z9"),
    Shot("cars-gone", "/admin/cars", "?state=gone"),
    Shot("serving", "/admin/lots/merchants"),
    Shot("arrears", "/admin/arrears"),
    Shot("debt", "/admin/arrears/{debt}"),
    Shot("people", "/admin/people"),
    Shot("people-none", "/admin/people", "?q=zzz"),
    Shot("person-new", "/admin/people/new"),
    Shot("person-wrong", "/admin/people/new",
         fill={"[name=name]": "陈", "[name=plates]": "hello"}, press=("main form:not(.inline) .button.primary",)),
    Shot("person", "/admin/people/{number}"),
    Shot("people-import", "/admin/people/import"),
    Shot("people-blocked", "/admin/people/blocked", "?all=1"),
    Shot("people-visitors", "/admin/people/booth-visitors"),
    Shot("people-excused", "/admin/people/excused"),
    Shot("booth-people", "/admin/booth-people"),
    Shot("shifts", "/admin/shifts"),
    Shot("shift", "/admin/shifts/{shift}"),
    Shot("merchants", "/admin/merchants"),
    Shot("merchants-add", "/admin/merchants", press=("a[data-dialog][href$=new]",)),
    Shot("merchants-top-up", "/admin/merchants", press=("a[href$='#top-up']", "dialog.over [name=kind][value=MIN]")),
    Shot("merchants-settle", "/admin/merchants", press=("a[href$='#settlement']",)),
    Shot("merchant-new", "/admin/merchants/new"),
    Shot("merchant-wrong", "/admin/merchants/new", fill={"[name=name]": "新店", "[name=phone]": "12"}, press=(SEND,)),
    Shot("merchant", "/admin/merchants/{merchant_id}"),
    Shot("merchant-postpaid", "/admin/merchants/{postpaid}"),
    Shot("merchant-ending", "/admin/merchants/{ending}",
         press=("details:has(.badge.warn) > summary", "details[open] details > summary")),
    Shot("branches", "/admin/merchants/{merchant_id}/branches"),
    Shot("merchant-statements", "/admin/merchants/{merchant_id}/statements"),
    Shot("merchant-posters", "/admin/merchants/{merchant_id}/posters"),
    Shot("merchant-poster", "/admin/merchants/{merchant_id}/posters/{poster_id}"),
    Shot("statement", "/admin/statements/{statement_id}"),
    Shot("coupons", "/admin/coupons"),
    Shot("coupons-none", "/admin/coupons", "?q=zzz"),
    Shot("coupon", "/admin/coupons/{coupon_id}"),
    Shot("coupon-kept", "/admin/coupons/{kept}"),
    Shot("coupon-issue", "/admin/coupons/issue", "?merchant={merchant_id}&q=沪AD"),
    Shot("coupon-limits", "/admin/coupons/limits", "?merchant={merchant_id}"),
    Shot("coupon-plates", "/admin/coupons/plates"),
    Shot("coupon-often", "/admin/coupons/often", "?least=1"),
    Shot("coupon-usage", "/admin/coupons/usage"),
    Shot("coupon-discounts", "/admin/coupons/discounts"),
    Shot("coupon-vouchers", "/admin/coupons/vouchers"),
    Shot("coupon-reports", "/admin/coupons/reports"),
    Shot("shop", "/admin/shop"),
    Shot("purchases", "/admin/shop/purchases"),
    Shot("payments", "/admin/payments"),
    Shot("payment", "/admin/payments/{order}"),
    Shot("payment-open", "/admin/payments/{still}"),
    Shot("payment-accounts", "/admin/payments/accounts"),
    Shot("payment-bills", "/admin/payments/bills"),
    Shot("payment-invoices", "/admin/payments/invoices"),
    Shot("payment-payouts", "/admin/payments/payouts"),
    Shot("payment-payouts-none", "/admin/payments/payouts", "?q=zzz"),
    Shot("payment-days", "/admin/payments/days", "?all=1"),
    Shot("people-passes", "/admin/people/passes"),
    Shot("books", "/admin/books"),
    Shot("leases", "/admin/leases"),
    Shot("waiting", "/admin/waiting"),
    Shot("incidents", "/admin/incidents", "?all=1"),
    Shot("events", "/admin/events"),
    Shot("edges", "/admin/edges"),
    Shot("lot-new", "/admin/lots/new"),
    Shot("lane-open", "/admin/lots/{lot}/lanes/{lane}/open"),
    Shot("slips", "/admin/lots/{lot}/slips"),
    Shot("office-accounts", "/admin/accounts"),
    Shot("keys", "/admin/keys"),
    Shot("hooks", "/admin/hooks"),
    Shot("hook", "/admin/hooks/{hook_id}"),
    Shot("audit", "/admin/audit"),
    Shot("password", "/password"),
    Shot("missing", "/admin/nowhere", status=404),
)  # fmt: skip

MANAGER = (
    Shot("board", "/admin"),
    Shot("people", "/admin/people"),
    Shot("people-blocked", "/admin/people/blocked"),
    Shot("booth-people", "/admin/booth-people"),
    Shot("reports", "/admin/coupons/reports"),
    Shot("serving", "/admin/lots/merchants"),
)
VERIFIER = (
    Shot("check", "/admin/check"),
    Shot("check-good", "/admin/check", "?q={serial}"),
    Shot("check-used", "/admin/check", "?q={used_serial}"),
    Shot("check-unknown", "/admin/check", "?q=1779951600000"),
)

MERCHANT = (
    Shot("home", "/m"),
    Shot("issue", "/m/issue"),
    Shot("issue-found", "/m/issue", "?q=沪AF"),
    Shot("issue-none", "/m/issue", "?q=ZZ99"),
    Shot("codes", "/m/codes"),
    Shot("code", "/m/codes/{screen}"),
    Shot("print", "/m/print"),
    Shot("print-batch", "/m/print/{paper}"),
    Shot("print-sheet", "/m/print/{paper}/sheet"),
    Shot("shop", "/m/shop"),
    Shot("shop-table", "/m/shop", "?view=table"),
    Shot("shop-buy", "/m/shop/{product_id}"),
    Shot("shop-too-many", "/m/shop/{product_id}", fill={"[name=quantity]": "999"}, press=(SEND,)),
    Shot("home-table", "/m", "?view=table"),
    Shot("invoices", "/m/invoices"),
    Shot("invoice-office", "/m/invoices/{at_office}"),
    Shot("purchases", "/m/shop/purchases"),
    Shot("records", "/m/records"),
    Shot("record", "/m/records/{coupon_id}"),
    Shot("record-wrong", "/m/records/{coupon_id}",
         fill={"[name=plate]": "沪A1", "[name=reason]": "x"},
         press=("form[action$=rebind] .button", "#confirm [data-yes]")),
    Shot("usage", "/m/records/usage"),
    Shot("discounts", "/m/records/discounts"),
    Shot("counter-vouchers", "/m/records/vouchers"),
    Shot("posters", "/m/posters"),
    Shot("poster", "/m/posters/{poster_id}"),
    Shot("ledger", "/m/ledger"),
    Shot("statements", "/m/statements"),
    Shot("statement", "/m/statements/{own_statement}"),
    Shot("staff", "/m/staff"),
    Shot("places", "/m/places"),
    Shot("top-up", "/m/top-up"),
)  # fmt: skip

BRANCH = (
    Shot("home", "/m"),
    Shot("issue", "/m/issue"),
    Shot("codes", "/m/codes"),
    Shot("print", "/m/print"),
    Shot("posters", "/m/posters"),
    Shot("records", "/m/records"),
    Shot("ledger", "/m/ledger"),
)

DRIVER = (
    Shot("claim", "/c/{claim}"),
    Shot("claim-wrong", "/c/{claim}", fill={TYPED: "沪A1"}, press=(NEXT,)),
    Shot("claim-confirm", "/c/{claim}", fill={TYPED: "沪AD12345"}, press=(NEXT,)),
    Shot("claim-done", "/c/{claim_done}", fill={TYPED: "沪AD12345"}, press=(NEXT, NEXT)),
    Shot("mine", "/c/mine"),
    Shot("claim-unknown", "/c/LC1nothing", status=404),
    Shot("claim-taken", "/c/{claim_taken}", status=410),
    Shot("poster-claim", "/p/{poster}"),
    Shot("poster-wrong", "/p/{poster}", fill={TYPED: "hello"}, press=(NEXT,)),
    Shot("poster-done", "/p/{poster}", fill={TYPED: "沪F12345"}, press=(NEXT, NEXT)),
    Shot("poster-again", "/p/{poster}", fill={TYPED: "沪AD12345"}, press=(NEXT, NEXT)),
    Shot("slip", "/v/{token}"),
    Shot("slip-used", "/v/{used_token}", status=410),
    Shot("slip-late", "/v/{late_token}", status=410),
    Shot("slip-forged", "/v/nothing", status=404),
    Shot("fee", "/Q/{quote}"),
    Shot("fee-paid", "/Q/{quote_paid}"),
    Shot("fee-over", "/Q/{quote_over}", status=410),
    Shot("pay", "/pay/{lot}"),
    Shot("pay-silent", "/pay/{lot}", fill={TYPED: "沪Z31526"}, press=(NEXT,)),
    Shot("pay-by-cloud", "/pay/{lot}", fill={TYPED: "苏E5K318"}, press=(NEXT,)),
    Shot("cashier", "/payments/{still}"),
    Shot("cashier-paid", "/payments/{paid}"),
    Shot("invoice", "/payments/{fee_order}/invoice"),
    Shot("invoice-wrong", "/payments/{fee_order}/invoice",
         fill={"[name=title]": "面馆", "[name=email]": "nowhere"}, press=(SEND,)),
    Shot("lane-in", "/lane/{in_code}"),
    Shot("lane", "/lane/{code}"),
    Shot("lane-unknown", "/lane/nothing", status=404),
)  # fmt: skip

SIGN_IN = (
    Shot("login", "/login"),
    Shot("login-wrong", "/login", fill={"[name=account]": "li.wei", "[name=password]": "no"}, press=(SEND,)),
    Shot("m-login", "/m/login"),
)  # fmt: skip

EMPTY_ADMIN = tuple(
    Shot(f"empty-{name}", path)
    for name, path in (
        ("board", "/admin"), ("cars", "/admin/cars"), ("arrears", "/admin/arrears"), ("people", "/admin/people"),
        ("people-blocked", "/admin/people/blocked"), ("people-visitors", "/admin/people/booth-visitors"),
        ("people-excused", "/admin/people/excused"), ("booth-people", "/admin/booth-people"),
        ("shifts", "/admin/shifts"), ("merchant", "/admin/merchants/{merchant_id}"), ("coupons", "/admin/coupons"),
        ("coupon-usage", "/admin/coupons/usage"), ("coupon-reports", "/admin/coupons/reports"),
        ("coupon-often", "/admin/coupons/often"), ("coupon-plates", "/admin/coupons/plates"), ("shop", "/admin/shop"),
        ("purchases", "/admin/shop/purchases"), ("payments", "/admin/payments"), ("bills", "/admin/payments/bills"),
        ("invoices", "/admin/payments/invoices"), ("payouts", "/admin/payments/payouts"),
        ("days", "/admin/payments/days"), ("passes", "/admin/people/passes"), ("accounts", "/admin/payments/accounts"),
        ("books", "/admin/books"),
        ("leases", "/admin/leases"), ("waiting", "/admin/waiting"), ("incidents", "/admin/incidents"),
        ("events", "/admin/events"), ("edges", "/admin/edges"), ("keys", "/admin/keys"), ("hooks", "/admin/hooks"),
        ("statements", "/admin/merchants/{merchant_id}/statements"),
        ("branches", "/admin/merchants/{merchant_id}/branches"),
    )
)  # fmt: skip
EMPTY_MERCHANT = tuple(
    Shot(f"empty-{name}", path)
    for name, path in (
        ("home", "/m"), ("issue", "/m/issue"), ("codes", "/m/codes"), ("print", "/m/print"), ("shop", "/m/shop"),
        ("purchases", "/m/shop/purchases"), ("records", "/m/records"), ("usage", "/m/records/usage"),
        ("posters", "/m/posters"), ("ledger", "/m/ledger"), ("statements", "/m/statements"), ("staff", "/m/staff"),
        ("places", "/m/places"), ("top-up", "/m/top-up"),
    )
)  # fmt: skip
EMPTY_DRIVER = (Shot("empty-mine", "/c/mine"),)

BOTH = (DESKTOP, PHONE)
FULL = (
    Surface("driver", (PHONE,), DRIVER, touch=True),
    Surface("login", BOTH, SIGN_IN),
    Surface("admin", BOTH, ADMIN),
    Surface("manager", BOTH, MANAGER),
    Surface("verifier", BOTH, VERIFIER),
    Surface("merchant", BOTH, MERCHANT),
    Surface("branch", BOTH, BRANCH),
)
EMPTY = (
    Surface("driver", (PHONE,), EMPTY_DRIVER, touch=True),
    Surface("admin", BOTH, EMPTY_ADMIN),
    Surface("merchant", BOTH, EMPTY_MERCHANT),
)


def without_picture() -> list[str]:
    """Pages of the table of doors that nobody photographs, and photographs of pages that are not there."""
    taken = {
        shape(f"GET {shot.route}")
        for surface in (*FULL, *EMPTY)
        for shot in surface.shots
        if shot.status != 404 or "{" in shot.route
    }
    there = {shape(route) for route in _page_routes()}
    return sorted({*(there - taken), *(f"{route}: no such page" for route in taken - there)})


def _page_routes() -> Iterator[str]:
    for route in DOORS:
        last = route.rpartition("/")[2]
        if route.startswith("GET ") and route not in NO_PAGES and last != "live" and "." not in last:
            yield route
