"""What handlers of both listeners find in their application, and how they ask for it."""

from __future__ import annotations

from collections import OrderedDict

from aiohttp import web

from domain.decision import Refuse
from edge.facade import Edge
from edge.services.limiting import Limited
from edge.services.staffing import MERCHANT
from edge.web.watch import Watch
from plumbing.passwords import Passwords
from plumbing.web import LoginThrottle, Session, Sessions, require_session, texts

EDGE = web.AppKey("edge", Edge)
WATCH = web.AppKey("watch", Watch)
PASSWORDS = web.AppKey("passwords", Passwords)
THROTTLE = web.AppKey("throttle", LoginThrottle)
SESSIONS = web.AppKey("sessions", Sessions)
SIGNED_IN: web.AppKey[tuple[Sessions, ...]] = web.AppKey("signed_in", tuple)  # of every listener


class Once:
    """Remembers the marks of forms that were acted on, so that a form sent twice acts once."""

    def __init__(self, most: int = 1000) -> None:
        self._most = most
        self._seen: OrderedDict[str, None] = OrderedDict()

    def first(self, mark: str) -> bool:
        """True the first time *mark* is seen."""
        if not mark or mark in self._seen:
            return False
        self._seen[mark] = None
        while len(self._seen) > self._most:
            self._seen.popitem(last=False)
        return True


ONCE = web.AppKey("once", Once)


def see_other(path: str) -> web.Response:
    """Lead the browser to *path* after an act."""
    return web.Response(status=303, headers={"Location": path})


async def flash(request: web.Request, tone: str, text: str, *, job: str = "") -> None:
    """Say *text* once, on the next page this person sees; it asks whether the slip of *job* came out."""
    await request.app[SESSIONS].remember(request, flash=f"{tone}|{text}", flash_job=job)


async def taken_flash(request: web.Request) -> tuple[str, str, str] | None:
    """What `flash` left for this page: (tone, text, job)."""
    session = await require_session(request)
    tone, _, text = session.data.get("flash", "").partition("|")
    if not text:
        return None
    await request.app[SESSIONS].remember(request, flash="")
    return tone, text, session.data.get("flash_job", "")


def merchant_of(session: Session) -> int | None:
    """The merchant whose staff this is, None for the lot's own people."""
    return int(session.role.removeprefix(MERCHANT)) if session.role.startswith(MERCHANT) else None


async def require_alive(request: web.Request) -> None:
    """For streams that stay open: ends them when the session they began with is over."""
    if not await request.app[SESSIONS].is_alive(request):
        raise ConnectionResetError("the session is over")


def first_time(request: web.Request, form: object) -> bool:
    """True the first time this very form is sent. Raises HTTPBadRequest for one without its mark."""
    mark = text_field(form, "mark", 64)
    if not mark:
        raise web.HTTPBadRequest
    return request.app[ONCE].first(mark)


def refusal_words(request: web.Request, refused: Refuse | str) -> str:
    """The sentence for a refusal: what is wrong and what to do next."""
    code = refused.code if isinstance(refused, Refuse) else refused
    words = texts(request)
    key = f"refused.{code}"
    facts = dict(refused.facts) if isinstance(refused, Limited) else {}
    return words(key, **facts) if words.catalogue.has(key) else words("refused.other", code=code)


def whole(typed: str, otherwise: int) -> int:
    """A whole number somebody typed; *otherwise* where it is none."""
    return int(typed) if typed.isascii() and typed.isdigit() else otherwise


def text_field(form: object, name: str, most: int = 400) -> str:
    """A text field of a posted form, stripped; "" when it is missing, a file, or longer than *most*."""
    value = form.get(name, "") if hasattr(form, "get") else ""
    return value.strip() if isinstance(value, str) and len(value) <= most else ""
