"""Reading the parts of a tariff that say what costs how much: windows with steps, caps, free minutes, restarts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from domain.document import Place, Table, amount, minutes
from domain.fen import Fen
from domain.tariff.compile import CapEntry, Entry
from domain.tariff.model import FOREVER, Free, Restart, Step, Window

T = TypeVar("T")

_PRICE = ("unit", "price", "flat", "free", "counts", "grace")
_WINDOW = ("name", "from", "to", "days", "classes", "from_day", *_PRICE, "steps", "cap")
_FREE = (
    "minutes", "while_charging", "mode", "inclusive", "every_period", "first_stay_of_day",
    "from", "to", "days", "classes",
)  # fmt: skip
_STEP = ("until", *_PRICE, "total")


@dataclass(frozen=True, slots=True)
class ClassReader:
    """Reads values as one vehicle class sees them: an amount may be one number or a table by class."""

    name: str
    like: str
    classes: tuple[str, ...]
    day_words: tuple[str, ...]

    def value(self, raw: object, place: Place, read: Callable[[object, Place], T]) -> T:
        """*raw* read by *read*, or this class's entry (else the class it is like, else ``other``) of a table."""
        if not isinstance(raw, dict):
            return read(raw, place)
        table = Table(raw, place, (*self.classes, "other"))
        for key in (self.name, self.like, "other"):
            if key and key in table:
                return read(table.data[key], table.at(key))
        raise place.fault(f'has no entry for class "{self.name}"; add it, or "other" for all the rest')

    def applies(self, table: Table) -> bool:
        """Whether the table's ``classes`` (default: all) include this one."""
        chosen = table.words("classes", self.classes)
        return not chosen or self.name in chosen or (self.like in chosen)

    def days(self, table: Table) -> tuple[str, ...]:
        """The table's ``days`` (default: every day)."""
        return table.words("days", self.day_words)


def read_window(raw: object, place: Place, reader: ClassReader, counts: str) -> Entry:
    """One ``[[window]]``: when it holds, and its steps; empty when it is not for this class."""
    table = Table(raw, place, _WINDOW)
    name = table.text("name")
    days = reader.days(table)
    begins, ends = table.time("from", "00:00"), table.time("to", "24:00")
    if begins == ends:
        raise table.at("to").fault("equals from; leave both out for the whole day")
    if not reader.applies(table):
        return Entry(False, begins, ends, days, 1, None, place)
    steps = _steps(table, reader, name, table.word("counts", ("started", "full"), counts))
    cap = reader.value(table.data["cap"], table.at("cap"), amount) if "cap" in table else None
    from_day = table.number("from_day", 1, 1, 31)
    return Entry(True, begins, ends, days, from_day, Window(name, steps, cap, f"cap:{name}"), place)


def _steps(table: Table, reader: ClassReader, name: str, counts: str) -> tuple[Step, ...]:
    """The ladder of a window: its ``steps``, or the one price written on the window itself."""
    if "steps" not in table:
        return (_step(table, reader, 0, FOREVER, name, counts, 0),)
    for key in ("unit", "price", "flat", "free"):
        if key in table:
            raise table.at(key).fault("belongs into the steps when a window has steps")
    items = table.tables("steps")
    if not items:
        raise table.at("steps").fault("needs at least one step")
    steps: list[Step] = []
    start = total = 0
    for number, (item, place) in enumerate(items, 1):
        step_table = Table(item, place, _STEP)
        until = _until(step_table, reader, start, number == len(items))
        counted = step_table.word("counts", ("started", "full"), counts)
        rule = name if len(items) == 1 else f"{name}:{number}"
        step = _step(step_table, reader, start, until, rule, counted, total, number > 1 and "total" in step_table)
        total += step.price if step.flat else step.price * (-(-(until - start) // step.unit))
        start = until
        steps.append(step)
    return tuple(steps)


def _until(table: Table, reader: ClassReader, start: int, last: bool) -> int:
    """Where a step ends, in minutes of the ladder; only the last one has no end."""
    if last:
        if "until" in table:
            raise table.at("until").fault("the last step goes on for ever; leave until out, or add a step after it")
        return FOREVER
    until = reader.value(table.need("until"), table.at("until"), minutes)
    if until <= start:
        raise table.at("until").fault(f"must be later than the step before, which ends at {start} minutes")
    return until


def _step(
    table: Table, reader: ClassReader, start: int, until: int, rule: str, counts: str, before: int, total: bool = False
) -> Step:
    """One price: per unit, flat, free, or the ladder's total from here on."""
    kinds = [key for key in ("price", "flat", "free", "total") if key in table]
    if len(kinds) != 1:
        allowed = "price with unit, flat, free or total" if total else "price with unit, flat or free"
        raise table.place.fault(f"needs exactly one of {allowed}; has {', '.join(kinds) or 'none'}")
    kind = kinds[0]
    if kind == "price":
        return _unit_step(table, reader, start, until, rule, counts)
    for key in ("unit", "grace"):
        if key in table:
            raise table.at(key).fault(f"has no meaning beside {kind}")
    if kind == "free":
        if not table.flag("free"):
            raise table.at("free").fault("can only be true")
        return Step(until, FOREVER, Fen(0), 0, True, f"free:{rule}")
    price = reader.value(table.data[kind], table.at(kind), amount)
    if kind == "total":
        if not total:
            raise table.at("total").fault("cannot be the first step; write flat")
        if price < before:
            raise table.at("total").fault(f"is less than the {before / 100:g} yuan the steps before it already come to")
        price = Fen(price - before)
    return Step(until, FOREVER, price, 0, True, f"flat:{rule}")


def _unit_step(table: Table, reader: ClassReader, start: int, until: int, rule: str, counts: str) -> Step:
    unit = reader.value(table.need("unit"), table.at("unit"), minutes)
    if unit < 1:
        raise table.at("unit").fault("must be at least 1 minute")
    if until != FOREVER and (until - start) % unit:
        raise table.at("until").fault(
            f"the step is {until - start} minutes long, not a whole number of {unit}-minute units"
        )
    grace = table.minutes("grace", unit - 1 if counts == "full" else 0)
    if grace >= unit:
        raise table.at("grace").fault(f"must be shorter than the unit of {unit} minutes")
    price = reader.value(table.data["price"], table.at("price"), amount)
    return Step(until, unit, price, grace, False, f"time:{rule}")


def read_cap(raw: object, place: Place, reader: ClassReader) -> CapEntry:
    """One ``[[cap]]``: per stay, natural day, or hours from entry; one amount or amounts growing by bucket."""
    table = Table(raw, place, ("per", "amount", "amounts", "days", "classes"))
    per = table.text("per")
    length = 0 if per in ("stay", "day") else hours(per, table.at("per"), '"stay", "day"')
    if ("amount" in table) == ("amounts" in table):
        raise place.fault("needs either amount (one number) or amounts (growing: first, second, third and later)")
    raws = table.data.get("amounts", [table.data.get("amount")])
    if isinstance(raws, dict):
        raws = reader.value(raws, table.at("amounts"), lambda value, _: value)
    where = table.at("amounts" if "amounts" in table else "amount")
    if not isinstance(raws, list) or not raws:
        raise where.fault("must be a list such as [30, 40, 50]")
    if per == "stay" and (len(raws) > 1 or "days" in table):
        raise place.fault("a cap per stay has one amount and no days")
    values = tuple(reader.value(item, where, amount) for item in raws) if reader.applies(table) else ()
    return CapEntry(reader.applies(table), per, length, values, reader.days(table))


def hours(text: str, place: Place, others: str) -> int:
    """Minutes of "24h", "12h" …; *others* are the words also allowed."""
    digits = text.removesuffix("h")
    if text.endswith("h") and digits.isdecimal() and int(digits) > 0:
        return int(digits) * 60
    raise place.fault(f'{text!r} is not allowed; choose {others} or hours from entry such as "24h"')


def read_free(raw: object, place: Place, reader: ClassReader) -> Free | None:
    """One ``[[free]]``; None when it is not for this class."""
    table = Table(raw, place, _FREE)
    mode = table.word("mode", ("counted", "deducted"), "counted")
    inclusive = table.flag("inclusive", True)
    if mode == "deducted" and not inclusive:
        raise table.at("inclusive").fault('has no meaning beside mode = "deducted"')
    days = reader.days(table)
    if not reader.applies(table):
        return None
    return Free(
        reader.value(table.need("minutes"), table.at("minutes"), minutes),
        reader.value(table.data.get("while_charging", 0), table.at("while_charging"), minutes),
        mode == "deducted",
        inclusive,
        table.flag("every_period"),
        table.flag("first_stay_of_day"),
        days,
        table.time("from", "00:00"),
        table.time("to", "24:00"),
    )


def read_restart(top: Table) -> Restart:
    """``[restart]``: what begins anew at window edges and at period edges."""
    table = Table(top.data.get("restart", {}), top.at("restart"), ("at_window", "every", "at_period", "steps_count"))
    parts = ("units", "steps")
    at_window = table.words("at_window", parts, ("units",))
    every = table.text("every", "never")
    if every in ("never", "day"):
        period = -1 if every == "day" else 0
    else:
        period = hours(every, table.at("every"), '"never", "day"')
    if "at_period" in table and not period:
        raise table.at("at_period").fault('has no meaning without every = "24h" or "day"')
    at_period = table.words("at_period", parts, parts)
    own = table.word("steps_count", ("all", "own_window"), "all") == "own_window"
    return Restart("units" in at_window, "steps" in at_window, period, "units" in at_period, "steps" in at_period, own)
