"""Every code a page may show has words, and both languages say the same things."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import domain
import edge
from domain.lane import Incident
from domain.lookalike import Reason
from domain.stay import UnpaidCause
from domain.voucher import Refusal
from drivers.base import Fault, PrinterStatus
from edge.copies import State
from edge.web import words
from edge.web.app import HERE, driver_words
from plumbing.i18n import LANGUAGES, differences
from plumbing.lanepage import fee_lines

CATALOGUE = driver_words()
SERVICES = sorted((Path(edge.__file__).parent / "services").glob("*.py"))
LEASE_CODES = ("lease_closed", "lease_short", "lease_stale")


def codes(folder: Path, call: str) -> set[str]:
    """Codes written as ``call("code")`` in the Python files of a folder."""
    return {code for path in folder.rglob("*.py") for code in re.findall(rf'{call}\("(\w+)"', path.read_text())}


def test_the_languages_agree() -> None:
    assert differences(HERE / "locale") == []


@pytest.mark.parametrize("code", sorted({*codes(Path(edge.__file__).parent, "Refuse"), *Refusal, *LEASE_CODES}))
def test_every_refusal_says_what_to_do_next(code: str) -> None:
    assert CATALOGUE.has(f"refused.{code}")


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_of_a_device_has_words(fault: Fault) -> None:
    assert CATALOGUE.has(f"fault.{fault.value}")


def test_every_incident_that_an_edge_raises_says_what_happened_in_words() -> None:
    raised = {
        code
        for path in Path(edge.__file__).parent.rglob("*.py")
        for code in re.findall(r'journal\.incident\(conn, "(\w+)"', path.read_text())
    }
    assert {"voucher_forged", "paid_more_than_fee"} <= raised
    copies = {f"copies_{state.value}" for state in (State.MISSING, State.FULL, State.FAILED)}
    assert sorted(code for code in raised | copies if not CATALOGUE.has(f"incident.{code}")) == []


def test_every_state_of_the_trade_has_words() -> None:
    asked = set(re.findall(r'Ask\(.*?"(\w+)"\)', (Path(domain.__file__).parent / "decision.py").read_text()))
    wanted = {f"why.{code}" for code in asked | codes(Path(domain.__file__).parent, "Refuse")}
    wanted |= {f"incident.{one.value}" for one in Incident}
    wanted |= {f"slip.{one.value}" for one in Reason}
    wanted |= {f"cause.{one.value}" for one in UnpaidCause}
    wanted |= {f"printer.{one.value}" for one in PrinterStatus}

    assert "why.which_stay" in wanted
    assert sorted(key for key in wanted if not CATALOGUE.has(key)) == []


@pytest.mark.parametrize(
    ("code", "chinese"),
    [
        ("free_minutes", "免费时长"),
        ("time:all", "计时收费"),
        ("time:hours:2", "计时收费，第 2 段"),
        ("flat:night", "夜间计次收费"),
        ("time:rush", "rush计时收费"),
        ("cap:12h", "12h 封顶"),
        ("cap:day", "每日封顶"),
        ("note:calendar_missing:2027", "没有 2027 年节假日日历，按普通周一至周日计价"),
        ("rounding:cash", "抹零"),
        ("something_new", "something_new"),
    ],
)
def test_lines_of_a_fee_are_words(code: str, chinese: str) -> None:
    assert fee_lines.rule(CATALOGUE.speaking("zh-CN"), code) == chinese


def test_a_coupon_is_named_by_what_stands_on_it() -> None:
    assert words.short_ref("7:345") == "7-000345"
    assert words.short_ref("1691669087660174293128231F00A1B2C3K") == "…0A1B2C3K"


@pytest.mark.parametrize("language", LANGUAGES)
def test_templates_name_only_keys_that_exist(language: str) -> None:
    used = {
        key
        for path in (HERE / "templates").glob("*.html")
        for key in re.findall(r'(?<![.\w])t\("([\w.]+)"[,)]', path.read_text())
    }

    assert sorted(key for key in used if key not in CATALOGUE.templates[language]) == []
