"""A certificate renewed over the line: asked for when due, signed for this edge alone, put in the old one's place."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.certificate import Certificate
from edge.settings import Broker
from plumbing.tls import Authority, TlsFiles, client_context, is_due, make_request
from tests.edge.lots import START

NOW = datetime.now(UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.create(tmp_path)


@pytest.fixture
def broker(tmp_path: Path, authority: Authority) -> Broker:
    key, certificate = tmp_path / "edge.key", tmp_path / "edge.pem"
    certificate.write_bytes(authority.issue_client(make_request(key, "e1"), "e1"))
    return Broker(ca=tmp_path / "ca.pem", certificate=certificate, key=key)


def install(broker: Broker, pem: bytes) -> str:
    return Certificate("e1", broker).install(sqlite3.connect(":memory:"), START, {"pem": pem.decode()})


def test_a_certificate_is_due_from_day_120_on(broker: Broker) -> None:
    assert broker.certificate is not None
    pem = broker.certificate.read_bytes()

    assert not is_due(pem, NOW + timedelta(days=119))
    assert is_due(pem, NOW + timedelta(days=121))
    assert Certificate("e1", broker).wanted() == {}


def test_a_due_certificate_is_asked_for_signed_and_shown_from_then_on(
    broker: Broker, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert broker.ca is not None
    assert broker.certificate is not None
    old = broker.certificate.read_bytes()
    monkeypatch.setattr("edge.certificate.is_due", lambda pem, now: pem == old)
    certificate = Certificate("e1", broker)
    request = certificate.wanted()["csr"]
    assert certificate.wanted() == {"csr": request}  # the same until it is answered

    fresh = authority.issue_client(request.encode(), "e1")

    assert certificate.install(sqlite3.connect(":memory:"), START, {"pem": fresh.decode()}) == "installed"
    assert broker.certificate.read_bytes() == fresh
    assert certificate.wanted() == {}
    client_context(TlsFiles(broker.ca, broker.certificate, broker.key))  # certificate and key belong together


@pytest.mark.parametrize("foreign", ["authority", "edge", "key", "nonsense"])
def test_a_certificate_that_is_not_ours_changes_nothing(
    broker: Broker, authority: Authority, tmp_path: Path, foreign: str
) -> None:
    assert broker.key is not None
    assert broker.certificate is not None
    (tmp_path / "other").mkdir()
    request = make_request(broker.key, "e1")
    before = broker.certificate.read_bytes()
    match foreign:
        case "authority":
            pem = Authority.create(tmp_path / "other").issue_client(request, "e1")
        case "edge":
            pem = authority.issue_client(make_request(broker.key, "e2"), "e2")
        case "key":
            pem = authority.issue_client(make_request(tmp_path / "other" / "key", "e1"), "e1")
        case _:
            pem = b"-----BEGIN CERTIFICATE-----"

    assert install(broker, pem) == "not_installed"
    assert broker.certificate.read_bytes() == before
