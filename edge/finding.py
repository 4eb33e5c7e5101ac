"""One line of what ``lotgate doctor`` says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; *advice* says what to do when it is not well."""

    well: bool
    what: str
    advice: str = ""
