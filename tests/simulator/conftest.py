"""Seeds to play: --seeds and --first-seed, in chunks that workers share."""

from __future__ import annotations

import pytest

CHUNK = 25


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Split the range of seeds into tests of 25, so that progress shows and workers share them."""
    if "seeds" in metafunc.fixturenames:
        first, count = metafunc.config.getoption("--first-seed"), metafunc.config.getoption("--seeds")
        starts = range(first, first + count, CHUNK)
        chunks = [range(start, min(start + CHUNK, first + count)) for start in starts]
        metafunc.parametrize("seeds", chunks, ids=[f"{chunk[0]}-{chunk[-1]}" for chunk in chunks])
