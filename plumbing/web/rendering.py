"""Templates: Jinja2 with autoescape always on, and the names every template may use.

Functions: ``t(key, **fields)``, ``csrf_field()``, ``csrf_token()``, ``static(path)``, ``with_query(**changes)``,
``id_of(name)`` (one no other field of the page has).
Values: ``request``, ``session``, ``language``, ``theme``, ``shell``, ``navigation``, ``here``, ``request_id``.
Filters: ``yuan`` (fen), ``grouped`` (fen, none below 0, with commas), ``masked`` (plates), ``when`` (UTC ms in the
lot's zone), ``instant`` (with seconds), ``day``, ``clock``, ``length`` (minutes).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import jinja2
from aiohttp import web
from markupsafe import Markup

from domain.fen import yuan
from domain.plate import mask
from plumbing.web.csrf import FIELD, csrf_token
from plumbing.web.request import SHELL, NavItem, Shell, texts, visit

HERE = Path(__file__).parent
STATIC = HERE / "static"
TEMPLATES = HERE / "templates"
SHELL_STATIC = "shell"  # /static/shell/… is ours, /static/<listener name>/… is the listener's


ENVIRONMENT = web.AppKey("environment", jinja2.Environment)


class _Compiled(jinja2.BytecodeCache):
    """Templates are compiled once in a process, whichever of its listeners shows them."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


def set_up(app: web.Application, shell: Shell) -> None:
    """Give *app* its templates; the listener's own come before the shell's of the same name."""
    folders = [str(folder) for folder in (*shell.templates, TEMPLATES)]
    environment = app[ENVIRONMENT] = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=_COMPILED,
    )
    environment.filters["yuan"] = yuan
    environment.filters["masked"] = mask
    zone = ZoneInfo(shell.zone)
    environment.filters["grouped"] = lambda fen: f"{int(yuan(fen)[:-3]):,}{yuan(fen)[-3:]}"
    environment.filters["when"] = lambda ms: _local(ms, zone, "%Y-%m-%d %H:%M")
    environment.filters["instant"] = lambda ms: _local(ms, zone, "%Y-%m-%d %H:%M:%S")
    environment.filters["day"] = lambda ms: _local(ms, zone, "%Y-%m-%d")
    environment.filters["clock"] = lambda ms: _local(ms, zone, "%H:%M:%S")
    environment.filters["length"] = _length


def render(request: web.Request, template: str, *, status: int = 200, **values: object) -> web.Response:
    """A whole page."""
    text = render_part(request, template, **values)
    return web.Response(text=text, status=status, content_type="text/html", charset="utf-8")


def render_part(request: web.Request, template: str, **values: object) -> str:
    """The HTML alone, for `Event.data`, in the language of *request*."""
    page = request.config_dict[ENVIRONMENT].get_template(template)
    return page.render(_context(request) | values)


def _context(request: web.Request) -> dict[str, object]:
    notes = visit(request)
    shell = notes.shell
    navigation = shell.navigation(request)
    return {
        "request": request,
        "t": texts(request),
        "session": notes.session,
        "language": notes.language,
        "theme": notes.theme,
        "shell": shell,
        "navigation": navigation,
        "here": _here(request.path, navigation),
        "request_id": notes.id,
        "id_of": _Ids(),
        "csrf_token": lambda: csrf_token(request),
        "csrf_field": lambda: Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, csrf_token(request)),
        "static": lambda path: static_url(request.config_dict[SHELL], path),
        "with_query": lambda **changes: _with_query(request, changes),
    }


class _Ids:
    """Makes ids of a page's fields from their names: the second form with a field "remark" gets "remark-2"."""

    def __init__(self) -> None:
        self._used: Counter[str] = Counter()

    def __call__(self, name: str) -> str:
        self._used[name] += 1
        return name if self._used[name] == 1 else f"{name}-{self._used[name]}"


def _here(path: str, navigation: Sequence[NavItem]) -> str:
    """The entry this page stands below: of /admin and /admin/cars, the longer one that fits."""
    fitting = [item.href for item in navigation if path == item.href or path.startswith(item.href.rstrip("/") + "/")]
    return max(fitting, key=len, default="")


def static_url(shell: Shell, path: str) -> str:
    """``static("shell/app.css")`` with a mark of its content, so that browsers may keep it for a year."""
    owner, _, name = path.partition("/")
    folder = STATIC if owner == SHELL_STATIC else shell.static
    if folder is None:
        raise LookupError(f"{path}: this listener has no files of its own")
    return f"/static/{path}?v={_mark(folder / name)}"


@lru_cache(maxsize=256)
def _mark(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]


def without_choices(request: web.Request) -> str:
    """The address asked for, less the language and theme switches."""
    return _with_query(request, {"lang": None, "theme": None})


def _with_query(request: web.Request, changes: dict[str, object]) -> str:
    query = {key: value for key, value in request.query.items() if key not in changes}
    query.update({key: str(value) for key, value in changes.items() if value is not None})
    return f"{request.path}?{urlencode(query)}" if query else request.path


def _local(ms: int | None, zone: ZoneInfo, form: str) -> str:
    return "" if ms is None else datetime.fromtimestamp(ms / 1000, zone).strftime(form)


@jinja2.pass_context
def _length(context: jinja2.runtime.Context, minutes: int) -> str:
    words = context["t"]
    hours, rest = divmod(minutes, 60)
    days, of_day = divmod(hours, 24)
    if days and not of_day and not rest:
        return str(words("time.whole_days", days=days))
    if days:
        return str(words("time.days", days=days, hours=of_day, minutes=rest))
    return str(words("time.hours", hours=hours, minutes=rest) if hours else words("time.minutes", minutes=rest))
