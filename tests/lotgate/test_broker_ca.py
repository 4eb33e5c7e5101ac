"""Certificates for the broker: made once, signed for the edge they name, refused otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from lotgate.__main__ import main
from plumbing.tls import common_name


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    folder = tmp_path / "broker"
    assert main(["broker-ca", "init", str(folder), "--host", "park.example.com"]) == 0
    return folder


def request(folder: Path, edge: str, capsys: pytest.CaptureFixture[str]) -> Path:
    capsys.readouterr()
    assert main(["broker-ca", "request", str(folder / f"{edge}.key"), "--edge", edge]) == 0
    path = folder / f"{edge}.request"
    path.write_text(capsys.readouterr().out)
    return path


def test_secrets_are_readable_for_their_owner_alone(authority: Path) -> None:
    modes = {path.name: path.stat().st_mode & 0o777 for path in authority.glob("*.key")}

    assert modes == {"ca.key": 0o600, "server.key": 0o600, "cloud.key": 0o600}


def test_an_edges_request_becomes_its_certificate(
    authority: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = request(tmp_path, "edge-1", capsys)

    code = main(["broker-ca", "sign", str(authority), str(wanted), "--edge", "edge-1"])

    assert code == 0
    assert common_name(capsys.readouterr().out.encode()) == "edge-1"


@pytest.mark.parametrize(
    ("asked", "signed_for", "said"), [("edge-2", "edge-1", "names 'edge-2'"), ("cloud", "cloud", "cloud's own name")]
)
def test_a_request_for_another_name_is_not_signed(
    authority: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: str, signed_for: str, said: str
) -> None:
    wanted = request(tmp_path, asked, capsys)

    code = main(["broker-ca", "sign", str(authority), str(wanted), "--edge", signed_for])

    answer = capsys.readouterr()
    assert (code, answer.out) == (1, "")
    assert said in answer.err


def test_an_authority_is_never_made_twice(authority: Path) -> None:
    before = (authority / "ca.key").read_bytes()

    assert main(["broker-ca", "init", str(authority), "--host", "park.example.com"]) == 1
    assert (authority / "ca.key").read_bytes() == before


def test_a_missing_authority_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = request(tmp_path, "edge-1", capsys)

    assert main(["broker-ca", "sign", str(tmp_path / "nowhere"), str(wanted), "--edge", "edge-1"]) == 2
    assert "nowhere" in capsys.readouterr().err
