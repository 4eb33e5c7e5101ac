"""Tries to pay an order: each a number of its own at one provider, made known there, asked about, closed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, RowMapping, insert, select, update

from cloud.act import Act, Refused
from cloud.payments import accounts
from cloud.payments.orders import PayOrder, lock
from cloud.payments.provider import Charge, Prepared, Way
from cloud.payments.tables import pay_account, pay_order, pay_try

FIRST_ASK_MS = 5_000
SLOWEST = 4  # doublings: 80 s


_STANDING = (
    select(pay_try, pay_account.c.name.label("account"), pay_order.c.state.label("order_state"))
    .join(pay_account, pay_account.c.account_id == pay_try.c.account_id)
    .join(pay_order, pay_order.c.order_id == pay_try.c.order_id)
)


@dataclass(frozen=True, slots=True)
class Begun:
    """A try that the provider is to hear of, or heard of (*prepared*)."""

    order: PayOrder
    number: str
    account_id: int
    account: str
    prepared: Prepared | None

    def charge(self, notify_url: str, return_url: str, payer: str, address: str) -> Charge:
        """What the provider is told."""
        order = self.order
        return Charge(
            self.number, order.amount_fen, order.description, order.expires_ms, notify_url, return_url, payer, address
        )


def begin(conn: Connection, act: Act, order_id: str, provider: str, way: Way, payer: str = "") -> Begun | Refused:
    """A try at the account of *provider* for this order; the one that waits already, if it serves the same payer."""
    order = lock(conn, act.operator_id, order_id)
    if order is None:
        return Refused("order_unknown")
    if order.state != "open" or order.expires_ms <= act.now_ms:
        return Refused("order_not_open")
    account = accounts.choose(conn, act.operator_id, order.lot_id, order.purpose).get(provider)
    if account is None:
        return Refused("provider_unknown")
    account_id, name = account["account_id"], account["name"]
    same = select(pay_try).where(
        pay_try.c.order_id == order_id,
        pay_try.c.account_id == account_id,
        pay_try.c.way == way.value,
        pay_try.c.payer == payer,
        pay_try.c.state == "waiting",
        pay_try.c.prepared != "",
    )
    known = conn.execute(same.limit(1)).mappings().one_or_none()
    if known is not None and way is not Way.CODE:
        return Begun(order, known["number"], account_id, name, Prepared(**json.loads(known["prepared"])))
    number = act.uuid().replace("-", "")
    conn.execute(
        insert(pay_try).values(
            number=number,
            operator_id=act.operator_id,
            order_id=order_id,
            account_id=account_id,
            way=way.value,
            state="waiting",
            amount_fen=order.amount_fen,
            paid_fen=0,
            prepared="",
            provider_number="",
            payer=payer,
            created_ms=act.now_ms,
            ask_ms=act.now_ms + FIRST_ASK_MS,
            asked=0,
        )
    )
    return Begun(order, number, account_id, name, None)


def prepared(conn: Connection, number: str, what: Prepared) -> None:
    """Keep what the payer needs, to show it again."""
    conn.execute(update(pay_try).where(pay_try.c.number == number).values(prepared=json.dumps(asdict(what))))


def to_ask(conn: Connection, operator_id: int, now_ms: int, most: int = 20) -> Sequence[RowMapping]:
    """Tries nobody has heard the end of, with their account and how their order stands."""
    query = (
        _STANDING.where(pay_try.c.operator_id == operator_id, pay_try.c.ask_ms <= now_ms, pay_try.c.state == "waiting")
        .order_by(pay_try.c.ask_ms, pay_try.c.number)
        .limit(most)
    )
    return conn.execute(query).mappings().all()


def get(conn: Connection, operator_id: int, number: str) -> RowMapping | None:
    """One try, with its account and how its order stands."""
    query = _STANDING.where(pay_try.c.operator_id == operator_id, pay_try.c.number == number)
    return conn.execute(query).mappings().one_or_none()


def put_off(conn: Connection, act: Act, number: str) -> None:
    """Ask again later, each time after a longer while."""
    at = (pay_try.c.number == number) & (pay_try.c.state == "waiting")
    asked = conn.execute(select(pay_try.c.asked).where(at)).scalar_one_or_none()
    if asked is not None:
        wait = FIRST_ASK_MS << min(asked + 1, SLOWEST)
        conn.execute(update(pay_try).where(at).values(asked=asked + 1, ask_ms=act.now_ms + wait))
