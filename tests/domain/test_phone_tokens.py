"""What phones carry: the quote of the lot and the pass of the cloud, to the byte; nothing changed passes (I12)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain import exit_pass, fee_quote
from domain.exit_pass import ExitPass
from domain.fee_quote import FeeQuote
from domain.ids import crockford_decode
from plumbing.signing import PrivateKey, PublicKey

KEY = PrivateKey.from_raw(bytes(range(32)))
QUOTE = FeeQuote(
    "0123456789abcdef", 7, "0199f0de-9c00-7abc-8def-0123456789ab", "粤Z1234港", 2500, 500, 700, 1000, 1_795_219_200,
    1_795_219_800, 15,
)  # fmt: skip
PAID = ExitPass("PO20261121000001", 7, QUOTE.number, QUOTE.stay_id, QUOTE.plate, 2300, 1_795_219_260, 15)
GOLDEN_QUOTE = (
    "LQ10400000704HMASW9NF6YYC1H74WPCC34CMPKJRSG60PKERB2CCPKGS35CRPK0C9J6CT3ADHQ70WP2RQ7PAJ5MC9J6CTEDE5F0"
    "00000000000KH00000Z80000AY00003X1NG1QR0DC0E2P001YJJTPKBTD0GPMDQDAKVEDV05MPWEA09DSHVGH58RS9PBX0JD7NAS"
    "F04XTX03ES5X499KCQ95E3RRPMQRD15K3P8YBB5RTKDAN0HNMG0"
)
GOLDEN_SEALED = (
    "LQ10800000704HMASW9NF6YYC1H74WPCC34CMPKJRSG60PKERB2CCPKGS35CRPK0C9J6CT3ADHQ70WP2RH9XXSD4HDTVQ53WQ3SB"
    "F74NNPF0000KH00000Z80000AY00003X1NG1QR0DC0E2P001XJ1XPQS250T07NZ6HQ24WKGHWMSGFH3X494SZQGTCB24SYS3W979"
    "MM80D63E2HDC8A7HHWHYGE90QVNNREQ24A7P2XMCDFQ69JHM3G5"
)
GOLDEN_PASS = (
    "LP104000007A17K4C1J6RRK2CHH60R30C1G640000000000000000000000000028T5CY4TQKFF60RKJEB661J6AB9SCCR30B9QC"
    "5H66B9RCHJPCB9G64S36D1N6RVKGEB1CBKV592T64S36D76Q2QG000000000008ZHNG1QSW007X5PG54MSFQFXQB4DHPA6W66WGS"
    "9TN421WK9FDYYJ1F8CP1Y86GFW1D5TWFV06RZRJKAEKQ8B2BDEGS79E2357APE96PEBJW4VYD3304"
)
GOLDEN_CODE = "13956058"


def verify(public: bytes, purpose: bytes, message: bytes, signature: bytes) -> bool:
    return PublicKey.from_raw(public)(purpose, message, signature)


def read_quote(text: str) -> FeeQuote | None:
    return fee_quote.read(text, verify, KEY.public.raw)


def read_pass(text: str, lot_id: int = 7) -> ExitPass | None:
    return exit_pass.read(text, lot_id, verify, KEY.public.raw)


def test_both_are_written_as_they_were_written_when_this_release_was_new() -> None:
    assert fee_quote.issue(QUOTE, KEY) == GOLDEN_QUOTE
    assert exit_pass.issue(PAID, KEY) == GOLDEN_PASS
    assert exit_pass.code(exit_pass.code_key(b"secret", 7), PAID.number, PAID.stay_id, PAID.fen) == GOLDEN_CODE


def test_what_is_read_is_what_was_written() -> None:
    assert read_quote(GOLDEN_QUOTE) == QUOTE
    assert read_pass(GOLDEN_PASS) == PAID
    assert (QUOTE.stay_due_fen, QUOTE.due_fen) == (1300, 2300)
    assert fee_quote.lot_of(GOLDEN_QUOTE) == 7
    link = fee_quote.link_of("https://park.example", GOLDEN_QUOTE)
    assert (link[:24], fee_quote.token_in(link)) == ("HTTPS://PARK.EXAMPLE/Q/L", GOLDEN_QUOTE)


def test_a_sealed_quote_shows_no_plate_but_to_its_lot_and_the_cloud() -> None:
    lot_key = exit_pass.code_key(b"secret", 7)
    seal, other = fee_quote.seal_key(lot_key), fee_quote.seal_key(exit_pass.code_key(b"secret", 8))
    sealed = fee_quote.issue(QUOTE, KEY, seal)
    again = fee_quote.issue(replace(QUOTE, number="f123456789abcdef"), KEY, seal)
    public = KEY.public.raw

    assert sealed == GOLDEN_SEALED
    assert fee_quote.read(sealed, verify, public, seal) == QUOTE
    assert fee_quote.read(sealed, verify, public) == replace(QUOTE, plate="")
    assert fee_quote.read(sealed, verify, public, other) != QUOTE
    bodies = [crockford_decode(text[3:], 155)[49:65] for text in (GOLDEN_QUOTE, sealed, again)]
    assert bodies[0] == QUOTE.plate.encode().ljust(16, b"\0")
    assert len(set(bodies)) == 3  # the same plate looks another way in every quote
    assert (len(sealed), fee_quote.lot_of(sealed)) == (fee_quote.TOKEN_LENGTH, 7)


def test_one_changed_character_makes_it_nothing() -> None:
    for text, read in ((GOLDEN_QUOTE, read_quote), (GOLDEN_PASS, read_pass)):
        for place, letter in enumerate(text):
            changed = text[:place] + ("1" if letter == "0" else "0") + text[place + 1 :]
            assert read(changed) is None, place
        assert read(text + "0") is None
        assert read(text.lower()) is None


def test_a_quote_is_no_pass_and_neither_is_believed_of_another() -> None:
    assert read_pass("LP1" + GOLDEN_QUOTE[3:]) is None
    assert read_pass(GOLDEN_PASS, 8) is None
    assert fee_quote.read(GOLDEN_QUOTE, verify, PrivateKey.from_raw(bytes(32)).public.raw) is None


@pytest.mark.parametrize(
    "odd", [{"plate": "京" * 6}, {"stay_id": "s" * 37}, {"number": "00"}, {"fee_fen": -1}, {"plate": "京\0"}]
)
def test_what_does_not_fit_is_not_signed(odd: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="fit"):
        fee_quote.issue(replace(QUOTE, **odd), KEY)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "meant"), [("1234 5678", "12345678"), ("1234-5678", "12345678"), ("1234567", None), ("1234567x", None)]
)
def test_digits_are_typed_as_people_type(typed: str, meant: str | None) -> None:
    assert exit_pass.code_in(typed) == meant


def test_digits_are_good_for_one_quote_of_one_stay_and_its_amount() -> None:
    key = exit_pass.code_key(b"secret", 7)
    digits = exit_pass.code(key, PAID.number, PAID.stay_id, PAID.fen)

    assert exit_pass.is_code(digits, key, PAID.number, PAID.stay_id, PAID.fen)
    assert not exit_pass.is_code(digits, key, PAID.number, PAID.stay_id, PAID.fen + 1)
    assert not exit_pass.is_code(digits, key, PAID.number, "another", PAID.fen)
    assert not exit_pass.is_code(digits, exit_pass.code_key(b"secret", 8), PAID.number, PAID.stay_id, PAID.fen)
