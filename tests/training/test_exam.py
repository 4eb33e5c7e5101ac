"""What an answer counts as."""

from __future__ import annotations

import pytest

from domain.plate import PlateVerdict
from drivers.base import PlateCandidate
from training.exam import outcome


@pytest.mark.parametrize(
    ("text", "verdict", "counted"),
    [
        ("京A12345", PlateVerdict.ACCEPT, ["read", "accepted"]),
        ("京A12345", PlateVerdict.ASK, ["read"]),
        ("京A12346", PlateVerdict.ACCEPT, ["accepted", "wrong"]),
        ("京A12346", PlateVerdict.ASK, []),
        ("", PlateVerdict.UNREAD, []),
    ],
)
def test_an_answer_is_read_accepted_or_wrong(text: str, verdict: PlateVerdict, counted: list[str]) -> None:
    assert list(outcome("京A12345", (PlateCandidate(text, 50, verdict=verdict),))) == counted


def test_no_plate_found_counts_as_nothing() -> None:
    assert list(outcome("京A12345", ())) == []
