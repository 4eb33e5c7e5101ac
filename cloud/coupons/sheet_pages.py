"""The pages of printed coupons: for the browser's printer, and as a PDF to keep or send away (S1.43-S1.45)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy import RowMapping

from cloud.access.roles import Right
from cloud.coupons.code_pages import batch_of, qr_picture
from cloud.coupons.codes import Way
from cloud.coupons.layout import Layout, layout_of
from cloud.coupons.life import State
from cloud.web.state import CLOUD, allow
from domain.claim_code import claim_url
from domain.coupon.terms import terms_of
from domain.fen import yuan
from plumbing.i18n import Texts
from plumbing.web import render, texts
from plumbing.web.rendering import ENVIRONMENT


@dataclass(frozen=True, slots=True)
class Printing:
    """A batch as it comes on paper: the coupons of each page, those withdrawn or claimed left out."""

    batch: Mapping[str, Any]
    merchant: str
    layout: Layout
    sheets: list[list[RowMapping]]

    @property
    def uses(self) -> int:
        """How many stays each is good for."""
        return terms_of(json.loads(self.batch["terms"])).uses


async def _printing(request: web.Request) -> Printing:
    session = await allow(request, Right.HAND_OUT)
    batch, coupons, name = await batch_of(request, session, Way.PAPER)
    layout = layout_of(request.query)
    good = [[row for row in sheet if row["state"] == State.PRINTED.value] for sheet in layout.sheets(coupons)]
    return Printing(batch, name, layout, [sheet for sheet in good if sheet])


async def sheet_page(request: web.Request) -> web.Response:
    """The pages themselves, for the browser's printer."""
    printing, base = await _printing(request), request.config_dict[CLOUD].public_url
    return render(
        request, "sheet.html", batch=printing.batch, sheets=printing.sheets, layout=printing.layout,
        merchant=printing.merchant, uses=printing.uses, qr=lambda row: qr_picture(claim_url(base, row["token"])),
    )  # fmt: skip


async def sheet_file(request: web.Request) -> web.Response:
    """The same pages as a PDF."""
    from cloud.coupons import sheet_pdf  # a cloud where nobody prints does without the library's 30 MB and its second

    printing, t, base = await _printing(request), texts(request), request.config_dict[CLOUD].public_url
    when = request.config_dict[ENVIRONMENT].filters["when"]
    batch = printing.batch

    def face(row: RowMapping) -> sheet_pdf.Face:
        serial = row["serial"]
        return sheet_pdf.Face(
            code=claim_url(base, row["token"]),
            lot=batch["lot"],
            title=t("papers.slip_title"),
            shop=printing.merchant,
            worth=_worth(t, row) + (f" × {printing.uses}" if printing.uses > 1 else ""),
            scan=t("papers.slip_scan"),
            until=t("claim.good_until", when=when(row["expires_ms"])),
            serial=f"{serial[:13]} {serial[13:22]} {serial[22:]}",
        )

    faces = [[face(row) for row in sheet] for sheet in printing.sheets]
    heading = f"{printing.merchant} · {batch['name']} · {batch['lot']}"
    body = await asyncio.to_thread(sheet_pdf.pdf, printing.layout, faces, heading)
    name = f"coupons-{batch['batch_id']}.pdf"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(body=body, content_type="application/pdf", headers=headers)


def _worth(t: Texts, row: RowMapping) -> str:
    """What one coupon takes off, as on its slip."""
    match row["kind"]:
        case "AMOUNT":
            return f"¥{yuan(row['value'])}"
        case "DURATION":
            return t("unit.minutes", minutes=row["value"])
        case "PERCENT":
            return t("unit.percent_to_pay", percent=row["value"])
        case kind:
            return t(f"kind.{kind}")


def add_routes(app: web.Application) -> None:
    """Both forms of a printing."""
    app.router.add_get("/m/print/{batch}/sheet", sheet_page)
    app.router.add_get("/m/print/{batch}/sheet.pdf", sheet_file)
