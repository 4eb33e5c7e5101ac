"""The allow list of a Dahua camera (``TrafficRedList``), by its page's ``recordUpdater`` and ``recordFinder``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta, timezone
from urllib.parse import quote

from drivers.base import DeviceRefusedError, ListedCar
from drivers.isapi import Isapi

NAME = "TrafficRedList"
OWNER = "lotgate"
PAGE = 100
MOST_PAGES = 100
_FIELD = re.compile(r"^records\[(\d+)\]\.(RecNo|PlateNumber)=(.*)$", re.MULTILINE)
_WRITTEN = re.compile(r"RecNo=\d+")


@dataclass(frozen=True, slots=True)
class RedList:
    """One camera's list; *utc_offset_min* is that of its clock."""

    page: Isapi
    utc_offset_min: int

    async def write(self, cars: Sequence[ListedCar]) -> None:
        """Write or renew: a record cannot be written twice, so an old one goes first. Raises DeviceError."""
        for car in cars:
            await self.strike_out([car.plate])
            said = await self._ask("recordUpdater.cgi?action=insert", self._values(car))
            if not _WRITTEN.search(said):
                raise DeviceRefusedError(f"{self.page.name}: it did not write a plate into its list; is the list full?")

    async def strike_out(self, plates: Sequence[str]) -> None:
        """Raises DeviceError."""
        for plate in plates:
            for number in (await self._find({"condition.PlateNumber": plate}, {plate})).values():
                said = await self._ask("recordUpdater.cgi?action=remove", {"recno": number})
                if said.strip().lower() != "ok":
                    raise DeviceRefusedError(f"{self.page.name}: it did not strike a plate out of its list")

    async def missing(self, plates: Sequence[str]) -> set[str]:
        """Which of *plates* are not there. Raises DeviceError."""
        wanted, held = set(plates), set[str]()
        for page in range(MOST_PAGES):
            where = {"count": str(PAGE), "offset": str(page * PAGE)}
            found = records(await self._ask("recordFinder.cgi?action=doSeekFind", where))
            held |= found.keys()
            if len(found) < PAGE:
                break
        return wanted - held

    async def _find(self, where: Mapping[str, str], wanted: set[str]) -> dict[str, str]:
        found = records(await self._ask("recordFinder.cgi?action=find", {**where, "count": str(PAGE)}))
        return {plate: number for plate, number in found.items() if plate in wanted}

    async def _ask(self, what: str, values: Mapping[str, str]) -> str:
        pairs = "".join(f"&{key}={quote(value, safe='')}" for key, value in values.items())
        data = await self.page.request("GET", f"/cgi-bin/{what}&name={NAME}{pairs}")
        return data.decode("utf-8", "replace")

    def _values(self, car: ListedCar) -> dict[str, str]:
        zone = timezone(timedelta(minutes=self.utc_offset_min))
        return {
            "PlateNumber": car.plate,
            "MasterOfCar": OWNER,
            "BeginTime": f"{car.begins.astimezone(zone):%Y-%m-%d %H:%M:%S}",
            "CancelTime": f"{car.ends.astimezone(zone):%Y-%m-%d %H:%M:%S}",
            "AuthorityList.OpenGate": "true",
        }


def records(text: str) -> dict[str, str]:
    """Plate and record number of every record of a search's answer."""
    rows: dict[str, dict[str, str]] = {}
    for number, key, value in _FIELD.findall(text):
        rows.setdefault(number, {})[key] = value.strip()
    return {row["PlateNumber"]: row["RecNo"] for row in rows.values() if {"PlateNumber", "RecNo"} <= row.keys()}
