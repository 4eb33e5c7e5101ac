"""Slips that found their printer not ready come out once it is, in their order and once each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from domain.decision import Refuse
from edge.services.lot import Done, Result
from edge.waiting_slips import PATIENCE_S, WAITS, WaitingSlips


@dataclass
class Printer:
    ready: bool = False

    async def is_ready(self) -> bool:
        return self.ready


@dataclass
class Desk:
    printer: Printer = field(default_factory=Printer)
    at_s: float = 0.0
    out: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        printers: Any = {"booth": self.printer}
        self.waiting = WaitingSlips(printers, lambda: self.at_s)

    def wait(self, subject: str, result: Result = Done("")) -> Refuse:  # noqa: B008
        async def again() -> Result:
            self.out.append(subject)
            return self.waiting.wait("receipt", subject, "booth", again) if result == WAITS else result

        return self.waiting.wait("receipt", subject, "booth", again)


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_they_come_out_in_order_once_the_printer_is_ready_and_only_once(desk: Desk) -> None:
    assert [desk.wait(one) for one in ("a", "b", "a")] == [WAITS] * 3
    await desk.waiting.look()
    assert desk.out == []

    desk.printer.ready = True
    await desk.waiting.look()
    await desk.waiting.look()

    assert desk.out == ["a", "b"]


async def test_one_that_fails_again_waits_on_and_the_others_wait_with_it(desk: Desk) -> None:
    desk.wait("a", WAITS)
    desk.wait("b")
    desk.printer.ready = True

    await desk.waiting.look()
    assert desk.out == ["a"]
    await desk.waiting.look()

    assert desk.out == ["a", "b", "a"]


async def test_what_nobody_mends_in_half_an_hour_is_given_up_and_can_be_dropped_before(desk: Desk) -> None:
    desk.wait("a")
    desk.at_s = PATIENCE_S - 1
    desk.wait("b")

    desk.at_s = PATIENCE_S + 1
    await desk.waiting.look()

    assert [one.subject for one in desk.waiting.at("booth")] == ["b"]
    assert (desk.waiting.drop("booth"), desk.waiting.at("booth")) == (1, [])
