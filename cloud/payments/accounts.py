"""Accounts at providers, and which of them takes the money of a lot and a purpose. Never one of another operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, RowMapping, delete, insert, select

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.db import new_id
from cloud.lots import service as lots
from cloud.payments.tables import pay_account, pay_use

EVERY_LOT, EVERY_PURPOSE = 0, ""


def keep(conn: Connection, act: Act, kinds: Mapping[str, str]) -> None:
    """Know the accounts of the settings file by *name -> provider*. The first of a provider takes all its money."""
    known = {row["name"]: row for row in accounts(conn, act.operator_id)}
    used = {row["provider"] for row in uses(conn, act.operator_id)}
    for name, provider in sorted(kinds.items()):
        if name in known:
            continue
        values = {"operator_id": act.operator_id, "name": name, "provider": provider, "created_ms": act.now_ms}
        account_id = new_id(conn, insert(pay_account).values(**values))
        if provider not in used:
            used.add(provider)
            _use(conn, act.operator_id, EVERY_LOT, EVERY_PURPOSE, provider, account_id)


def _use(conn: Connection, operator_id: int, lot_id: int, purpose: str, provider: str, account_id: int) -> None:
    values = {"operator_id": operator_id, "lot_id": lot_id, "purpose": purpose, "provider": provider}
    conn.execute(insert(pay_use).values(**values, account_id=account_id))


def accounts(conn: Connection, operator_id: int) -> Sequence[RowMapping]:
    """Every account of the operator."""
    query = select(pay_account).where(pay_account.c.operator_id == operator_id)
    return conn.execute(query.order_by(pay_account.c.account_id)).mappings().all()


def uses(conn: Connection, operator_id: int) -> Sequence[RowMapping]:
    """What each account is for, by lot and purpose."""
    query = (
        select(pay_use, pay_account.c.name)
        .join(pay_account, pay_account.c.account_id == pay_use.c.account_id)
        .where(pay_use.c.operator_id == operator_id)
        .order_by(pay_use.c.provider, pay_use.c.lot_id, pay_use.c.purpose)
    )
    return conn.execute(query).mappings().all()


def choose(conn: Connection, operator_id: int, lot_id: int | None, purpose: str) -> dict[str, RowMapping]:
    """The account of each provider for this money: lot and purpose, then the lot, then the purpose, then all."""
    query = (
        select(pay_use.c.lot_id, pay_use.c.purpose, pay_account)
        .join(pay_account, pay_account.c.account_id == pay_use.c.account_id)
        .where(
            pay_use.c.operator_id == operator_id,
            pay_account.c.operator_id == operator_id,
            pay_use.c.lot_id.in_((EVERY_LOT, lot_id or EVERY_LOT)),
            pay_use.c.purpose.in_((EVERY_PURPOSE, purpose)),
        )
        .order_by((pay_use.c.lot_id != EVERY_LOT), (pay_use.c.purpose != EVERY_PURPOSE))
    )
    return {row["provider"]: row for row in conn.execute(query).mappings()}  # the closest comes last


def assign(conn: Connection, act: Act, lot_id: int, purpose: str, provider: str, account_id: int) -> Refused | None:
    """Have an account take this money from now on; 0 for *account_id* leaves it to the next wider rule."""
    if lot_id != EVERY_LOT and lots.get_lot(conn, act.operator_id, lot_id) is None:
        return Refused("lot_unknown")
    held = {row["account_id"]: row for row in accounts(conn, act.operator_id)}
    if account_id and (account_id not in held or held[account_id]["provider"] != provider):
        return Refused("account_unknown")
    at = (pay_use.c.operator_id == act.operator_id) & (pay_use.c.lot_id == lot_id) & (pay_use.c.purpose == purpose)
    conn.execute(delete(pay_use).where(at, pay_use.c.provider == provider))
    if account_id:
        _use(conn, act.operator_id, lot_id, purpose, provider, account_id)
    after = {"lot_id": lot_id, "purpose": purpose, "provider": provider, "account_id": account_id}
    audit.record(conn, act, "pay_account.assigned", f"pay_account:{account_id}", after=after)
    return None
