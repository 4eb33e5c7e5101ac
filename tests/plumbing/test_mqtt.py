from __future__ import annotations

import asyncio
import random
import time
from contextlib import aclosing

import pytest

from plumbing.backoff import Backoff, full_jitter, steady
from plumbing.broker import EmbeddedBroker, free_port
from plumbing.mqtt import Message, MqttLink, MqttOptions, NotConnectedError
from tests.plumbing.conftest import USERS, until


def link(broker: EmbeddedBroker, name: str, *topics: str, **changes: object) -> MqttLink:
    fields: dict[str, object] = {
        "host": "127.0.0.1",
        "port": broker.port,
        "client_id": name,
        "username": name,
        "password": USERS.get(name),
        "subscriptions": topics,
        **changes,
    }
    return MqttLink(MqttOptions(**fields), backoff=steady(0.05))  # type: ignore[arg-type]


async def up(*links: MqttLink) -> None:
    async with asyncio.timeout(10):
        for each in links:
            await each.connected.wait()


async def take(one: MqttLink, count: int) -> list[Message]:
    taken: list[Message] = []
    async with asyncio.timeout(20), aclosing(one.messages()) as messages:
        async for message in messages:
            taken.append(message)
            if len(taken) == count:
                break
    return taken


async def test_what_the_edge_publishes_reaches_the_cloud_in_order(broker: EmbeddedBroker) -> None:
    async with link(broker, "001") as edge, link(broker, "cloud", "lg/v1/+/up/#") as cloud:
        await up(edge, cloud)

        codes = [await edge.publish("lg/v1/001/up/ev", b"%d" % n) for n in range(20)]
        received = await take(cloud, 20)

    assert codes == [0] * 20
    assert [message.payload for message in received] == [b"%d" % n for n in range(20)]
    assert received[0].topic == "lg/v1/001/up/ev"


async def test_a_wrong_password_is_told_and_tried_again(broker: EmbeddedBroker) -> None:
    async with link(broker, "001", password="wrong") as edge:
        await until(lambda: edge.last_error is not None)
        with pytest.raises(NotConnectedError):
            await edge.publish("lg/v1/001/up/ev", b"")

    assert edge.last_error is not None
    assert "refused" in edge.last_error or "closed" in edge.last_error
    assert not edge.connected.is_set()


async def test_the_link_outlives_the_broker_and_subscribes_again(broker: EmbeddedBroker) -> None:
    async with link(broker, "001") as edge, link(broker, "cloud", "lg/v1/+/up/#") as cloud:
        await up(edge, cloud)

        broker.kill()
        await until(lambda: not edge.connected.is_set() and not cloud.connected.is_set())
        with pytest.raises(NotConnectedError):
            await edge.publish("lg/v1/001/up/ev", b"lost")
        await broker.start()
        await up(edge, cloud)
        await edge.publish("lg/v1/001/up/ev", b"again")
        received = await take(cloud, 1)

    assert received[0].payload == b"again"
    assert edge.connections == 2


async def test_a_message_held_while_the_broker_died_is_finished_and_the_next_one_comes(broker: EmbeddedBroker) -> None:
    async with link(broker, "001") as edge, link(broker, "cloud", "lg/v1/+/up/#") as cloud, asyncio.timeout(20):
        await up(edge, cloud)
        await edge.publish("lg/v1/001/up/ev", b"held")

        payloads = []
        async with aclosing(cloud.messages()) as messages:
            async for message in messages:
                payloads.append(message.payload)
                if payloads == [b"held"]:
                    broker.kill()
                    await until(lambda: not edge.connected.is_set() and not cloud.connected.is_set())
                    await broker.start()
                    await up(edge, cloud)
                    await edge.publish("lg/v1/001/up/ev", b"next")
                else:
                    break

    assert payloads == [b"held", b"next"]


async def test_the_state_is_told_when_it_changes(broker: EmbeddedBroker) -> None:
    states: list[bool] = []
    options = MqttOptions("127.0.0.1", broker.port, "001", "001", USERS["001"])

    async with MqttLink(options, backoff=steady(0.05), on_state=states.append) as edge:
        await up(edge)
        broker.kill()
        await until(lambda: len(states) == 2)
        await broker.start()
        await up(edge)

    assert states == [True, False, True, False]


async def test_a_publish_under_way_when_the_broker_dies_says_that_its_fate_is_unknown() -> None:
    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(64)
        writer.write(b"\x20\x03\x00\x00\x00")  # CONNACK, success
        await reader.read(16)  # the publish, never acknowledged
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    options = MqttOptions("127.0.0.1", server.sockets[0].getsockname()[1], "001")
    async with server, MqttLink(options, backoff=steady(5)) as edge:
        await up(edge)

        async with asyncio.timeout(5):
            with pytest.raises(NotConnectedError, match="before the broker acknowledged"):
                await edge.publish("lg/v1/001/up/ev", b"x")


async def test_a_broker_that_falls_silent_is_given_up_after_the_keepalive() -> None:
    async def fall_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(64)
        writer.write(b"\x20\x03\x00\x00\x00")
        await reader.read()  # pings are taken and never answered
        writer.close()

    server = await asyncio.start_server(fall_silent, "127.0.0.1", 0)
    options = MqttOptions("127.0.0.1", server.sockets[0].getsockname()[1], "001", keepalive_seconds=1)
    async with server, MqttLink(options, backoff=steady(60)) as edge:
        await up(edge)

        async with asyncio.timeout(6):
            with pytest.raises(NotConnectedError):
                await edge.publish("lg/v1/001/up/ev", b"x")
        assert not edge.connected.is_set()
        assert edge.last_error is not None


async def test_a_port_that_never_answers_is_told_as_such() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    options = MqttOptions("127.0.0.1", server.sockets[0].getsockname()[1], "001", connect_seconds=0.2)
    async with server, MqttLink(options, backoff=steady(60)) as edge:
        await until(lambda: edge.last_error is not None)

    assert edge.last_error == "no answer within 0.2 s"


async def test_a_refused_publish_raises_though_it_was_acknowledged() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(64)
        writer.write(b"\x20\x03\x00\x00\x00")
        publish = await reader.read(64)
        mid = publish[2 + 2 + len(b"a/b") :][:2]
        writer.write(b"\x40\x04" + mid + b"\x87\x00")  # PUBACK, not authorized
        await reader.read()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    options = MqttOptions("127.0.0.1", server.sockets[0].getsockname()[1], "001")
    async with server, MqttLink(options) as edge:
        await up(edge)

        with pytest.raises(Exception, match="0x87 Not authorized"):
            await edge.publish("a/b", b"x")


async def test_a_dead_port_costs_growing_waits_and_closing_is_prompt() -> None:
    attempts: list[int] = []

    def record(attempt: int) -> float:
        attempts.append(attempt)
        return 0.001 if len(attempts) < 4 else 300.0

    began = time.monotonic()
    async with MqttLink(MqttOptions("127.0.0.1", free_port(), "001"), backoff=record) as edge:
        await until(lambda: len(attempts) == 4)

    assert attempts == [0, 1, 2, 3]
    assert edge.last_error is not None
    assert "refused" in edge.last_error
    assert time.monotonic() - began < 5


async def test_after_a_long_silence_the_next_try_comes_within_the_longest_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caps: list[float] = []

    def never_in_vain(*, cap: float) -> Backoff:
        caps.append(cap)
        return full_jitter(0.05, cap)

    monkeypatch.setattr("plumbing.mqtt.full_jitter", never_in_vain)

    MqttLink(MqttOptions("127.0.0.1", 1883, "001"))
    MqttLink(MqttOptions("127.0.0.1", 1883, "001", longest_wait_seconds=3))

    assert caps == [300, 3]


async def test_a_slow_consumer_holds_the_broker_back_and_loses_nothing(broker: EmbeddedBroker) -> None:
    async with link(broker, "001") as edge, link(broker, "cloud", "lg/v1/+/up/#") as cloud:
        await up(edge, cloud)

        await asyncio.gather(*(edge.publish("lg/v1/001/up/ev", b"%d" % n) for n in range(500)))
        await asyncio.sleep(0.3)
        waiting = len(cloud._inbox)
        received = await take(cloud, 500)

    assert waiting <= 100
    assert sorted(int(message.payload) for message in received) == list(range(500))


async def test_telemetry_nobody_takes_is_dropped_oldest_first(broker: EmbeddedBroker) -> None:
    watching = link(broker, "cloud", qos0_subscriptions=("lg/v1/+/up/live",))
    async with link(broker, "001") as edge, watching as cloud:
        await up(edge, cloud)

        for number in range(300):
            await edge.publish("lg/v1/001/up/live", b"%d" % number, qos=0)
        await until(lambda: bool(cloud._inbox) and cloud._inbox[-1].message.payload == b"299")
        kept = await take(cloud, 200)

    assert kept[-1].payload == b"299"
    assert cloud.dropped_qos0 == 100


async def test_batches_flow_far_faster_than_a_cloud_needs(broker: EmbeddedBroker) -> None:
    count, batch = 300, b"x" * 8000
    async with link(broker, "001") as edge, link(broker, "cloud", "lg/v1/+/up/#") as cloud:
        await up(edge, cloud)
        taking = asyncio.create_task(take(cloud, count))

        began = time.monotonic()
        await asyncio.gather(*(edge.publish("lg/v1/001/up/ev", batch) for _ in range(count)))
        await taking
        seconds = time.monotonic() - began

    assert count / seconds > 50  # 4,000 events a second are 20 batches of 200; hundreds are usual


def test_full_jitter_stays_below_a_doubling_bound_and_its_cap() -> None:
    random.seed(7)
    wait = full_jitter(1, 300)

    assert all(0 <= wait(attempt) <= min(300, 2**attempt) for attempt in range(2000))
    assert max(wait(50) for _ in range(200)) > 250
