"""A merchant's payments in money, online and at the office, and what became of the invoices it asked for (E23)."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from sqlalchemy import Connection, RowMapping

from cloud import sheets
from cloud.access.roles import Right
from cloud.act import Refused
from cloud.payments import invoices, office
from cloud.payments.desk import DESK
from cloud.payments.invoices import PaidHere
from cloud.payments.orders import Duties
from cloud.web.lists import ShortList, short_list
from cloud.web.state import allow, change, field_of, login_of, merchant_of, read, words, zone_of
from domain.fen import yuan
from plumbing.web import Session, render, texts

STATES = ("none", *invoices.STATES)
AGAIN = ("refused", "reversed")  # another may be asked for
HERE = "/m/invoices"


@dataclass(frozen=True, slots=True)
class Payment:
    """One line of the list. *ask* is the page where an invoice for it is asked for."""

    paid_ms: int
    kind: str  # key of its words
    about: str
    name: str
    amount_fen: int
    invoice: RowMapping | None
    ask: str

    @property
    def state(self) -> str:
        return "none" if self.invoice is None else str(self.invoice["state"])

    @property
    def shown_fen(self) -> int:
        """What the invoice holds while it stands; else what was paid and is still paid."""
        return int(self.invoice["amount_fen"]) if self.invoice is not None and self.invoice["live"] else self.amount_fen


def payments(conn: Connection, operator_id: int, duties: Duties, merchant_id: int, state: str = "") -> list[Payment]:
    """Everything a merchant paid in money, the newest first; with *state* what has its last invoice in it, or none."""
    found, asked = invoices.every_of_merchant(conn, operator_id, merchant_id, sheets.MOST_ROWS)
    made = [
        Payment(
            row["paid_ms"] or row["created_ms"], f"purpose.{row['purpose']}", row["description"], row["order_id"],
            row["amount_fen"], asked.get(row["order_id"]), f"/payments/{row['order_id']}/invoice",
        )
        for row in found
    ]  # fmt: skip
    last = invoices.last_here(conn, operator_id, merchant_id)
    made += [
        Payment(one.paid_ms, f"paid_here.{one.kind}", one.about, one.name, one.left_fen, last.get(one.name),
                f"{HERE}/{one.name}")
        for one in duties.paid_here(conn, operator_id, merchant_id)
    ]  # fmt: skip
    return sorted((one for one in made if state in ("", one.state)), key=lambda one: -one.paid_ms)


def _state(request: web.Request) -> str:
    state = request.query.get("state", "")
    return state if state in STATES else ""


async def _listed(request: web.Request, session: Session) -> ShortList[Payment]:
    t, zone, duties = texts(request), zone_of(request), request.config_dict[DESK].duties

    def cells(one: Payment) -> list[sheets.Cell]:
        names = ("title", "tax_number", "email", "invoice_number", "reversal_number", "reason")
        asked = [one.invoice[name] for name in names] if one.invoice is not None else [""] * len(names)
        state, when = t(f"invoice_state.{one.state}"), sheets.written(one.paid_ms, zone)
        return [when, one.name, t(one.kind), one.about, yuan(one.shown_fen), state, *asked]

    columns = ("col.when", "payments.order", "payments.purpose", "payments.description", "payments.amount", "col.state",
               "invoice.title", "invoice.tax_number", "invoice.email", "invoice.number", "invoice.reversal_number",
               "col.reason")  # fmt: skip
    found = await read(request, payments, duties, merchant_of(session), _state(request))
    return short_list(request, [t(name) for name in columns], found, cells)


async def invoices_page(request: web.Request) -> web.Response:
    """Every payment with its invoice, and the way to ask for one."""
    session = await allow(request, Right.OWN_MERCHANT)
    page = (await _listed(request, session)).page(request)
    return render(request, "my_invoices.html", page=page, state=_state(request), states=STATES, again=AGAIN)


async def invoices_file(request: web.Request) -> web.Response:
    """The same as a file."""
    found = await _listed(request, await allow(request, Right.OWN_MERCHANT))
    return await found.file(request, "invoices", texts(request)("nav.invoices"))


def _one(
    conn: Connection, operator_id: int, duties: Duties, merchant_id: int, name: str
) -> tuple[PaidHere, RowMapping | None]:
    found = office.find(conn, operator_id, duties, merchant_id, name)
    if found is None:
        raise web.HTTPNotFound
    return found, invoices.current(conn, name)


async def _ask(request: web.Request, session: Session, refused: Refused | None = None) -> web.Response:
    duties, t = request.config_dict[DESK].duties, texts(request)
    found, invoice = await read(request, _one, duties, merchant_of(session), request.match_info["at_office"])
    form = {name: await field_of(request, name) for name in ("title", "tax_number", "email")}
    return render(
        request, "invoice_ask.html", status=422 if refused else 200, error=words(request, refused), form=form,
        about=f"{t('paid_here.' + found.kind)} {found.about}", back=HERE, invoice=invoice, fen=found.left_fen,
    )  # fmt: skip


async def ask_page(request: web.Request) -> web.Response:
    """Who is on the invoice of what was paid at the office?"""
    return await _ask(request, await allow(request, Right.OWN_MERCHANT))


async def ask(request: web.Request) -> web.Response:
    """Ask for it."""
    session = await allow(request, Right.OWN_MERCHANT)
    payer = [await field_of(request, name) for name in ("title", "tax_number", "email")]
    duties, name = request.config_dict[DESK].duties, request.match_info["at_office"]
    made = await change(request, login_of(session), office.ask, duties, merchant_of(session), name, *payer)
    if isinstance(made, Refused):
        return await _ask(request, session, made)  # HTTPNotFound where nothing was paid under this name
    raise web.HTTPSeeOther(f"{HERE}/{name}")


def add_routes(app: web.Application) -> None:
    """The list, its file, and the form of what was paid at the office."""
    app.router.add_get(HERE, invoices_page)
    app.router.add_get(HERE + ".{kind:csv|xlsx}", invoices_file)
    app.router.add_get(HERE + "/{at_office}", ask_page)
    app.router.add_post(HERE + "/{at_office}", ask)
