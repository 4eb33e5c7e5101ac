"""Cars that come and go while somebody looks at the screens."""

from __future__ import annotations

from collections.abc import Sequence

from lotgate.demo.photos import Photo
from lotgate.demo.system import System


async def drive(system: System, photos: Sequence[Photo]) -> None:
    """Until cancelled."""
    import asyncio

    await asyncio.Event().wait()
