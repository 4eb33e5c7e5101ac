"""The shipped broker files keep each lot to its own topics (I19), shown with a real Mosquitto and real certificates."""

from __future__ import annotations

import queue
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from plumbing.tls import Authority, TlsFiles, client_context
from tests.services.mosquitto import SecureBroker, issue_identity

pytestmark = pytest.mark.broker

NOT_AUTHORISED = 0x87
SECONDS = 10


class Party:
    """One connected client that keeps what reached it."""

    def __init__(self, port: int, context: ssl.SSLContext, client_id: str) -> None:
        self.heard: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.disconnected: queue.Queue[int] = queue.Queue()
        self._answers: queue.Queue[int] = queue.Queue()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv5)
        self._client.tls_set_context(context)
        self._client.on_connect = lambda _c, _u, _f, code, _p: self._answers.put(code.value)
        self._client.on_subscribe = lambda _c, _u, _m, codes, _p: self._answers.put(codes[0].value)
        self._client.on_publish = self._published
        self._client.on_message = lambda _c, _u, message: self.heard.put((message.topic, bytes(message.payload)))
        self._client.on_disconnect = lambda _c, _u, _f, code, _p: self.disconnected.put(code.value)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._answers.get(timeout=SECONDS) == 0

    def _published(self, _client: mqtt.Client, _data: object, _mid: int, code: ReasonCode, _more: Properties) -> None:
        self._answers.put(code.value)

    def subscribe(self, pattern: str) -> None:
        """Returns when the broker has answered; it answers yes to everything."""
        self._client.subscribe(pattern, qos=1)
        self._answers.get(timeout=SECONDS)

    def publish(self, topic: str, payload: bytes = b"x") -> int:
        """The reason code of the broker's answer."""
        self._client.publish(topic, payload, qos=1)
        return self._answers.get(timeout=SECONDS)

    def hear(self) -> tuple[str, bytes]:
        """The next message."""
        return self.heard.get(timeout=SECONDS)

    def leave(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


Join = Callable[[str], Party]


@pytest.fixture
def join(secure_broker: SecureBroker) -> Iterator[Join]:
    """Connect with a certificate for a name: a lot's, or "cloud"."""
    parties: list[Party] = []

    def connect(name: str, client_id: str | None = None) -> Party:
        port = secure_broker.cloud_port if name == "cloud" else secure_broker.port
        party = Party(port, secure_broker.context(name), client_id or name)
        parties.append(party)
        return party

    yield connect
    for party in parties:
        party.leave()


def test_a_lot_and_the_cloud_hear_each_other(join: Join) -> None:
    cloud, lot = join("cloud"), join("edge-a")
    cloud.subscribe("$share/cloud/lg/v1/+/up/#")
    lot.subscribe("lg/v1/edge-a/dn/#")

    sent = lot.publish("lg/v1/edge-a/up/ev", b"batch")
    answered = cloud.publish("lg/v1/edge-a/dn/ack", b"ack")

    assert (sent, answered) == (0, 0)
    assert cloud.hear() == ("lg/v1/edge-a/up/ev", b"batch")
    assert lot.hear() == ("lg/v1/edge-a/dn/ack", b"ack")


@pytest.mark.parametrize("topic", ["lg/v1/edge-a/up/ev", "lg/v1/edge-a/dn/cmd", "lg/v1/edge-b/dn/cmd", "lg/v2/x", "x"])
def test_a_lot_cannot_speak_as_another_nor_as_the_cloud(join: Join, topic: str) -> None:
    cloud, lot_a, lot_b = join("cloud"), join("edge-a"), join("edge-b")
    cloud.subscribe("#")
    lot_a.subscribe("#")

    answer = lot_b.publish(topic)

    assert answer == NOT_AUTHORISED
    lot_b.publish("lg/v1/edge-b/up/ev", b"mine")
    cloud.publish("lg/v1/edge-a/dn/ack", b"yours")
    assert cloud.hear() == ("lg/v1/edge-b/up/ev", b"mine")
    assert lot_a.hear() == ("lg/v1/edge-a/dn/ack", b"yours")


@pytest.mark.parametrize("pattern", ["lg/v1/edge-a/dn/#", "lg/v1/edge-a/up/#", "lg/v1/+/#", "#", "$share/g/#"])
def test_a_lot_hears_nothing_of_another(join: Join, pattern: str) -> None:
    cloud, lot_a, lot_b = join("cloud"), join("edge-a"), join("edge-b")
    lot_b.subscribe(pattern)
    lot_b.subscribe("lg/v1/edge-b/dn/#")

    lot_a.publish("lg/v1/edge-a/up/ev", b"secret")
    cloud.publish("lg/v1/edge-a/dn/ack", b"secret")
    cloud.publish("lg/v1/edge-b/dn/ack", b"for b")

    assert lot_b.hear() == ("lg/v1/edge-b/dn/ack", b"for b")


def test_a_wildcard_in_a_name_opens_nothing(join: Join) -> None:
    cloud, odd = join("cloud"), join("+")
    odd.subscribe("lg/v1/+/dn/#")

    refused = odd.publish("lg/v1/edge-a/up/ev")
    cloud.publish("lg/v1/edge-a/dn/ack")

    assert refused == NOT_AUTHORISED
    with pytest.raises(queue.Empty):
        odd.heard.get(timeout=0.2)


def test_a_lot_cannot_take_another_lots_session(join: Callable[..., Party]) -> None:
    lot_a = join("edge-a")

    join("edge-b", client_id="edge-a")

    assert lot_a.publish("lg/v1/edge-a/up/ev") in {0, 0x10}  # 0x10: taken, nobody listens
    assert lot_a.disconnected.empty()


@pytest.mark.parametrize("stranger", ["no certificate", "another authority"])
def test_a_stranger_is_not_let_in(secure_broker: SecureBroker, tmp_path: Path, stranger: str) -> None:
    trusted = secure_broker.folder / "ca.pem"
    files = TlsFiles(trusted)
    if stranger == "another authority":
        forged = issue_identity(Authority.create(tmp_path), tmp_path, "edge-a")
        files = TlsFiles(trusted, forged.cert, forged.key)
    connected: queue.Queue[int] = queue.Queue()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, "edge-a", protocol=mqtt.MQTTv5)
    client.tls_set_context(client_context(files))
    client.on_connect = lambda _c, _u, _f, code, _p: connected.put(code.value)

    client.connect("127.0.0.1", secure_broker.port)  # TLS 1.3 tells of the refusal only afterwards
    lost = any(client.loop(timeout=0.1) != mqtt.MQTT_ERR_SUCCESS for _ in range(50))

    assert lost
    assert connected.empty()
