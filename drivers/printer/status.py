"""What a printer says of itself: answers to DLE EOT, GS a and GS r. No I/O."""

from __future__ import annotations

from collections.abc import Mapping

from drivers.base import PrinterStatus

QUESTIONS = (1, 2, 3, 4)  # printer, why offline, error, paper
FIXED_BITS, FIXED_VALUE = 0b1001_0011, 0b0001_0010  # bits 1 and 4 set, 0 and 7 clear in every answer

_SIGNS = (  # worst first: question, mask, meaning
    (3, 0b0000_1000, PrinterStatus.CUTTER),
    (3, 0b0010_0000, PrinterStatus.FAULT),  # unrecoverable
    (2, 0b0000_0100, PrinterStatus.COVER_OPEN),
    (4, 0b0110_0000, PrinterStatus.PAPER_OUT),
    (2, 0b0010_0000, PrinterStatus.PAPER_OUT),
    (3, 0b0100_0000, PrinterStatus.FAULT),  # recovers by itself
    (2, 0b0100_0000, PrinterStatus.FAULT),
    (1, 0b0000_1000, PrinterStatus.OFFLINE),
    (4, 0b0000_1100, PrinterStatus.PAPER_LOW),
)


_BACK_SIGNS = (  # the four bytes of GS a, worst first: place, mask, meaning
    (1, 0b0000_1000, PrinterStatus.CUTTER),
    (1, 0b0010_0000, PrinterStatus.FAULT),
    (0, 0b0010_0000, PrinterStatus.COVER_OPEN),
    (2, 0b0000_1100, PrinterStatus.PAPER_OUT),
    (1, 0b0100_0000, PrinterStatus.FAULT),
    (0, 0b0000_1000, PrinterStatus.OFFLINE),
    (2, 0b0000_0011, PrinterStatus.PAPER_LOW),
)
BACK_BYTES = 4


def is_answer(byte: int) -> bool:
    """Whether *byte* can be an answer to DLE EOT at all."""
    return byte & FIXED_BITS == FIXED_VALUE


def status_of(answers: Mapping[int, int]) -> PrinterStatus:
    """The worst thing that any answer (question -> byte) says; UNKNOWN without one."""
    for question, mask, meaning in _SIGNS:
        if answers.get(question, 0) & mask:
            return meaning
    return PrinterStatus.READY if answers else PrinterStatus.UNKNOWN


def status_back(said: bytes) -> PrinterStatus:
    """The worst thing that the last four bytes of GS a in *said* mean; UNKNOWN without such four."""
    for start in range(len(said) - BACK_BYTES, -1, -1):
        head, *rest = said[start : start + BACK_BYTES]
        if head & FIXED_BITS == 0b0001_0000 and not any(byte & 0b1001_0000 for byte in rest):
            signs = (meaning for place, mask, meaning in _BACK_SIGNS if said[start + place] & mask)
            return next(signs, PrinterStatus.READY)
    return PrinterStatus.UNKNOWN


def sensor(said: bytes) -> PrinterStatus:
    """What the answer to GS r in *said* means; UNKNOWN without one."""
    answers = [byte for byte in said if not byte & 0b1001_0000]
    if not answers:
        return PrinterStatus.UNKNOWN
    if answers[-1] & 0b0000_1100:
        return PrinterStatus.PAPER_OUT
    return PrinterStatus.PAPER_LOW if answers[-1] & 0b0000_0011 else PrinterStatus.READY
