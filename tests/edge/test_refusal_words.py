"""Why a code before a scanner does not count is said in one sentence, whoever reads it and wherever."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from domain.scan_refusals import SCAN_REFUSALS
from edge.finding import LOCALE
from edge.lanes.board import LINE, default_templates
from plumbing.i18n import LANGUAGES, SHELL_LOCALE, CatalogueError, load_catalogue, read_texts
from tests.edge.web.test_words import CATALOGUE

HERE = Path(__file__).parents[2]
SURFACES = ("edge/web/locale", "edge/locale", "cloud/locale", "cloud/coupons/locale", "plumbing/lanepage/locale")
NAMED = re.compile(r'"((?:claim|voucher|pass)_\w+)"')
REFUSES = re.compile(r'(?:Refuse|Refused|Over)\("(\w+)"')
SCANS = (  # what takes a code that is held before a scanner
    "domain/coupon/limits.py", "edge/lanes/claims.py", "edge/lanes/till.py", "edge/services/limiting.py",
    "edge/services/redeeming.py", "cloud/coupons/claiming.py",
)  # fmt: skip
NO_CODES_FAULT = {
    "no_open_stay": "no car waits",
    "not_on_a_stay": "a paper is taken off",
    "no_such_number": "a number is typed",
    "multi_not_allowed": "several are given at once",
    "claim_until_ms": "a column",
    "pass_id": "a column",
    "voucher_forged": "an incident",
    "claim_no_lot": "a code for several lots on a phone, before any car",
}


def entries(texts: dict[str, str], code: str) -> dict[str, str]:
    """What a catalogue says of a scan's code."""
    keys = {f"{table}.{code}" for table in ("why", "refused", "scan")}
    keys |= {f"{table}.code_{code}" for table in ("board", "board_voice")}
    return {key: words for key, words in texts.items() if key in keys}


def test_every_refusal_that_a_scan_may_give_is_on_the_list() -> None:
    sources = [(HERE / path).read_text(encoding="utf-8") for path in SCANS]
    given = {code for source in sources for form in (REFUSES, NAMED) for code in form.findall(source)}

    assert given - set(SCAN_REFUSALS) - set(NO_CODES_FAULT) == set()
    assert set(NO_CODES_FAULT) & set(SCAN_REFUSALS) == set()
    assert len(set(SCAN_REFUSALS)) == len(SCAN_REFUSALS)


@pytest.mark.parametrize("code", SCAN_REFUSALS)
def test_its_words_stand_once_and_every_surface_says_them(code: str) -> None:
    for language in LANGUAGES:
        (sentence,) = entries(read_texts(SHELL_LOCALE / f"{language}.toml"), code).values()
        raw = {path: entries(read_texts(HERE / path / f"{language}.toml"), code) for path in SURFACES}
        said = [(path, key, words) for path, found in raw.items() for key, words in found.items()]

        assert [one for one in said if not one[2].startswith(f"{{@why.{code}}}")] == []
        assert "refused." + code in raw["edge/web/locale"]
        board = {f"board.code_{code}", f"board_voice.code_{code}"}
        assert set(raw["edge/locale"]) == (set() if "{" in sentence else board)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_boards_lines_are_short_and_the_booths_words_begin_with_them(language: str) -> None:
    boards = load_catalogue(SHELL_LOCALE, LOCALE).speaking(language)
    lines = {one.event: one.lines for one in default_templates(boards)}

    for code in SCAN_REFUSALS:
        for line in lines.get(f"code.{code}", ()):
            assert len(line) <= (LINE if line.isascii() else LINE // 2), line
    booth = CATALOGUE.speaking(language)("refused.voucher_used")
    assert booth.startswith(lines["code.voucher_used"][0])


def test_a_text_that_refers_to_words_nobody_has_is_refused(tmp_path: Path) -> None:
    for language in LANGUAGES:
        (tmp_path / f"{language}.toml").write_text('[refused]\nx = "{@why.nothing} Go."\n', encoding="utf-8")

    with pytest.raises(CatalogueError, match=r"why\.nothing"):
        load_catalogue(tmp_path)
