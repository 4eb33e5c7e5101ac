"""Words people read, in Chinese first and in English by switch, from TOML catalogues beside each package's code.

    edge/locale/zh-CN.toml          edge/locale/en.toml
        [booth]                         [booth]
        inside = "场内 {count} 辆"       inside = "{count} cars inside"

    catalogue = load_catalogue(SHELL_LOCALE, Path(edge.__file__).parent / "locale")
    catalogue.text("zh-CN", "booth.inside", count=3)

``{@why.voucher_used}`` in a text stands for the words of that key, which several packages may share.

A key missing from the chosen language falls back to Chinese and then to the key itself, which is logged once. With
``LOTGATE_STRICT_TEXTS=1`` in the environment (the tests set it) it raises MissingTextError instead.
"""

from __future__ import annotations

import logging
import os
import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plumbing.settings import read_table

log = logging.getLogger(__name__)

DEFAULT = "zh-CN"
LANGUAGES = (DEFAULT, "en")
STRICT_VARIABLE = "LOTGATE_STRICT_TEXTS"
REFERENCE = re.compile(r"\{@([\w.]+)\}")
SHELL_LOCALE = Path(__file__).parent / "locale"


class MissingTextError(KeyError):
    """A key (or one of its fields) that no catalogue gives."""


class CatalogueError(Exception):
    """The catalogues cannot be used together; the message names file and key."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Templates by language and key."""

    templates: Mapping[str, Mapping[str, str]]
    strict: bool = False
    _missed: set[tuple[str, str]] = field(default_factory=set, compare=False)

    def text(self, language: str, key: str, **fields: object) -> str:
        """The words for *key*, with ``{name}`` fields filled in. Raises MissingTextError only when strict."""
        template = self.templates.get(language, {}).get(key)
        if template is None:
            self._miss(language, key)
            template = self.templates[DEFAULT].get(key)
        if template is None:
            return key
        try:
            return template.format_map(fields)
        except KeyError as exc:
            self._miss(language, f"{key} {{{exc.args[0]}}}")
            return template

    def has(self, key: str) -> bool:
        """Whether *key* exists in the default language: for refusal codes that may have no words yet."""
        return key in self.templates[DEFAULT]

    def speaking(self, language: str) -> Texts:
        """The catalogue in one language."""
        return Texts(self, language)

    def _miss(self, language: str, key: str) -> None:
        if self.strict:
            raise MissingTextError(f"no {language} text for {key}")
        if (language, key) not in self._missed:
            self._missed.add((language, key))
            log.warning("no %s text for %s", language, key)


@dataclass(frozen=True, slots=True)
class Texts:
    """Words in one language: ``t("booth.inside", count=3)``."""

    catalogue: Catalogue
    language: str

    def __call__(self, key: str, **fields: object) -> str:
        """As `Catalogue.text`."""
        return self.catalogue.text(self.language, key, **fields)


def load_catalogue(*folders: Path, strict: bool | None = None) -> Catalogue:
    """All keys of ``zh-CN.toml`` and ``en.toml`` in *folders*. Raises CatalogueError, SettingsError."""
    templates: dict[str, dict[str, str]] = {}
    for language in LANGUAGES:
        merged = templates[language] = {}
        for folder in folders:
            for key, template in read_texts(folder / f"{language}.toml").items():
                if key in merged:
                    raise CatalogueError(f"{folder / language}.toml: {key} is already defined by another package")
                merged[key] = template
        _refer(merged)
    if strict is None:
        strict = os.environ.get(STRICT_VARIABLE) == "1"
    return Catalogue(templates, strict)


def _refer(merged: dict[str, str]) -> None:
    """Put the words of other keys where ``{@key}`` names them: a sentence stands once. Raises CatalogueError."""
    for key, template in merged.items():
        for named in REFERENCE.findall(template):
            if named not in merged or REFERENCE.search(merged[named]):
                raise CatalogueError(f"{key}: no words of its own under {named}")
        merged[key] = REFERENCE.sub(lambda found: merged[found[1]], template)


def read_texts(path: Path) -> dict[str, str]:
    """One catalogue file with its tables flattened to dotted keys. Raises CatalogueError, SettingsError."""
    texts = dict(_flatten(read_table(path), ""))
    for key, template in texts.items():
        if not isinstance(template, str):
            raise CatalogueError(f"{path}: {key} must be a text")
    return texts


def differences(folder: Path) -> list[str]:
    """What the languages of *folder* do not share: keys and ``{fields}``. Empty when they agree."""
    chinese, english = (read_texts(folder / f"{language}.toml") for language in LANGUAGES)
    found = [f"{key}: only in {DEFAULT}" for key in chinese if key not in english]
    found += [f"{key}: only in en" for key in english if key not in chinese]
    found += [
        f"{key}: fields differ, {sorted(_fields(chinese[key]))} and {sorted(_fields(english[key]))}"
        for key in chinese
        if key in english and _fields(chinese[key]) != _fields(english[key])
    ]
    return found


def choose_language(asked: str | None, remembered: str | None, default: str = DEFAULT) -> str:
    """The language for a request: ``?lang``, else the cookie, else *default*.

    What the browser prefers is not asked: a kiosk's browser speaks whatever language its image was made in.
    """
    return next((choice for choice in (asked, remembered) if choice in LANGUAGES), default)


def _flatten(table: Mapping[str, Any], at: str) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{at}{key}.")
        else:
            yield f"{at}{key}", value


def _fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}
