"""Sockets in folders with long names: the kernel takes 107 bytes of a socket's path, folders may be deeper."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST = 107  # bytes, of sun_path on Linux


@contextmanager
def socket_path(path: Path) -> Iterator[str]:
    """*path* in a form short enough to bind or connect to while the block runs; a long one goes by its open folder.

    Raises FileNotFoundError when the folder of a long path does not exist.
    """
    if len(os.fsencode(path)) <= LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
