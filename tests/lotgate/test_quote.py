"""``lotgate quote`` as a person at a terminal meets it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import lotgate
from lotgate.__main__ import main
from plumbing.i18n import differences

ROOT = Path(__file__).parents[2]
AIRPORT = ROOT / "config" / "tariffs" / "g2-baiyun-airport.toml"


def ask(capsys: pytest.CaptureFixture[str], *words: str, tariff: Path = AIRPORT) -> tuple[int, str, str]:
    code = main(["quote", "--tariff", str(tariff), *words])
    out, err = capsys.readouterr()
    return code, out, err


def ask_json(capsys: pytest.CaptureFixture[str], *words: str, tariff: Path = AIRPORT) -> dict[str, Any]:
    code, out, _ = ask(capsys, *words, "--json", tariff=tariff)
    assert code == 0
    value: dict[str, Any] = json.loads(out)
    return value


MORNING = ("--entry", "2026-03-03T08:00", "--exit", "2026-03-03T11:30")


def test_the_lines_sum_to_the_fee_and_the_coupons_lead_to_the_due(capsys: pytest.CaptureFixture[str]) -> None:
    answer = ask_json(capsys, *MORNING, "--coupon", "duration:60", "--coupon", "percent:80", "--coupon", "amount:1000")

    assert (answer["fee_fen"], answer["due_fen"]) == (3000, 1000)
    assert sum(line["fen"] for line in answer["lines"]) == 3000
    assert [(one["coupon"], one["fen"]) for one in answer["applied"]] == [
        ("duration:60", 500),
        ("percent:80", 500),
        ("amount:1000", 1000),
    ]
    assert set(answer["lines"][0]) == {"from", "to", "rule", "fen"}


@pytest.mark.parametrize(
    ("spec", "due"),
    [
        ("duration:60:end", 2500),
        ("duration:60:entry", 2500),
        ("duration:60:first", 2000),
        ("full", 0),
        ("until:09:00", 2500),
        ("until:2026-03-03T09:00+08:00", 2500),
        ("until:24:00", 0),
    ],
)
def test_every_coupon_spec_is_understood(capsys: pytest.CaptureFixture[str], spec: str, due: int) -> None:
    assert ask_json(capsys, *MORNING, "--coupon", spec)["due_fen"] == due


def test_a_coupon_that_changes_nothing_is_refused_with_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    answer = ask_json(capsys, *MORNING, "--coupon", "until:07:00", "--coupon", "percent:100")

    assert answer["refused"] == [
        {"coupon": "until:07:00", "code": "until_passed"},
        {"coupon": "percent:100", "code": "no_effect"},
    ]


def test_times_with_an_offset_are_taken_to_the_lots_zone(capsys: pytest.CaptureFixture[str]) -> None:
    utc = ask_json(capsys, "--entry", "2026-03-03T00:00Z", "--exit", "2026-03-03T03:30:59+00:00")

    assert utc == ask_json(capsys, *MORNING)


def test_the_due_is_rounded_in_a_line_of_its_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    tariff = tmp_path / "rounded.toml"
    tariff.write_text(
        'code = "r"\n[[window]]\nname = "h"\nunit = 15\nprice = 0.99\n'
        "[rounding]\ncash = { to = 1 }\nelectronic = { to = 0.1 }\n",
        "utf-8",
    )

    electronic = ask_json(capsys, *MORNING, tariff=tariff)
    cash = ask_json(capsys, *MORNING, "--method", "cash", "--coupon", "percent:50", tariff=tariff)

    assert (electronic["fee_fen"], electronic["due_fen"]) == (1380, 1380)
    assert electronic["lines"][-1]["rule"] == "rounding:electronic"
    assert cash["due_fen"] == 600
    assert sum(line["fen"] for line in cash["lines"]) == cash["fee_fen"]
    assert cash["fee_fen"] - cash["applied"][0]["fen"] == 600


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ((*MORNING, "--class", "truck"), "choose one of small, large"),
        ((*MORNING, "--coupon", "amount:-5"), "amount:500"),
        ((*MORNING, "--coupon", "duration:60:middle"), "duration:60[:end|entry|first]"),
        ((*MORNING, "--coupon", "until:25:00"), "until:18:00"),
        ((*MORNING, "--coupon", "free"), "write one of"),
        (("--entry", "2026-03-03T08:00", "--exit", "soon"), "ISO 8601"),
        (("--entry", "2026-03-03T08:00", "--exit", "2026-03-03T07:00"), "is before --entry"),
        ((*MORNING, "--zone", "Mars/Base"), "not a time zone"),
        ((*MORNING, "--calendar", "missing.toml"), "missing.toml"),
    ],
)
def test_bad_input_is_answered_with_2_and_what_is_allowed(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], hint: str
) -> None:
    code, out, err = ask(capsys, *words)

    assert (code, out) == (2, "")
    assert hint in err


def test_a_wrong_tariff_file_is_named_with_its_key(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    tariff = tmp_path / "wrong.toml"
    tariff.write_text('code = "x"\n[[window]]\nname = "h"\nunitt = 60\nprice = 5\n', "utf-8")

    code, _, err = ask(capsys, *MORNING, tariff=tariff)

    assert code == 2
    assert f"{tariff}: window[1].unitt: unknown key" in err
    assert 'did you mean "unit"' in err


def test_the_table_speaks_chinese_first_and_english_by_switch(capsys: pytest.CaptureFixture[str]) -> None:
    _, chinese, _ = ask(capsys, *MORNING, "--coupon", "until:07:00")
    _, english, _ = ask(capsys, *MORNING, "--coupon", "until:07:00", "--lang", "en")

    assert "停车费" in chinese
    assert "应付" in chinese
    assert "30.00" in english
    assert "its free time was over before the entry" in english


def test_both_languages_say_the_same_things() -> None:
    assert differences(Path(lotgate.__file__).parent / "locale") == []
