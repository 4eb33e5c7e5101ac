"""A Hikvision camera with its gate: an HTTP server behind Digest with an event stream, and pushes of its own."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

import aiohttp
from aiohttp import web

from drivers.digest import DigestCheck
from drivers.xml import element_texts

NAMESPACE = "http://www.hikvision.com/ver20/XMLSchema"
BOUNDARY = "boundary"
STREAM = "/ISAPI/Event/notification/alertStream"
PASSWORD = "pa55word"  # noqa: S105 - of a device that does not exist
GATE = "/ISAPI/Parking/channels/1/barrierGate"
TRAFFIC = "/ISAPI/Traffic/channels/1"


@dataclass(frozen=True, slots=True)
class HikvisionSight:
    """A car as this camera reads it, and the quirks its firmware has."""

    plate: str  # "" for a car without one: sent as "unknown"
    uuid: str = "u-1"
    confidence: str = "98"
    colour: str = "blue"
    namespace: str = NAMESPACE
    more: bool = False  # text first; the whole event comes later under the same UUID
    history: bool = False
    raw_name: str = ""  # put into the XML as it is, unescaped
    pictures: dict[str, bytes] = field(default_factory=dict)
    picture_type: str = "image/jpeg"

    def xml(self) -> bytes:
        """The event as the camera writes it."""
        plate = escape(self.plate) or "unknown"
        anpr = f"<country>86</country><licensePlate>{plate}</licensePlate><line>1</line><direction>forward</direction>"
        anpr += f"<confidenceLevel>{self.confidence}</confidenceLevel><plateColor>{self.colour}</plateColor>"
        listed = "".join(f"<pictureInfo><fileName>{name}</fileName></pictureInfo>" for name in self.pictures)
        more = "<hasMoreData>true</hasMoreData>" if self.more else ""
        return (
            f'<?xml version="1.0" encoding="UTF-8"?><EventNotificationAlert version="2.0" xmlns="{self.namespace}">'
            "<ipAddress>10.0.0.81</ipAddress><macAddress>08:cc:81:00:00:00</macAddress><channelID>1</channelID>"
            "<dateTime>2026-05-21T16:10:06+08:00</dateTime><eventType>ANPR</eventType><eventState>active</eventState>"
            f"<channelName>{self.raw_name}</channelName><ANPR>{anpr}<pictureInfoList>{listed}</pictureInfoList>"
            f"<originalLicensePlate>{plate}</originalLicensePlate></ANPR><UUID>{self.uuid}</UUID>{more}"
            f"<picNum>{len(self.pictures)}</picNum>"
            f"<isDataRetransmission>{str(self.history).lower()}</isDataRetransmission></EventNotificationAlert>"
        ).encode()

    def parts(self) -> list[tuple[str, str, bytes]]:
        """File name, content type and body of every part."""
        pictures = () if self.more else self.pictures.items()
        return [("anpr.xml", "application/xml", self.xml())] + [
            (name, self.picture_type, data) for name, data in pictures
        ]


HEARTBEAT = (
    b'<EventNotificationAlert version="1.0" xmlns="http://www.std-cgi.com/ver10/XMLSchema"><ipAddress>10.0.0.81'
    b"</ipAddress><eventType>videoloss</eventType><eventState>inactive</eventState></EventNotificationAlert>"
)


class SimulatedHikvision:
    """Serves on a loopback port until ``stop``; *stream* goes to whoever follows. Use as a context manager."""

    def __init__(self, user: str = "admin", password: str = PASSWORD) -> None:
        self.port = 0
        self.gate_orders: list[str] = []
        self.gate_status = 1  # statusCode it answers with
        self.drop_orders = False  # hang up after having taken an order
        self.requests = 0  # logged in or not
        self.clock_set_to: list[str] = []
        self.list: dict[str, dict[str, str]] = {}  # plate -> record, with the id it was given
        self.keeps_struck = False  # firmware that says OK and strikes nothing out
        self.snapshot = b"\xff\xd8\xff\xe0snapshot"
        self._digest = DigestCheck(user, password)
        self._followers: set[asyncio.Queue[bytes]] = set()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> SimulatedHikvision:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Power on, on the same port as before."""
        app = web.Application(middlewares=[self._login])
        app.router.add_get(STREAM, self._alert_stream)
        app.router.add_put(GATE, self._gate)
        app.router.add_get(f"{GATE}/barrierGateStatus", self._status)
        app.router.add_put("/ISAPI/System/time", self._time)
        app.router.add_get("/ISAPI/Streaming/channels/101/picture", self._picture)
        app.router.add_put(f"{TRAFFIC}/licensePlateAuditData/record", self._write_list)
        app.router.add_put(f"{TRAFFIC}/DelLicensePlateAuditData", self._strike_out)
        app.router.add_post(f"{TRAFFIC}/searchLPListAudit", self._search_list)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Pull the plug."""
        for follower in self._followers:
            follower.put_nowait(b"")
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def followers(self) -> int:
        """How many follow the stream now."""
        return len(self._followers)

    def see(self, sight: HikvisionSight) -> None:
        """Send an event, and its pictures, down the stream."""
        self.say(b"".join(_part(*part) for part in sight.parts()))

    def heartbeat(self) -> None:
        """What it sends when nothing happens."""
        self.say(_part("", "application/xml", HEARTBEAT))

    def say(self, data: bytes) -> None:
        """Any bytes, down the stream."""
        for follower in self._followers:
            follower.put_nowait(data)

    async def push(self, url: str, sight: HikvisionSight) -> int:
        """POST an event as ``httpHosts`` does; the answer's status."""
        body = b"".join(_part(*part) for part in sight.parts()) + f"--{BOUNDARY}--\r\n".encode()
        return await self.post(url, body)

    async def post(self, url: str, body: bytes, content_type: str = "") -> int:
        """POST any bytes; the answer's status."""
        kind = content_type or f"multipart/form-data; boundary={BOUNDARY}"
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=io.BytesIO(body), headers={"Content-Type": kind}) as response,
        ):
            return response.status

    @web.middleware
    async def _login(self, request: web.Request, handler: web.Handler) -> web.StreamResponse:  # type: ignore[name-defined]
        self.requests += 1
        if self._digest.accepts(request.method, request.path_qs, request.headers.get("Authorization", "")):
            return await handler(request)  # type: ignore[no-any-return]
        return web.Response(status=401, headers={"WWW-Authenticate": self._digest.challenge()})

    async def _alert_stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": f"multipart/mixed; boundary={BOUNDARY}"})
        await response.prepare(request)
        mine: asyncio.Queue[bytes] = asyncio.Queue()
        self._followers.add(mine)
        try:
            while data := await mine.get():
                await response.write(data)
        finally:
            self._followers.discard(mine)
        return response

    async def _gate(self, request: web.Request) -> web.Response:
        body = await request.text()
        self.gate_orders.append(body.partition("<ctrlMode>")[2].partition("</ctrlMode>")[0])
        if self.drop_orders and request.transport is not None:
            request.transport.abort()
        return _status_xml(self.gate_status)

    async def _status(self, _: web.Request) -> web.Response:
        return web.Response(text="<BarrierGateStatus><barrierGateStatus>1</barrierGateStatus></BarrierGateStatus>")

    async def _time(self, request: web.Request) -> web.Response:
        self.clock_set_to.append((await request.text()).partition("<localTime>")[2].partition("</localTime>")[0])
        return _status_xml(1)

    async def _write_list(self, request: web.Request) -> web.Response:
        for row in (await request.json())["LicensePlateInfoList"]:
            number = self.list.get(row["LicensePlate"], {}).get("id") or str(len(self.list) + 1)
            self.list[row["LicensePlate"]] = row | {"id": number}
        return web.json_response({"statusCode": self.gate_status, "statusString": "OK"})

    async def _strike_out(self, request: web.Request) -> web.Response:
        ids = (await request.json())["id"]
        if not self.keeps_struck:
            self.list = {plate: row for plate, row in self.list.items() if row["id"] not in ids}
        return web.json_response({"statusCode": 1, "statusString": "OK"})

    async def _search_list(self, request: web.Request) -> web.Response:
        asked = element_texts(await request.read(), "search")
        wanted, begins, most = (
            asked.get("licenseplate", ""),
            int(asked["searchresultposition"]),
            int(asked["maxresults"]),
        )
        fitting = [row for plate, row in self.list.items() if wanted in plate]
        rows = "".join(
            f"<LicensePlateInfo><id>{row['id']}</id><LicensePlate>{escape(row['LicensePlate'])}</LicensePlate>"
            f"<type>whiteList</type><effectiveTime>{row['effectiveTime']}</effectiveTime></LicensePlateInfo>"
            for row in fitting[begins : begins + most]
        )
        return web.Response(
            text=f'<LPListAuditSearchResult version="2.0" xmlns="{NAMESPACE}"><responseStatus>true</responseStatus>'
            f"<LicensePlateInfoList><totalMatches>{len(fitting)}</totalMatches>{rows}</LicensePlateInfoList>"
            "</LPListAuditSearchResult>",
            content_type="application/xml",
        )

    async def _picture(self, _: web.Request) -> web.Response:
        return web.Response(body=self.snapshot, content_type="image/jpeg")


def _status_xml(code: int) -> web.Response:
    text = "OK" if code == 1 else "notSupport"
    return web.Response(
        text=f'<ResponseStatus version="1.0" xmlns="{NAMESPACE}"><statusCode>{code}</statusCode>'
        f"<subStatusCode>{text}</subStatusCode></ResponseStatus>",
        content_type="application/xml",
    )


def _part(name: str, content_type: str, body: bytes) -> bytes:
    disposition = f'Content-Disposition: form-data; name="{name}"; filename="{name}"\r\n' if name else ""
    head = f"--{BOUNDARY}\r\n{disposition}Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body + b"\r\n"
