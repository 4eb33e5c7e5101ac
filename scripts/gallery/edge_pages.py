"""Every page of a lot's own listeners: booth, counter, and the lanes' pages for drivers."""

from __future__ import annotations

from collections.abc import Iterable

from scripts.gallery.camera import BOOTH, PHONE, SMALL_BOOTH, Shot, Surface, shape

NO_PAGES = frozenset(
    {
        "GET /",  # leads on
        "GET /booth/kiosk",
        "GET /healthz",
        "GET /metrics",
        "GET /booth/picture/{decision}/{kind}",
        "GET /booth/cameras/{camera}/picture",
        "GET /booth/cameras/{camera}/view",  # a part of the page of cameras
        "GET /booth/stay/{stay}/phone/code",  # parts of pages that wait for money
        "GET /booth/stay/{stay}/code/state",
        "GET /booth/stock/{take}/csv",
    }
)

AT = "/booth/stay/{stay}"
SEND, YES = "main button.primary.big", "#confirm [data-yes]"
MORNING = (Shot("empty", "/booth"), Shot("cars-empty", "/booth/cars"), Shot("lists-empty", "/booth/lists"),
           Shot("arrears-empty", "/booth/arrears"), Shot("shift-empty", "/booth/shift"),
           Shot("stock-empty", "/booth/stock"),
           Shot("alarms-empty", "/booth/alarms"),
           Shot("excused-empty", "/booth/excused"), Shot("cameras-none", "/booth/cameras"))  # fmt: skip
GLASS = (Shot("cameras", "/booth/cameras"),)
HARD = (Shot("cameras-hard", "/booth/cameras"),)
LOST = (Shot("cameras-lost", "/booth/cameras"),)
AFTERNOON = (
    Shot("lanes", "/booth"),
    Shot("cars", "/booth/cars"),
    Shot("cars-none", "/booth/cars", "?q=Z99"),
    Shot("cars-keys", "/booth/cars", press=("[name=q]",)),
    Shot("open-keys", "/booth/lane/{lane}/open", press=("[name=other]",)),
    Shot("visitor-keys", "/booth/lists/visitors/new", press=("[name=host]", "[data-page=provinces]")),
    Shot("stay", AT),
    Shot("stay-gone", "/booth/stay/{gone}"),
    Shot("reopen", "/booth/stay/{gone}/reopen"),
    Shot("twice", AT + "/gone"),
    Shot("cash", AT + "/cash"),
    Shot("cash-confirm", AT + "/cash", press=("[data-tender='2000']", SEND)),
    Shot("waive", AT + "/waive"),
    Shot("fee", AT + "/fee"),
    Shot("lock", AT + "/lock"),
    Shot("refund", "/booth/stay/{gone}/refund"),
    Shot("paper", AT + "/paper"),
    Shot("paper-wrong", AT + "/paper", fill={"main .card [name=scanned]": "nonsense"}, press=(SEND,)),
    Shot("code", AT + "/code"),
    Shot("phone", AT + "/phone"),
    Shot("mend", AT + "/plate"),
    Shot("since", AT + "/since"),
    Shot("plate", "/booth/lane/{lane}/plate"),
    Shot("plate-ask", "/booth/lane/{entry}/plate"),
    Shot("open", "/booth/lane/{lane}/open"),
    Shot("open-wrong", "/booth/lane/{lane}/open", press=("button.danger.big", YES)),
    Shot("hold", "/booth/lane/{lane}/hold"),
    Shot("attend", "/booth/lane/{lane}/attend"),
    Shot("entry", "/booth/entry", "?plate=京A12345&lane={lane}"),
    Shot("lists", "/booth/lists"),
    Shot("lists-found", "/booth/lists", "?q=123"),
    Shot("visitor", "/booth/lists/visitors/new"),
    Shot("excused", "/booth/excused"),
    Shot("arrears", "/booth/arrears"),
    Shot("debt", "/booth/debt/{debt}"),
    Shot("debt-cash", "/booth/debt/{debt}/cash"),
    Shot("debt-waive", "/booth/debt/{debt}/{act}"),
    Shot("shift", "/booth/shift"),
    Shot("shift-report", "/booth/shift/{shift}"),
    Shot("shift-close", "/booth/shift/{open_shift}/close"),
    Shot("stock", "/booth/stock"),
    Shot("stock-walk", "/booth/stock/{take}"),
    Shot("printers", "/booth/printers"),
    Shot("zones", "/booth/zones"),
    Shot("rules", "/booth/rules"),
    Shot("alarms", "/booth/alarms"),
    Shot("alarms-all", "/booth/alarms", "?all=1"),
    Shot("extend", "/booth/extend"),
    Shot("people", "/booth/people"),
    Shot("pin", "/booth/pin"),
    Shot("missing", "/booth/nothing", status=404),
)
OFFLINE = (Shot("offline", "/booth"),)
STUCK = (Shot("stuck", "/booth"),)
MANY = (Shot("many", "/booth"),)
GATES = (Shot("gates", "/booth"),)
SIGN_IN = (
    Shot("login", "/login"),
    Shot("login-wrong", "/login", fill={"[name=account]": "王芳", "[name=password]": "000000"},
         press=("main button.primary",)),
)  # fmt: skip
COUNTER_MORNING = (Shot("empty", "/counter"), Shot("vouchers-empty", "/counter/vouchers"))
COUNTER_DAY = (
    Shot("doubt", "/counter"),
    Shot("print", "/counter/print/{template}"),
    Shot("vouchers", "/counter/vouchers"),
    Shot("void", "/counter/voucher/{key}-{counter}"),
)
LANE = (Shot("lane", "/lane/{code}"),)

BOOTHS, COUNTERS = (BOOTH, SMALL_BOOTH), (SMALL_BOOTH, PHONE)


def booth(shots: Iterable[Shot]) -> Surface:
    """The attendant's touchscreen."""
    return Surface("booth", BOOTHS, tuple(shots), touch=True)


def counter(shots: Iterable[Shot]) -> Surface:
    """The small screen in a shop, or a phone."""
    return Surface("counter", COUNTERS, tuple(shots), touch=True)


def lane(shots: Iterable[Shot]) -> Surface:
    """A driver's phone in the lot's own network."""
    return Surface("lane", (PHONE,), tuple(shots), touch=True)


OF_BOOTH = (*SIGN_IN, *MORNING, *GLASS, *HARD, *LOST, *AFTERNOON, *OFFLINE, *STUCK)
OF_COUNTER = (*COUNTER_MORNING, *COUNTER_DAY)


def without_picture(routes: Iterable[str]) -> list[str]:
    """Those of the listeners' *routes* ("GET /booth") that nobody photographs."""
    taken = {shape(f"GET {shot.route}") for shot in (*OF_BOOTH, *OF_COUNTER, *LANE)}
    left = {shape(one) for one in routes if one.startswith("GET ")} - taken - {shape(one) for one in NO_PAGES}
    return sorted(one for one in left if "/static" not in one and not one.endswith(("/live", ".png")))
