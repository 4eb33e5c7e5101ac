"""Slips that found no ready printer come out once it is, in their order and once each, whatever stops between."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from domain.decision import Refuse
from domain.slip import Paper
from domain.slip_faces import TestPage
from drivers.printer.simulated import SimulatedPrinter
from edge.db import printjobs
from edge.db.database import Database
from edge.db.printjobs import Queued
from edge.printing import Ended
from edge.provisioning import prepare, with_database
from edge.services import papers
from edge.services.lot import Done
from edge.services.recovering import recover
from edge.settings import load_settings
from edge.slipdesk import PATIENCE_S, WAITS, FaceOf, SlipDesk
from tests.edge.lots import HOURLY, SmallLot, at, small_lot
from tests.edge.test_killed import daemon


@dataclass
class Printer:
    ready: bool = False
    ends: list[str] = field(default_factory=list)
    out: list[str] = field(default_factory=list)

    async def is_ready(self) -> bool:
        return self.ready

    async def lay_out(self, face: TestPage, _lot: object) -> TestPage:
        return face

    async def put_on_paper(self, slip: TestPage) -> Ended:
        end = self.ends.pop(0) if self.ends else "confirmed"
        if end != "failed":
            self.out.append(slip.printer)
        return Ended(end)


@dataclass
class Booth:
    """A desk with one printer, as of this start of the daemon; *at_s* is how long it has run."""

    own: SmallLot
    printer: Printer = field(default_factory=Printer)
    at_s: float = 0.0
    refused: set[str] = field(default_factory=set)
    desk: SlipDesk = field(init=False)

    def __post_init__(self) -> None:
        self.starts()

    def starts(self) -> None:
        printers: Any = {"booth": self.printer}
        office: Any = self
        self.desk = SlipDesk(office, printers, lambda: self.at_s)
        self.desk.knows(papers.RECEIPT, self.face)

    async def face(self, subject: str) -> FaceOf | Refuse:
        if subject in self.refused:
            return Refuse("no_such_receipt")
        return lambda copy: TestPage(f"{subject} {copy}", self.own.lot.local(0), Paper.MM58)

    @property
    def lot(self) -> Any:
        return self.own.lot

    @property
    def db(self) -> Database:
        return self.own.db

    def now(self) -> Any:
        return at(self.at_s / 60)

    async def do(self, service: Callable[..., Any], *args: Any) -> Any:
        return service(self.db, *args, self.now())

    async def commit(self, service: Callable[..., Any], *args: Any) -> Any:
        return service(*args)

    async def read(self, query: Callable[..., Any], *args: Any) -> Any:
        return query(self.db.conn, *args)

    async def prints(self, *subjects: str) -> list[object]:
        return [await self.desk.print(papers.RECEIPT, one, "booth", "li") for one in subjects]

    def states(self, subject: str) -> list[str]:
        return printjobs.states(self.db.conn, papers.RECEIPT, subject)


@pytest.fixture
def booth(tmp_path: Path) -> Iterator[Booth]:
    own = small_lot(tmp_path)
    yield Booth(own)
    own.db.conn.close()


async def test_they_come_out_in_order_once_the_printer_is_ready_and_only_once(booth: Booth) -> None:
    assert await booth.prints("a", "b", "a") == [WAITS] * 3
    await booth.desk.look()
    assert booth.printer.out == []

    booth.printer.ready = True
    await booth.desk.look()
    await booth.desk.look()

    assert booth.printer.out == ["a 0", "b 0"]
    assert booth.states("a") == ["confirmed"]


async def test_a_restart_forgets_none_and_repeats_none(booth: Booth) -> None:
    await booth.prints("a", "b")
    booth.printer.ready = True
    assert isinstance((await booth.prints("c"))[0], Done)
    booth.db.conn.execute("UPDATE print_job SET state = 'printing' WHERE subject = 'b'")  # the power failed in the act
    booth.db.conn.commit()

    recover(booth.db, "test", booth.now())
    booth.starts()
    await booth.desk.look()

    assert booth.printer.out == ["c 0", "a 0"]
    assert [booth.states(one) for one in "abc"] == [["confirmed"], ["unknown"], ["confirmed"]]


async def test_one_that_fails_again_waits_on_and_the_others_wait_behind_it(booth: Booth) -> None:
    await booth.prints("a", "b")
    booth.printer.ready, booth.printer.ends = True, ["failed"]

    await booth.desk.look()
    assert (booth.printer.out, booth.states("a")) == ([], ["queued"])
    await booth.desk.look()

    assert booth.printer.out == ["a 0", "b 0"]


async def test_asked_for_again_at_a_ready_printer_what_waits_is_that_slip_and_no_copy(booth: Booth) -> None:
    await booth.prints("a")
    booth.printer.ready = True

    assert isinstance((await booth.prints("a"))[0], Done)
    await booth.desk.look()
    await booth.prints("a")

    assert booth.printer.out == ["a 0", "a 1"]


async def test_a_turn_is_given_once(booth: Booth) -> None:
    await booth.prints("a", "b")
    a, b = await booth.desk.at("booth")
    booth.printer.ready = True
    await booth.prints("a")
    await booth.do(papers.put_back, a.job_id)
    await booth.commit(papers.drop, booth.db, [b.job_id])

    assert [await booth.do(papers.take, job) for job in (a, b)] == [None, None]
    assert (booth.states("a"), booth.states("b")) == (["confirmed"], ["failed"])


async def test_what_nobody_mends_in_half_an_hour_is_given_up_and_can_be_dropped_before(booth: Booth) -> None:
    await booth.prints("a")
    booth.at_s = PATIENCE_S - 1
    await booth.prints("b")
    await booth.desk.look()

    booth.at_s = PATIENCE_S + 1
    booth.starts()  # the half hour goes on over a restart
    await booth.desk.look()

    assert [one.subject for one in await booth.desk.at("booth")] == ["b"]
    assert (await booth.desk.drop("booth"), await booth.desk.at("booth")) == (1, [])
    assert booth.states("a") == booth.states("b") == ["failed"]


async def test_what_can_be_said_no_more_is_given_up_and_does_not_hold_up_the_others(booth: Booth) -> None:
    await booth.prints("a", "b")
    booth.refused.add("a")
    booth.printer.ready = True

    await booth.desk.look()

    assert (booth.printer.out, booth.states("a")) == (["b 0"], ["failed"])


LOT = """
lot_id = 7
name = "Example lot"
[[zones]]
name = "main"
tariffs = ["hourly.toml"]
[[lanes]]
name = "in"
direction = "entry"
source = "outside"
target = "main"
[[lanes]]
name = "out"
direction = "exit"
source = "main"
target = "outside"
[[workstations]]
name = "east"
lanes = ["in", "out"]
printer = "booth"
[devices.printers.booth]
type = "escpos_network"
host = "127.0.0.1"
port = {port}
[listeners]
booth = {{ port = 0 }}
device = {{ port = 0 }}
"""
SLIPS = 10


def queue_receipts(db: Database) -> None:
    """Receipts as a booth without paper leaves them."""
    row = "INSERT INTO receipt VALUES (?, ?, ?, 'east', ?, 500, 'li', ?, ?)"
    body = (
        '{"change":0,"coupons":[],"debts_fen":0,"due_fen":500,"entered_ms":1,"fee_fen":500,"lines":[],"off_fen":0,'
        '"paid_fen":0,"tendered_fen":500,"waived_fen":0}'
    )
    now_ms = time.time_ns() // 1_000_000
    for number in range(SLIPS):
        payment = f"pay-{number:05d}"
        db.conn.execute(row, (payment, number + 1, f"s{number}", f"粤A{number:05d}", now_ms, body))
        printjobs.queue(db.conn, Queued(f"job-{number:02d}", papers.RECEIPT, payment, "booth", "li", now_ms + number))
    db.conn.commit()


def jobs(database: Path) -> dict[str, str]:
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as conn:
        return dict(conn.execute("SELECT subject, state FROM print_job").fetchall())


@pytest.mark.kill
async def test_a_daemon_killed_while_a_line_of_slips_comes_out_prints_each_at_most_once(tmp_path: Path) -> None:
    rng, kills = random.Random(7), 0
    async with SimulatedPrinter(mm_s=250) as printer:
        (tmp_path / "hourly.toml").write_text(HOURLY, encoding="utf-8")
        config = tmp_path / "lot.toml"
        config.write_text(LOT.format(port=printer.port), encoding="utf-8")
        settings = load_settings(config)
        await asyncio.to_thread(prepare, settings)
        await asyncio.to_thread(with_database, settings, queue_receipts)
        assert set(jobs(settings.database).values()) == {"queued"}

        async with asyncio.timeout(90):
            while "queued" in jobs(settings.database).values():
                before = len(printer.jobs)
                async with daemon(config):
                    while len(printer.jobs) == before and "queued" in jobs(settings.database).values():
                        await asyncio.sleep(0.02)
                    await asyncio.sleep(rng.random())
                kills += 1

    printed = [job.decode("gb18030", "replace") for job in printer.jobs]
    times = {f"pay-{n:05d}": sum(f"A{n:05d}" in text.replace(" ", "") for text in printed) for n in range(SLIPS)}
    ended = jobs(settings.database)
    assert kills > 1
    assert max(times.values()) == 1
    assert {one for one, state in ended.items() if state == "confirmed"} <= {one for one in times if times[one]}
    assert list(ended.values()).count("unknown") + list(ended.values()).count("printing") <= kills
    assert sum(times.values()) >= SLIPS - kills
