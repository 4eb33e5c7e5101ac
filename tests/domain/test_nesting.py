"""Zones inside zones: the worked examples of docs/zones.md to the fen, and what holds for every way through."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import CalendarSet
from domain.decision import CouponGiven, ExitInputs, OpenStay, Priced, Rules, TariffRef, decide_exit, replayed
from domain.pricing import PriceLists
from domain.tariff import parse_tariff
from domain.zones import CapPer, Charge, Move, Nested, ZoneRule

MINUTE_MS = 60_000
ENTERED = datetime(2026, 3, 3, 8)  # noqa: DTZ001  lot-local


def price_list(code: str, free: int, unit: int, yuan: int, more: str = "") -> str:
    return (
        f'code = "{code}"\nversion = 1\nstarts = 2026-01-01\nfree = {free}\n{more}\n'
        f'[[window]]\nname = "all"\nunit = {unit}\nprice = {yuan}\n'
    )


DAY_NIGHT = """
code = "garage-hours"
starts = 2026-01-01
[[window]]
name = "day"
from = "08:00"
to = "10:00"
unit = 60
price = 6
[[window]]
name = "later"
from = "10:00"
to = "08:00"
unit = 60
price = 1
"""
NOON = DAY_NIGHT.replace("garage-hours", "noon").replace("later", "quiet")
NOON = NOON.replace("08:00", "09:00").replace("10:00", "11:00").replace("price = 6", "price = 60")
LADDER = """
code = "ladder"
starts = 2026-01-01
[[window]]
name = "all"
steps = [{ until = "2h", unit = 60, price = 1 }, { unit = 60, price = 10 }]
"""
TEXTS = {
    "ladder": LADDER,
    "noon": NOON,
    "yard": price_list("yard", 15, 60, 5),
    "garage": price_list("garage", 0, 30, 4),
    "hours": DAY_NIGHT,
    "dear": price_list("dear", 0, 60, 50),
}
DIGESTS = {zone: hashlib.sha256(text.encode()).hexdigest() for zone, text in TEXTS.items()}
LISTS = PriceLists({DIGESTS[zone]: parse_tariff(text, zone) for zone, text in TEXTS.items()}, CalendarSet())


def refs(yard: str = "yard", garage: str = "garage") -> tuple[TariffRef, ...]:
    return (TariffRef("yard", yard, "1", DIGESTS[yard]), TariffRef("garage", garage, "1", DIGESTS[garage]))


def rules(charge: Charge, cap_fen: int = 0, per: CapPer = CapPer.HOURS_24) -> tuple[ZoneRule, ...]:
    return (
        ZoneRule("yard", "", "replaces", 0, "24h"),
        ZoneRule("garage", "yard", charge.value, cap_fen, per.value),
    )


def inputs(
    minutes: int,
    *moves: Move,
    zones: tuple[ZoneRule, ...],
    covered: tuple[tuple[str, int, int], ...] = (),
    tariffs: tuple[TariffRef, ...] | None = None,
    **changes: object,
) -> ExitInputs:
    stay = OpenStay("s", "京A12345", "small", "yard", ENTERED.isoformat(timespec="minutes"), 0, 3, 0, 0)
    given_ = ExitInputs(
        lane="out", plate=stay.plate, typed_by="li", seen=(), repeated=False, near=(stay.plate,), stay=stay,
        length_ms=minutes * MINUTE_MS, estimated=False, entry_from_min=0, entry_to_min=0, settled_ms=None,
        settled_fee_fen=0, settled_off=(), new_stay_after_ms=None, first_stay_of_day=True, charging_min=0,
        charged_before_fen=0, tariffs=tariffs or refs(), calendars=(), coupons=(), covered=(), cash=True,
        rules=Rules((), 60, 15, 10), nested=Nested(moves, zones, covered),
    )  # fmt: skip
    return replace(given_, **changes)  # type: ignore[arg-type]


def priced(given_: ExitInputs) -> Priced:
    assert given_.stay is not None
    return LISTS(given_, given_.stay)


def shown(given_: ExitInputs) -> list[tuple[str, str, str, str, int]]:
    """Lines as docs/zones.md prints them."""
    return [
        (line.get("zone", ""), line["from"][11:], line["to"][11:], line["rule"], line["fen"])
        for line in priced(given_).lines
        if "from" in line
    ]


def went(zone: str, minute: int, *, guessed: bool = False) -> Move:
    return Move(zone, minute * MINUTE_MS, guessed)


THROUGH = (went("garage", 10), went("yard", 130))  # 10 in the yard, two hours in the garage, 30 more in the yard


def test_inner_replaces_outer() -> None:
    assert shown(inputs(160, *THROUGH, zones=rules(Charge.REPLACES))) == [
        ("yard", "08:00", "10:40", "time:all", 500),
        ("yard", "08:10", "10:10", "paused", 0),
        ("garage", "08:10", "10:10", "time:all", 1600),
    ]


def test_both_are_charged() -> None:
    assert shown(inputs(160, *THROUGH, zones=rules(Charge.BOTH))) == [
        ("yard", "08:00", "10:40", "time:all", 1500),
        ("garage", "08:10", "10:10", "time:all", 1600),
    ]


def test_one_cap_over_both() -> None:
    assert shown(inputs(160, *THROUGH, zones=rules(Charge.SHARED_CAP, 1800))) == [
        ("yard", "08:00", "10:40", "time:all", 500),
        ("yard", "08:10", "10:10", "paused", 0),
        ("garage", "08:10", "10:10", "time:all", 1600),
        ("yard", "08:00", "10:40", "cap:shared", -300),
    ]


def test_free_minutes_are_given_once_however_often_the_car_goes_in_and_out() -> None:
    hops = (went("garage", 10), went("yard", 20), went("garage", 30), went("yard", 40))

    fees = [priced(inputs(50, *hops[:count], zones=rules(Charge.REPLACES))).fee_fen for count in (2, 4)]

    assert fees == [900, 900]  # 40 minutes or 30 of the yard and 10 or 20 of the garage: 5 and 4 yuan


def test_a_paused_clock_is_priced_at_the_cheaper_hours() -> None:
    """Half an hour before nine and half an hour after eleven: by the hours of the beginning 6 yuan, of the end 1."""
    through = (went("yard", 0), went("garage", 30), went("yard", 150))

    lines = shown(inputs(180, *through, zones=rules(Charge.REPLACES), tariffs=refs(yard="hours")))

    assert lines[0] == ("yard", "08:00", "11:00", "time:later", 100)


def test_dear_hours_the_car_was_not_there_for_are_not_charged() -> None:
    """Two cheap hours with two dear ones between, spent elsewhere: no way to make them one stay leaves the dear out."""
    tariffs = refs(yard="noon")
    through = (went("garage", 60), went("yard", 180))

    lines = shown(inputs(240, *through, zones=rules(Charge.REPLACES), tariffs=tariffs))

    assert [line for line in lines if line[0] == "yard"] == [
        ("yard", "08:00", "09:00", "time:quiet", 100),
        ("yard", "09:00", "11:00", "paused", 0),
        ("yard", "11:00", "12:00", "time:quiet", 100),
    ]


def test_driving_in_and_out_begins_no_ladder_anew() -> None:
    """Two hours at 1 yuan, then 10 an hour: an hour and a half before and after the garage is three hours."""
    tariffs = refs(yard="ladder")

    lines = shown(inputs(240, went("garage", 90), went("yard", 150), zones=rules(Charge.REPLACES), tariffs=tariffs))

    assert sum(fen for zone, *_, fen in lines if zone == "yard") == 1200


def test_a_cap_for_each_24_hours_begins_anew() -> None:
    zones = rules(Charge.SHARED_CAP, 2000)
    two_days = priced(inputs(2 * 1440, went("garage", 60), zones=zones))
    one_stay = priced(inputs(2 * 1440, went("garage", 60), zones=rules(Charge.SHARED_CAP, 2000, CapPer.STAY)))
    by_day = priced(inputs(2 * 1440, went("garage", 60), zones=rules(Charge.SHARED_CAP, 2000, CapPer.DAY)))

    assert (two_days.fee_fen, one_stay.fee_fen, by_day.fee_fen) == (4000, 2000, 6000)


def test_an_entitlement_pays_for_its_own_zone_and_no_other() -> None:
    both = inputs(160, *THROUGH, zones=rules(Charge.BOTH), covered=(("garage", 0, 161),))
    outer = inputs(160, *THROUGH, zones=rules(Charge.BOTH), covered=(("yard", 0, 161),))

    assert (priced(both).fee_fen, priced(outer).fee_fen) == (1500, 1600)
    assert ("garage", "08:10", "10:10", "covered", 0) in shown(both)


@pytest.mark.parametrize(
    ("first", "fee", "zone"),
    [
        ("garage", 1000, "yard"),  # the garage at 8 yuan an hour: cheapest that it left at once
        ("dear", 1000, "yard"),
    ],
)
def test_a_missed_read_counts_as_whatever_is_cheaper(first: str, fee: int, zone: str) -> None:
    missed_exit = inputs(
        120,
        went("garage", 1),
        went("yard", 120, guessed=True),
        zones=rules(Charge.REPLACES),
        tariffs=refs(garage=first),
    )

    assert priced(missed_exit).fee_fen == fee
    assert {line["zone"] for line in priced(missed_exit).lines if line.get("fen")} == {zone}
    assert priced(missed_exit).lines[-1] == {"rule": "note:missed_read", "fen": 0}


def test_a_missed_entry_into_a_cheaper_zone_counts_from_the_last_time_it_was_seen() -> None:
    cheap = refs(yard="dear", garage="garage")
    moves = (went("garage", 120, guessed=True), went("yard", 120))

    assert priced(inputs(120, *moves, zones=rules(Charge.REPLACES), tariffs=cheap)).fee_fen == 1600


def test_a_coupon_takes_off_the_sum() -> None:
    coupon = CouponGiven("c", "coupon", '{"kind":"AMOUNT","value":700}', 3)

    got = priced(inputs(160, *THROUGH, zones=rules(Charge.REPLACES), coupons=(coupon,)))

    assert (got.fee_fen, got.off) == (2100, (("c", 700),))


def test_it_replays_to_the_same_bytes() -> None:
    decision = decide_exit(inputs(160, *THROUGH, zones=rules(Charge.SHARED_CAP, 1800)), LISTS)

    assert b'"nested"' in decision.text()
    assert replayed(decision.text(), LISTS) == decision.text()


def test_a_stay_that_never_moved_has_the_bytes_it_had_before_zones() -> None:
    plain = replace(inputs(160, zones=()), nested=None, tariffs=refs()[:1])

    decision = decide_exit(plain, LISTS)

    assert b"nested" not in decision.text()
    assert replayed(decision.text(), LISTS) == decision.text()


MOVES = st.lists(
    st.tuples(st.integers(0, 4000), st.booleans(), st.booleans()), max_size=6, unique_by=lambda one: one[0]
).map(
    lambda drawn: [
        went("garage" if place % 2 == 0 else "yard", minute, guessed=guessed)
        for place, (minute, guessed, _) in enumerate(sorted(drawn))
    ]
)


@given(moves=MOVES, minutes=st.integers(0, 4500), charge=st.sampled_from(Charge), cap=st.integers(0, 6000),
       per=st.sampled_from(CapPer))  # fmt: skip
def test_lines_sum_to_the_fee_which_is_never_negative_nor_above_the_cap(
    moves: list[Move], minutes: int, charge: Charge, cap: int, per: CapPer
) -> None:
    got = priced(inputs(minutes, *moves, zones=rules(charge, cap, per)))

    assert got.fee_fen == sum(line["fen"] for line in got.lines)
    assert got.fee_fen >= 0
    if charge is Charge.SHARED_CAP and any(line.get("zone") == "garage" for line in got.lines):
        periods = {CapPer.STAY: 1, CapPer.HOURS_24: -(-minutes // 1440), CapPer.DAY: -(-(minutes + 480) // 1440)}
        assert got.fee_fen <= cap * periods[per]


@given(moves=MOVES, minutes=st.integers(0, 4500))
def test_inner_instead_of_outer_charges_no_minute_twice(moves: list[Move], minutes: int) -> None:
    """With a price of one yuan a minute in both zones the fee is at most the minutes of the stay."""
    by_minute = parse_tariff(price_list("minute", 0, 1, 1), "minute")
    lists = PriceLists({"m": by_minute}, CalendarSet())
    both = (TariffRef("yard", "minute", "1", "m"), TariffRef("garage", "minute", "1", "m"))
    given_ = inputs(minutes, *moves, zones=rules(Charge.REPLACES), tariffs=both)
    assert given_.stay is not None

    assert lists(given_, given_.stay).fee_fen == 100 * minutes


@given(moves=MOVES, minutes=st.integers(1, 4500))
def test_the_lines_of_a_zone_stand_within_the_stay_and_do_not_overlap_its_pauses(
    moves: list[Move], minutes: int
) -> None:
    lines = [line for line in priced(inputs(minutes, *moves, zones=rules(Charge.REPLACES))).lines if "from" in line]
    left = ENTERED + timedelta(minutes=minutes)

    assert all(ENTERED.isoformat() <= line["from"] + ":00" <= line["to"] + ":00" <= left.isoformat() for line in lines)
    for zone in ("yard", "garage"):
        begins = [line["from"] for line in lines if line["zone"] == zone]
        assert all(one <= other for one, other in pairwise(begins))
