from __future__ import annotations

import asyncio

from plumbing.web.live import LISTENER_QUEUE, Event, Hub, encode
from plumbing.web.paging import Page, page_number
from tests.plumbing.conftest import until
from tests.plumbing.web.conftest import Visitor, app_of
from tests.plumbing.web.gallery.app import HUB


async def test_a_page_hears_what_is_published_in_its_own_language(visitor: Visitor) -> None:
    hub = app_of(visitor)[HUB]

    async with visitor.get("/live", cookies={"lg_lang": "en"}) as answer:
        await until(lambda: hub.listeners == 1)
        hub.publish(42)
        lines = b""
        async with asyncio.timeout(5):
            while b"event: stats" not in lines or not lines.endswith(b"\n\n"):
                lines += await answer.content.readline()

    assert answer.content_type == "text/event-stream"
    assert b"Inside" in lines
    assert b'"stat-value">42<' in lines


async def test_a_quiet_stream_is_kept_awake_and_ends_with_the_hub(visitor: Visitor) -> None:
    hub = app_of(visitor)[HUB]

    async with visitor.get("/live") as answer, asyncio.timeout(5):
        lines = await answer.content.readuntil(b"event: beat\ndata: 1\n\n")
        hub.close()
        await answer.content.read()

    assert lines.startswith(b"retry: 2000\n\n")
    assert hub.listeners == 0


async def test_a_page_that_went_away_is_forgotten(visitor: Visitor) -> None:
    hub = app_of(visitor)[HUB]
    answer = await visitor.get("/live")
    await until(lambda: hub.listeners == 1)

    answer.close()

    await until(lambda: hub.listeners == 0)


def test_a_slow_page_loses_the_oldest() -> None:
    hub: Hub[int] = Hub()
    with hub.listening() as queue:
        for number in range(LISTENER_QUEUE + 5):
            hub.publish(number)

        assert queue.qsize() == LISTENER_QUEUE
        assert queue.get_nowait() == 5


def test_no_data_can_end_an_event_early_or_start_another() -> None:
    assert encode(Event("a\nb", "one\n\nevent: x\r\ntwo")) == (
        b"event: a b\ndata: one\ndata: \ndata: event: x\ndata: two\n\n"
    )


def test_pages_are_counted_from_one() -> None:
    assert Page([], 1, 0).pages == 1
    assert Page([], 1, 101).pages == 3
    numbers = {"": 1, "2": 2, "0": 1, "-1": 1, "x": 1, "２": 1, "99999999999": 100_000}
    assert {text: page_number({"page": text}) for text in numbers} == numbers
