from __future__ import annotations

import asyncio
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from plumbing.tls import (
    Authority,
    BadRequestError,
    TlsFiles,
    client_context,
    common_name,
    key_fingerprint,
    make_request,
    not_after,
    server_context,
)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.create(tmp_path)


def test_an_edge_certificate_carries_the_edge_id_for_a_year(authority: Authority, tmp_path: Path) -> None:
    cert = authority.issue_client(make_request(tmp_path / "edge.key", "001"), "001")

    assert common_name(cert) == "001"
    assert timedelta(days=364) < not_after(cert) - datetime.now(UTC) <= timedelta(days=365)


def test_a_request_that_names_another_edge_is_not_signed(authority: Authority, tmp_path: Path) -> None:
    request = make_request(tmp_path / "edge.key", "002")

    with pytest.raises(BadRequestError, match="'002'"):
        authority.issue_client(request, "001")
    with pytest.raises(BadRequestError, match="not a PEM"):
        authority.issue_client(b"hello", "001")


def test_a_loaded_authority_is_the_same_authority(authority: Authority, tmp_path: Path) -> None:
    again = Authority.load(tmp_path)

    assert key_fingerprint(again.certificate_pem) == key_fingerprint(authority.certificate_pem)
    with pytest.raises(FileExistsError):
        Authority.create(tmp_path)


async def test_a_listener_with_client_certificates_knows_who_calls(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "server.pem").write_bytes(authority.issue_server(tmp_path / "server.key", ["localhost", "127.0.0.1"]))
    (tmp_path / "edge.pem").write_bytes(authority.issue_client(make_request(tmp_path / "edge.key", "001"), "001"))
    callers: list[str] = []

    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
        subject: Any = (tls.getpeercert() or {})["subject"]
        callers.append(dict(pair[0] for pair in subject)["commonName"])
        writer.close()

    listening = server_context(tmp_path / "server.pem", tmp_path / "server.key", tmp_path / "ca.pem")
    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=listening)
    port = server.sockets[0].getsockname()[1]
    known = client_context(TlsFiles(tmp_path / "ca.pem", tmp_path / "edge.pem", tmp_path / "edge.key"))

    async with server:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=known)
        await reader.read()
        writer.close()
        await writer.wait_closed()

    assert callers == ["001"]


async def test_dates_are_checked_by_the_clock_that_is_given(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "server.pem").write_bytes(authority.issue_server(tmp_path / "server.key", ["localhost"], days=0))
    server = await asyncio.start_server(
        lambda _, writer: writer.close(),
        "127.0.0.1",
        0,
        ssl=server_context(tmp_path / "server.pem", tmp_path / "server.key"),
    )
    port = server.sockets[0].getsockname()[1]
    files = TlsFiles(tmp_path / "ca.pem")
    (tmp_path / "other").mkdir()
    Authority.create(tmp_path / "other")

    def shake(context: ssl.SSLContext) -> None:
        with socket.create_connection(("127.0.0.1", port)) as line:
            context.wrap_socket(line, server_hostname="localhost").close()

    while datetime.now(UTC) <= not_after((tmp_path / "server.pem").read_bytes()):
        await asyncio.sleep(0.1)
    async with server:
        with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
            await asyncio.to_thread(shake, client_context(files))
        await asyncio.to_thread(shake, client_context(files, lambda: datetime.now(UTC) - timedelta(hours=1)))
        for wrong in (datetime(1970, 1, 2, tzinfo=UTC), datetime.now(UTC)):
            with pytest.raises(ssl.SSLCertVerificationError, match="is not valid on"):
                await asyncio.to_thread(shake, client_context(files, lambda now=wrong: now))  # type: ignore[misc]
        stranger = client_context(TlsFiles(tmp_path / "other" / "ca.pem"), lambda: datetime.now(UTC))
        with pytest.raises(ssl.SSLCertVerificationError, match="verify failed"):
            await asyncio.to_thread(shake, stranger)
