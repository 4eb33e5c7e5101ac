"""The same link against the broker of production: TLS, client certificates, the shipped access rules."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing

import pytest

from plumbing.backoff import steady
from plumbing.mqtt import NOT_AUTHORIZED, MqttLink, MqttOptions, PublishRefusedError
from tests.plumbing.conftest import until
from tests.services.mosquitto import SecureBroker


def as_edge(broker: SecureBroker, name: str, certificate: str) -> MqttLink:
    options = MqttOptions(
        "127.0.0.1",
        broker.port,
        name,
        tls=broker.identity(certificate),
        subscriptions=(f"lg/v1/{name}/dn/ack", f"lg/v1/{name}/dn/ch"),
    )
    return MqttLink(options, backoff=steady(0.05))


@pytest.mark.broker
async def test_an_edge_with_its_certificate_reaches_its_own_topics_only(secure_broker: SecureBroker) -> None:
    async with as_edge(secure_broker, "001", "001") as edge, asyncio.timeout(15):
        await edge.connected.wait()

        code = await edge.publish("lg/v1/001/up/ev", b"x")
        with pytest.raises(PublishRefusedError) as refused:
            await edge.publish("lg/v1/002/up/ev", b"x")

    assert code == 0x10  # taken, though nobody in the cloud listens
    assert refused.value.code == NOT_AUTHORIZED


@pytest.mark.broker
async def test_without_a_certificate_the_broker_is_not_reached(secure_broker: SecureBroker) -> None:
    trusting = MqttOptions("127.0.0.1", secure_broker.port, "001", tls=secure_broker.identity("001"))
    bare = MqttOptions("127.0.0.1", secure_broker.port, "001")

    async with MqttLink(bare, backoff=steady(0.05)) as edge:
        await until(lambda: edge.last_error is not None)
        assert not edge.connected.is_set()
    async with MqttLink(trusting, backoff=steady(0.05)) as edge, asyncio.timeout(15):
        await edge.connected.wait()


@pytest.mark.broker
async def test_an_answer_does_not_wait_behind_the_acknowledgement_before_it(secure_broker: SecureBroker) -> None:
    at_the_cloud = MqttOptions(
        "127.0.0.1", secure_broker.cloud_port, "cloud", tls=secure_broker.identity("cloud"),
        subscriptions=("lg/v1/+/up/ev",),
    )  # fmt: skip
    took = []

    async with as_edge(secure_broker, "001", "001") as edge, MqttLink(at_the_cloud) as cloud, asyncio.timeout(15):
        await edge.connected.wait()
        await cloud.connected.wait()
        async with aclosing(edge.messages()) as answers, asyncio.TaskGroup() as group:
            answering = group.create_task(_answer(cloud, "lg/v1/001/dn/ack"))
            for _ in range(10):
                asked = time.monotonic()
                group.create_task(edge.publish("lg/v1/001/up/ev", b"x"))
                await anext(answers)
                took.append(time.monotonic() - asked)
            answering.cancel()

    assert min(took) < 0.035  # held back on one side only, each would take 40 ms and more


async def _answer(cloud: MqttLink, topic: str) -> None:
    """Answer as the cloud does: the next message is asked for, and so the last acknowledged, before the answer goes."""
    async with aclosing(cloud.messages()) as messages, asyncio.TaskGroup() as group:
        async for message in messages:
            group.create_task(cloud.publish(topic, message.payload))
