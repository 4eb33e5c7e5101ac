"""One line of what ``lotgate doctor`` says, and its words in the language of whoever asks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import edge as edge_package
from plumbing.i18n import SHELL_LOCALE, Texts, load_catalogue

LOCALE = Path(edge_package.__file__).parent / "locale"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; *advice* says what to do when it is not well."""

    well: bool
    what: str
    advice: str = ""


def doctors_words(language: str) -> Texts:
    """The catalogue the doctor speaks from."""
    return load_catalogue(SHELL_LOCALE, LOCALE).speaking(language)
