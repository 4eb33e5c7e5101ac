from __future__ import annotations

from pathlib import Path

import pytest

from plumbing.i18n import (
    SHELL_LOCALE,
    CatalogueError,
    MissingTextError,
    choose_language,
    differences,
    load_catalogue,
)


def folder(base: Path, chinese: str, english: str) -> Path:
    base.mkdir(exist_ok=True)
    (base / "zh-CN.toml").write_text(chinese, encoding="utf-8")
    (base / "en.toml").write_text(english, encoding="utf-8")
    return base


def test_words_come_in_the_language_asked_for(tmp_path: Path) -> None:
    one = folder(tmp_path, '[booth]\ninside = "场内 {count} 辆"\n', '[booth]\ninside = "{count} inside"\n')
    catalogue = load_catalogue(SHELL_LOCALE, one)

    assert catalogue.text("zh-CN", "booth.inside", count=3) == "场内 3 辆"
    assert catalogue.speaking("en")("booth.inside", count=3) == "3 inside"
    assert catalogue.has("booth.inside")


def test_a_missing_key_raises_in_tests_and_shows_itself_at_run_time(tmp_path: Path) -> None:
    one = folder(tmp_path, 'only = "只有中文"\nfield = "{a}"\n', 'field = "{a}"\n')

    with pytest.raises(MissingTextError):
        load_catalogue(one).text("en", "only")
    with pytest.raises(MissingTextError):
        load_catalogue(one).text("en", "field", b=1)
    lenient = load_catalogue(one, strict=False)
    assert lenient.text("en", "only") == "只有中文"
    assert lenient.text("en", "absent.key") == "absent.key"
    assert lenient.text("en", "field") == "{a}"


def test_two_packages_cannot_claim_one_key(tmp_path: Path) -> None:
    one = folder(tmp_path / "one", 'a = "甲"\n', 'a = "a"\n')
    two = folder(tmp_path / "two", 'a = "乙"\n', 'a = "b"\n')

    with pytest.raises(CatalogueError, match="already defined"):
        load_catalogue(one, two)


def test_the_languages_are_compared_by_keys_and_fields(tmp_path: Path) -> None:
    one = folder(tmp_path, 'a = "{x}"\nb = "乙"\n', 'a = "{y}"\nc = "c"\n')

    assert differences(one) == ["b: only in zh-CN", "c: only in en", "a: fields differ, ['x'] and ['y']"]


def test_the_shell_says_the_same_in_both_languages() -> None:
    assert differences(SHELL_LOCALE) == []


@pytest.mark.parametrize(
    ("asked", "remembered", "chosen"),
    [
        (None, None, "zh-CN"),
        ("en", "zh-CN", "en"),
        ("xx", "en", "en"),
        (None, "en", "en"),
        (None, "<script>", "zh-CN"),
    ],
)
def test_chinese_first_and_the_switch_beats_the_cookie(asked: str | None, remembered: str | None, chosen: str) -> None:
    assert choose_language(asked, remembered) == chosen
