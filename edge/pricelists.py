"""Price lists and calendars from the lot's files, kept in the database by digest so that every fee can be replayed."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from domain.calendar import CalendarSet, parse_calendar
from domain.cautious import CautiousPriceLists
from domain.decision import ExitInputs, TariffRef
from domain.pricing import PriceLists
from domain.tariff import Tariff, TariffBook, parse_tariff
from edge.db import decisions
from edge.settings import EdgeSettings
from plumbing.settings import Problem, SettingsError


@dataclass(frozen=True, slots=True)
class LoadedPrices:
    """What the lot's files say: prices by zone, calendars as ``label digest``, and every source text by digest."""

    lists: PriceLists
    by_zone: Mapping[str, tuple[TariffRef, ...]]
    calendars: tuple[str, ...]
    sources: Mapping[str, bytes]

    def keep(self, conn: sqlite3.Connection) -> None:
        """Store the texts, in the caller's transaction."""
        for text in self.sources.values():
            decisions.keep_source(conn, text)


def load_prices(settings: EdgeSettings) -> LoadedPrices:
    """Read all tariff and calendar files. Raises TariffError, CalendarError, or SettingsError for what is not there."""
    tariffs: dict[str, Tariff] = {}
    sources: dict[str, bytes] = {}
    by_zone = {}
    for zone in settings.zones:
        refs = []
        for path in zone.tariffs:
            digest, text = _read(path, sources)
            tariff = tariffs.setdefault(digest, parse_tariff(text, str(path)))
            refs.append(TariffRef(zone.name, tariff.code, str(tariff.version), digest))
        if refs:
            _check_versions(zone.name, [tariffs[ref.digest] for ref in refs])
        by_zone[zone.name] = tuple(refs)
    names, calendars = [], []
    for path in settings.calendars:
        digest, text = _read(path, sources)
        calendars.append(parse_calendar(text, str(path)))
        names.append(f"{calendars[-1].label} {digest}")
    return LoadedPrices(CautiousPriceLists(tariffs, CalendarSet(calendars)), by_zone, tuple(names), sources)


def _read(path: Path, sources: dict[str, bytes]) -> tuple[str, str]:
    try:
        raw = path.read_bytes()
        text = raw.decode()
    except FileNotFoundError as exc:
        raise SettingsError(str(path), [Problem("", "no such file; the lot file names it")]) from exc
    except OSError as exc:
        raise SettingsError(str(path), [Problem("", f"cannot be read: {exc.strerror}")]) from exc
    except UnicodeDecodeError as exc:
        raise SettingsError(str(path), [Problem("", "not UTF-8 text")]) from exc
    digest = hashlib.sha256(raw).hexdigest()
    sources[digest] = raw
    return digest, text


def _check_versions(zone: str, tariffs: list[Tariff]) -> None:
    try:
        TariffBook(tariffs)
    except ValueError as exc:
        raise SettingsError(f"zone {zone}", [Problem("tariffs", str(exc))]) from exc


def stored_prices(conn: sqlite3.Connection, inputs: ExitInputs) -> PriceLists:
    """The very price lists a stored decision used. Raises LookupError when a text is not kept here."""
    tariffs = {ref.digest: parse_tariff(_kept(conn, ref.digest), ref.code) for ref in inputs.tariffs}
    calendars = [parse_calendar(_kept(conn, name.rpartition(" ")[2]), name) for name in inputs.calendars]
    return CautiousPriceLists(tariffs, CalendarSet(calendars))


def _kept(conn: sqlite3.Connection, digest: str) -> str:
    text = decisions.source(conn, digest)
    if text is None:
        raise LookupError(f"the text with digest {digest} is not kept in this database")
    return text.decode()
