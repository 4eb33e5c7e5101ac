"""The text of a claim code, and what its QR holds."""

from __future__ import annotations

import pytest

from domain.claim_code import claim_url, read_code, write_code
from domain.scanned import ScannedKind, recognise

CODE = write_code(bytes(range(10)))


def test_a_code_is_read_whichever_case_a_phone_makes_of_it() -> None:
    assert read_code(CODE) == read_code(f" {CODE.lower()} ") == CODE


@pytest.mark.parametrize("text", ["", "LC1", CODE[:-1], CODE + "0", "LG1" + CODE[3:], CODE[:-1] + "U"])
def test_anything_else_is_no_code(text: str) -> None:
    assert read_code(text) is None


def test_a_lanes_scanner_says_that_it_is_a_code_to_claim() -> None:
    url = claim_url("https://lotgate.example/", CODE)

    assert url == f"HTTPS://LOTGATE.EXAMPLE/C/{CODE}"
    assert recognise(url).kind is recognise(CODE).kind is ScannedKind.CLAIM_CODE
    assert claim_url("https://lotgate.example/Park", CODE) == f"https://lotgate.example/Park/C/{CODE}"
