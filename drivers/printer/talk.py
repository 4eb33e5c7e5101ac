"""What a printer is asked before and after a job, whatever it hangs on. No I/O: a driver carries the questions.

DLE EOT is answered at once, also while half the slip still waits in the printer's memory. So after a job GS r is asked
as well: its answer comes only when everything before it is on paper.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from drivers.base import PrinterStatus
from drivers.printer.status import BACK_BYTES, QUESTIONS, is_answer, sensor, status_back, status_of
from plumbing.paper.commands import SENSOR, STATUS, STATUS_BACK

log = logging.getLogger(__name__)

STOPPED = frozenset({PrinterStatus.PAPER_OUT, PrinterStatus.COVER_OPEN, PrinterStatus.OFFLINE, PrinterStatus.FAULT})


class Asks(StrEnum):
    """How a printer likes to be asked."""

    DLE_EOT = "dle_eot"
    ASB = "asb"  # GS a, for units that answer nothing else
    NOTHING = "nothing"  # it never answers


@dataclass(frozen=True, slots=True)
class Question:
    """Send *data*, read until *size* bytes came. *patient*: it may take as long as printing does."""

    data: bytes
    size: int = 1
    patient: bool = False


Dialogue: TypeAlias = Generator[Question, bytes, PrinterStatus]  # is sent what was heard, b"" for silence


def hold(dialogue: Dialogue, exchange: Callable[[Question], bytes]) -> PrinterStatus:
    """Carry *dialogue* to its end. Raises what *exchange* raises."""
    heard: bytes | None = None
    while True:
        try:
            question = next(dialogue) if heard is None else dialogue.send(heard)
        except StopIteration as done:
            status: PrinterStatus = done.value
            return status
        heard = exchange(question)


class Talk:
    """The dialogues with one printer, and whether it is one that says when a job is on paper."""

    def __init__(self, name: str, asks: Asks) -> None:
        self._name, self._asks = name, asks
        self._says_when_done: bool | None = None  # None: not known yet

    def look(self) -> Dialogue:
        """How the printer is now; UNKNOWN when it keeps silent."""
        if self._asks is Asks.NOTHING:
            return PrinterStatus.UNKNOWN
        if self._asks is Asks.ASB:
            return status_back((yield Question(STATUS_BACK + b"\xff", BACK_BYTES)))
        answers = {}
        for question in QUESTIONS:  # after one silence it is not asked the rest
            said = yield Question(STATUS + bytes([question]))
            if not said or not is_answer(said[-1]):
                break
            answers[question] = said[-1]
        return status_of(answers)

    def after_job(self) -> Dialogue:
        """How the job just sent went: READY only when it is on paper, as far as this printer can say so."""
        if not self._says_when_done or (yield from self._is_stopped()):
            status = yield from self.look()
            if status in STOPPED or self._says_when_done is False or (status, self._says_when_done) == SILENT:
                return status
        told = sensor((yield Question(SENSOR + b"\x01", patient=True)))
        if told is PrinterStatus.UNKNOWN:
            return (yield from self._not_told())
        self._says_when_done = True
        status = yield from self.look()
        return told if status is PrinterStatus.UNKNOWN else status

    def _is_stopped(self) -> Generator[Question, bytes, bool]:
        """Whether it is known already that there is no use in waiting: one question of a printer that answers."""
        if self._asks is Asks.ASB:
            return status_back((yield Question(STATUS_BACK + b"\xff", BACK_BYTES))) in STOPPED
        said = yield Question(STATUS + b"\x01")
        return not said or status_of({1: said[-1]}) in STOPPED

    def _not_told(self) -> Dialogue:
        status = yield from self.look()
        if status in STOPPED:
            return status
        if self._says_when_done is None:
            self._says_when_done = False
            log.info("printer %s does not say when a job is done: its state after the last byte counts", self._name)
            return status
        return PrinterStatus.UNKNOWN  # it could have told, and did not


SILENT = (PrinterStatus.UNKNOWN, None)
