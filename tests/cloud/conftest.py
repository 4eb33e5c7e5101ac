"""A migrated database for each test: SQLite, and PostgreSQL where the machine has it."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Connection, Engine

from cloud.db import Database, open_engine, upgrade
from tests.cloud.world import World, build
from tests.services.needs import needs
from tests.services.postgres import PostgresServer

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the newest schema and nothing in it, to copy."""
    path = tmp_path_factory.mktemp("schema") / "cloud.sqlite"
    engine = open_engine(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def migrated_postgres(request: pytest.FixtureRequest) -> tuple[PostgresServer, str]:
    """A server and the name of a database with the newest schema, to copy."""
    needs("postgres")
    server: PostgresServer = request.getfixturevalue("postgres")
    name = "cloud_schema"
    _execute(server, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    engine = open_engine(server.url(name))
    upgrade(engine)
    engine.dispose()
    return server, name


def _execute(server: PostgresServer, statement: sql.Composed) -> None:
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(statement)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty migrated database of this test's own."""
    if request.param == "sqlite":
        path = tmp_path / "cloud.sqlite"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
        engine = open_engine(f"sqlite:///{path}")
        yield engine
        engine.dispose()
        return
    server, template = request.getfixturevalue("migrated_postgres")
    name = f"cloud_{next(_numbers)}"
    _execute(server, sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
    engine = open_engine(server.url(name))
    yield engine
    engine.dispose()
    _execute(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


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
