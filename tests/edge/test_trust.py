"""Calling a cloud whose certificate is signed by the operator's own authority: cloud_ca alone is believed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiohttp import web

from domain.decision import Refuse
from edge.doctor import examine
from edge.lanes.cloud_line import CloudLine
from edge.lanes.till import Charge, Charged, CodeTill
from edge.trust import trouble
from plumbing.signing import PrivateKey
from plumbing.tls import Authority, server_context
from tests.edge.lots import settings

CODE = "130000000000000001"


@dataclass
class Town:
    """A cloud on loopback with a certificate of its own authority, and what it was asked."""

    url: str
    ca: Path
    asked: list[str]


class Phone:
    """Quotes every stay."""

    async def quote(self, stay_id: str) -> SimpleNamespace:
        return SimpleNamespace(token=f"LQ1{stay_id}")


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    authority, key, certificate = Authority.create(tmp_path), tmp_path / "cloud.key", tmp_path / "cloud.pem"
    certificate.write_bytes(authority.issue_server(key, ["localhost", "127.0.0.1"]))
    asked: list[str] = []

    async def take(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response({"state": "paid"})

    app = web.Application()
    app.router.add_post("/api/fees/code", take)
    app.router.add_get("/healthz", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_context(certificate, key)).start()
    yield Town(f"https://localhost:{runner.addresses[0][1]}", tmp_path / "ca.pem", asked)
    await runner.cleanup()


def till(town: Town, folder: Path, ca: Path | None) -> CodeTill:
    url_file = folder / "cloud.url"
    url_file.write_text(f"{town.url}\n")
    line = CloudLine("edge-1", url_file, ca, PrivateKey.generate(), lambda: "online")
    return CodeTill(line, Phone())  # type: ignore[arg-type]


async def test_a_payment_code_goes_to_a_cloud_of_the_named_authority(town: Town, tmp_path: Path) -> None:
    told = await till(town, tmp_path, town.ca).charge("s1", CODE)

    assert told == Charge("LQ1s1", Charged.PAID)
    assert town.asked == ["/api/fees/code"]


async def test_no_code_is_shown_to_whom_the_settings_do_not_name(town: Town, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    Authority.create(tmp_path / "other")

    answers = [
        await till(town, tmp_path, ca).charge("s1", CODE)
        for ca in (None, tmp_path / "other" / "ca.pem", tmp_path / "gone.pem", tmp_path / "cloud.url")
    ]

    assert answers == [Refuse("no_link")] * 4
    assert town.asked == []


async def test_the_doctor_says_whether_the_cloud_is_believed(town: Town, tmp_path: Path) -> None:
    lot = settings(tmp_path)
    lot.cloud_url_file.parent.mkdir(parents=True, exist_ok=True)
    lot.cloud_url_file.write_text(f"{town.url}\n")

    async def says(ca: Path | None) -> tuple[bool, str]:
        found = await examine(replace(lot, cloud_ca=ca), "lot.toml", tmp_path, "en")
        (one,) = [one for one in found if one.what.startswith(f"cloud {town.url}")]
        return one.well, one.advice

    assert (await says(town.ca))[0]
    well, advice = await says(None)
    assert not well
    assert "cloud_ca" in advice


async def test_a_name_that_the_certificate_does_not_carry_is_not_believed(town: Town) -> None:
    assert await trouble(town.url, town.ca) == ""
    assert "127.0.0.2" in await trouble(town.url.replace("localhost", "127.0.0.2"), town.ca)
