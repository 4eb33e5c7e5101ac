"""The services other tests lean on are real, fresh and answer."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING

import psycopg
import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.services import needs as needs_module
from tests.services.postgres import PostgresServer

if TYPE_CHECKING:
    from playwright.async_api import Browser


@pytest.mark.broker
def test_an_open_mosquitto_takes_a_connection(mosquitto_port: int) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)

    result = client.connect("127.0.0.1", mosquitto_port)

    assert result == mqtt.MQTT_ERR_SUCCESS
    client.disconnect()


@pytest.mark.postgres
def test_each_database_is_empty_and_gone_afterwards(postgres: PostgresServer) -> None:
    with postgres.database() as name, psycopg.connect(postgres.conninfo(name)) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()

    assert tables == (0,)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(postgres.conninfo(name))


@pytest.mark.browser
async def test_chromium_shows_a_page(chromium: Browser) -> None:
    page = await chromium.new_page()

    await page.set_content("<h1>停车场</h1>")

    assert await page.inner_text("h1") == "停车场"


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_missing_service_is_a_skip_here_and_a_failure_in_ci(
    monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setitem(needs_module._NEEDS, "mosquitto", (lambda: None, "apt-get install mosquitto"))

    with pytest.raises(outcome, match="needs mosquitto: apt-get install mosquitto"):
        needs_module.needs("mosquitto")


def test_what_was_missing_is_counted_by_name() -> None:
    reports = [types.SimpleNamespace(longrepr=("f", 1, f"Skipped: {why}")) for why in ("needs a: b", "needs a: b", "x")]

    assert needs_module.summary(reports) == ["2 not run: needs a: b"]  # type: ignore[arg-type]
