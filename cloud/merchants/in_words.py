"""Rows of the ledger and of statements as a person reads them in a file."""

from __future__ import annotations

from collections.abc import Mapping

from domain.fen import yuan
from domain.ledger import Commodity
from plumbing.i18n import Texts


def account(t: Texts, name: str, names: Mapping[str, str] | None = None) -> str:
    """A ledger account; *names* say whose it is instead of a number."""
    kind, colon, number = name.partition(":")
    return t(f"account.{kind}", number=(names or {}).get(name, number)) if colon else t(f"account.{name}")


def entry(t: Texts, kind: str) -> str:
    """What an entry was made for."""
    key = f"kind_of_entry.{kind}"
    return t(key) if t.catalogue.has(key) else kind


def amount(value: int, commodity: str) -> str | int:
    """Yuan, or minutes."""
    return yuan(value) if commodity == Commodity.FEN.value else value
