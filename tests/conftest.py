"""What every test may ask for: real services on loopback, found on the machine or named as missing."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.services.mosquitto import SecureBroker, open_mosquitto, secure_mosquitto
from tests.services.needs import MARKERS, needs, summary
from tests.services.postgres import PostgresServer, postgres_server

if TYPE_CHECKING:
    from playwright.async_api import Browser

os.environ["LOTGATE_STRICT_TEXTS"] = "1"  # a text missing from a catalogue fails the test that shows it

CHROMIUM_ARGS = (
    "--no-sandbox",  # the tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """How much of the long proofs to run; make torture sets the variables."""
    group = parser.getgroup("proof")
    seeds, cycles = os.environ.get("LOTGATE_SEEDS", "500"), os.environ.get("LOTGATE_KILL_CYCLES", "20")
    group.addoption("--seeds", type=int, default=int(seeds), help="simulated worlds to play")
    group.addoption("--first-seed", type=int, default=1, help="the first of them")
    group.addoption("--kill-cycles", type=int, default=int(cycles), help="times real processes are killed")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A marked test without its service is skipped by name, or fails in CI."""
    for marker, name in MARKERS.items():
        if item.get_closest_marker(marker):
            needs(name)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what this machine lacked, so that a green run is not taken for more than it is."""
    lines = summary(terminalreporter.stats.get("skipped", []))
    if lines:
        terminalreporter.section("not run on this machine")
        for line in lines:
            terminalreporter.line(line)


@pytest.fixture
def mosquitto_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Port of a fresh Mosquitto without accounts, on loopback."""
    with open_mosquitto(tmp_path_factory.mktemp("mosquitto")) as port:
        yield port


@pytest.fixture
def secure_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    """A fresh Mosquitto run from config/mosquitto: TLS, a certificate a lot, and the shipped access rules."""
    with secure_mosquitto(tmp_path_factory.mktemp("mosquitto")) as broker:
        yield broker


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this test process."""
    with postgres_server(needs("postgres")) as running:
        yield running


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """SQLAlchemy's address of an empty database that is this test's own."""
    with postgres.database() as name:
        yield postgres.url(name)


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """A headless Chromium (Debian's), driven through Playwright's async interface."""
    program = needs("chromium")
    from playwright.async_api import async_playwright  # its import costs more than most tests

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGS)
        yield browser
        await browser.close()
