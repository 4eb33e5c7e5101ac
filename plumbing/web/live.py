"""Server-sent events: pages that change by themselves without polling."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from aiohttp import web

T = TypeVar("T")

HEARTBEAT_SECONDS = 5.0
LISTENER_QUEUE = 64
BEAT = b"event: beat\ndata: 1\n\n"  # without data it would not be told


@dataclass(frozen=True, slots=True)
class Event:
    """*data* for the page part named *name*: HTML made by a template, or text."""

    name: str
    data: str


class Hub(Generic[T]):
    """Gives every published fact to every listener. A page that reads too slowly loses the oldest, not the hub."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[T | None]] = set()
        self._closed = False

    @property
    def listeners(self) -> int:
        """Pages that are listening now."""
        return len(self._listeners)

    def publish(self, fact: T) -> None:
        """Hand *fact* to all listeners at once. Call on the event loop."""
        for queue in self._listeners:
            _put(queue, fact)

    def close(self) -> None:
        """Let every listener finish: a daemon that stops must not wait for open pages."""
        self._closed = True
        for queue in self._listeners:
            _put(queue, None)

    @contextlib.contextmanager
    def listening(self) -> Iterator[asyncio.Queue[T | None]]:
        """A queue of facts from now on; None means that the hub has closed."""
        queue: asyncio.Queue[T | None] = asyncio.Queue(LISTENER_QUEUE)
        if self._closed:
            queue.put_nowait(None)
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)


async def stream(
    request: web.Request,
    hub: Hub[T],
    show: Callable[[T], Awaitable[Sequence[Event]]],
    *,
    start: Sequence[T] = (),
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
) -> web.StreamResponse:
    """Answer with what *show* makes of *start* and of each fact of *hub*, until hub or page goes away.

    *show* renders for this request (its language, its CSRF token); a beat in between tells the page that it is right.
    """
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    with hub.listening() as queue, contextlib.suppress(ConnectionResetError):
        await response.prepare(request)
        await response.write(b"retry: 2000\n\n")
        for fact in start:
            await _send(response, await show(fact))
        while True:
            try:
                async with asyncio.timeout(heartbeat_seconds):
                    upcoming = await queue.get()
            except TimeoutError:
                await response.write(BEAT)
                continue
            if upcoming is None:
                break
            await _send(response, await show(upcoming))
    return response


def encode(event: Event) -> bytes:
    """One event on the wire: each line of the data has its own field, so no data can end it early."""
    name = event.name.replace("\n", " ").replace("\r", " ")
    lines = "".join(f"data: {line}\n" for line in event.data.splitlines() or [""])
    return f"event: {name}\n{lines}\n".encode()


async def _send(response: web.StreamResponse, events: Sequence[Event]) -> None:
    if events:
        await response.write(b"".join(map(encode, events)))


def _put(queue: asyncio.Queue[T | None], fact: T | None) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(fact)
