"""How a slip is laid out: entries in order, read from a file (`slip_parse`), filled with the fields of a face."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from domain.slip import Align, Cut, Feed, Line, Paper, Qr, Rule, Slip, Text, pair, paragraph
from domain.slip_faces import Face, Fields, Language

Words: TypeAlias = tuple[str, str]  # Chinese, English; with ``{field}`` for what stands on this slip


@dataclass(frozen=True, slots=True)
class Saying:
    """*text*, or *text* at the left edge and *value* at the right one. *size* magnifies both ways."""

    text: Words
    value: Words | None = None
    align: Align = Align.LEFT
    size: int = 1
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a layout. *given* and *missing* name a field that must, or must not, say something for it to stand
    there; *each* a group of lines it is repeated for.
    """

    part: Saying | Rule | Feed | Qr
    given: str = ""
    missing: str = ""
    each: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands on the slips called *name*, top to bottom; the cut ends them."""

    name: str
    entries: tuple[Entry, ...]

    def dressed(self, head: Iterable[str], foot: Iterable[str]) -> Layout:
        """With a lot's own lines above everything and below the words; a QR stays the last thing (I13)."""
        end = len(self.entries)
        while end and isinstance(self.entries[end - 1].part, Qr | Feed):
            end -= 1
        return replace(self, entries=(*_own(head), *self.entries[:end], *_own(foot), *self.entries[end:]))


def lay_out(face: Face, layout: Layout, paper: Paper = Paper.MM58, language: Language = Language.ZH) -> Slip:
    """*face* as its *layout* puts it on paper. Raises ValueError when the layout is that of another kind of slip."""
    if layout.name != face.layout:
        raise ValueError(f"a {face.layout} is not laid out as a {layout.name}")
    fields = face.fields(language)
    lines = (line for entry in layout.entries for line in _lines(entry, fields, paper, language))
    return Slip(paper, (*lines, Cut()))


def _lines(entry: Entry, fields: Fields, columns: int, language: Language) -> Iterator[Line]:
    if (entry.given and not fields[entry.given]) or (entry.missing and fields[entry.missing]):
        return
    single = {name: value for name, value in fields.items() if isinstance(value, str)}
    rows = fields[entry.each] if entry.each else ({},)
    for row in rows:
        if isinstance(row, Mapping):
            yield from _filled(entry.part, {**single, **row}, columns, language)


def _filled(
    part: Saying | Rule | Feed | Qr, values: Mapping[str, str], columns: int, language: Language
) -> Iterable[Line]:
    match part:
        case Saying():
            return _said(part, values, columns, language)
        case Qr():
            return (replace(part, text=part.text.format_map(values)),)
        case _:
            return (part,)


def _said(saying: Saying, values: Mapping[str, str], columns: int, language: Language) -> tuple[Text, ...]:
    second = language is Language.EN
    text = saying.text[second].format_map(values)
    if saying.value is None:
        return paragraph(text, columns, align=saying.align, size=saying.size, bold=saying.bold)
    return pair(text, saying.value[second].format_map(values), columns, size=saying.size, bold=saying.bold)


def _own(texts: Iterable[str]) -> tuple[Entry, ...]:
    plain = (text.replace("{", "{{").replace("}", "}}") for text in texts)
    return tuple(Entry(Saying((text, text), align=Align.CENTRE)) for text in plain)
