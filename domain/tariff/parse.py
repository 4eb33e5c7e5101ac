"""From TOML to a Tariff (format: docs/tariffs.md). An error names file, key path and what is allowed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from domain.calendar import HOLIDAY, MAKEUP, WEEKDAYS, WEEKEND, WORKDAY
from domain.document import Place, Table, load, plain_date
from domain.tariff.compile import Entry, compile_plan
from domain.tariff.model import Method, Plan, Prepaid, Rounding, Tariff, TariffError, VehicleClass
from domain.tariff.prices import ClassReader, read_cap, read_free, read_restart, read_window

TOP_KEYS = (
    "code", "version", "name", "starts", "across_start", "day_begins", "classes", "own_days", "counts", "notes",
    "window", "free", "cap", "restart", "class", "prepaid", "rounding",
)  # fmt: skip
_DAY_WORDS = (WORKDAY, WEEKEND, HOLIDAY, MAKEUP, *WEEKDAYS)


@dataclass(frozen=True, slots=True)
class _Class:
    """What ``[class.NAME]`` says."""

    like: str
    percent: int
    exempt: bool


def parse_tariff(text: str, source: str) -> Tariff:
    """Read one tariff version; *source* is the file name for messages. Raises TariffError."""
    data, place = load(text, source, TariffError)
    top = Table(data, place, TOP_KEYS)
    names = top.words("classes", None, ("small",)) or ("small",)
    own_days = top.words("own_days", None)
    for number, name in enumerate(own_days, 1):
        if name in _DAY_WORDS:
            raise top.at("own_days").item(number).fault(f"{name!r} is a name every calendar has; own days need another")
    classes = _classes(top, names)
    plans = {
        VehicleClass(name): _plan(top, ClassReader(name, classes[name].like, names, (*_DAY_WORDS, *own_days)), rule)
        for name, rule in classes.items()
    }
    return Tariff(
        code=top.text("code"),
        version=top.number("version", 1, least=1),
        name=top.text("name", top.text("code")),
        starts=plain_date(top.data.get("starts", date(1970, 1, 1)), top.at("starts")),
        across_start=top.word("across_start", ("split", "entry", "exit"), "split"),
        day_begins=top.time("day_begins", "00:00") % 1440,
        classes=tuple(plans),
        uses_calendar=any(
            len({kind.number for kind in days.values()}) > 1 for plan in plans.values() for days in plan.days
        ),
        plans=plans,
        prepaid=_prepaid(top),
        rounding=_rounding(top),
        digest=hashlib.sha256(_canonical(data).encode()).hexdigest(),
        text=text,
    )


def _canonical(data: Mapping[str, Any]) -> str:
    """The same bytes for the same rules, however the file is laid out or commented."""
    return json.dumps(_plain(data), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else format(value.normalize(), "f")
    return value.isoformat() if isinstance(value, date) else value


def _classes(top: Table, names: tuple[str, ...]) -> dict[str, _Class]:
    """Every class named, with what its own table adds."""
    tables = Table(top.data.get("class", {}), top.at("class"), names)
    classes = {}
    for name in names:
        table = Table(tables.data.get(name, {}), tables.at(name), ("like", "percent", "exempt"))
        like = table.word("like", [other for other in names if other != name]) if "like" in table else ""
        classes[name] = _Class(like, table.number("percent", 100, 0, 1000), table.flag("exempt"))
    for name, rule in classes.items():
        if rule.like and classes[rule.like].like:
            raise tables.at(name).at("like").fault(f'"{rule.like}" is itself like another class; name that one')
    return classes


def _plan(top: Table, reader: ClassReader, rule: _Class) -> Plan:
    """Everything as one vehicle class sees it."""
    counts = top.word("counts", ("started", "full"), "started")
    if not top.tables("window"):
        raise top.at("window").fault("is required: at least one [[window]] says what parking costs")
    windows = [read_window(item, place, reader, counts) for item, place in top.tables("window")]
    _no_name_twice(windows, top.at("window"))
    caps = [read_cap(item, place, reader) for item, place in top.tables("cap")]
    free = top.data.get("free", {})
    items = [({"minutes": free}, top.at("free"))] if isinstance(free, (int, str)) else top.tables("free")
    return compile_plan(
        reader.name,
        [window for window in windows if window.applies],
        [cap for cap in caps if cap.applies],
        tuple(read for item, place in items if (read := read_free(item, place, reader)) is not None),
        read_restart(top),
        top.time("day_begins", "00:00") % 1440,
        tuple(top.data.get("own_days", [])),
        (rule.percent, rule.exempt),
        top.at("window"),
    )


def _no_name_twice(windows: list[Entry], place: Place) -> None:
    seen: dict[str, Entry] = {}
    for number, entry in enumerate(windows, 1):
        name = entry.window.name if entry.window else ""
        if name and name in seen and entry.applies and seen[name].applies:
            raise place.item(number).at("name").fault(f'"{name}" is taken; names appear in quotes and must differ')
        if entry.applies:
            seen[name] = entry


def _prepaid(top: Table) -> Prepaid:
    table = Table(top.data.get("prepaid", {}), top.at("prepaid"), ("leave_within", "late"))
    late = table.word("late", ("new_stay", "difference"), "difference")
    return Prepaid(table.minutes("leave_within", 15), late, "leave_within" in table)


def _rounding(top: Table) -> dict[Method, Rounding]:
    table = Table(top.data.get("rounding", {}), top.at("rounding"), tuple(Method))
    rules = {}
    for method in Method:
        if method not in table:
            continue
        rule = Table(table.data[method], table.at(method), ("to", "mode"))
        allowed = {Decimal("0.1"): 10, Decimal("0.5"): 50, Decimal(1): 100}
        to = rule.need("to")
        if isinstance(to, bool) or not isinstance(to, (int, Decimal)) or Decimal(to) not in allowed:
            raise rule.at("to").fault(f"{to} is not allowed; choose 0.1, 0.5 or 1 (yuan)")
        rules[method] = Rounding(allowed[Decimal(to)], rule.word("mode", ("down", "up", "nearest"), "down"))
    return rules
