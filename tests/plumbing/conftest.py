from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from plumbing.broker import EmbeddedBroker

USERS = {"001": "edge-secret", "cloud": "cloud-secret"}


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[EmbeddedBroker]:
    async with EmbeddedBroker(tmp_path, USERS) as running:
        yield running


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for something another thread or process brings about."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)
