"""Calls about money paid online: orders, refunds, invoices, and which account takes what."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection

from cloud.access.scopes import Scope
from cloud.act import Act
from cloud.api.operation import NO_BODY, Ask, NotThereError, Operation, done, made, rows
from cloud.api.schema import (
    AT_MS,
    DONE,
    END_MS,
    ID,
    MOMENT,
    MOST_FEN,
    MOST_ID,
    NAMED,
    PAGE,
    WHOLE,
    listing,
    maybe,
    one_of,
    record,
    text,
    whole,
)  # fmt: skip
from cloud.paid import DUTIES
from cloud.payments import accounts, giving_back, invoices, office, orders, refunds
from cloud.payments import listing as lists
from cloud.payments.listing import Asked
from cloud.payments.orders import PayOrder
from cloud.waiting import service as waiting


def list_orders(conn: Connection, act: Act, ask: Ask) -> Any:
    """Orders, newest first."""
    query = ask.query
    wanted = Asked(
        query.get("from_ms", 0), query.get("until_ms", END_MS), query.get("state", ""), query.get("purpose", ""),
        query.get("q", ""),
    )  # fmt: skip
    return rows(lists.listed(conn, act.operator_id, wanted, ask.page))


def _order(conn: Connection, act: Act, ask: Ask) -> PayOrder:
    """The order of the path; a merchant's program sees its own merchant's. Raises NotThereError."""
    order = orders.get(conn, act.operator_id, ask.path["order_id"])
    if order is None or ask.caller.merchant_id not in (None, order.merchant_id):
        raise NotThereError
    return order


def get_order(conn: Connection, act: Act, ask: Ask) -> Any:
    """One order: how it was tried to be paid, and what went back."""
    order = _order(conn, act, ask)
    tries = lists.tries_of(conn, order.order_id)
    return {
        **asdict(order),
        "tries": [{**row, "left_fen": row["paid_fen"] - refunds.refunded_fen(conn, row["number"])} for row in tries],
        "refunds": [dict(row) for row in refunds.of_order(conn, order.order_id)],
    }


def refund(conn: Connection, act: Act, ask: Ask) -> Any:
    """Money back by the way it came; above the limit it waits for a person to agree."""
    body, limit = ask.body, ask.cloud.settings.payments.refund_limit_fen
    args = _order(conn, act, ask).order_id, body["amount_fen"], body["reason"], limit, body.get("number", "")
    return done(giving_back.ask(conn, act, DUTIES, *args))


def waiting_refunds(conn: Connection, act: Act, ask: Ask) -> Any:
    """What a person has to agree to, and what failed."""
    return [dict(row) for row in lists.waiting_refunds(conn, act.operator_id)]


def send_refund_again(conn: Connection, act: Act, ask: Ask) -> Any:
    """A failed one once more."""
    return done(refunds.again(conn, act, ask.path["refund_id"]))


def list_payments(conn: Connection, act: Act, ask: Ask) -> Any:
    """What a merchant paid, newest first, each with the invoice last asked for."""
    found, asked = invoices.of_merchant(conn, act.operator_id, ask.id("merchant_id"), page=ask.page)
    page = rows(found)
    told = [row | {"invoice": dict(asked[row["order_id"]]) if row["invoice_id"] else None} for row in page.items]
    return replace(page, items=told)


def ask_for_invoice(conn: Connection, act: Act, ask: Ask) -> Any:
    """An invoice for what was paid; the operator's people issue it."""
    body, order = ask.body, _order(conn, act, ask)
    args = order.order_id, body["title"], body.get("tax_number", ""), body["email"]
    return made(invoices.request(conn, act, *args), "invoice_id")


def list_paid_here(conn: Connection, act: Act, ask: Ask) -> Any:
    """What a merchant paid at the office, newest first, each with the invoice last asked for."""
    merchant_id = ask.id("merchant_id")
    last = invoices.last_here(conn, act.operator_id, merchant_id)
    return [
        asdict(one) | {"invoice": dict(last[one.name]) if one.name in last else None}
        for one in DUTIES.paid_here(conn, act.operator_id, merchant_id)
    ]


def ask_for_office_invoice(conn: Connection, act: Act, ask: Ask) -> Any:
    """An invoice for what was paid at the office."""
    body, whose = ask.body, (ask.id("merchant_id"), ask.path["paid"])
    payer = body["title"], body.get("tax_number", ""), body["email"]
    return made(office.ask(conn, act, DUTIES, *whose, *payer), "invoice_id")


def list_invoices(conn: Connection, act: Act, ask: Ask) -> Any:
    """Invoices, newest first, with whom they are for."""
    asked = ask.query
    return rows(invoices.listed(conn, act.operator_id, asked.get("state", ""), asked.get("q", ""), ask.page))


def issue_invoice(conn: Connection, act: Act, ask: Ask) -> Any:
    """It was issued in the tax system."""
    return done(invoices.issue(conn, act, ask.path["invoice_id"], ask.body["number"]))


def refuse_invoice(conn: Connection, act: Act, ask: Ask) -> Any:
    """It will not be issued."""
    return done(invoices.refuse(conn, act, ask.path["invoice_id"], ask.body["reason"]))


def reverse_invoice(conn: Connection, act: Act, ask: Ask) -> Any:
    """The red invoice was made."""
    return done(invoices.reverse(conn, act, ask.path["invoice_id"], ask.body["number"]))


def list_accounts(conn: Connection, act: Act, ask: Ask) -> Any:
    """Accounts at providers, each with what it takes."""
    uses = accounts.uses(conn, act.operator_id)
    return [
        {**row, "takes": [dict(use) for use in uses if use["account_id"] == row["account_id"]]}
        for row in accounts.accounts(conn, act.operator_id)
    ]


def assign_account(conn: Connection, act: Act, ask: Ask) -> Any:
    """Have an account take the money of a lot and a purpose; account 0 leaves it to the wider rule."""
    body = ask.body
    return done(accounts.assign(conn, act, body["lot_id"], body["purpose"], body["provider"], body["account_id"]))


_ORDER = {
    "order_id": text(), "purpose": text(), "subject": text(), "amount_fen": WHOLE, "lot_id": maybe(WHOLE),
    "merchant_id": maybe(WHOLE), "description": text(1000), "state": text(), "fulfilment": text(),
    "expires_ms": MOMENT, "created_ms": MOMENT, "created_by": text(), "paid_ms": maybe(MOMENT),
}  # fmt: skip
_TRY = record({
    "number": text(), "name": text(), "provider": text(), "way": text(), "state": text(), "amount_fen": WHOLE,
    "paid_fen": WHOLE, "left_fen": WHOLE, "provider_number": text(), "created_ms": MOMENT, "ended_ms": maybe(MOMENT),
})  # fmt: skip
_REFUND = record({
    "refund_id": text(), "order_id": text(), "number": text(), "amount_fen": WHOLE, "cause": text(),
    "reason": text(1000), "state": text(), "asked_by": text(), "asked_ms": MOMENT, "agreed_by": text(),
    "done_ms": maybe(MOMENT), "detail": text(1000),
})  # fmt: skip
_INVOICE = record({
    "invoice_id": text(), "order_id": maybe(text()), "paid_here": text(), "merchant_id": maybe(WHOLE),
    "amount_fen": WHOLE, "title": text(), "tax_number": text(),
    "email": text(), "state": text(), "requested_ms": MOMENT, "invoice_number": text(), "reversal_number": text(),
    "decided_by": text(), "decided_ms": maybe(MOMENT), "reason": text(1000),
})  # fmt: skip
_ACCOUNT = record({
    "account_id": WHOLE, "name": text(), "provider": text(),
    "takes": listing(record({"lot_id": WHOLE, "purpose": text()})),
})  # fmt: skip
_ONE, _INVOICE_ID = {"order_id": NAMED}, {"invoice_id": NAMED}
_NUMBER = record({"number": text(invoices.NUMBER_LENGTH, 1)})

_WAITING = record({
    "kind": text(), "since_ms": maybe(MOMENT), "merchant": text(), "about": text(), "amount": WHOLE,
    "commodity": text(), "by": text(), "page": text(),
})  # fmt: skip


def list_waiting(conn: Connection, act: Act, _ask: Ask) -> Any:
    """What waits for the office or for a second person's word, the oldest first."""
    return [asdict(item) for item in waiting.everything(conn, act.operator_id)]


OPERATIONS = (
    Operation(
        "GET", "/waiting", "list_waiting", "What waits for the office or for a second person's word", list_waiting,
        listing(_WAITING), Scope.READ,
    ),
    Operation(
        "GET", "/orders", "list_orders", "Orders to pay online, newest first", list_orders, listing(record(_ORDER)),
        Scope.READ,
        query={
            "from_ms": AT_MS, "until_ms": AT_MS, "state": one_of(*lists.STATES), "purpose": one_of(*orders.PURPOSES),
            "q": text(60), "page": PAGE,
        },
    ),
    Operation(
        "GET", "/orders/{order_id}", "get_order", "One order, its tries and what went back", get_order,
        record({**_ORDER, "tries": listing(_TRY), "refunds": listing(_REFUND)}), Scope.READ, for_merchants=True,
        within=_ONE,
    ),
    Operation(
        "POST", "/orders/{order_id}/refunds", "refund_order",
        "Money back by the way it came; above the limit it waits for a person to agree", refund, DONE, Scope.MONEY,
        within=_ONE, moves_money=True,
        body=record(
            {"amount_fen": whole(1, MOST_FEN), "reason": text(refunds.REASON_LENGTH, 1)}, {"number": text(64)}
        ),
    ),
    Operation(
        "GET", "/refunds", "list_waiting_refunds", "Refunds a person has to agree to, and those that failed",
        waiting_refunds, listing(_REFUND), Scope.READ,
    ),
    Operation(
        "POST", "/refunds/{refund_id}/again", "send_refund_again", "Send a failed refund once more", send_refund_again,
        DONE, Scope.MONEY, within={"refund_id": NAMED}, moves_money=True, body=NO_BODY,
    ),
    Operation(
        "GET", "/merchants/{merchant_id}/payments", "list_payments", "What a merchant paid, each with its invoice",
        list_payments, listing(record({**_ORDER, "invoice": maybe(_INVOICE)})), Scope.READ, for_merchants=True,
        within={"merchant_id": ID}, query={"page": PAGE},
    ),
    Operation(
        "POST", "/orders/{order_id}/invoice", "ask_for_invoice", "An invoice for what was paid", ask_for_invoice,
        record({"invoice_id": text()}), Scope.BUY, for_merchants=True, within=_ONE, moves_money=True, status=201,
        body=record(
            {"title": text(invoices.TITLE_LENGTH, 1), "email": text(invoices.TITLE_LENGTH, 3)},
            {"tax_number": text(20)},
        ),
    ),
    Operation(
        "GET", "/merchants/{merchant_id}/office-payments", "list_office_payments",
        "What a merchant paid at the office, each with its invoice", list_paid_here,
        listing(record({
            "name": text(), "merchant_id": WHOLE, "kind": text(), "about": text(), "paid_fen": WHOLE, "left_fen": WHOLE,
            "paid_ms": MOMENT, "invoice": maybe(_INVOICE),
        })), Scope.READ, for_merchants=True, within={"merchant_id": ID},
    ),
    Operation(
        "POST", "/merchants/{merchant_id}/office-payments/{paid}/invoice", "ask_for_office_invoice",
        "An invoice for what was paid at the office", ask_for_office_invoice, record({"invoice_id": text()}), Scope.BUY,
        for_merchants=True, within={"merchant_id": ID, "paid": NAMED}, moves_money=True, status=201,
        body=record(
            {"title": text(invoices.TITLE_LENGTH, 1), "email": text(invoices.TITLE_LENGTH, 3)},
            {"tax_number": text(20)},
        ),
    ),
    Operation(
        "GET", "/invoices", "list_invoices", "Invoices asked for, newest first, with whom they are for", list_invoices,
        listing(_INVOICE), Scope.MONEY, query={"state": one_of(*invoices.STATES), "q": text(60), "page": PAGE},
    ),
    Operation(
        "POST", "/invoices/{invoice_id}/issue", "issue_invoice", "It was issued in the tax system", issue_invoice, DONE,
        Scope.MONEY, within=_INVOICE_ID, moves_money=True, body=_NUMBER,
    ),
    Operation(
        "POST", "/invoices/{invoice_id}/refuse", "refuse_invoice", "It will not be issued", refuse_invoice, DONE,
        Scope.MONEY, within=_INVOICE_ID, moves_money=True,
        body=record({"reason": text(invoices.REASON_LENGTH, 1)}),
    ),
    Operation(
        "POST", "/invoices/{invoice_id}/reverse", "reverse_invoice", "The red invoice was made", reverse_invoice, DONE,
        Scope.MONEY, within=_INVOICE_ID, moves_money=True, body=_NUMBER,
    ),
    Operation(
        "GET", "/pay-accounts", "list_pay_accounts", "Accounts at providers, and what each takes", list_accounts,
        listing(_ACCOUNT), Scope.READ,
    ),
    Operation(
        "POST", "/pay-accounts", "assign_pay_account", "Which account takes the money of a lot (0: all) and a purpose",
        assign_account, DONE, Scope.MONEY, moves_money=True,
        body=record({
            "lot_id": whole(0, MOST_ID), "purpose": one_of("", *orders.PURPOSES), "provider": text(20, 1),
            "account_id": whole(0, MOST_ID),
        }),
    ),
)  # fmt: skip
