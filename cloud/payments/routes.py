"""Every page of payments."""

from __future__ import annotations

from aiohttp import web

from cloud.payments import book_pages, cashier, incoming, my_invoices, pages, payout_pages


def add_routes(app: web.Application) -> None:
    """The payer's pages, the operator's, and the providers' way in."""
    for each in (incoming, book_pages, payout_pages, my_invoices, pages, cashier):
        each.add_routes(app)
