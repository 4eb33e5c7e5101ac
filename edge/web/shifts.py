"""A shift from the booth: begin it with change, put cash away, print how it stands, count, hand over (E34)."""

from __future__ import annotations

from aiohttp import web

from domain.decision import Refuse
from domain.fen import fen_from_yuan
from domain.slip_faces import SHIFT_DRAWER, SHIFT_SUMS
from edge.services.shifts import MOST_FEN, Count
from edge.services.staffing import ATTENDANT, BOOTH_ROLES
from edge.tills import Shift
from edge.web import receipts, workstation
from edge.web.booth import shared
from edge.web.drawer import REASONS as DRAWER_REASONS
from edge.web.keys import EDGE, SESSIONS, flash, refusal_words, see_other, taken_flash, text_field
from edge.web.proof import approver, beside, second_person
from edge.web.tasks import new_mark
from plumbing.web import Session, render, require_session, texts

CLOSING = ("counted", "kept", "takes_over", "other")
LONG_MS = 14 * 3_600_000  # a shift open for longer was likely forgotten


async def shift_page(request: web.Request) -> web.Response:
    """This workstation's shift, the others that are open, and those before."""
    return await _page(request, await require_session(request))


async def _page(request: web.Request, session: Session, refused: Refuse | str = "") -> web.Response:
    edge, place = request.app[EDGE], workstation.workstation_of(request)
    return render(
        request, "shift.html", status=409 if refused else 200, place=place, mark=new_mark(),
        places=list(edge.office.lot.workstations), shift=await edge.tills.at(place.name) if place else None,
        has_drawer=edge.tills.has_drawer(place.name) if place else False, drawer_reasons=DRAWER_REASONS,
        receipts=await edge.tills.receipts(place.name) if place else [],
        shifts=await edge.tills.newest(), now_ms=edge.office.now().wall_ms, long_ms=LONG_MS,
        sums=SHIFT_SUMS, drawer=SHIFT_DRAWER,
        error=refusal_words(request, refused) if refused else "", flash=await taken_flash(request), **shared(request),
    )  # fmt: skip


async def begin(request: web.Request) -> web.Response:
    """Begin a shift here."""
    session, data = await require_session(request), await request.post()
    float_fen = fen_or_none(text_field(data, "float", 16) or "0")
    if float_fen is None:
        return await _page(request, session, "bad_amount")
    result = await request.app[EDGE].tills.open(workstation.at(request), float_fen, session.name)
    if isinstance(result, Refuse):
        return await _page(request, session, result)
    await flash(request, "ok", texts(request)("shift.begun"))
    return see_other("/booth")


async def drop(request: web.Request) -> web.Response:
    """Put cash into the safe; a form sent twice puts it away once."""
    session, data, shift = await require_session(request), await request.post(), await _shift(request)
    amount, drop_id = fen_or_none(text_field(data, "amount", 16)), text_field(data, "mark", 64)
    if amount is None or not drop_id:
        return await _page(request, session, "bad_amount")
    result = await request.app[EDGE].tills.drop(shift.row.shift_id, drop_id, amount, session.name)
    if isinstance(result, Refuse):
        return await _page(request, session, result)
    await flash(request, "ok", texts(request)("shift.dropped"))
    return see_other("/booth/shift")


async def report_page(request: web.Request) -> web.Response:
    """One shift's figures."""
    await require_session(request)
    return render(
        request, "shift_report.html", shift=await _shift(request), sums=SHIFT_SUMS, drawer=SHIFT_DRAWER,
        flash=await taken_flash(request), **shared(request),
    )  # fmt: skip


async def print_report(request: web.Request) -> web.Response:
    """Put it on paper."""
    session, shift = await require_session(request), await _shift(request)
    result = await request.app[EDGE].tills.print_report(shift.row.shift_id, session.name)
    await receipts.tell_print(request, result, texts(request)("shift.printed"))
    return see_other("/booth/shift" if shift.row.is_open else f"/booth/shift/{shift.row.shift_id}")


async def close_page(request: web.Request) -> web.Response:
    """Ask for the count, and who goes on."""
    await require_session(request)
    return await _close(request, await _shift(request))


async def close(request: web.Request) -> web.Response:
    """End the shift. Who takes over proves it with a PIN and is signed in here from now on."""
    session, data, shift = await require_session(request), await request.post(), await _shift(request)
    typed = {name: text_field(data, name, 200) for name in CLOSING}
    counted, kept = fen_or_none(typed["counted"]), fen_or_none(typed["kept"] or "0")
    if counted is None or kept is None:
        return await _close(request, shift, "bad_amount", typed)
    approved = await approver(request, data)
    if isinstance(approved, Refuse):
        return await _close(request, shift, approved, typed)
    successor = None
    if typed["takes_over"]:
        proved = await second_person(request, typed["takes_over"], text_field(data, "pin", 64), ATTENDANT)
        if isinstance(proved, Refuse):
            return await _close(request, shift, proved, typed)
        successor = proved
    count = Count(counted, typed["other"], successor.name if successor else "", kept if successor else 0)
    result = await request.app[EDGE].tills.close(shift.row.shift_id, count, session.name, approved_by=approved)
    if isinstance(result, Refuse):
        return await _close(request, shift, result, typed)
    await _print_ended(request, shift, session.name)
    response = see_other(f"/booth/shift/{shift.row.shift_id}")
    if successor and successor.name != session.name:
        await request.app[SESSIONS].sign_in(
            request, response, user_id=successor.name, name=successor.name, role=successor.role
        )
    return response


async def _print_ended(request: web.Request, shift: Shift, by: str) -> None:
    place = request.app[EDGE].office.lot.workstations.get(shift.row.workstation)
    if place is None or not place.printer:
        return
    await receipts.tell_print(request, await request.app[EDGE].tills.print_report(shift.row.shift_id, by), "")


async def _close(
    request: web.Request, shift: Shift, refused: Refuse | str = "", typed: dict[str, str] | None = None
) -> web.Response:
    session = await require_session(request)
    people = [one.name for one in await request.app[EDGE].staff.everyone() if one.role in BOOTH_ROLES]
    return render(
        request, "shift_close.html", status=409 if refused else 200, shift=shift,
        typed=typed or dict.fromkeys(CLOSING, ""),
        people=[(name, name) for name in people if name != shift.row.opened_by],
        own=shift.row.opened_by == session.name,
        approvers=[] if shift.row.opened_by == session.name else await beside(request, session),
        error=refusal_words(request, refused) if refused else "", **shared(request),
    )  # fmt: skip


async def _shift(request: web.Request) -> Shift:
    """The shift the address names. Raises HTTPNotFound."""
    shift = await request.app[EDGE].tills.get(request.match_info["shift"])
    if shift is None:
        raise web.HTTPNotFound
    return shift


def fen_or_none(typed: str) -> int | None:
    """An amount of money as typed, 0 among them; None when it is none."""
    try:
        amount = int(fen_from_yuan(typed))
    except ValueError:
        return None
    return amount if 0 <= amount <= MOST_FEN else None


def add_routes(app: web.Application) -> None:
    """Everything about a drawer."""
    at = "/booth/shift"
    app.router.add_get(at, shift_page)
    app.router.add_post(at, begin)
    app.router.add_post("/booth/workstation", workstation.choose)
    app.router.add_get(f"{at}/{{shift}}", report_page)
    app.router.add_post(f"{at}/{{shift}}/drop", drop)
    app.router.add_post(f"{at}/{{shift}}/print", print_report)
    app.router.add_get(f"{at}/{{shift}}/close", close_page)
    app.router.add_post(f"{at}/{{shift}}/close", close)
