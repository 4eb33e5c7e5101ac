"""A socket can be made and reached however deep its folder lies."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from plumbing.unixpath import LONGEST, socket_path


@pytest.mark.parametrize("depth", [0, 12])
def test_bytes_cross_a_socket_in_a_deep_folder(tmp_path: Path, depth: int) -> None:
    folder = tmp_path.joinpath(*["a-long-name"] * depth)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "edge.sock"
    assert (len(str(path)) > LONGEST) == bool(depth)
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        with socket_path(path) as short:
            server.bind(short)
        server.listen()
        with socket_path(path) as short:
            client.connect(short)
        accepted, _ = server.accept()
        with accepted:
            accepted.sendall(b"x")
            assert client.recv(1) == b"x"

    assert path.is_socket()
