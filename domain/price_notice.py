"""What a lot tells the cloud of its price lists: so a phone is told a sum while the lot has no line (sync §7)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from domain.calendar import CalendarSet, parse_calendar
from domain.decision import TariffRef
from domain.pricing import PriceLists
from domain.tariff import parse_tariff
from domain.wire import BadMessageError, Json, canonical


@dataclass(frozen=True, slots=True)
class PriceNotice:
    """Price lists in force by zone, calendars as ``label digest``, and the text of each by its digest.

    *leave_within_min*: minutes to leave after paying; *free_kinds*: ``PlateKind`` values that pay nothing.
    """

    zones: Mapping[str, tuple[TariffRef, ...]]
    calendars: tuple[str, ...]
    texts: Mapping[str, str]
    leave_within_min: int
    free_kinds: tuple[str, ...]

    def text(self) -> str:
        """As it travels and is kept: the same for the same lists."""
        said: Json = {
            "zones": {zone: [[ref.code, ref.version, ref.digest] for ref in refs] for zone, refs in self.zones.items()},
            "calendars": list(self.calendars),
            "texts": dict(self.texts),
            "leave_within_min": self.leave_within_min,
            "free_kinds": list(self.free_kinds),
        }
        return canonical(said).decode()

    def lists(self) -> PriceLists:
        """The price lists, ready to price a stay. Raises TariffError and CalendarError, KeyError for a missing text."""
        tariffs = {
            ref.digest: parse_tariff(self.texts[ref.digest], ref.code) for refs in self.zones.values() for ref in refs
        }
        names = [(name, self.texts[name.rpartition(" ")[2]]) for name in self.calendars]
        return PriceLists(tariffs, CalendarSet([parse_calendar(text, name) for name, text in names]))


@lru_cache(maxsize=64)
def read(text: str) -> tuple[PriceNotice, PriceLists]:
    """The notice in *text* and its lists. Raises BadMessageError when a lot wrote what this release cannot read."""
    try:
        said = json.loads(text)
        zones = {
            str(zone): tuple(TariffRef(str(zone), *map(str, one)) for one in refs)
            for zone, refs in said["zones"].items()
        }
        notice = PriceNotice(
            zones,
            tuple(map(str, said["calendars"])),
            {str(digest): str(source) for digest, source in said["texts"].items()},
            int(said["leave_within_min"]),
            tuple(map(str, said["free_kinds"])),
        )
        return notice, notice.lists()
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise BadMessageError(f"price lists that make no sense: {exc}") from exc
