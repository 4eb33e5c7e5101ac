"""A migrated database for each test: SQLite, and PostgreSQL where the machine has it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import Connection, Engine, update

from cloud.access.tables import audit_head
from cloud.app import make_app
from cloud.db import Database, open_engine, upgrade
from cloud.schema import metadata
from tests.cloud.calling import Client
from tests.cloud.stage import Stage, set_up
from tests.cloud.stage_things import one_of_everything
from tests.cloud.world import World, build
from tests.services.needs import needs
from tests.services.postgres import PostgresServer


@pytest.fixture(autouse=True)
def no_lease_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """No service of these tests lends money to lots beside them, however long a busy machine takes for a test."""
    monkeypatch.setattr("cloud.app.REFILL_SECONDS", 86_400)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the newest schema and nothing in it, to copy."""
    path = tmp_path_factory.mktemp("schema") / "cloud.sqlite"
    engine = open_engine(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def sqlite_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One engine for the files of all tests: what it has compiled need not be compiled again."""
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'cloud.sqlite'}")
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def migrated_postgres(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A database with the newest schema, for one test after the other: to make one takes ten times as long."""
    needs("postgres")
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as name:
        engine = open_engine(server.url(name))
        upgrade(engine)
        yield engine
        engine.dispose()


def _empty(engine: Engine) -> None:
    """Back to what the migrations left: no rows but the head of the log of acts, every number from 1 on."""
    with engine.begin() as conn:
        conn.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        conn.exec_driver_sql("SET LOCAL session_replication_role = replica")  # append-only or not
        emptying = [f"DELETE FROM {table}" for table in metadata.tables if table != audit_head.name]  # noqa: S608 - our names
        conn.exec_driver_sql(";".join(emptying))
        conn.execute(update(audit_head).values(audit_id=0, hash=bytes(32)))
        conn.exec_driver_sql("SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S'")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An empty migrated database of this test's own."""
    engine: Engine
    if request.param == "sqlite":
        engine = request.getfixturevalue("sqlite_engine")
        path = Path(engine.url.database or "")
        for old in path.parent.iterdir():
            old.unlink()
        shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
        yield engine
        engine.dispose()
        return
    engine = request.getfixturevalue("migrated_postgres")
    yield engine
    engine.dispose()
    _empty(engine)


@pytest.fixture
def conn(engine: Engine) -> Iterator[Connection]:
    """One transaction, committed when the test ends well."""
    with engine.begin() as connection:
        yield connection


@pytest.fixture
def database(engine: Engine) -> Iterator[Database]:
    """The wrapper the daemon uses."""
    database = Database(engine)
    yield database
    database.close()


@pytest.fixture
def world(conn: Connection) -> World:
    """A lot with an edge, a merchant with money, nobody inside."""
    return build(conn)


@pytest.fixture
def stage(database: Database, tmp_path: Path) -> Stage:
    """Three tenants, each with one of everything."""
    return set_up(database, tmp_path, one_of_everything)


@pytest.fixture
async def client(stage: Stage) -> AsyncIterator[Client]:
    """Calls the stage's service."""
    async with TestClient(TestServer(make_app(stage.cloud))) as opened:
        yield opened
