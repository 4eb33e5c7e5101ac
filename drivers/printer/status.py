"""What a printer says of itself: the four answers to DLE EOT. No I/O."""

from __future__ import annotations

from collections.abc import Mapping

from drivers.base import PrinterStatus

QUESTIONS = (1, 2, 3, 4)  # printer, why offline, error, paper
FIXED_BITS, FIXED_VALUE = 0b1001_0011, 0b0001_0010  # bits 1 and 4 set, 0 and 7 clear in every answer

_SIGNS = (  # worst first: question, mask, meaning
    (3, 0b0010_1000, PrinterStatus.FAULT),  # unrecoverable, cutter
    (2, 0b0000_0100, PrinterStatus.COVER_OPEN),
    (4, 0b0110_0000, PrinterStatus.PAPER_OUT),
    (2, 0b0010_0000, PrinterStatus.PAPER_OUT),
    (3, 0b0100_0000, PrinterStatus.FAULT),  # recovers by itself
    (2, 0b0100_0000, PrinterStatus.FAULT),
    (1, 0b0000_1000, PrinterStatus.OFFLINE),
    (4, 0b0000_1100, PrinterStatus.PAPER_LOW),
)


def is_answer(byte: int) -> bool:
    """Whether *byte* can be an answer to DLE EOT at all."""
    return byte & FIXED_BITS == FIXED_VALUE


def status_of(answers: Mapping[int, int]) -> PrinterStatus:
    """The worst thing that any answer (question -> byte) says; UNKNOWN without one."""
    for question, mask, meaning in _SIGNS:
        if answers.get(question, 0) & mask:
            return meaning
    return PrinterStatus.READY if answers else PrinterStatus.UNKNOWN
