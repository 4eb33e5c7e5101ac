"""Fees under clock abuse: a thousand random histories of set clocks, power cuts and late anchors (I20, I21)."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest

from domain.calendar import CalendarSet
from domain.cautious import CautiousPriceLists
from domain.decision import ExitInputs, OpenStay, Rules, TariffRef
from domain.moment import Anchor, Moment, Run, better_known, elapsed, possible_entry
from domain.pricing import PriceLists
from domain.tariff import parse_tariff
from edge.clock import Clock
from tests.edge.lots import HOURLY, START

HISTORIES = 1_000
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
NIGHT = """
code = "night"
version = 1
starts = 2026-01-01
[[window]]
name = "day"
from = "08:00"
to = "20:00"
unit = 30
price = 3
[[window]]
name = "night"
from = "20:00"
to = "08:00"
unit = 60
price = 1
"""


class Machine:
    """One appliance: the true time, and what its clocks make of it."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.random = Random(seed)
        self.true_ms = START.wall_ms + self.random.randrange(7 * 24 * HOUR_MS)
        self.error_ms = 0
        self.boots = 0
        self.last: Moment | None = None
        self.runs: list[Run] = []
        self.ntp, self.rtc = folder / "synchronised", folder / "rtc"
        self.rtc.mkdir(exist_ok=True)
        (self.rtc / "rtc0").unlink(missing_ok=True)
        self.has_rtc = self.random.random() < 0.3
        if self.has_rtc:
            (self.rtc / "rtc0").touch()
        self.boot()

    def boot(self) -> None:
        self.ntp.unlink(missing_ok=True)
        self.boots += 1
        self.booted_ms = self.true_ms - self.random.randrange(40_000)
        self.error_ms = 0 if self.has_rtc else self._cold()
        self.clock = Clock(f"boot{self.boots}", self._boot_ms, lambda: self.true_ms + self.error_ms, self.ntp, self.rtc)
        self.clock.restore(self.last)
        self.note()

    def _boot_ms(self) -> int:
        return self.true_ms - self.booted_ms

    def _cold(self) -> int:
        """Without a hardware clock the system starts where it ended, or in 1970."""
        ended = self.last.wall_ms if self.last else self.true_ms - self.random.randrange(48 * HOUR_MS)
        return self.random.choice([ended - self.true_ms, -self.true_ms])

    def note(self) -> None:
        self.last = now = self.clock.now()
        self.runs = [run for run in self.runs if run.boot != now.boot] + [Run(now.boot, now.boot_ms)]

    def live(self) -> None:
        """Something happens, and a while goes by."""
        match self.random.randrange(7):
            case 0:
                self.error_ms += self.random.choice([-1, 1]) * self.random.randrange(30 * HOUR_MS)  # set by hand
            case 1:
                self.error_ms = 0
                self.ntp.touch()
            case 2:
                unsure = self.random.randrange(3_000)
                told = self.true_ms + self.random.randint(-unsure, unsure)
                self.clock.keep([Anchor(f"boot{self.boots}", self._boot_ms(), told, unsure)])
            case 3 | 4:
                self.true_ms += self.random.randrange(10 * HOUR_MS)  # off
                self.boot()
        if self.ntp.exists():
            self.error_ms = 0
        self.clock.stepped()
        self.true_ms += self.random.randrange(9 * HOUR_MS)
        if self.random.random() < 0.7:
            self.note()
        self.true_ms += self.random.randrange(MINUTE_MS)


def inputs(entered: Moment, left: Moment, runs: list[Run], ref: TariffRef) -> ExitInputs:
    inside = elapsed(entered, left, runs)
    first, last = possible_entry(entered, left, inside)
    length_ms = round(inside.length.total_seconds() * 1000)
    return priced_by(entered.wall_ms, length_ms, ref, int(entered.quality), inside.estimated, (first, last))


def priced_by(
    wall_ms: int, length_ms: int, ref: TariffRef, quality: int = 4, estimated: bool = False,
    possible: tuple[int, int] = (0, 0),
) -> ExitInputs:  # fmt: skip
    local = datetime.fromtimestamp(wall_ms // 60_000 * 60, UTC).astimezone(ZoneInfo("Asia/Shanghai"))
    entered = local.replace(tzinfo=None).isoformat(timespec="minutes")
    stay = OpenStay("s", "京A12345", "small", "main", entered, wall_ms, quality, 0, 0)
    return ExitInputs(
        lane="out", plate=stay.plate, typed_by="li", seen=(), repeated=False, near=(stay.plate,), stay=stay,
        length_ms=length_ms, estimated=estimated, entry_from_min=possible[0], entry_to_min=possible[1],
        settled_ms=None, settled_fee_fen=0, settled_off=(), new_stay_after_ms=None, first_stay_of_day=True,
        charging_min=0, charged_before_fen=0,
        tariffs=(ref,), calendars=(), coupons=(), covered=(), cash=True, rules=Rules((), 60, 15, 10),
    )  # fmt: skip


def fee(prices: PriceLists, given: ExitInputs) -> int:
    assert given.stay is not None
    return prices(given, given.stay).fee_fen


@pytest.mark.parametrize("text", [HOURLY, NIGHT], ids=["hourly", "night"])
def test_no_history_of_clocks_charges_more_than_the_true_time(tmp_path: Path, text: str) -> None:
    ref = TariffRef("main", "t", "1", hashlib.sha256(text.encode()).hexdigest())
    prices = CautiousPriceLists({ref.digest: parse_tariff(text, "t")}, CalendarSet())
    across = unsure = charged = 0
    for seed in range(HISTORIES // 2):
        machine = Machine(seed, tmp_path)
        for _ in range(machine.random.randrange(3)):
            machine.live()
        entered = machine.clock.now()
        true_entered = machine.true_ms
        for _ in range(machine.random.randrange(1, 5)):
            machine.live()
            entered = better_known(entered, machine.clock.now()) or entered
        left = machine.clock.now()

        asked = fee(prices, inputs(entered, left, machine.runs, ref))
        true_length = machine.true_ms - true_entered

        if entered.boot == left.boot and entered.is_vouched:
            assert asked == fee(prices, priced_by(entered.wall_ms, true_length, ref)), f"I20, seed {seed}"
        else:
            assert asked <= fee(prices, priced_by(true_entered, true_length, ref)), f"I21, seed {seed}"
        across += entered.boot != left.boot
        unsure += not entered.is_vouched
        charged += asked > 0

    assert min(across, unsure, charged) > HISTORIES // 20
