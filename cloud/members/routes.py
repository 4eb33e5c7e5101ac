"""Every page of people."""

from __future__ import annotations

from aiohttp import web

from cloud.members import block_pages, excused_pages, import_pages, pages, pass_pages


def add_routes(app: web.Application) -> None:
    """Lists, forms, the import and the day's report."""
    for each in (pages, block_pages, import_pages, excused_pages, pass_pages):
        each.add_routes(app)
