"""Network cameras of any make by ONVIF WS-Discovery."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from drivers.finding.datagrams import LONGEST_ANSWER, Call, ask, private_host
from drivers.finding.found import Found
from drivers.xml import local_name, parse_xml

GROUP = ("239.255.255.250", 3702)
MAKES = {"hikvision": "hikvision", "dahua": "dahua", "vzenith": "vzenith", "zhenshi": "vzenith"}
_SCOPE = re.compile(r"onvif://www\.onvif\.org/(name|hardware)/(\S{1,80})")


def probe() -> bytes:
    """The question, with an id of its own."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
        'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
        'xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header>'
        f"<w:MessageID>uuid:{uuid.uuid4()}</w:MessageID><w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>"
        "<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>"
        "<e:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>"
    ).encode()


def parse_match(data: bytes) -> Found | None:
    """The camera an answer speaks of, if its address is one of the lot's own. Raises BadFrameError."""
    texts: dict[str, str] = {}
    for element in parse_xml(data, "discovery answer", LONGEST_ANSWER).iter():
        texts.setdefault(local_name(element), (element.text or "").strip())
    for address in texts.get("xaddrs", "").split():
        host = _private_host(address)
        if host:
            named = {key: unquote(value) for key, value in _SCOPE.findall(texts.get("scopes", ""))}
            what = " ".join(dict.fromkeys(named.values())) or "camera"
            return Found(host, f"camera: {what}", _hint(what, host))
    return None


def _private_host(address: str) -> str:
    try:
        return private_host(urlsplit(address).hostname or "")
    except ValueError:
        return ""


def _hint(what: str, host: str) -> str:
    for name, make in MAKES.items():
        if name in what.lower().replace(" ", ""):
            return f'type = "{make}"' + (f', host = "{host}"' if make == "hikvision" else f', addresses = ["{host}"]')
    return f'type = "video", source = "rtsp://{host}/…"'


async def find_cameras(
    seconds: float, group: tuple[str, int] = GROUP, interfaces: Sequence[str] | None = None
) -> list[Found]:
    """Cameras that answer within *seconds*. Raises OSError when there is no network to ask."""
    return await ask(Call(probe, (group,), parse_match), seconds, interfaces)
