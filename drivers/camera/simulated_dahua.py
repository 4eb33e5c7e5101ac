"""A Dahua ITC camera without glass: an HTTP client that pushes what the real one pushes."""

from __future__ import annotations

import base64
import io
import itertools
import json
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

import aiohttp
from aiohttp import web

from drivers.digest import DigestCheck
from drivers.digest import response as proof

SENDS = 3


@dataclass(frozen=True, slots=True)
class DahuaSight:
    """A car as this camera reads it. *taken*: by its own clock, as it writes it."""

    plate: str
    taken: str = "2026-01-14 16:02:58.157"
    confidence: float = 85
    colour: str = "Blue"
    exists: bool = True
    image: bytes = field(default=b"", repr=False)
    crop: bytes = field(default=b"", repr=False)

    def values(self, device: str) -> dict[str, Any]:
        """The body of TollgateInfo."""
        plate = {"PlateNumber": self.plate, "PlateColor": self.colour, "Confidence": self.confidence}
        plate |= {"IsExist": self.exists, "BoundingBox": [2202, 573, 2375, 623]}
        snap = {"DeviceID": device, "AccurateTime": self.taken, "SnapTime": self.taken[:19], "Direction": "Obverse"}
        return {
            "Picture": {
                "Plate": plate,
                "SnapInfo": snap,
                "CutoutPic": {"Content": base64.b64encode(self.crop).decode(), "PicName": "plate.jpg"},
                "NormalPic": {"Content": base64.b64encode(self.image).decode()},
            }
        }


class SimulatedDahua:
    """Pushes below *url*, three times at most until acknowledged. *login*: user and password; *empty*: its Digest
    leaves realm and nonce empty and does not wait to be asked."""

    def __init__(
        self, url: str, device: str = "69c87cc1", *, login: tuple[str, str] | None = None, empty: bool = False
    ) -> None:
        self.url = url
        self.device = device
        self._login = login
        self._empty = empty

    async def see(self, sight: DahuaSight, *, xml: bool = False) -> int:
        """Push a car; how often it was sent, 0 when it was never acknowledged."""
        values = sight.values(self.device)
        body = _as_xml("TollgateInfo", values).encode() if xml else json.dumps(values, ensure_ascii=False).encode()
        for send in range(1, SENDS + 1):
            if await self.post("/NotificationInfo/TollgateInfo", body) == 200:
                return send
        return 0

    async def keep_alive(self) -> int:
        """Push a heartbeat; the answer's status."""
        body = json.dumps({"Active": "keepAlive", "DeviceID": self.device}).encode()
        return await self.post("/NotificationInfo/KeepAlive", body)

    async def post(self, path: str, body: bytes) -> int:
        """POST any bytes; the answer's status (599 where it is not an acknowledgement)."""
        headers = {"Content-Type": "application/json"}
        middlewares = ()
        if self._login and self._empty:
            headers["Authorization"] = self._empty_digest(path)
        elif self._login:
            middlewares = (aiohttp.DigestAuthMiddleware(*self._login),)  # type: ignore[assignment]
        async with (
            aiohttp.ClientSession(middlewares=middlewares) as session,
            session.post(self.url + path, data=io.BytesIO(body), headers=headers) as answer,
        ):
            said = await answer.read()
            if answer.status == 200 and not json.loads(said).get("Result"):
                return 599
            return answer.status

    def _empty_digest(self, path: str) -> str:
        user, password = self._login or ("", "")
        said = {"username": user, "realm": "", "nonce": "", "uri": path, "qop": ""}
        said["response"] = proof(said, "POST", password)
        return "Digest " + ", ".join(f'{name}="{value}"' for name, value in said.items())


class SimulatedDahuaPage:
    """The camera's own page, behind Digest: its clock can be set, its list written. Use as a context manager."""

    def __init__(self, user: str, password: str) -> None:
        self.port = 0
        self.clock_set_to: list[str] = []
        self.answer = "OK\r\n"
        self.list: dict[int, dict[str, str]] = {}  # record number -> values
        self._numbers = itertools.count(12345)
        self._digest = DigestCheck(user, password)
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> SimulatedDahuaPage:
        app = web.Application(middlewares=[self._login])
        app.router.add_get("/cgi-bin/global.cgi", self._set)
        app.router.add_get("/cgi-bin/recordUpdater.cgi", self._update)
        app.router.add_get("/cgi-bin/recordFinder.cgi", self._find)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _login(self, request: web.Request, handler: web.Handler) -> web.StreamResponse:  # type: ignore[name-defined]
        if self._digest.accepts("GET", request.path_qs, request.headers.get("Authorization", "")):
            return await handler(request)  # type: ignore[no-any-return]
        return web.Response(status=401, headers={"WWW-Authenticate": self._digest.challenge()})

    async def _update(self, request: web.Request) -> web.Response:
        values = dict(request.query)
        if values["action"] == "remove":
            gone = self.list.pop(int(values["recno"]), None)
            return web.Response(text="OK\r\n" if gone else "Error\r\n")
        if any(row["PlateNumber"] == values["PlateNumber"] for row in self.list.values()):
            return web.Response(status=400, text="Error\r\n")
        number = next(self._numbers)
        self.list[number] = values
        return web.Response(text=f"RecNo={number}\r\n")

    async def _find(self, request: web.Request) -> web.Response:
        wanted, begins = request.query.get("condition.PlateNumber", ""), int(request.query.get("offset", 0))
        fitting = [(number, row) for number, row in self.list.items() if wanted in row["PlateNumber"]]
        shown = fitting[begins : begins + int(request.query["count"])]
        lines = [f"totalCount={len(fitting)}", f"found={len(shown)}"]
        for place, (number, row) in enumerate(shown):
            lines += [f"records[{place}].RecNo={number}", f"records[{place}].PlateNumber={row['PlateNumber']}"]
        return web.Response(text="\r\n".join(lines) + "\r\n")

    async def _set(self, request: web.Request) -> web.Response:
        self.clock_set_to.append(request.query["time"])
        return web.Response(text=self.answer)


def _as_xml(name: str, value: Any) -> str:
    if isinstance(value, dict):
        value = "".join(_as_xml(inner, item) for inner, item in value.items())
    elif isinstance(value, list):
        value = ",".join(map(str, value))
    else:
        value = escape(str(value))
    return f"<{name}>{value}</{name}>"
