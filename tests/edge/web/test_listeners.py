"""No route of one listener is reachable through another."""

from __future__ import annotations

import re
import ssl
from dataclasses import replace
from pathlib import Path

import aiohttp

from domain.driver_page import lane_code
from drivers.base import Camera
from edge.settings import EdgeSettings, Listener
from edge.web.app import lot_applications
from edge.web.device import device_app
from plumbing.metrics import Metrics
from plumbing.tls import Authority
from plumbing.web import walk
from tests.edge.web.running import Lot, running, visiting

SHARED = {"/", "/login", "/logout"}  # each listener has its own of these, with its own cookies


def paths(lot: Lot) -> dict[str, set[tuple[str, str]]]:
    """(method, path) of every route by listener, parameters filled in."""
    cameras: list[Camera] = list(lot.opened.devices.cameras.values())
    apps = {"device": device_app(cameras), **lot_applications(lot.edge, Metrics("routes"))}
    assert set(apps) == set(lot.opened.ports)
    return {
        name: {
            (route.method, re.sub(r"\{[^}]+\}", "1", route.path))
            for route in walk(app)
            if route.path not in SHARED and not route.path.startswith("/static")
        }
        for name, app in apps.items()
    }


def for_drivers_too(settings: EdgeSettings) -> EdgeSettings:
    """Every listener there is."""
    return replace(settings, listeners=replace(settings.listeners, driver=Listener()))


async def test_every_route_of_a_listener_is_unknown_to_all_others(tmp_path: Path) -> None:
    pages = {"driver": f"/lane/{lane_code(7, 'in')}"}
    async with running(tmp_path, for_drivers_too) as lot:
        routes = paths(lot)
        assert all(routes.values())
        for owner, own in routes.items():
            for method, path in own:
                for listener in set(routes) - {owner}:
                    async with visiting(lot, listener) as visitor:
                        page = pages.get(listener, "/login")
                        token = await visitor.page_token(page) if listener != "device" else ""
                        headers = {"X-CSRF-Token": token}
                        status = await visitor.status(path, method if method != "*" else "POST", headers=headers)
                        assert status == 404, (owner, listener, method, path, status)


async def test_a_session_of_one_listener_is_nothing_to_another(tmp_path: Path) -> None:
    async with running(tmp_path) as lot, visiting(lot, "counter") as visitor:
        assert await visitor.sign_in() == 200
        visitor.base = lot.url("booth")  # with the same cookies: both are one host to a browser

        assert await visitor.status("/booth") == 303


async def test_the_counter_and_the_drivers_pages_are_off_unless_configured(tmp_path: Path) -> None:
    def without(settings: EdgeSettings) -> EdgeSettings:
        return replace(settings, listeners=replace(settings.listeners, counter=None))

    async with running(tmp_path, without) as lot:
        assert set(lot.opened.ports) == {"device", "booth"}


async def test_a_counter_with_a_certificate_speaks_https_and_keeps_its_cookies_to_it(tmp_path: Path) -> None:
    authority = Authority.create(tmp_path)
    key, certificate = tmp_path / "counter.key", tmp_path / "counter.pem"
    certificate.write_bytes(authority.issue_server(key, ["127.0.0.1"]))

    def secured(settings: EdgeSettings) -> EdgeSettings:
        counter = Listener(certificate=certificate, key=key)
        return replace(settings, listeners=replace(settings.listeners, counter=counter))

    async with running(tmp_path, secured) as lot, aiohttp.ClientSession() as session:
        trusting = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        url = lot.url("counter", "/login").replace("http:", "https:")
        async with session.get(url, ssl=trusting) as answer:
            assert answer.status == 200
            assert "max-age" in answer.headers["Strict-Transport-Security"]
            cookies = answer.headers.getall("Set-Cookie")

    assert cookies
    assert all(cookie.startswith("__Host-lg_counter_") and "Secure" in cookie for cookie in cookies)
