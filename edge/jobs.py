"""What happens by the wall clock: nightly figures and forgetting. Anything physical goes by monotonic time instead."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler  # type: ignore[import-untyped]
from apscheduler.triggers.cron import CronTrigger  # type: ignore[import-untyped]

from domain.moment import Moment, Quality
from drivers.base import Camera, DeviceError, HasClock
from edge.db import decisions, log
from edge.db.database import Database, transaction
from edge.lanes.office import Office
from edge.offline_lists import Duty, keep_lists
from edge.services.totals import total_log
from edge.settings import KeptPictures

logger = logging.getLogger(__name__)

DAY_MS = 86_400_000
EVENTS_DAYS = 30  # after the cloud has them (sync §3)
CLOCK_S = 10.0
READS_DAYS = 7  # a camera resends within hours


def forget(db: Database, pictures_days: int, now: Moment) -> int:
    """Drop acked events, pictures and read names past their time; returns how many events went."""
    with transaction(db) as conn:
        decisions.prune(conn, now.wall_ms - pictures_days * DAY_MS, now.wall_ms - READS_DAYS * DAY_MS)
        return log.prune(conn, now.wall_ms - EVENTS_DAYS * DAY_MS)


async def set_clocks(office: Office, cameras: Mapping[str, Camera]) -> None:
    """Set the clocks of cameras that can be told, while our own is known to be right."""
    for name, camera in cameras.items():
        now = office.now()
        if not isinstance(camera, HasClock) or now.quality < Quality.NTP:
            continue
        try:
            async with asyncio.timeout(CLOCK_S):
                await camera.set_clock(datetime.fromtimestamp(now.wall_ms / 1000, office.lot.tz))
        except (DeviceError, TimeoutError) as exc:
            logger.warning("camera %s: its clock was not set (%s)", name, exc)


async def tidy_pictures(office: Office, kept: KeptPictures) -> None:
    """Remove pictures past their time or beyond their room, the oldest first; not those of cars inside and of debts."""
    before_ms = office.now().wall_ms - kept.days * DAY_MS
    asked = await office.thread.run(decisions.still_asked, office.db.conn)
    if gone := await office.pictures.tidy(before_ms, kept.most_mb * 1_000_000, asked):
        logger.info("removed %d pictures", gone)


def start_jobs(
    office: Office, cameras: Mapping[str, Camera], kept: KeptPictures, lists: Sequence[Duty] = ()
) -> AsyncIOScheduler:
    """A running scheduler on the lot's own time; shut it down with ``shutdown(wait=False)``."""

    async def nightly_total() -> None:
        await office.thread.run(total_log, office.db, office.now())

    async def nightly_forgetting() -> None:
        now = office.now()
        gone = await office.thread.run(forget, office.db, kept.days, now)
        logger.info("forgot %d events that the cloud holds", gone)

    jobs: tuple[tuple[str, int, int, Callable[[], Awaitable[None]]], ...] = (
        ("total", 0, 10, nightly_total),
        ("forget", 3, 30, nightly_forgetting),
    )
    scheduler = AsyncIOScheduler(timezone=office.lot.tz)
    for name, hour, minute, work in jobs:
        trigger = CronTrigger(hour=hour, minute=minute, timezone=office.lot.tz)
        scheduler.add_job(work, trigger, id=name, coalesce=True, max_instances=1, misfire_grace_time=None)
    for name, minute, hourly, args in (
        ("pictures", 29, tidy_pictures, (office, kept)),
        ("clocks", 17, set_clocks, (office, cameras)),
        ("lists", 43, keep_lists, (office, cameras, lists)),
    ):
        trigger = CronTrigger(minute=minute, timezone=office.lot.tz)
        scheduler.add_job(hourly, trigger, args=args, id=name, coalesce=True, max_instances=1, misfire_grace_time=None)
    scheduler.start()
    return scheduler
