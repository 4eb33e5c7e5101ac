"""TOML files read once into frozen dataclasses; unknown keys are refused by file, place and nearest known name.

    @dataclass(frozen=True, slots=True)
    class LotSettings:
        lot_id: int
        lanes: tuple[LaneSettings, ...]
        data: Path = Path("data")          # relative paths, defaults too, start at the file's own folder

    settings = load(Path("lot.toml"), LotSettings)

Field types: int, float, str, bool, Path, date, time, enums (by value), Literal, NewType of these, nested dataclasses,
``tuple[X, ...]``, ``tuple[X, Y]``, ``dict[str, X]``, unions with None or between these, and Any / object for a raw
table that a driver reads later with `build`. A ``__post_init__`` that raises ValueError reports a rule between fields.
Secrets stay out of these files: name a file (``password_file: Path``) and read it with `plumbing.files.read_secret`.
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

_BAD = object()  # a value that was reported as a problem
_NAMES = {
    int: "a whole number",
    float: "a number",
    str: "a text in quotes",
    bool: "true or false",
    Path: "a path in quotes",
    date: "a date such as 2026-10-01",
    time: "a time such as 08:30:00",
    datetime: "a date and time",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: where in the file ("lanes[0].barrier") and what to do about it."""

    at: str
    text: str

    def __str__(self) -> str:
        return f"{self.at}: {self.text}" if self.at else self.text


class SettingsError(Exception):
    """A settings file cannot be used; the message lists every problem with its place."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{source}: {problem}" for problem in self.problems))


def load(path: Path, cls: type[T]) -> T:
    """Read *path* as *cls*. Raises SettingsError with every problem at once."""
    return build(read_table(path), cls, source=str(path), folder=path.parent)


def read_table(path: Path) -> dict[str, Any]:
    """The raw tables of a TOML file. Raises SettingsError when it is absent or is not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise SettingsError(str(path), [Problem("", "no such file")]) from exc
    except UnicodeDecodeError as exc:
        raise SettingsError(str(path), [Problem("", "not UTF-8 text")]) from exc
    except tomllib.TOMLDecodeError as exc:
        raise SettingsError(str(path), [Problem("", f"not TOML: {exc}")]) from exc
    except OSError as exc:
        raise SettingsError(str(path), [Problem("", f"cannot be read: {exc.strerror}")]) from exc


def build(table: Mapping[str, object], cls: type[T], *, source: str, at: str = "", folder: Path | None = None) -> T:
    """Turn a raw *table* into *cls*, as `load` does; *at* is its place in *source*. Raises SettingsError."""
    reader = _Reader(folder or Path())
    value = reader.table(table, cls, at)
    if reader.problems:
        raise SettingsError(source, reader.problems)
    return typing.cast("T", value)


class _Reader:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[Problem] = []

    def table(self, raw: object, cls: type, at: str) -> object:
        """A dataclass from a table, or _BAD with the problems noted."""
        if not isinstance(raw, Mapping):
            return self.wrong(at, f"expected a table [{at}], got {_shown(raw)}")
        before = len(self.problems)
        fields = {field.name: field for field in dataclasses.fields(cls) if field.init}
        hints = typing.get_type_hints(cls)
        self._refuse_unknown(raw, list(fields), at)
        values: dict[str, object] = {}
        for name, field in fields.items():
            if name in raw:
                values[name] = self.value(raw[name], hints[name], _join(at, name))
            elif isinstance(field.default, Path):
                values[name] = self.folder / field.default
            elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                self.wrong(_join(at, name), f"missing; expected {_expected(hints[name])}")
        if len(self.problems) > before:
            return _BAD
        try:
            return cls(**values)
        except ValueError as exc:
            return self.wrong(at, str(exc))

    def value(self, raw: object, kind: Any, at: str) -> object:
        """*raw* as *kind*, or _BAD with the problem noted."""
        kind = _plain(kind)
        if kind in (Any, object):
            return raw
        origin = typing.get_origin(kind)
        if origin in (typing.Union, types.UnionType):
            return self._union(raw, typing.get_args(kind), at)
        if origin is typing.Literal:
            return self._one_of(raw, typing.get_args(kind), at)
        if origin is tuple:
            return self._tuple(raw, typing.get_args(kind), at)
        if origin is dict:
            return self._dict(raw, typing.get_args(kind)[1], at)
        if dataclasses.is_dataclass(kind):
            return self.table(raw, typing.cast("type", kind), at)
        if issubclass(kind, enum.Enum):
            chosen = self._one_of(raw, [member.value for member in kind], at)
            return chosen if chosen is _BAD else kind(chosen)
        return self._scalar(raw, kind, at)

    def wrong(self, at: str, text: str) -> object:
        self.problems.append(Problem(at, text))
        return _BAD

    def _refuse_unknown(self, raw: Mapping[str, object], known: list[str], at: str) -> None:
        for key in raw:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                hint = f'did you mean "{near[0]}"?' if near else f"known keys: {', '.join(known)}"
                self.wrong(_join(at, key), f"unknown key; {hint}")

    def _scalar(self, raw: object, kind: type, at: str) -> object:
        if kind not in _NAMES:
            raise TypeError(f"{at}: settings cannot hold {kind!r}")
        if kind is Path and isinstance(raw, str):
            return self.folder / raw
        if kind is float and type(raw) is int:
            return float(raw)
        if type(raw) is kind:  # exactly: true is not the number 1, a datetime is not a date
            return raw
        return self.wrong(at, f"expected {_NAMES[kind]}, got {_shown(raw)}")

    def _union(self, raw: object, members: Sequence[Any], at: str) -> object:
        wanted = [member for member in members if member is not type(None)]
        tries = []
        for member in wanted:
            attempt = _Reader(self.folder)
            value = attempt.value(raw, member, at)
            if not attempt.problems:
                return value
            tries.append(attempt.problems)
        if len(tries) == 1:
            self.problems.extend(tries[0])
            return _BAD
        return self.wrong(at, f"expected {' or '.join(map(_expected, wanted))}, got {_shown(raw)}")

    def _one_of(self, raw: object, allowed: Sequence[object], at: str) -> object:
        for choice in allowed:
            if type(raw) is type(choice) and raw == choice:
                return choice
        return self.wrong(at, f"expected {_choices(allowed)}, got {_shown(raw)}")

    def _tuple(self, raw: object, members: Sequence[Any], at: str) -> object:
        if not isinstance(raw, list):
            return self.wrong(at, f"expected a list, got {_shown(raw)}")
        if len(members) == 2 and members[1] is Ellipsis:
            members = [members[0]] * len(raw)
        if len(raw) != len(members):
            return self.wrong(at, f"expected a list of {len(members)}, got {len(raw)}")
        return tuple(
            self.value(item, member, f"{at}[{index}]")
            for index, (item, member) in enumerate(zip(raw, members, strict=True))
        )

    def _dict(self, raw: object, member: Any, at: str) -> object:
        if not isinstance(raw, Mapping):
            return self.wrong(at, f"expected a table [{at}], got {_shown(raw)}")
        return {key: self.value(item, member, _join(at, key)) for key, item in raw.items()}


def _plain(kind: Any) -> Any:
    while isinstance(kind, typing.NewType):
        kind = kind.__supertype__
    return kind


def _join(at: str, key: str) -> str:
    return f"{at}.{key}" if at else key


def _expected(kind: Any) -> str:
    kind = _plain(kind)
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_expected(member) for member in typing.get_args(kind) if member is not type(None))
    if origin is typing.Literal:
        return _choices(typing.get_args(kind))
    if origin is tuple:
        return "a list"
    if origin is dict or dataclasses.is_dataclass(kind):
        return "a table"
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _choices([member.value for member in kind])
    return _NAMES.get(kind, "a value")


def _choices(allowed: Sequence[object]) -> str:
    return "one of " + ", ".join(_shown(choice) for choice in allowed)


def _shown(raw: object) -> str:
    if isinstance(raw, str):
        return f'"{raw}"'
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, Mapping):
        return "a table"
    return "a list" if isinstance(raw, list) else str(raw)
