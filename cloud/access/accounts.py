"""Accounts of the operator's own people: who may sign in at the office, and as what (E65, E66).

Two-person acts need two of them. Whatever is done, somebody who may do it again stays able to sign in.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from cloud.access import audit, service
from cloud.access.roles import OFFICE, Role
from cloud.access.tables import audit_log, user, user_lot
from cloud.act import Act, Refused
from cloud.lots import service as lots

NAME_LENGTH: Final = 40
LOGIN: Final = re.compile(r"[a-z][a-z0-9._-]{2,31}")  # a letter first: merchants' accounts are numbers
NOBODY: Final = frozenset({"cloud", "driver", "lot", "payer", "payments"})  # names programs act under


def create(
    conn: Connection, act: Act, login: str, name: str, role: str, password_hash: str, lot_ids: Collection[int] = ()
) -> str | Refused:
    """A new account with a short-lived first password; its login. A lot manager has the lots of *lot_ids*."""
    if not LOGIN.fullmatch(login) or login in NOBODY:
        return Refused("office_login")
    if not name.strip() or len(name) > NAME_LENGTH:
        return Refused("name_missing")
    refused = _wrong(conn, act, role, lot_ids)
    if refused is not None:
        return refused
    made = service.create_user(conn, act, login, name.strip(), Role(role), password_hash, short_lived=True)
    if isinstance(made, Refused):
        return made
    if role == Role.LOT_MANAGER:
        _give_lots(conn, act, made, lot_ids)
        audit.record(conn, act, "user.lots_set", f"user:{login}", after={"lots": sorted(lot_ids)})
    return login


def listed(conn: Connection, operator_id: int) -> Sequence[RowMapping]:
    """The operator's accounts, those that may sign in first."""
    query = select(user).where(user.c.operator_id == operator_id, user.c.role.in_(OFFICE))
    return conn.execute(query.order_by(user.c.enabled.desc(), user.c.login)).mappings().all()


def lots_by_user(conn: Connection, operator_id: int) -> dict[int, frozenset[int]]:
    """The lots of each lot manager."""
    query = select(user_lot.c.user_id, user_lot.c.lot_id).where(user_lot.c.operator_id == operator_id)
    found: dict[int, frozenset[int]] = {}
    for user_id, lot_id in conn.execute(query):
        found[user_id] = found.get(user_id, frozenset()) | {lot_id}
    return found


def lots_of(conn: Connection, user_id: int) -> frozenset[int]:
    """The lots of one lot manager."""
    return frozenset(conn.execute(select(user_lot.c.lot_id).where(user_lot.c.user_id == user_id)).scalars())


def makers(conn: Connection, operator_id: int) -> dict[str, str]:
    """Who made each account, by login, as the audit log tells."""
    query = select(audit_log.c.subject, audit_log.c.made_by).where(
        audit_log.c.operator_id == operator_id, audit_log.c.act == "user.created"
    )
    return {subject.removeprefix("user:"): made_by for subject, made_by in conn.execute(query)}


def set_role(conn: Connection, act: Act, user_id: int, role: str, lot_ids: Collection[int] = ()) -> Refused | None:
    """Another role, or other lots of a lot manager; the account signs in anew for it."""
    row = _held(conn, act, user_id)
    if isinstance(row, Refused):
        return row
    refused = _wrong(conn, act, role, lot_ids)
    if refused is not None:
        return refused
    held, wanted = lots_of(conn, user_id), frozenset(lot_ids) if role == Role.LOT_MANAGER else frozenset()
    if (role, wanted) == (row["role"], held):
        return None
    conn.execute(update(user).where(user.c.user_id == user_id).values(role=role))
    conn.execute(delete(user_lot).where(user_lot.c.user_id == user_id))
    _give_lots(conn, act, user_id, wanted)
    service.end_sessions(conn, user_id)
    before, after = _told(row["role"], held), _told(role, wanted)
    audit.record(conn, act, "user.role_set", _subject(row), before=before, after=after)
    return None


def _wrong(conn: Connection, act: Act, role: str, lot_ids: Collection[int]) -> Refused | None:
    if role not in OFFICE:
        return Refused("office_role")
    if role != Role.LOT_MANAGER:
        return None
    return None if lot_ids and set(lot_ids) <= lots.names(conn, act.operator_id).keys() else Refused("office_lots")


def _give_lots(conn: Connection, act: Act, user_id: int, lot_ids: Collection[int]) -> None:
    of = {"user_id": user_id, "operator_id": act.operator_id}
    rows = [{**of, "lot_id": lot_id} for lot_id in sorted(set(lot_ids))]
    if rows:
        conn.execute(insert(user_lot), rows)


def _told(role: str, lot_ids: Collection[int]) -> dict[str, object]:
    return {"role": role, "lots": sorted(lot_ids)} if lot_ids else {"role": role}


def set_enabled(conn: Connection, act: Act, user_id: int, *, enabled: bool) -> Refused | None:
    """Let in, or out at once: its sessions and tokens end and do not come back with it."""
    row = _held(conn, act, user_id)
    if isinstance(row, Refused):
        return row
    if row["enabled"] is enabled:
        return Refused("office_unknown")
    conn.execute(update(user).where(user.c.user_id == user_id).values(enabled=enabled))
    service.shut_out(conn, act, user_id)
    what = "user.enabled" if enabled else "user.disabled"
    audit.record(conn, act, what, _subject(row), before={"enabled": row["enabled"]}, after={"enabled": enabled})
    return None


def reset(conn: Connection, act: Act, user_id: int, password_hash: str) -> str | Refused:
    """A new first password; the login it is for."""
    row = _held(conn, act, user_id)
    if isinstance(row, Refused):
        return row
    service.set_password(conn, act, user_id, password_hash, must_change=True)
    before, after = {"must_change": row["must_change"]}, {"must_change": True}
    audit.record(conn, act, "user.first_password", _subject(row), before=before, after=after)
    return str(row["login"])


def _held(conn: Connection, act: Act, user_id: int) -> RowMapping | Refused:
    """The account somebody else is about to change, never the last administrator.

    All administrators are locked, so that two who shut each other out at once do so one after the other.
    """
    admins = select(user.c.user_id).where(
        user.c.operator_id == act.operator_id, user.c.role == Role.ADMIN.value, user.c.enabled
    )
    left = set(conn.execute(admins.order_by(user.c.user_id).with_for_update()).scalars())
    query = select(user).where(
        user.c.user_id == user_id, user.c.operator_id == act.operator_id, user.c.role.in_(OFFICE)
    )
    row = conn.execute(query.with_for_update()).mappings().one_or_none()
    if row is None:
        return Refused("office_unknown")
    if row["login"] == act.by:
        return Refused("office_self")
    return Refused("office_last") if left == {user_id} else row


def _subject(row: RowMapping) -> str:
    return f"user:{row['login']}"
