"""Layouts of slips from TOML (format: docs/slips.md). An error names file, line and what is allowed."""

from __future__ import annotations

import string
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from domain.document import DocumentError, Place, Table, load
from domain.slip import Align, Feed, Paper, Qr, Rule
from domain.slip_faces import Fields, Language
from domain.slip_layouts import Entry, Layout, Saying, Words, lay_out
from domain.slip_samples import SAMPLES

MOST_ENTRIES: Final = 80
LONGEST: Final = 200  # characters of one text
LARGEST: Final = 16 * 1024  # characters of a file
MUST: Final[Mapping[str, tuple[str, ...]]] = {  # what no lot may leave out: that it is one, a copy, or only a test
    "voucher": ("test", "worth", "until", "number", "qr"),
    "receipt": ("copy", "number", "due"),
    "refund": ("copy", "number", "amount"),
    "debts": ("copy", "number", "paid"),
    "ticket": ("copy", "number", "qr"),
    "report": ("copy", "number", "expected"),
    "pickup": ("copy", "number"),
    "test": (),
}
_KINDS: Final = {
    "text": ("value", "align", "size", "bold"),
    "rule": (),
    "feed": (),
    "qr": ("dots",),
}
_WHEN: Final = ("if", "unless", "each")
_AT: Final = datetime(2026, 1, 1)  # noqa: DTZ001 - of a sample


class LayoutError(DocumentError):
    """A layout that cannot be used."""


def parse_layout(text: str, name: str, source: str) -> Layout:
    """The layout called *name* in *text*; *source* is the file name for messages. Raises LayoutError."""
    place = Place(source, "", LayoutError)
    if name not in SAMPLES:
        raise place.fault(f"no slip {name!r}; there are {', '.join(SAMPLES)}")
    if len(text) > LARGEST:
        raise place.fault(f"longer than {LARGEST} characters")
    data, place = load(text, source, LayoutError)
    lines = Table(data, place, ("lines",)).need("lines")
    if not isinstance(lines, list) or not 0 < len(lines) <= MOST_ENTRIES:
        raise place.at("lines").fault(f'must be a list of 1 to {MOST_ENTRIES} lines such as {{ text = "..." }}')
    reader = _Reader(SAMPLES[name]("", _AT, Paper.MM58, Language.ZH).fields(Language.ZH))
    entries = tuple(reader.entry(raw, place.at("lines").item(number)) for number, raw in enumerate(lines, 1))
    layout = Layout(name, entries)
    _check(layout, place.at("lines"))
    return layout


class _Reader:
    """Reads lines with the fields of one kind of slip."""

    def __init__(self, fields: Fields) -> None:
        self._single = [name for name, value in fields.items() if isinstance(value, str)]
        self._groups = {name: list(rows[0]) for name, rows in fields.items() if not isinstance(rows, str)}

    def entry(self, raw: object, place: Place) -> Entry:
        kind = next((one for one in _KINDS if isinstance(raw, Mapping) and one in raw), None)
        if kind is None:
            raise place.fault(f"must be a table with one of {', '.join(_KINDS)}")
        table = Table(raw, place, (kind, *_KINDS[kind], *_WHEN))
        each = table.word("each", self._groups) if "each" in table else ""
        known = [*self._groups.get(each, ()), *self._single]
        given, missing = (
            table.word(key, (*self._single, *self._groups)) if key in table else "" for key in ("if", "unless")
        )
        return Entry(self._part(kind, table, known), given, missing, each)

    def _part(self, kind: str, table: Table, known: list[str]) -> Saying | Rule | Feed | Qr:
        match kind:
            case "text":
                return self._saying(table, known)
            case "rule":
                return Rule(_mark(table))
            case "feed":
                return Feed(table.number("feed", least=1, most=10))
            case _:
                return Qr(_text(table.need("qr"), table.at("qr"), known), table.number("dots", 4, least=3, most=8))

    def _saying(self, table: Table, known: list[str]) -> Saying:
        value = _words(table, "value", known) if "value" in table else None
        if value and "align" in table:
            raise table.at("align").fault("a line with a value has its text left and its value right")
        return Saying(
            _words(table, "text", known), value, Align(table.word("align", list(Align), Align.LEFT)),
            table.number("size", 1, least=1, most=4), table.flag("bold"),
        )  # fmt: skip


def _words(table: Table, key: str, known: list[str]) -> Words:
    said, place = table.need(key), table.at(key)
    if not isinstance(said, list):
        text = _text(said, place, known)
        return text, text
    if len(said) != 2:
        raise place.fault('must be a text, or two: ["中文", "English"]')
    zh, en = (_text(one, place.item(number), known) for number, one in enumerate(said, 1))
    return zh, en


def _text(said: Any, place: Place, known: list[str]) -> str:
    if not isinstance(said, str) or not 0 < len(said) <= LONGEST:
        raise place.fault(f"must be a text of 1 to {LONGEST} characters in quotes")
    try:
        parts = list(string.Formatter().parse(said))
    except ValueError as exc:
        raise place.fault(f"{exc}; write {{{{ and }}}} for braces") from exc
    for _, name, form, turn in parts:
        if name is not None and (name not in known or form or turn):
            raise place.fault(f"no field {{{name}}}; there are {', '.join(known)}")
    return said


def _mark(table: Table) -> str:
    mark = table.need("rule")
    if not (isinstance(mark, str) and len(mark) == 1 and " " < mark <= "~"):
        raise table.at("rule").fault('must be one character, such as "-" or "="')
    return mark


def _check(layout: Layout, place: Place) -> None:
    """What holds between the lines. Raises LayoutError."""
    codes = [number for number, entry in enumerate(layout.entries, 1) if isinstance(entry.part, Qr)]
    if codes and codes != [len(layout.entries)]:
        raise place.item(codes[0]).fault("a QR is the last line and the only one of its slip")
    for field in MUST[layout.name]:
        if not any(_shows(entry, field) for entry in layout.entries):
            raise place.fault(f"{{{field}}} must stand on every {layout.name}; show it without a condition of its own")
    for paper in Paper:
        for language in Language:
            face = SAMPLES[layout.name]("停车场", _AT, paper, language)
            try:
                lay_out(face, layout, paper, language)
            except ValueError as exc:
                raise place.fault(str(exc)) from exc


def _shows(entry: Entry, field: str) -> bool:
    """Whether this line says *field* whenever there is one to say."""
    part = entry.part
    if entry.missing or entry.each or entry.given not in ("", field):
        return False
    if isinstance(part, Qr):
        return part.text == f"{{{field}}}"
    texts = (*part.text, *(part.value or ())) if isinstance(part, Saying) else ()
    return entry.given == field == "test" or any(f"{{{field}}}" in text for text in texts)
