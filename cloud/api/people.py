"""Calls about people: monthly cars, visitors, free and staff cars, months they pay, and plates that are not let in."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from cloud.access.scopes import Scope
from cloud.act import Act
from cloud.api.lots import shown_page
from cloud.api.operation import NO_BODY, Ask, NotThereError, Operation, done, made, rows
from cloud.api.schema import (
    AT_MS,
    DONE,
    END_MS,
    FLAG,
    ID,
    MOMENT,
    PAGE,
    WHOLE,
    listing,
    maybe,
    one_of,
    record,
    text,
    whole,
)
from cloud.api.shop import TO_PAY, to_pay
from cloud.blocked import LONGEST_REASON
from cloud.members import blocking, excused, extending, service, visiting
from cloud.members.excused import WHYS
from cloud.members.service import STATES, Entitled
from cloud.members.terms import LONGEST_NAME, LONGEST_REMARK, MOST_GRACE, MOST_PLATES, MOST_WINDOWS, Terms
from domain.entitlement import Grant, WhenFull
from domain.plate import mask, normalise
from plumbing.web import Page


def list_people(conn: Connection, act: Act, ask: Ask) -> Any:
    """Entitlements, newest first; looked for by who may see plates."""
    query = ask.query
    search = query.get("q", "") if ask.may(Scope.PLATES) else ""
    wanted = service.Wanted(search, query.get("kind", ""), query.get("lot_id"), query.get("state", ""))
    found = service.listed(conn, act.operator_id, wanted, act.now_ms, ask.page)
    return Page([_told(ask, one) for one in found.items], found.number, found.total, found.size, found.more)


def _told(ask: Ask, one: Entitled) -> dict[str, Any]:
    sees = ask.may(Scope.PLATES)
    return {
        **one.row,
        "phone": one.row["phone"] if sees else "",
        "plates": [plate if sees else mask(plate) for plate in one.plates],
        "zones": [{"lot_id": lot_id, "zone": zone} for lot_id, zone in one.zones],
        "windows": [{"from_min": begins, "to_min": ends, "weekdays": list(days)} for begins, ends, days in one.windows],
        "state": one.state(ask.cloud.now_ms()),
    }


def _held(conn: Connection, act: Act, ask: Ask) -> Entitled:
    held = service.get(conn, act.operator_id, ask.id("person_id"))
    if held is None:
        raise NotThereError
    return held


def get_person(conn: Connection, act: Act, ask: Ask) -> Any:
    """One entitlement."""
    return _told(ask, _held(conn, act, ask))


def _terms(ask: Ask) -> Terms:
    body = dict(ask.body)
    windows = tuple((one["from_min"], one["to_min"], tuple(one["weekdays"])) for one in body.pop("windows", ()))
    return Terms(
        kind=Grant(body.pop("kind")),
        plates=tuple(normalise(plate) for plate in body.pop("plates")),
        zones=tuple((one["lot_id"], one.get("zone", "")) for one in body.pop("zones")),
        windows=windows,
        when_full=WhenFull(body.pop("when_full", WhenFull.TEMPORARY)),
        **body,
    )


def add_person(conn: Connection, act: Act, ask: Ask) -> Any:
    """A new entitlement; its lots hear of it."""
    return made(service.add(conn, act, _terms(ask)), "person_id")


def change_person(conn: Connection, act: Act, ask: Ask) -> Any:
    """Other terms, all of them."""
    return done(service.change(conn, act, _held(conn, act, ask).row["entitlement_id"], _terms(ask)))


def end_person(conn: Connection, act: Act, ask: Ask) -> Any:
    """Take it back; what was parked until now stays covered."""
    return done(service.end(conn, act, ask.id("person_id"), ask.body["reason"]))


def extend(conn: Connection, act: Act, ask: Ask) -> Any:
    """An order for a month more."""
    return to_pay(extending.begin_here(conn, act, ask.id("person_id")), ask)


def list_months(conn: Connection, act: Act, ask: Ask) -> Any:
    """Months that were paid, newest first."""
    return rows(extending.listed(conn, act.operator_id, page=ask.page))


def list_prices(conn: Connection, act: Act, ask: Ask) -> Any:
    """What a month costs; a lot that is not named offers none."""
    return [
        {"lot_id": lot_id, "month_fen": fen} for lot_id, fen in sorted(extending.prices(conn, act.operator_id).items())
    ]


def set_price(conn: Connection, act: Act, ask: Ask) -> Any:
    """What a month costs at a lot; 0 ends the offer."""
    return done(extending.set_price(conn, act, ask.id("lot_id"), ask.body["month_fen"]))


def list_blocked(conn: Connection, act: Act, ask: Ask) -> Any:
    """Plates that are not let in, newest first."""
    search = ask.query.get("q", "") if ask.may(Scope.PLATES) else ""
    everything = ask.query.get("all", False)
    found = blocking.listed(conn, act.operator_id, act.now_ms, search, ask.page, everything=everything)
    return shown_page(ask, found)


def block(conn: Connection, act: Act, ask: Ask) -> Any:
    """Keep a plate out of one lot, or of all."""
    body = ask.body
    args = body["plate"], body["reason"], body.get("lot_id"), body.get("ends_ms")
    return made(blocking.block(conn, act, *args), "block_id")


def unblock(conn: Connection, act: Act, ask: Ask) -> Any:
    """Let it in again."""
    return done(blocking.unblock(conn, act, ask.id("block_id"), ask.body["reason"]))


def list_visitors(conn: Connection, act: Act, ask: Ask) -> Any:
    """Visitors the booths let park free."""
    search = ask.query.get("q", "") if ask.may(Scope.PLATES) else ""
    return shown_page(ask, visiting.listed(conn, act.operator_id, search, ask.page))


def list_excused(conn: Connection, act: Act, ask: Ask) -> Any:
    """Stays that ended without their fee being paid."""
    query = ask.query
    search = query.get("q", "") if ask.may(Scope.PLATES) else ""
    times = query.get("from_ms", 0), query.get("until_ms", END_MS)
    day = excused.Day(*times, query.get("lot_id"), query.get("why", ""), search)
    return shown_page(ask, excused.listed(conn, act.operator_id, day, ask.page))


_WINDOW = record({
    "from_min": whole(0, 1439), "to_min": whole(0, 1440), "weekdays": listing(whole(0, 6), 7),
})  # fmt: skip
_PERSON = record({
    "entitlement_id": WHOLE, "kind": text(), "name": text(), "phone": text(), "host": text(), "remark": text(),
    "plates": listing(text()), "zones": listing(record({"lot_id": WHOLE, "zone": text()})), "places": WHOLE,
    "begins_ms": maybe(MOMENT), "ends_ms": maybe(MOMENT), "grace_days": WHOLE, "windows": listing(_WINDOW),
    "when_full": text(), "state": text(), "created_ms": MOMENT, "ended_ms": maybe(MOMENT),
})  # fmt: skip
_TERMS = record(
    {
        "kind": one_of(*Grant), "name": text(LONGEST_NAME, 1), "plates": listing(text(20, 1), MOST_PLATES),
        "zones": listing(record({"lot_id": ID}, {"zone": text(32)}), 200),
    },
    {
        "phone": text(15), "host": text(LONGEST_NAME), "remark": text(LONGEST_REMARK), "places": whole(0, MOST_PLATES),
        "begins_ms": maybe(AT_MS), "ends_ms": maybe(AT_MS), "grace_days": whole(0, MOST_GRACE),
        "windows": listing(_WINDOW, MOST_WINDOWS), "when_full": one_of(*WhenFull),
    },
)  # fmt: skip
_MONTH = record({
    "order_id": text(), "entitlement_id": WHOLE, "name": text(), "lot_id": WHOLE, "amount_fen": WHOLE,
    "from_ms": MOMENT, "until_ms": MOMENT, "state": text(), "created_by": text(), "done_ms": maybe(MOMENT),
    "undone_ms": maybe(MOMENT),
})  # fmt: skip
_BLOCKED = record({
    "blocked_id": WHOLE, "plate": text(), "reason": text(), "lot_id": maybe(WHOLE), "ends_ms": maybe(MOMENT),
    "created_ms": MOMENT, "created_by": text(), "ended_ms": maybe(MOMENT), "ended_by": maybe(text()),
})  # fmt: skip
_VISITOR = record({
    "visitor_id": text(), "lot_id": WHOLE, "plate": text(), "host": text(), "begins_ms": MOMENT, "ends_ms": MOMENT,
    "added_by": text(), "ended_by": text(),
})  # fmt: skip
_EXCUSED = record({
    "stay_id": text(), "lot_id": WHOLE, "lane": text(), "plate": text(), "why": text(), "detail": text(1000),
    "excused_by": text(), "waived_fen": WHOLE, "happened_ms": MOMENT,
})  # fmt: skip
_ONE = {"person_id": ID}
_REASON = text(LONGEST_REASON, 1)
_MONTH_FEN = whole(0, extending.MOST_FEN)

OPERATIONS = (
    Operation(
        "GET", "/people", "list_people", "Monthly cars, visitors, free and staff cars, newest first", list_people,
        listing(_PERSON), Scope.PEOPLE,
        query={"q": text(60), "kind": one_of(*Grant), "lot_id": ID, "state": one_of(*STATES), "page": PAGE},
    ),
    Operation(
        "POST", "/people", "add_person", "Let somebody's cars park; a zone left out is the whole lot", add_person,
        record({"person_id": WHOLE}), Scope.PEOPLE, status=201, body=_TERMS,
    ),
    Operation(
        "GET", "/people/{person_id}", "get_person", "One of them", get_person, _PERSON, Scope.PEOPLE, within=_ONE,
    ),
    Operation(
        "POST", "/people/{person_id}", "change_person", "Other terms; what is left out is empty", change_person, DONE,
        Scope.PEOPLE, within=_ONE, body=_TERMS,
    ),
    Operation(
        "POST", "/people/{person_id}/end", "end_person", "Take it back; what was parked until now stays covered",
        end_person, DONE, Scope.PEOPLE, within=_ONE, body=record({"reason": _REASON}),
    ),
    Operation(
        "POST", "/people/{person_id}/months", "extend_pass", "An order for a month more of a monthly pass", extend,
        TO_PAY, Scope.MONEY, within=_ONE, moves_money=True, status=201, body=NO_BODY,
    ),
    Operation(
        "GET", "/pass-months", "list_pass_months", "Months that were paid online, newest first", list_months,
        listing(_MONTH), Scope.PEOPLE, query={"page": PAGE},
    ),
    Operation(
        "GET", "/pass-prices", "list_pass_prices", "What a month and place costs by lot", list_prices,
        listing(record({"lot_id": WHOLE, "month_fen": WHOLE})), Scope.READ,
    ),
    Operation(
        "POST", "/lots/{lot_id}/pass-price", "set_pass_price", "What a month and place costs at a lot; 0: not offered",
        set_price, DONE, Scope.MONEY, within={"lot_id": ID}, moves_money=True, body=record({"month_fen": _MONTH_FEN}),
    ),
    Operation(
        "GET", "/blocked-plates", "list_blocked_plates", "Plates that are not let in, newest first", list_blocked,
        listing(_BLOCKED), Scope.PEOPLE, query={"q": text(60), "all": FLAG, "page": PAGE},
    ),
    Operation(
        "POST", "/blocked-plates", "block_plate", "Keep a plate out of one lot, or of all", block,
        record({"block_id": WHOLE}), Scope.PEOPLE, status=201,
        body=record({"plate": text(20, 1), "reason": _REASON}, {"lot_id": maybe(ID), "ends_ms": maybe(AT_MS)}),
    ),
    Operation(
        "POST", "/blocked-plates/{block_id}/end", "unblock_plate", "Let it in again", unblock, DONE, Scope.PEOPLE,
        within={"block_id": ID}, body=record({"reason": _REASON}),
    ),
    Operation(
        "GET", "/booth-visitors", "list_booth_visitors", "Visitors the booths let park free, newest first",
        list_visitors, listing(_VISITOR), Scope.PEOPLE, query={"q": text(60), "page": PAGE},
    ),
    Operation(
        "GET", "/excused-stays", "list_excused_stays", "Stays that ended without their fee being paid, newest first",
        list_excused, listing(_EXCUSED), Scope.PEOPLE,
        query={
            "from_ms": AT_MS, "until_ms": AT_MS, "lot_id": ID, "why": one_of(*WHYS), "q": text(60), "page": PAGE,
        },
    ),
)  # fmt: skip
