"""Branches of a merchant: which lots they serve, whose purse they spend, how much in a month; and who acts for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, func, insert, select, update

from cloud.access import audit, staff
from cloud.access import service as access
from cloud.access.roles import Role
from cloud.act import Act, Refused
from cloud.db import new_id
from cloud.lots import service as lots
from cloud.merchants import ledger, service
from cloud.merchants.tables import balance, branch, branch_lot, membership, merchant
from domain.ledger import AVAILABLE, Commodity, branch_account, move, take

MOST = 10**11


@dataclass(frozen=True, slots=True)
class Plan:
    """How a branch is set up. Limits are for a month of its lot; 0 is no limit, no lots are all lots."""

    name: str
    own_purse: bool = False
    month_fen: int = 0
    month_min: int = 0
    lot_ids: tuple[int, ...] = ()


def add(conn: Connection, act: Act, merchant_id: int, plan: Plan) -> int | Refused:
    """A new branch; returns its id."""
    if service.get(conn, act.operator_id, merchant_id) is None:
        return Refused("merchant_unknown")
    refused = _unsound(conn, act, plan)
    if refused is not None:
        return refused
    known = select(branch.c.branch_id).where(branch.c.merchant_id == merchant_id, branch.c.name == plan.name.strip())
    if conn.execute(known).first() is not None:
        return Refused("branch_taken", {"name": plan.name.strip()})
    branch_id = new_id(
        conn,
        insert(branch).values(
            operator_id=act.operator_id,
            merchant_id=merchant_id,
            name=plan.name.strip(),
            own_purse=plan.own_purse,
            month_fen=plan.month_fen,
            month_min=plan.month_min,
            enabled=True,
            created_ms=act.now_ms,
        ),
    )
    _serve(conn, act, branch_id, plan.lot_ids)
    after = {"merchant": merchant_id, "name": plan.name, "own_purse": plan.own_purse}
    audit.record(conn, act, "branch.added", f"branch:{branch_id}", after=after)
    return branch_id


def _unsound(conn: Connection, act: Act, plan: Plan) -> Refused | None:
    if not plan.name.strip():
        return Refused("name_missing")
    if not (0 <= plan.month_fen <= MOST and 0 <= plan.month_min <= MOST):
        return Refused("amount_malformed")
    if not set(plan.lot_ids) <= {row["lot_id"] for row in lots.lots(conn, act.operator_id)}:
        return Refused("lot_unknown")
    return None


def _serve(conn: Connection, act: Act, branch_id: int, lot_ids: Sequence[int]) -> None:
    conn.execute(delete(branch_lot).where(branch_lot.c.branch_id == branch_id))
    rows = [{"branch_id": branch_id, "lot_id": each, "operator_id": act.operator_id} for each in sorted(set(lot_ids))]
    if rows:
        conn.execute(insert(branch_lot), rows)


def limit(conn: Connection, act: Act, branch_id: int, plan: Plan, *, enabled: bool) -> Refused | None:
    """Change its limits and lots, or close it. Whose purse it spends stays: its money would have nowhere to go."""
    row = get(conn, act.operator_id, branch_id)
    if row is None:
        return Refused("branch_unknown")
    refused = _unsound(conn, act, plan)
    if refused is not None:
        return refused
    values = {"month_fen": plan.month_fen, "month_min": plan.month_min, "enabled": enabled}
    conn.execute(update(branch).where(branch.c.branch_id == branch_id).values(**values))
    _serve(conn, act, branch_id, plan.lot_ids)
    before = {name: row[name] for name in values}
    audit.record(conn, act, "branch.changed", f"branch:{branch_id}", before=before, after=values)
    return None


def get(conn: Connection, operator_id: int, branch_id: int) -> RowMapping | None:
    """One branch, locked: its monthly limit is read and spent under the lock."""
    query = select(branch).where(branch.c.branch_id == branch_id, branch.c.operator_id == operator_id)
    return conn.execute(query.with_for_update()).mappings().one_or_none()


def is_of(conn: Connection, operator_id: int, merchant_id: int, branch_id: int) -> bool:
    """Whether a branch is one of the merchant's."""
    row = get(conn, operator_id, branch_id)
    return row is not None and row["merchant_id"] == merchant_id


def of_merchant(conn: Connection, operator_id: int, merchant_id: int) -> Sequence[RowMapping]:
    """A merchant's branches, oldest first."""
    query = select(branch).where(branch.c.merchant_id == merchant_id, branch.c.operator_id == operator_id)
    return conn.execute(query.order_by(branch.c.branch_id)).mappings().all()


def names(conn: Connection, operator_id: int) -> dict[int, str]:
    """Every branch's name."""
    rows = conn.execute(select(branch.c.branch_id, branch.c.name).where(branch.c.operator_id == operator_id))
    return {row.branch_id: row.name for row in rows}


def account_names(conn: Connection, operator_id: int) -> dict[str, str]:
    """What branches are called, by their accounts in the books."""
    return {branch_account(number): name for number, name in names(conn, operator_id).items()}


def lots_of(conn: Connection, branch_ids: Sequence[int]) -> dict[int, list[int]]:
    """The lots each branch serves; a branch that is not named serves all."""
    found: dict[int, list[int]] = {}
    query = select(branch_lot).where(branch_lot.c.branch_id.in_(branch_ids)).order_by(branch_lot.c.lot_id)
    for row in conn.execute(query):
        found.setdefault(row.branch_id, []).append(row.lot_id)
    return found


def serves(conn: Connection, branch_id: int, lot_id: int) -> bool:
    """Whether a branch serves a lot; 0, a merchant without branches, serves all it has."""
    its = lots_of(conn, [branch_id]).get(branch_id)
    return not its or lot_id in its


def purse_of(row: RowMapping | None) -> str:
    """The account a branch spends from; the merchant's where there is no branch or it shares."""
    return branch_account(row["branch_id"]) if row is not None and row["own_purse"] else AVAILABLE


def refusal(
    conn: Connection, row: RowMapping, lot_id: int, commodity: Commodity, amount: int, spent: int
) -> Refused | None:
    """Why a branch that gave *spent* this month may not give *amount* more at a lot."""
    if not row["enabled"]:
        return Refused("branch_closed")
    served = lots_of(conn, [row["branch_id"]]).get(row["branch_id"])
    if served and lot_id not in served:
        return Refused("branch_lot")
    most = row["month_fen"] if commodity is Commodity.FEN else row["month_min"]
    return Refused("branch_limit", {"left": max(0, most - spent)}) if most and spent + amount > most else None


def fill(conn: Connection, act: Act, branch_id: int, commodity: Commodity, amount: int) -> Refused | None:
    """Carry *amount* (below 0: back) between the merchant's purse and a branch's own; bonus first (E15)."""
    row = get(conn, act.operator_id, branch_id)
    if row is None or not row["own_purse"]:
        return Refused("branch_unknown")
    own = branch_account(branch_id)
    source, target = (AVAILABLE, own) if amount > 0 else (own, AVAILABLE)
    left = ledger.purse(conn, row["merchant_id"], commodity, source)
    parts = take(abs(amount), left.bonus, left.paid)
    if not amount:
        return Refused("amount_malformed")
    if not parts:
        return Refused("balance_short", {"left": left.total})
    subject, before = f"branch:{branch_id}", _balances(conn, row["merchant_id"], own, commodity)
    entry = ledger.Entry(act.operator_id, row["merchant_id"], act.uuid(), "branch.filled", subject, act.by, act.now_ms)
    ledger.post(conn, entry, [leg for funds, part in parts for leg in move(source, target, part, commodity, funds)])
    after = {"commodity": commodity.value, "amount": amount, **_balances(conn, row["merchant_id"], own, commodity)}
    audit.record(conn, act, "branch.filled", subject, before=before, after=after)
    return None


def _balances(conn: Connection, merchant_id: int, own: str, commodity: Commodity) -> dict[str, int]:
    return {
        "balance": ledger.purse(conn, merchant_id, commodity).total,
        "branch_balance": ledger.purse(conn, merchant_id, commodity, own).total,
    }


@dataclass(frozen=True, slots=True)
class Place:
    """Something a login may act for: a merchant, or one of its branches (0: the whole)."""

    merchant_id: int
    branch_id: int
    merchant: str
    branch: str


def admit(conn: Connection, act: Act, login: str, merchant_id: int, branch_id: int = 0) -> Refused | None:
    """Let a merchant's login act for one more merchant or branch."""
    person = access.merchant_login(conn, act.operator_id, login)
    if person is None:
        return Refused("login_unknown", {"login": login})
    if service.get(conn, act.operator_id, merchant_id) is None:
        return Refused("merchant_unknown")
    row = get(conn, act.operator_id, branch_id) if branch_id else None
    if branch_id and (row is None or row["merchant_id"] != merchant_id):
        return Refused("branch_unknown")
    if person.role is Role.MERCHANT_BRANCH and not branch_id:
        return Refused("login_of_branch", {"login": login})
    if _member(conn, person.user_id, merchant_id, branch_id):
        return Refused("login_member", {"login": login})
    _admit(conn, act, person.user_id, merchant_id, branch_id)
    after = {"login": login, "branch": branch_id}
    audit.record(conn, act, "member.admitted", f"merchant:{merchant_id}", after=after)
    return None


def _admit(conn: Connection, act: Act, user_id: int, merchant_id: int, branch_id: int) -> None:
    where = {"merchant_id": merchant_id, "branch_id": branch_id, "operator_id": act.operator_id}
    conn.execute(insert(membership).values(user_id=user_id, created_ms=act.now_ms, **where))


def new_login(conn: Connection, act: Act, branch_id: int, name: str, password_hash: str) -> str | Refused:
    """A login that acts for one branch alone; it is named after the merchant's, with a number behind it."""
    row = get(conn, act.operator_id, branch_id)
    account = service.get(conn, act.operator_id, row["merchant_id"]) if row is not None else None
    if row is None or account is None:
        return Refused("branch_unknown")
    if not name.strip():
        return Refused("name_missing")
    known = access.count_role(conn, act.operator_id, row["merchant_id"], Role.MERCHANT_BRANCH)
    login = f"{account['account_no']}-b{known + 1:02}"
    role = Role.MERCHANT_BRANCH
    made = access.create_user(conn, act, login, name.strip(), role, password_hash, row["merchant_id"], short_lived=True)
    if isinstance(made, Refused):
        return made
    _admit(conn, act, made, row["merchant_id"], branch_id)
    audit.record(
        conn, act, "member.admitted", f"merchant:{row['merchant_id']}", after={"login": login, "branch": branch_id}
    )
    return login


def staff_login(
    conn: Connection, act: Act, merchant_id: int, branch_id: int, name: str, password_hash: str, daily: staff.Daily
) -> staff.Account | Refused:
    """A login for one of the merchant's branches with limits a day, as its owner makes it."""
    if not is_of(conn, act.operator_id, merchant_id, branch_id):
        return Refused("branch_unknown")
    login = new_login(conn, act, branch_id, name, password_hash)
    if isinstance(login, Refused):
        return login
    user_id = next(one["user_id"] for one in staff.listed(conn, act.operator_id, merchant_id) if one["login"] == login)
    staff.set_daily(conn, act, merchant_id, user_id, daily)
    return staff.Account(login)


def of_staff(conn: Connection, operator_id: int, merchant_id: int) -> dict[int, str]:
    """The branches each login may act for, by its number."""
    known = names(conn, operator_id)
    found: dict[int, list[str]] = {}
    for row, _, _ in members(conn, operator_id, merchant_id):
        if row["branch_id"]:
            found.setdefault(row["user_id"], []).append(known[row["branch_id"]])
    return {user_id: " / ".join(its) for user_id, its in found.items()}


def new_password(conn: Connection, act: Act, merchant_id: int, user_id: int, password_hash: str) -> str | Refused:
    """A new first password for a login of this merchant's branches."""
    person = access.person(conn, user_id)
    is_ours = person is not None and (person.operator_id, person.merchant_id) == (act.operator_id, merchant_id)
    if person is None or not is_ours or person.role is not Role.MERCHANT_BRANCH:
        return Refused("login_unknown", {"login": str(user_id)})
    access.set_password(conn, act, user_id, password_hash, must_change=True)
    return person.login


def dismiss(conn: Connection, act: Act, user_id: int, merchant_id: int, branch_id: int) -> Refused | None:
    """Take that back; the login's sessions end."""
    own = membership.c.operator_id == act.operator_id
    done = conn.execute(delete(membership).where(own, *_is(user_id, merchant_id, branch_id)))
    if done.rowcount != 1:
        return Refused("login_unknown", {"login": str(user_id)})
    access.end_sessions(conn, user_id)
    after = {"user": user_id, "branch": branch_id}
    audit.record(conn, act, "member.dismissed", f"merchant:{merchant_id}", after=after)
    return None


def _is(user_id: int, merchant_id: int, branch_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        membership.c.user_id == user_id,
        membership.c.merchant_id == merchant_id,
        membership.c.branch_id == branch_id,
    )


def _member(conn: Connection, user_id: int, merchant_id: int, branch_id: int) -> bool:
    return conn.execute(select(membership.c.user_id).where(*_is(user_id, merchant_id, branch_id))).first() is not None


def members(conn: Connection, operator_id: int, merchant_id: int) -> list[tuple[RowMapping, str, bool]]:
    """Who may act for a merchant beside its own login: its name, and whether it is one of branches alone."""
    query = select(membership).where(membership.c.operator_id == operator_id, membership.c.merchant_id == merchant_id)
    rows = conn.execute(query.order_by(membership.c.created_ms, membership.c.user_id)).mappings().all()
    logins = access.logins(conn, [row["user_id"] for row in rows])
    return [(row, *_login_of(logins.get(row["user_id"]), merchant_id)) for row in rows]


def _login_of(person: access.Person | None, merchant_id: int) -> tuple[str, bool]:
    if person is None:
        return "", False
    return person.login, person.role is Role.MERCHANT_BRANCH and person.merchant_id == merchant_id


def places(conn: Connection, operator_id: int, user_id: int) -> list[Place]:
    """Everything a login may act for, its own merchant first, where it is not one of branches alone."""
    person = access.person(conn, user_id)
    home_id = person.merchant_id if person is not None and person.role is not Role.MERCHANT_BRANCH else None
    own = select(merchant.c.merchant_id, merchant.c.name).where(merchant.c.merchant_id == home_id)
    found = [Place(row.merchant_id, 0, row.name, "") for row in conn.execute(own)]
    more = (
        select(membership.c.merchant_id, membership.c.branch_id, merchant.c.name, branch.c.name.label("branch"))
        .join(merchant, merchant.c.merchant_id == membership.c.merchant_id)
        .outerjoin(branch, branch.c.branch_id == membership.c.branch_id)
        .where(membership.c.user_id == user_id, membership.c.operator_id == operator_id)
        .order_by(membership.c.merchant_id, membership.c.branch_id)
    )
    return found + [Place(row.merchant_id, row.branch_id, row.name, row.branch or "") for row in conn.execute(more)]


def purses(conn: Connection, merchant_id: int) -> dict[tuple[str, str], int]:
    """What the own purses of a merchant's branches hold, by account and commodity."""
    rows = conn.execute(
        select(balance.c.account, balance.c.commodity, func.sum(balance.c.amount).label("left"))
        .where(balance.c.merchant_id == merchant_id, balance.c.account.like("branch:%"))
        .group_by(balance.c.account, balance.c.commodity)
    )
    return {(row.account, row.commodity): int(row.left) for row in rows}
