"""A wrong tariff is refused with the file, the key path, and what is allowed there."""

from __future__ import annotations

import pytest

from domain.tariff import TariffError, parse_tariff

GOOD = 'code = "x"\n[[window]]\nname = "h"\nunit = 60\nprice = 5\n'

CASES = [
    ('code = "x', "", "not valid TOML"),
    ('name = "no code"\n' + GOOD[11:], "code", "is required"),
    ('code = "x"', "window", "at least one [[window]]"),
    (GOOD + "prise = 3", "window[1].prise", 'did you mean "price"?'),
    ("free = 'a while'\n" + GOOD, "free.minutes", "write minutes as 90"),
    ("fre = 15\n" + GOOD, "fre", 'did you mean "free"?'),
    (GOOD + "[[cap]]\nper = '24h'\namont = 3", "cap[1].amont", 'did you mean "amount"?'),
    (GOOD.replace("5", "2.555"), "window[1].price", "whole fen"),
    (GOOD.replace("5", "'5'"), "window[1].price", "write yuan as a number"),
    (GOOD.replace("5", "-5"), "window[1].price", "0 or more"),
    (GOOD.replace("60", "0"), "window[1].unit", "at least 1 minute"),
    (GOOD.replace("60", "'an hour'"), "window[1].unit", '"1h30"'),
    (GOOD.replace("unit = 60", ""), "window[1].unit", "is required"),
    (GOOD + "flat = 3", "window[1]", "exactly one of price with unit, flat or free; has price, flat"),
    (GOOD + "from = '7:00'", "window[1].from", 'write "HH:MM"'),
    (GOOD + "from = '07:00'\nto = '07:00'", "window[1].to", "leave both out"),
    (GOOD + "from = '07:00'\nto = '19:00'", "window", "no window covers 00:00-07:00"),
    (GOOD + "days = ['workday']", "window", 'a day that is "'),
    (GOOD + "days = ['weeknd']", "window[1].days[1]", 'did you mean "weekend"?'),
    (GOOD + "classes = ['truck']", "window[1].classes[1]", "choose one of small"),
    (GOOD + GOOD[11:].replace('"h"', '"i"'), "window[2]", "never reached"),
    (GOOD + "days = ['weekend']\n" + GOOD[11:], "window[2].name", "is taken"),
    (GOOD + "grace = 60", "window[1].grace", "shorter than the unit of 60"),
    (GOOD + "counts = 'complete'", "window[1].counts", "choose one of started, full"),
    (GOOD + "[[cap]]\nper = 'week'\namount = 1", "cap[1].per", 'choose "stay", "day" or hours'),
    (GOOD + "[[cap]]\nper = 'day'", "cap[1]", "either amount"),
    (GOOD + "[[cap]]\nper = 'stay'\namounts = [1, 2]", "cap[1]", "one amount"),
    (GOOD + "[free]\nminutes = 15\nmode = 'deduct'", "free.mode", 'did you mean "deducted"?'),
    (GOOD + "[restart]\nat_window = ['unit']", "restart.at_window[1]", 'did you mean "units"?'),
    (GOOD + "[restart]\nevery = '24'", "restart.every", '"never", "day" or hours from entry'),
    (GOOD + "[restart]\nat_period = ['units']", "restart.at_period", "no meaning without every"),
    (GOOD + "[prepaid]\nlate = 'again'", "prepaid.late", "choose one of new_stay, difference"),
    (GOOD + "[rounding]\ncash = {to = 0.2}", "rounding.cash.to", "choose 0.1, 0.5 or 1"),
    (GOOD + "[rounding]\ncard = {to = 1}", "rounding.card", "allowed here: cash, electronic"),
    (GOOD + "[class.large]\npercent = 50", "class.large", "allowed here: small"),
    ("starts = '2026-01-01'\n" + GOOD, "starts", "write it bare"),
    ("version = 0\n" + GOOD, "version", "1 or more"),
    ("own_days = ['holiday']\n" + GOOD, "own_days[1]", "every calendar has"),
    (GOOD.replace("5", "{ large = 5 }"), "window[1].price.large", "allowed here: small, other"),
    ("classes = ['a', 'b']\n" + GOOD.replace("5", "{ a = 5 }"), "window[1].price", 'no entry for class "b"'),
    ("classes = ['a', 'a']\n" + GOOD, "classes", "twice"),
]
STEPS = 'code = "x"\n[[window]]\nname = "h"\nsteps = [{}]\n'
STEP_CASES = [
    ("{ until = 60, unit = 60, price = 1 }", "window[1].steps[1].until", "the last step goes on for ever"),
    ("{ unit = 60, price = 1 }, { flat = 2 }", "window[1].steps[1].until", "is required"),
    ("{ until = 90, unit = 60, price = 1 }, { flat = 2 }", "window[1].steps[1].until", "whole number of 60-minute"),
    (
        "{ until = 60, flat = 1 }, { until = 60, flat = 1 }, { flat = 2 }",
        "window[1].steps[2].until",
        "ends at 60 minutes",
    ),
    ("{ until = 60, flat = 9 }, { total = 5 }", "window[1].steps[2].total", "less than the 9 yuan"),
    ("{ total = 5 }", "window[1].steps[1].total", "cannot be the first step"),
    ("{ free = false }", "window[1].steps[1].free", "can only be true"),
    ("{ flat = 5, unit = 60 }", "window[1].steps[1].unit", "no meaning beside flat"),
    ("", "window[1].steps", "at least one step"),
]


@pytest.mark.parametrize(
    ("text", "path", "hint"), [*CASES, *((STEPS.replace("{}", steps), path, hint) for steps, path, hint in STEP_CASES)]
)
def test_a_mistake_is_named_with_its_place_and_what_is_allowed(text: str, path: str, hint: str) -> None:
    with pytest.raises(TariffError) as caught:
        parse_tariff(text, "lot/tariff.toml")

    assert str(caught.value).startswith(f"lot/tariff.toml: {path}: " if path else "lot/tariff.toml: ")
    assert hint in str(caught.value)


def test_the_digest_ignores_layout_and_comments_but_no_rule() -> None:
    plain, commented, other = (
        parse_tariff(text, "t") for text in (GOOD, "# said\n" + GOOD.replace("5", "5.00"), GOOD.replace("5", "6"))
    )

    assert plain.digest == commented.digest
    assert plain.digest != other.digest
    assert (len(plain.digest), plain.text) == (64, GOOD)
