"""A fee's lines in the words of the person who reads them, at the lot and wherever a driver looks."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from domain.wire import Json
from plumbing.i18n import LANGUAGES, Catalogue, Texts

Worded = Callable[[str], Json]
"""A price list's rule -> its words by language."""


def rule(t: Texts, code: str) -> str:
    """A line of a fee: ``name``, ``name:window`` or ``name:window:step``; an unknown code is shown as it is."""
    name, *details = code.removeprefix("note:").split(":")
    if not t.catalogue.has(f"rule.{name}"):
        return code
    exact = f"rule.{name}_{details[0]}" if details else ""
    if exact and t.catalogue.has(exact):
        return t(exact)
    words = t(f"rule.{name}", detail=coded(t, "window", details[0]) if details else "").strip()
    return words + (t("rule.step", number=details[1]) if len(details) > 1 else "")


def coded(t: Texts, group: str, code: str) -> str:
    """The words for *code* of *group*; a code without words is shown as it is."""
    key = f"{group}.{code}"
    return t(key) if t.catalogue.has(key) else code


def in_every_language(catalogue: Catalogue, code: str) -> Json:
    """A line of a fee by language."""
    return {language: rule(catalogue.speaking(language), code) for language in LANGUAGES}


def summed(lines: Iterable[Json], worded: Worded) -> list[Json]:
    """A fee's lines added up by their rule: how it came about, and not when."""
    sums: dict[str, int] = {}
    for line in lines:
        code = str(line.get("rule", ""))
        sums[code] = sums.get(code, 0) + int(line.get("fen", 0))
    return [{**worded(code), "fen": fen} for code, fen in sums.items() if fen]
