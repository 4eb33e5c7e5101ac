"""The voucher token: what it says, and that nothing but a genuine one is honoured (I12)."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import CROCKFORD, crockford_decode, crockford_encode
from domain.moment import Moment, Quality
from domain.voucher import (
    PURPOSE,
    TOKEN_LENGTH,
    Payload,
    Refusal,
    Refused,
    Valid,
    VoucherKey,
    check,
    encode,
    issue,
    number,
    paper_text,
    plate_tag,
    strip_to_token,
)
from plumbing.signing import PrivateKey, PublicKey

NOON_MIN = 29_000_000
HOUR_MS = 3_600_000
EDGE = PrivateKey.from_raw(bytes(range(32)))
OTHER_EDGE = PrivateKey.from_raw(bytes(range(1, 33)))
PAYLOAD = Payload(
    key_id=7,
    counter=345,
    template_id=11,
    merchant_id=21,
    cap_fen=1000,
    lease_id=31,
    not_after_min=NOON_MIN,
    span_h=24,
    home_lot=3,
)
KEY = VoucherKey(7, EDGE.public.raw, 3, NOON_MIN * 60_000 - 1000 * HOUR_MS, NOON_MIN * 60_000 + 1000 * HOUR_MS)
KEYS = {7: KEY}
TOKEN = issue(PAYLOAD, EDGE)


def verify(public: bytes, purpose: bytes, message: bytes, signature: bytes) -> bool:
    return PublicKey.from_raw(public)(purpose, message, signature)


def at(minutes: int, seconds: int = 0, *, uncertainty_ms: int = 0, quality: Quality = Quality.NTP) -> Moment:
    """So many minutes after the voucher's last minute began."""
    return Moment("boot", 0, (NOON_MIN + minutes) * 60_000 + seconds * 1000, quality, uncertainty_ms)


checked = partial(check, keys=KEYS, verify=verify, now=at(-60), lot_id=3)


def refusal(token: str) -> Refusal:
    answer = checked(token)
    assert isinstance(answer, Refused), token
    return answer.code


def test_the_payload_lies_in_its_forty_bytes_as_documented() -> None:
    payload = replace(PAYLOAD, roam=True, plate_tag=b"\xde\xad\xbe\xef", test=True)

    assert encode(payload).hex(" ") == (
        "01 07 00 00 00 07 00 00 00 01 59 00 00 00 0b 00 00 00 15 00 00 03 e8 "
        "00 00 00 1f 01 ba 81 40 00 18 00 00 03 de ad be ef"
    )


def test_a_token_is_170_characters_that_a_qr_holds_as_alphanumeric() -> None:
    assert len(TOKEN) == TOKEN_LENGTH == 170
    assert TOKEN.startswith("LG1")
    assert set(TOKEN) <= set(CROCKFORD + "L")


def test_a_genuine_voucher_says_what_was_issued() -> None:
    assert checked(TOKEN) == Valid(PAYLOAD)


@given(
    st.builds(
        Payload,
        key_id=st.integers(0, 2**32 - 1),
        counter=st.integers(0, 2**40 - 1),
        template_id=st.integers(0, 2**32 - 1),
        merchant_id=st.integers(0, 2**32 - 1),
        cap_fen=st.integers(0, 2**32 - 1),
        lease_id=st.integers(0, 2**32 - 1),
        not_after_min=st.integers(0, 2**32 - 1),
        span_h=st.integers(0, 2**16 - 1),
        home_lot=st.integers(0, 2**24 - 1),
        plate_tag=st.just(b"") | st.binary(min_size=4, max_size=4),
        roam=st.booleans(),
        test=st.booleans(),
    )
)
def test_every_payload_comes_back_whole(payload: Payload) -> None:
    key = VoucherKey(payload.key_id, b"", payload.home_lot, -(2**60), 2**60)
    token = issue(payload, lambda purpose, body: bytes(64))
    anytime = Moment("boot", 0, 0, Quality.UNKNOWN)

    answer = check(
        token,
        {payload.key_id: key},
        lambda *_: True,
        anytime,
        payload.home_lot,
        plate_tag=payload.plate_tag,
        allow_test=True,
    )

    assert answer == Valid(payload, unsure=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"key_id": 2**32},
        {"counter": 2**40},
        {"counter": -1},
        {"home_lot": 2**24},
        {"span_h": 2**16},
        {"cap_fen": -1},
        {"plate_tag": b"abc"},
    ],
)
def test_a_field_that_does_not_fit_is_never_issued(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"fit|four bytes"):
        issue(replace(PAYLOAD, **wrong), EDGE)  # type: ignore[arg-type]


def test_any_flipped_bit_is_refused() -> None:
    signed = crockford_decode(TOKEN[3:], 104)

    for bit in range(832):
        flipped = (int.from_bytes(signed, "big") ^ 1 << bit).to_bytes(104, "big")
        refusal("LG1" + crockford_encode(flipped))


def test_every_other_length_is_refused_before_any_crypto() -> None:
    def no_crypto(*_: bytes) -> bool:
        raise AssertionError("asked to verify")

    for length in range(513):
        if length != TOKEN_LENGTH:
            text = (TOKEN * 4)[:length]
            assert check(text, KEYS, no_crypto, at(-60), 3) == Refused(Refusal.MALFORMED)


def test_any_added_or_removed_character_is_refused() -> None:
    for place in range(TOKEN_LENGTH):
        assert refusal(TOKEN[:place] + TOKEN[place + 1 :]) is Refusal.MALFORMED
        assert refusal(TOKEN[:place] + "0" + TOKEN[place:]) is Refusal.MALFORMED


def test_any_changed_character_is_refused() -> None:
    for place in range(TOKEN_LENGTH):
        refusal(TOKEN[:place] + ("0" if TOKEN[place] != "0" else "1") + TOKEN[place + 1 :])


@pytest.mark.parametrize(
    "respelled",
    [
        TOKEN.lower(),
        "lg1" + TOKEN[3:],
        TOKEN.replace("0", "O"),
        TOKEN.replace("1", "I"),
        TOKEN.replace("0", "\uff10"),
        TOKEN[:-1] + CROCKFORD[CROCKFORD.index(TOKEN[-1]) | 1],  # a padding bit set: other text, same bytes
        " " + TOKEN[:-1],
        TOKEN[:-1] + "\n",
        "LG2" + TOKEN[3:],
    ],
)
def test_another_spelling_of_the_same_bytes_is_refused(respelled: str) -> None:
    assert respelled != TOKEN
    assert refusal(respelled) is Refusal.MALFORMED


@pytest.mark.parametrize("purpose", [b"", b"lotgate-batch-1", b"lotgate-voucher-2", PURPOSE + b"\x00"])
def test_a_signature_for_another_purpose_is_refused(purpose: bytes) -> None:
    token = issue(PAYLOAD, lambda _, body: EDGE(purpose, body))

    assert refusal(token) is Refusal.BAD_SIGNATURE


def test_an_uncertified_key_is_refused() -> None:
    assert refusal(issue(replace(PAYLOAD, key_id=8), OTHER_EDGE)) is Refusal.UNKNOWN_KEY
    assert refusal(issue(PAYLOAD, OTHER_EDGE)) is Refusal.BAD_SIGNATURE


def test_random_tokens_are_refused() -> None:
    dice = random.Random(12)

    for _ in range(300):
        body = bytes([1, dice.randrange(8)]) + (7).to_bytes(4, "big") + dice.randbytes(98)
        refusal("LG1" + crockford_encode(body))
        refusal("LG1" + "".join(dice.choices(CROCKFORD, k=167)))


@pytest.mark.parametrize("body", [b"\x02" + encode(PAYLOAD)[1:], b"\x01\x08" + encode(PAYLOAD)[2:]])
def test_a_layout_of_another_version_is_refused_though_signed(body: bytes) -> None:
    token = "LG1" + crockford_encode(body + EDGE(PURPOSE, body))

    assert refusal(token) is Refusal.WRONG_VERSION


def test_a_tag_without_the_flag_that_explains_it_is_refused() -> None:
    body = encode(PAYLOAD)[:-4] + b"abcd"

    assert refusal("LG1" + crockford_encode(body + EDGE(PURPOSE, body))) is Refusal.WRONG_VERSION


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (replace(KEY, revoked_at_counter=345), None),
        (replace(KEY, revoked_at_counter=344), Refusal.ABOVE_REVOKED_COUNTER),
        (replace(KEY, revoked_at_counter=0), Refusal.REVOKED_KEY),
        (replace(KEY, lot_id=4), Refusal.FOREIGN_KEY),
        (replace(KEY, not_after_ms=(NOON_MIN - 24 * 60) * 60_000), Refusal.KEY_OUT_OF_PERIOD),
        (replace(KEY, not_after_ms=(NOON_MIN - 24 * 60) * 60_000 + 1), None),
        (replace(KEY, not_before_ms=(NOON_MIN + 1) * 60_000), Refusal.KEY_OUT_OF_PERIOD),
        (replace(KEY, not_before_ms=(NOON_MIN + 1) * 60_000 - 1), None),
    ],
)
def test_a_voucher_is_as_good_as_its_key(key: VoucherKey, code: Refusal | None) -> None:
    answer = checked(TOKEN, keys={7: key})

    assert answer == (Refused(code) if code else Valid(PAYLOAD))


@pytest.mark.parametrize(
    ("now", "answer"),
    [
        (at(0), Valid(PAYLOAD)),
        (at(0, 59), Valid(PAYLOAD)),  # the last minute is inside
        (at(1), Refused(Refusal.EXPIRED)),
        (at(1, uncertainty_ms=1), Valid(PAYLOAD, unsure=True)),
        (at(2, uncertainty_ms=60_000), Refused(Refusal.EXPIRED)),
        (at(-24 * 60), Valid(PAYLOAD)),
        (at(-24 * 60 - 1, 59), Refused(Refusal.NOT_YET)),
        (at(-24 * 60 - 1, 59, uncertainty_ms=1000), Valid(PAYLOAD, unsure=True)),
        (at(-999_999, quality=Quality.UNKNOWN), Valid(PAYLOAD, unsure=True)),  # a clock that knows nothing
    ],
)
def test_time_is_judged_in_the_drivers_favour(now: Moment, answer: Valid | Refused) -> None:
    assert checked(TOKEN, now=now) == answer


def test_away_from_home_only_a_roaming_voucher_is_good() -> None:
    roaming = replace(PAYLOAD, roam=True)

    assert checked(TOKEN, lot_id=4) == Refused(Refusal.OTHER_LOT)
    assert checked(issue(roaming, EDGE), lot_id=4) == Valid(roaming)


def test_a_bound_voucher_is_for_its_plate_only() -> None:
    bound = replace(PAYLOAD, plate_tag=plate_tag(b"secret", "京A12345"))
    token = issue(bound, EDGE)

    assert checked(token, plate_tag=plate_tag(b"secret", "京A12345")) == Valid(bound)
    assert checked(token, plate_tag=plate_tag(b"secret", "京A12346")) == Refused(Refusal.OTHER_PLATE)
    assert checked(token) == Refused(Refusal.OTHER_PLATE)


def test_a_test_slip_opens_nothing() -> None:
    trial = replace(PAYLOAD, test=True)

    assert checked(issue(trial, EDGE)) == Refused(Refusal.TEST)
    assert checked(issue(trial, EDGE), allow_test=True) == Valid(trial)


@pytest.mark.parametrize(
    "scanned",
    [
        TOKEN,
        TOKEN + "\r\n",
        paper_text("pay.example", TOKEN),
        f"https://pay.example:8443/v/{TOKEN}",
        f"  HTTPS://PAY.EXAMPLE/V/{TOKEN}\t",
    ],
)
def test_a_scanner_finds_the_token_on_the_paper(scanned: str) -> None:
    assert strip_to_token(scanned) == TOKEN


@pytest.mark.parametrize("scanned", ["", "hello", "https://pay.example/w/LG1", "http://pay.example/v/LG1"])
def test_other_scans_come_back_as_they_are(scanned: str) -> None:
    assert strip_to_token(scanned) == scanned


def test_the_printed_link_is_all_capitals() -> None:
    assert paper_text("pay.example", TOKEN) == f"HTTPS://PAY.EXAMPLE/V/{TOKEN}"


def test_people_read_a_voucher_by_key_and_counter() -> None:
    assert number(PAYLOAD) == "7-000345"
    assert PAYLOAD.voucher_id == (7, 345)
