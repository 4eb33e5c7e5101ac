"""The schema is what the migrations make, transactions are whole, and the books cannot be rewritten."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    BigInteger,
    Connection,
    Engine,
    exc,
    func,
    insert,
    literal,
    select,
    text,
    union_all,
    update,
)

import cloud
from cloud.access import service as access
from cloud.access.roles import Role
from cloud.access.tables import web_session
from cloud.db import COUNTED, Database, paged, upgrade
from cloud.lots.tables import operator
from cloud.schema import APPEND_ONLY, metadata
from plumbing.web.paging import PAGE_SIZE
from tests.cloud.world import NOW, World


def test_migrations_make_exactly_the_tables_the_code_declares(engine: Engine) -> None:
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})

        differences = compare_metadata(context, metadata)

    assert differences == []


def test_upgrading_a_current_database_changes_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        before = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()

    upgrade(engine)

    with engine.begin() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == before
    assert before == [ScriptDirectory(str(Path(cloud.__file__).parent / "migrations")).get_current_head()]


def _add_operator(connection: Connection, name: str) -> None:
    connection.execute(insert(operator).values(name=name, created_ms=1))


def _add_and_fail(connection: Connection) -> None:
    _add_operator(connection, "lost")
    raise RuntimeError("power cut")


async def test_work_that_raises_leaves_nothing_behind(database: Database) -> None:
    await database.run(_add_operator, "kept")

    with pytest.raises(RuntimeError, match="power cut"):
        await database.run(_add_and_fail)

    names = await database.run(lambda connection: connection.execute(select(operator.c.name)).scalars().all())
    assert names == ["kept"]


def test_a_long_list_is_counted_only_some_way_ahead(conn: Connection) -> None:
    conn.execute(insert(operator), [{"name": "one of many", "created_ms": 1}] * (COUNTED + PAGE_SIZE + 10))
    query = select(operator).order_by(operator.c.operator_id)

    first, third, last = (paged(conn, query, number) for number in (1, 3, 202))
    beyond = paged(conn, query, 1_000)

    assert (first.length, first.pages, len(first.items)) == ("10000+", 200, PAGE_SIZE)
    assert (third.length, third.pages, third.more) == ("10060", 202, False)
    assert (last.length, len(last.items)) == ("10060", 10)
    assert (beyond.length, len(beyond.items)) == ("10060", 0)


def test_one_page_or_none_is_not_counted_twice(conn: Connection) -> None:
    query = select(operator).order_by(operator.c.operator_id)
    nothing = paged(conn, query, 1)
    conn.execute(insert(operator), [{"name": "one of two", "created_ms": 1}] * 2)

    assert (nothing.total, nothing.more) == (0, False)
    assert (paged(conn, query, 1).total, paged(conn, query, 2).total) == (2, 2)


def _count_up(connection: Connection) -> None:
    row = connection.execute(select(operator.c.created_ms).with_for_update()).scalar_one()
    connection.execute(update(operator).values(created_ms=row + 1))


async def test_read_then_write_done_at_once_loses_no_update(database: Database) -> None:
    await database.run(_add_operator, "counted")

    await asyncio.gather(*(database.run(_count_up) for _ in range(20)))

    assert await database.run(lambda c: c.execute(select(operator.c.created_ms)).scalar_one()) == 21


ROWS = {
    "ledger_entry": "(entry_id,operator_id,merchant_id,event_id,kind,subject,note,made_by,made_ms)"
    " VALUES (1,1,1,'e','k','','','',0)",
    "posting": "(posting_id,entry_id,operator_id,merchant_id,event_id,leg,account,commodity,funds,amount)"
    " VALUES (1,1,1,1,'e',0,'available','FEN','PAID',0)",
    "audit_log": "(audit_id,operator_id,made_by,act,subject,reason,before,after,made_ms,hash)"
    " VALUES (1,1,'','','','','','',0,'')",
    "inbox": "(edge_id,epoch,seq,operator_id,type,tv,wall_ms,hash,body) VALUES ('e',1,1,1,'t',1,0,'','')",
}


@pytest.fixture
def filled(engine: Engine) -> Engine:
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO operator (operator_id,name,created_ms) VALUES (1,'o',0)")
        connection.exec_driver_sql(
            "INSERT INTO merchant (merchant_id,operator_id,account_no,name,phone,branch,remark,credit_limit_fen,"
            "enabled,created_ms) VALUES (1,1,'1','m','','','',0,true,0)"
        )
        for table, row in ROWS.items():
            connection.exec_driver_sql(f"INSERT INTO {table} {row}")
    return engine


CHANGES = [
    *(f"UPDATE {table} SET operator_id = 2" for table in (*APPEND_ONLY, "inbox")),  # noqa: S608
    *(f"DELETE FROM {table}" for table in (*APPEND_ONLY, "inbox")),  # noqa: S608
]


@pytest.mark.parametrize("statement", CHANGES)
def test_books_audit_and_raw_events_cannot_be_changed_or_removed(filled: Engine, statement: str) -> None:
    with pytest.raises(exc.DatabaseError, match="append-only"), filled.begin() as connection:
        connection.exec_driver_sql(statement)


def test_a_raw_event_may_be_taken_from_the_parked_ones(filled: Engine) -> None:
    with filled.begin() as connection:
        changed = connection.exec_driver_sql("UPDATE inbox SET parked_why = NULL")

    assert changed.rowcount == 1


def _take_both(connection: Connection, first: str, second: str, barrier: Barrier) -> None:
    connection.execute(update(operator).where(operator.c.name == first).values(created_ms=operator.c.created_ms + 1))
    with contextlib.suppress(BrokenBarrierError):
        barrier.wait(timeout=2)
    connection.execute(update(operator).where(operator.c.name == second).values(created_ms=operator.c.created_ms + 1))


async def test_two_pieces_of_work_that_wait_for_each_other_both_end_well(database: Database) -> None:
    for name in ("a", "b"):
        await database.run(_add_operator, name)
    barrier = Barrier(2 if database.engine.dialect.name == "postgresql" else 1)

    await asyncio.gather(
        database.run(_take_both, "a", "b", barrier),
        database.run(_take_both, "b", "a", barrier),
    )

    counts = await database.run(lambda c: c.execute(select(operator.c.created_ms)).scalars().all())
    assert counts == [3, 3]


def test_sessions_of_yesterday_are_forgotten(world: World) -> None:
    user_id = access.create_user(world.conn, world.act(), "a", "A", Role.ADMIN, "hash")
    for key, created_ms in (("old", NOW - 25 * 3_600_000), ("new", NOW - 3_600_000)):
        columns = {"name": "A", "role": "admin", "created_ms": created_ms, "seen_ms": created_ms, "data": "{}"}
        world.conn.execute(
            insert(web_session).values(key=key, operator_id=world.operator_id, user_id=user_id, **columns)
        )

    gone = access.forget_sessions(world.conn, NOW)

    assert (gone, world.conn.execute(select(web_session.c.key)).scalars().all()) == (1, ["new"])


def test_every_table_says_whose_rows_they_are() -> None:
    """No money or purse crosses operators, so each row names one; the chain of audit rows has a single head."""
    without = {table.name for table in metadata.tables.values() if "operator_id" not in table.c}

    assert without == {"audit_head"}


def test_a_sum_is_an_integer_on_every_database(conn: Connection) -> None:
    big = literal(5_000_000_000, BigInteger)
    summed = conn.execute(select(func.sum(union_all(select(big), select(big)).subquery().c[0]))).scalar_one()

    assert (summed, type(summed)) == (10_000_000_000, int)
