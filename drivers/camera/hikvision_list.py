"""The allow list of a Hikvision camera (ISAPI ``licensePlateAuditData``): written by record, struck out by its id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from drivers.base import BadFrameError, DeviceRefusedError, ListedCar
from drivers.isapi import MAX_ANSWER, Isapi
from drivers.xml import local_name, parse_xml

PAGE = 100
MOST_PAGES = 100
WORDS = ("allowList", "whiteList")  # newer firmware, older firmware


@dataclass(frozen=True, slots=True)
class AllowList:
    """One camera's list. *word*: what its firmware calls the list of cars that may pass."""

    isapi: Isapi
    channel: int
    word: str = WORDS[0]

    async def write(self, cars: Sequence[ListedCar]) -> None:
        """Write or renew. Raises DeviceError."""
        records = [record(car, self.word) for car in cars]
        await self.isapi.order_json(
            self._at("licensePlateAuditData/record?format=json"), {"LicensePlateInfoList": records}
        )

    async def strike_out(self, plates: Sequence[str]) -> None:
        """Strike out by the ids the camera gave them, and see that they are gone: some firmware says OK and keeps them.

        Raises DeviceError.
        """
        there = await self._ids(plates)
        if not there:
            return
        order = {"id": sorted(there.values()), "deleteAllEnabled": False}
        await self.isapi.order_json(self._at("DelLicensePlateAuditData?format=json"), order)
        if left := await self._ids(plates):
            raise DeviceRefusedError(
                f"{self.isapi.name}: it said OK and kept {len(left)} plates in its list; strike them out on its page"
            )

    async def missing(self, plates: Sequence[str]) -> set[str]:
        """Which of *plates* are not there. Raises DeviceError."""
        held: set[str] = set()
        for page in range(MOST_PAGES):
            found = await self._search("", page * PAGE)
            held |= found.keys()
            if len(found) < PAGE:
                break
        return set(plates) - held

    async def _ids(self, plates: Sequence[str]) -> dict[str, str]:
        found = [(plate, (await self._search(plate, 0)).get(plate)) for plate in plates]  # it searches for parts, too
        return {plate: number for plate, number in found if number}

    async def _search(self, plate: str, begins: int) -> dict[str, str]:
        question = (
            '<?xml version="1.0" encoding="UTF-8"?><LPListAuditSearchDescription><searchID>0</searchID>'
            f"<maxResults>{PAGE}</maxResults><searchResultPosition>{begins}</searchResultPosition>"
            + (f"<LicensePlate>{escape(plate)}</LicensePlate>" if plate else "")
            + "</LPListAuditSearchDescription>"
        )
        data = await self.isapi.request("POST", self._at("searchLPListAudit"), question.encode(), "application/xml")
        return plates_of(data, self.isapi.name)

    def _at(self, what: str) -> str:
        return f"/ISAPI/Traffic/channels/{self.channel}/{what}"


def record(car: ListedCar, word: str) -> dict[str, str]:
    """One record; its times are wall clock without a zone, as the camera's own page writes them."""
    begins = f"{car.begins:%Y-%m-%dT%H:%M:%S}"
    return {
        "LicensePlate": car.plate,
        "listType": word,
        "createTime": begins,
        "effectiveStartDate": begins,
        "effectiveTime": f"{car.ends:%Y-%m-%dT%H:%M:%S}",
        "id": "",
    }


def plates_of(data: bytes, name: str) -> dict[str, str]:
    """Plate and id of every record of a search's answer. Raises BadFrameError."""
    found = {}
    for element in parse_xml(data, f"{name}: answer", MAX_ANSWER).iter():
        if local_name(element) != "licenseplateinfo":
            continue
        plate, number = _text(element, "licenseplate"), _text(element, "id")
        if not plate or not number:
            raise BadFrameError(f"{name}: a listed plate without its id")
        found[plate] = number
    return found


def _text(element: ElementTree.Element, name: str) -> str:
    return next(((inner.text or "").strip() for inner in element if local_name(inner) == name), "")
