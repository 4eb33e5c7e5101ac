"""People who may log in: their passwords, their roles, and tokens for programs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, func, insert, or_, select, true, update

from cloud.access import audit
from cloud.access.roles import Role
from cloud.access.tables import api_token, user, web_session, wechat_binding
from cloud.act import Act, Refused
from cloud.db import Database, new_id
from domain.ids import crockford_encode
from plumbing.passwords import random_password
from plumbing.web import Session

FIRST_LOGIN = "admin"
SHORTEST = 8
FIRST_MS = 72 * 3_600_000  # how long a first password is good
FIRST_TRIES = 5  # wrong ones that use it up
SESSION_MS = 24 * 3_600_000  # twice as long as any session lasts


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who proved who they are."""

    user_id: int
    operator_id: int
    login: str
    name: str
    role: Role
    merchant_id: int | None
    must_change: bool
    first_until_ms: int | None = None  # of a first password that does not last

    def is_over(self, now_ms: int) -> bool:
        """A first password nobody used in time, used once already, or guessed at too often (E66)."""
        return self.must_change and self.first_until_ms is not None and now_ms >= self.first_until_ms


def create_user(
    conn: Connection,
    act: Act,
    login: str,
    name: str,
    role: Role,
    password_hash: str,
    merchant_id: int | None = None,
    *,
    short_lived: bool = False,
) -> int | Refused:
    """A new account; its first password must be changed at the first login, and may be *short_lived* (E66)."""
    if conn.execute(select(user.c.user_id).where(user.c.login == login)).first() is not None:
        return Refused("login_taken", {"login": login})
    user_id = new_id(
        conn,
        insert(user).values(
            operator_id=act.operator_id,
            login=login,
            name=name,
            role=role.value,
            merchant_id=merchant_id,
            password_hash=password_hash,
            must_change=True,
            first_until_ms=act.now_ms + FIRST_MS if short_lived else None,
            enabled=True,
            created_ms=act.now_ms,
        ),
    )
    audit.record(conn, act, "user.created", f"user:{login}", after={"role": role.value})
    return user_id


def first_password(phone: str) -> str:
    """The last six digits of the phone (S1.5); something to read out where there are none."""
    digits = phone[-6:]
    return digits if len(digits) == 6 and digits.isascii() and digits.isdigit() else random_password()


def use_first(conn: Connection, user_id: int, now_ms: int) -> None:
    """A short-lived first password opens one session, in which it is changed."""
    short = update(user).where(user.c.user_id == user_id, user.c.must_change, user.c.first_until_ms > now_ms)
    conn.execute(short.values(first_until_ms=now_ms))


def wrong_first(conn: Connection, user_id: int) -> None:
    """A wrong try takes a part of a first password's life, so that guessing six digits ends soon, on any worker."""
    short = update(user).where(user.c.user_id == user_id, user.c.must_change, user.c.first_until_ms.is_not(None))
    conn.execute(short.values(first_until_ms=user.c.first_until_ms - FIRST_MS // FIRST_TRIES))


def named(search: str) -> ColumnElement[bool]:
    """Is a part of an account's name or login *search*, as a part of another question?"""
    return or_(*(user.c[name].contains(search, autoescape=True) for name in ("login", "name"))) if search else true()


def note_sign_in(conn: Connection, user_id: int, now_ms: int, address: str) -> None:
    """Keep when and from where an account came in last, for who looks after accounts."""
    conn.execute(update(user).where(user.c.user_id == user_id).values(signed_in_ms=now_ms, signed_in_from=address))


def has_users(conn: Connection) -> bool:
    """False only before the first start is through."""
    return bool(conn.execute(select(func.count()).select_from(user)).scalar_one())


def password_of(conn: Connection, login: str) -> tuple[Person, str] | None:
    """The account and its stored hash, or None for a stranger and for a disabled account."""
    row = conn.execute(select(user).where(user.c.login == login, user.c.enabled)).mappings().one_or_none()
    return None if row is None else (_person(row), row["password_hash"])


def _person(row: RowMapping) -> Person:
    return Person(
        row["user_id"],
        row["operator_id"],
        row["login"],
        row["name"],
        Role(row["role"]),
        row["merchant_id"],
        row["must_change"],
        row["first_until_ms"],
    )


def person(conn: Connection, user_id: int) -> Person | None:
    """An enabled account by its id."""
    row = conn.execute(select(user).where(user.c.user_id == user_id, user.c.enabled)).mappings().one_or_none()
    return None if row is None else _person(row)


def refuse_password(password: str, login: str) -> Refused | None:
    """Why *password* will not do."""
    if len(password) < SHORTEST:
        return Refused("password_short", {"least": SHORTEST})
    if password == login or len(set(password)) < 4:
        return Refused("password_simple")
    return None


def set_password(conn: Connection, act: Act, user_id: int, password_hash: str, *, must_change: bool = False) -> None:
    """Store a new password's hash and end every session and token of the account."""
    changed = update(user).where(user.c.user_id == user_id, user.c.operator_id == act.operator_id)
    first_until_ms = act.now_ms + FIRST_MS if must_change else None
    conn.execute(changed.values(password_hash=password_hash, must_change=must_change, first_until_ms=first_until_ms))
    if must_change:  # whoever needs a new password from others may have lost the phone as well
        conn.execute(delete(wechat_binding).where(wechat_binding.c.user_id == user_id))
    shut_out(conn, act, user_id)
    audit.record(conn, act, "user.password_set", f"user:{user_id}")


def merchant_user(conn: Connection, operator_id: int, merchant_id: int) -> Person | None:
    """The account a merchant logs in with."""
    row = (
        conn.execute(
            select(user)
            .where(user.c.operator_id == operator_id, user.c.merchant_id == merchant_id)
            .where(user.c.role == Role.MERCHANT.value)
            .limit(1)
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else _person(row)


def count_role(conn: Connection, operator_id: int, merchant_id: int, role: Role) -> int:
    """How many accounts of a merchant's own people have *role*."""
    query = select(func.count()).where(user.c.operator_id == operator_id, user.c.merchant_id == merchant_id)
    return int(conn.execute(query.where(user.c.role == role.value)).scalar_one())


def merchant_login(conn: Connection, operator_id: int, login: str) -> Person | None:
    """The enabled account of a merchant's own people with this login."""
    query = select(user).where(
        user.c.operator_id == operator_id, user.c.login == login, user.c.enabled, user.c.merchant_id.is_not(None)
    )
    row = conn.execute(query).mappings().one_or_none()
    return None if row is None else _person(row)


def logins(conn: Connection, user_ids: Sequence[int]) -> dict[int, Person]:
    """Accounts by id."""
    rows = conn.execute(select(user).where(user.c.user_id.in_(user_ids))).mappings()
    return {row["user_id"]: _person(row) for row in rows}


def end_sessions(conn: Connection, user_id: int) -> None:
    """Sign an account out everywhere: what it may do has changed."""
    _drop_user(conn, user_id)


def shut_out(conn: Connection, act: Act, user_id: int) -> None:
    """End every session and token of an account."""
    _drop_user(conn, user_id)
    live = (api_token.c.user_id == user_id) & api_token.c.revoked_ms.is_(None)
    conn.execute(update(api_token).where(live).values(revoked_ms=act.now_ms))


def create_token(conn: Connection, act: Act, user_id: int, name: str) -> str:
    """A token for a program, shown once: it may do what the account may."""
    token = crockford_encode(act.random(20))
    conn.execute(
        insert(api_token).values(
            token_hash=_hashed(token),
            operator_id=act.operator_id,
            user_id=user_id,
            name=name,
            created_ms=act.now_ms,
        )
    )
    audit.record(conn, act, "token.created", f"user:{user_id}", after={"name": name})
    return token


def bearer(conn: Connection, token: str) -> Person | None:
    """Whose token this is, or None."""
    row = (
        conn.execute(
            select(user)
            .join(api_token, api_token.c.user_id == user.c.user_id)
            .where(api_token.c.token_hash == _hashed(token), api_token.c.revoked_ms.is_(None), user.c.enabled)
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else _person(row)


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def users(conn: Connection, operator_id: int) -> Sequence[RowMapping]:
    """All accounts, newest first."""
    query = select(user).where(user.c.operator_id == operator_id).order_by(user.c.user_id.desc())
    return conn.execute(query).mappings().all()


class DatabaseSessions:
    """Keeps web sessions in the database, so that a restart signs nobody out and workers share them."""

    def __init__(self, database: Database, operator_id: Callable[[], int]) -> None:
        self._database = database
        self._operator_id = operator_id

    async def load(self, key: str) -> Session | None:
        return await self._database.run(_load, key)

    async def save(self, key: str, session: Session) -> None:
        await self._database.run(_save, key, session, self._operator_id())

    async def drop(self, key: str) -> None:
        await self._database.run(_drop, key)

    async def drop_user(self, user_id: str) -> None:
        await self._database.run(_drop_user, int(user_id))


def _load(conn: Connection, key: str) -> Session | None:
    row = conn.execute(
        select(web_session)
        .join(user, user.c.user_id == web_session.c.user_id)
        .where(web_session.c.key == key, user.c.enabled)
    ).one_or_none()
    if row is None:
        return None
    return Session(str(row.user_id), row.name, row.role, row.created_ms, row.seen_ms, json.loads(row.data))


def _save(conn: Connection, key: str, session: Session, operator_id: int) -> None:
    changing = {"seen_ms": session.seen_ms, "data": json.dumps(dict(session.data))}
    done = conn.execute(update(web_session).where(web_session.c.key == key).values(**changing))
    if done.rowcount == 0:
        conn.execute(
            insert(web_session).values(
                key=key,
                operator_id=operator_id,
                user_id=int(session.user_id),
                name=session.name,
                role=session.role,
                created_ms=session.created_ms,
                **changing,
            )
        )


def forget_sessions(conn: Connection, now_ms: int) -> int:
    """Delete sessions that are over by age; returns how many went."""
    return conn.execute(delete(web_session).where(web_session.c.created_ms < now_ms - SESSION_MS)).rowcount


def _drop(conn: Connection, key: str) -> None:
    conn.execute(delete(web_session).where(web_session.c.key == key))


def _drop_user(conn: Connection, user_id: int) -> None:
    conn.execute(delete(web_session).where(web_session.c.user_id == user_id))
