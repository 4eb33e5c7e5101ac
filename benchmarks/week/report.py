"""The week as one page with pictures: Chinese first, English by a switch, legible in light and in dark, no script."""

from __future__ import annotations

import math
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from benchmarks.week.charts import line_chart, stacked_bars, strips
from benchmarks.week.checks import Books, Check
from benchmarks.week.devices import Device
from benchmarks.week.plan import DAY_S
from benchmarks.week.week import MONDAY_MS, Week

STYLE = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
WORDS = tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))
COLOURS = {"PAID": "blue", "FREE": "green", "WAIVED": "orange", "UNPAID": "red"}


def write_report(week: Week, checks: Sequence[Check], file: Path) -> None:
    """The whole page into *file*."""
    books = Books(week)
    try:
        pages = "".join(_page(week, books, checks, code) for code in ("zh", "en"))
    finally:
        books.close()
    file.write_text(
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{WORDS['zh']['title']}</title><style>{STYLE}</style><body>"
        '<input type="radio" name="l" id="zh" checked><label for="zh">中文</label>'
        f'<input type="radio" name="l" id="en"><label for="en">English</label>{pages}</body></html>\n',
        encoding="utf-8",
    )


def _page(week: Week, books: Books, checks: Sequence[Check], code: str) -> str:
    def said(key: str) -> str:
        return escape(WORDS[code][key])

    names = [WORDS[code]["days"][number % 7] for number in range(math.ceil(week.plan.days))]
    parts = [
        f'<main lang="{"zh-CN" if code == "zh" else "en"}" class="{code}"><h1>{said("title")}</h1>',
        _headline(week, books, checks, said),
    ]
    for key, chart in (
        ("inside", _inside(week, books, names, said("inside"))),
        ("money", _money(books, names, said("money"))),
        ("outcomes", _outcomes(books, names, said("outcomes"))),
        ("health", _health(week, names, said("health"), said("cloud"))),
    ):
        parts.append(f"<section><h2>{said(key)}</h2>{chart}<p>{said(key + '_note')}</p></section>")
    return "".join(
        [*parts, _checks(checks, said, WORDS[code]["checks"]), _told(week, said, WORDS[code]["told"]), "</main>"]
    )


def _headline(week: Week, books: Books, checks: Sequence[Check], said: Callable[[str], str]) -> str:
    held = sum(check.held for check in checks)
    decisions = books.lot.execute("SELECT count(*) FROM decision").fetchone()[0]
    verdict = "all" if held == len(checks) else "not"
    figures = (
        (f"{len(week.truth.visits):,}", "cars"),
        (f"{decisions:,}", "decisions"),
        (f"{week.truth.cash_fen / 100:,.0f}", "income"),
        (f"{sum(stay.owed_fen for stay in books.stays.values()) / 100:,.0f}", "debts"),
        (f"{week.house.kills}", "kills"),
    )
    tiles = "".join(f"<div><b>{figure}</b>{said(key)}</div>" for figure, key in figures)
    return (
        f'<p class="verdict {verdict}">{said(verdict)} · {held}/{len(checks)}</p><div class="tiles">{tiles}</div>'
        f"<p>{said('speed')} {week.took_s:,.0f} s · {said('seed')} {week.plan.seed}</p>"
    )


def _course(changes: list[tuple[float, int]], until_s: float) -> list[tuple[float, float]]:
    changes.sort()
    points, inside, place = [], 0, 0
    for hour in range(int(until_s // 3600) + 1):
        while place < len(changes) and changes[place][0] <= hour * 3600:
            inside += changes[place][1]
            place += 1
        points.append((hour * 3600.0, float(inside)))
    return points


def _inside(week: Week, books: Books, names: Sequence[str], label: str) -> str:
    true = [(one.at_s, 1 if one.inwards else -1) for one in week.truth.crossings]
    record = [(stay.entered_s, 1) for stay in books.stays.values() if not stay.continues]
    record += [
        (one.closed_s, -1) for one in books.stays.values() if one.state == "closed" and not _goes_on(books, one.stay_id)
    ]
    until = week.plan.days * DAY_S
    return line_chart(label, {"blue": _course(true, until), "orange": _course(record, until)}, names, DAY_S)


def _goes_on(books: Books, stay_id: str) -> bool:
    return stay_id in books.continued


def _money(books: Books, names: Sequence[str], label: str) -> str:
    cash = _by_day(books, "SELECT wall_ms, amount_fen FROM payment")
    off = _by_day(books, "SELECT closed_wall_ms, discount_fen FROM stay WHERE state = 'closed'")
    owed = _by_day(books, "SELECT wall_ms, owed_fen FROM debt")
    bars = [
        (name, {"blue": cash[day] / 100, "green": off[day] / 100, "red": owed[day] / 100})
        for day, name in enumerate(names)
    ]
    return stacked_bars(label, bars)


def _by_day(books: Books, query: str) -> Counter[int]:
    found: Counter[int] = Counter()
    for wall_ms, amount in books.lot.execute(query):
        found[(wall_ms - MONDAY_MS) // (DAY_S * 1000)] += amount
    return found


def _outcomes(books: Books, names: Sequence[str], label: str) -> str:
    counts: Counter[tuple[int, str]] = Counter()
    for stay in books.stays.values():
        if stay.state == "closed" and stay.cause != "reversed" and not _goes_on(books, stay.stay_id):
            counts[int(stay.closed_s // DAY_S), stay.outcome] += 1
    bars = [
        (name, {colour: float(counts[day, one]) for one, colour in COLOURS.items()}) for day, name in enumerate(names)
    ]
    return stacked_bars(label, bars)


def _health(week: Week, names: Sequence[str], label: str, cloud: str) -> str:
    crossings = Counter(one.lane for one in week.truth.crossings)
    down = [(begins, ends, "dark") for begins, ends in week.house.dark]
    line = [(one.begins_s, one.begins_s + one.lasts_s, "orange") for one in week.plan.troubles if one.kind == "line"]
    rows = [(cloud, [*line, *down], "")]
    for lane in week.settings.lanes:
        devices = week.devices
        parts: list[Device[Any]] = [devices.barriers[lane.barrier], *(devices.cameras[name] for name in lane.cameras)]
        parts += [devices.loops[name] for name in lane.reporting_loops]
        spans = [(begins, ends, "red") for part in parts for begins, ends in part.dark]
        rows.append((lane.name, [*spans, *down], f"{crossings[lane.name]:,}"))
    for name, printer in week.devices.printers.items():
        rows.append((name, [*((a, b, "red") for a, b in printer.dark), *down], ""))
    return strips(label, rows, names, DAY_S)


def _checks(checks: Sequence[Check], said: Callable[[str], str], names: Mapping[str, str]) -> str:
    rows = "".join(
        f'<tr class="{"" if check.held else "wrong"}"><td>{"✓" if check.held else "✗"}</td>'
        f"<td>{escape(names[check.name])}{''.join(f'<br><small>{escape(one)}</small>' for one in check.wrong)}</td>"
        f"<td>{_figure(check.expected)}</td><td>{_figure(check.seen)}</td></tr>"
        for check in checks
    )
    head = f"<tr><th></th><th>{said('check')}</th><th>{said('must')}</th><th>{said('is')}</th></tr>"
    return f"<section><h2>{said('reckoning')}</h2><table>{head}{rows}</table></section>"


def _figure(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else escape(str(value))


def _told(week: Week, said: Callable[[str], str], names: Mapping[str, str]) -> str:
    rows = "".join(
        f"<tr><td></td><td>{escape(names.get(what, what))}</td><td>{times:,}</td></tr>"
        for what, times in sorted(week.truth.told.items(), key=lambda item: -item[1])
    )
    head = f"<tr><th></th><th></th><th>{said('how_often')}</th></tr>"
    return f"<section><h2>{said('events')}</h2><table>{head}{rows}</table></section>"
