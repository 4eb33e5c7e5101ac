"""Prometheus figures on a registry of the daemon's own, so that two daemons in one process stay apart.

metrics = Metrics("lotgate_edge")
decisions = metrics.counter("decisions_total", "Decisions taken", ["lane", "outcome"])
metrics.watch("db_queue", "Calls waiting for the database thread", lambda: thread.waiting)
app.router.add_get("/metrics", metrics.handler)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Makes and serves the figures of one daemon; every name starts with its *prefix*."""

    def __init__(self, prefix: str) -> None:
        self.registry = CollectorRegistry()
        self._prefix = prefix
        ProcessCollector(registry=self.registry)

    def counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        """Something that only grows."""
        return Counter(f"{self._prefix}_{name}", text, labels, registry=self.registry)

    def gauge(self, name: str, text: str, labels: Sequence[str] = ()) -> Gauge:
        """Something that goes up and down and is set where it changes."""
        return Gauge(f"{self._prefix}_{name}", text, labels, registry=self.registry)

    def watch(self, name: str, text: str, read: Callable[[], float]) -> None:
        """A gauge that is read when somebody asks."""
        self.gauge(name, text).set_function(read)

    def seconds(self, name: str, text: str, labels: Sequence[str] = ()) -> Histogram:
        """How long things take, in buckets from 1 ms to 10 s."""
        return Histogram(f"{self._prefix}_{name}", text, labels, buckets=SECONDS, registry=self.registry)

    async def handler(self, _request: web.Request) -> web.Response:
        """Serves GET /metrics."""
        return web.Response(body=generate_latest(self.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
