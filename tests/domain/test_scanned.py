from __future__ import annotations

import pytest

from domain import voucher
from domain.scanned import PASS_PREFIX, TICKET_PREFIX, Scanned, ScannedKind, link_of, recognise

HOST = "lotgate.example"


@pytest.mark.parametrize(
    ("text", "kind", "token"),
    [
        ("LG1ABC", ScannedKind.VOUCHER, "LG1ABC"),
        (" https://lotgate.example/v/LG1ABC\r", ScannedKind.VOUCHER, "LG1ABC"),
        ("HTTPS://LOTGATE.EXAMPLE/T/LT1ABC", ScannedKind.ENTRY_TICKET, "LT1ABC"),
        ("LT1ABC", ScannedKind.ENTRY_TICKET, "LT1ABC"),
        ("HTTPS://LOTGATE.EXAMPLE/P/LP1ABC", ScannedKind.EXIT_PASS, "LP1ABC"),
        ("134567890123456789", ScannedKind.PAYMENT_CODE, "134567890123456789"),
        ("https://lotgate.example/T/LG1ABC", ScannedKind.UNKNOWN, "https://lotgate.example/T/LG1ABC"),
        ("https://lotgate.example/c/LG1ABC", ScannedKind.UNKNOWN, "https://lotgate.example/c/LG1ABC"),
        ("http://lotgate.example/V/LG1ABC", ScannedKind.UNKNOWN, "http://lotgate.example/V/LG1ABC"),
        ("281234567890123456", ScannedKind.PAYMENT_CODE, "281234567890123456"),
        ("1345678901234567", ScannedKind.UNKNOWN, "1345678901234567"),
        ("京A12345", ScannedKind.UNKNOWN, "京A12345"),
        ("", ScannedKind.UNKNOWN, ""),
    ],
)
def test_a_scanned_text_says_whose_business_it_is(text: str, kind: ScannedKind, token: str) -> None:
    assert recognise(text) == Scanned(kind, token)


@pytest.mark.parametrize(
    ("kind", "prefix"),
    [(ScannedKind.VOUCHER, "LG1"), (ScannedKind.ENTRY_TICKET, TICKET_PREFIX), (ScannedKind.EXIT_PASS, PASS_PREFIX)],
)
def test_what_a_paper_holds_is_recognised_again(kind: ScannedKind, prefix: str) -> None:
    assert recognise(link_of(HOST, kind, prefix + "ABC")) == Scanned(kind, prefix + "ABC")


def test_the_voucher_on_paper_is_spelled_as_vouchers_spell_it() -> None:
    assert link_of(HOST, ScannedKind.VOUCHER, "LG1ABC") == voucher.paper_text(HOST, "LG1ABC")
    assert recognise(voucher.paper_text(HOST, "LG1ABC")).token == voucher.strip_to_token("LG1ABC")
