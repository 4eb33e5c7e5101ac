from __future__ import annotations

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from plumbing.metrics import Metrics


async def test_two_daemons_in_one_process_keep_their_figures_apart() -> None:
    edge, cloud = Metrics("lotgate_edge"), Metrics("lotgate_cloud")
    edge.counter("decisions_total", "Decisions taken", ["lane"]).labels("in").inc(3)
    cloud.counter("decisions_total", "Decisions taken", ["lane"])
    edge.watch("db_queue", "Calls waiting", lambda: 7)
    edge.seconds("decide_seconds", "Time to decide").observe(0.02)
    app = web.Application()
    app.router.add_get("/metrics", edge.handler)

    async with TestClient(TestServer(app)) as client:
        answer = await client.get("/metrics")
        text = await answer.text()

    assert 'lotgate_edge_decisions_total{lane="in"} 3.0' in text
    assert "lotgate_edge_db_queue 7.0" in text
    assert 'lotgate_edge_decide_seconds_bucket{le="0.025"} 1.0' in text
    assert "lotgate_cloud" not in text
