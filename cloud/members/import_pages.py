"""The page that takes monthly cars out of an Excel file, and the file to begin with."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aiohttp import web
from aiohttp.web_request import FileField

from cloud import sheets
from cloud.access.roles import Right
from cloud.act import Refused
from cloud.lots import service as lots
from cloud.members import importing
from cloud.members.forms import form_of, zone_in
from cloud.members.importing import COLUMNS, MOST_LINES, NEEDED, Report, Words
from cloud.web.state import allow, change, login_of, lots_of, read, words, zone_of
from domain.entitlement import WhenFull
from plumbing.i18n import Catalogue
from plumbing.web import Session, render, texts

TEMPLATE = "monthly-cars.xlsx"
MOST_FAULTS = 200  # shown; the rest are counted


def known_words(catalogue: Catalogue) -> Words:
    """Columns and choices as either language calls them, and as the code does."""
    columns, policies = {name: name for name in COLUMNS}, {one.value: one for one in WhenFull}
    for told in catalogue.templates.values():
        columns |= {told[f"people.{name}"].lower(): name for name in COLUMNS}
        policies |= {told[f"when_full.{one.value}"].lower(): one for one in WhenFull}
    return Words(columns, policies)


async def page(request: web.Request) -> web.Response:
    """Choose lots and a file."""
    return await _page(request, await allow(request, Right.RUN_LOTS))


async def template(request: web.Request) -> web.Response:
    """An empty file with the columns, and what may stand in them on its second sheet."""
    await allow(request, Right.RUN_LOTS)
    t = texts(request)
    columns = [t(f"people.{name}") + ("*" if name in NEEDED else "") for name in COLUMNS]
    choices = " / ".join(t(f"when_full.{one.value}") for one in WhenFull)
    notes = [f"{t(f'people.{name}')}: {t(f'import_allowed.{name}', choices=choices)}" for name in COLUMNS]
    body = await asyncio.to_thread(sheets.xlsx_file, t("import.sheet"), columns, [], notes)
    return sheets.attachment(body, TEMPLATE)


async def take(request: web.Request) -> web.Response:
    """Check the file line by line, and add what may be added."""
    session = await allow(request, Right.RUN_LOTS)
    posted = await request.post()
    form, file = form_of(posted), posted.get("file")
    zones = tuple(zone for each in form.several.get("zone", ()) if (zone := zone_in(each)) is not None)
    if not zones:
        return await _page(request, session, Refused("zones_missing"))
    if not isinstance(file, FileField) or not file.filename:
        return await _page(request, session, Refused("file_missing"))
    try:
        body = await asyncio.to_thread(file.file.read)
        rows = await asyncio.to_thread(sheets.read_xlsx, body, MOST_LINES + 1, 2 * len(COLUMNS))
    except sheets.SheetError:
        return await _page(request, session, Refused("sheet_unreadable"))
    read_in = importing.read_lines(rows, zones, known_words(texts(request).catalogue), zone_of(request))
    if isinstance(read_in, Refused):
        return await _page(request, session, read_in)
    lines, faults = read_in
    good_ones = form.texts.get("good_ones") == "1"
    report = await change(request, login_of(session), importing.import_lines, lines, faults, good_ones=good_ones)
    return await _page(request, session, report=report, chosen=form.several)


async def _page(
    request: web.Request,
    session: Session,
    refused: Refused | None = None,
    report: Report | None = None,
    chosen: Mapping[str, tuple[str, ...]] | None = None,
) -> web.Response:
    within = lots_of(session)
    return render(
        request,
        "people_import.html",
        status=422 if refused is not None or (report is not None and report.faults) else 200,
        error=words(request, refused),
        report=report,
        told=lambda each: words(request, each),
        most_faults=MOST_FAULTS,
        most_lines=MOST_LINES,
        offered=await read(request, lots.zones, within),
        names=await read(request, lots.names, within),
        chosen=(chosen or {}).get("zone", ()),
    )


def add_routes(app: web.Application) -> None:
    """The import of monthly cars."""
    app.router.add_get("/admin/people/import", page)
    app.router.add_get(f"/admin/people/{TEMPLATE}", template)
    app.router.add_post("/admin/people/import", take)
