"""The device listener: pushes of cameras, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from drivers.base import Camera
from drivers.camera.listener import device_routes, login_routes
from drivers.camera.pushed import Pushing


def device_app(cameras: Iterable[Camera]) -> web.Application:
    """Routes for every camera that pushes."""
    app = web.Application()
    pushing = [camera for camera in cameras if isinstance(camera, Pushing)]
    app.router.add_routes([*device_routes(pushing), *login_routes(pushing)])
    return app
