"""Tariffs drawn at random, as TOML: every rule part may meet every other."""

from __future__ import annotations

from hypothesis import strategies as st

PARTS = ['["units", "steps"]', '["units"]', '["steps"]', "[]"]


@st.composite
def price_lines(draw: st.DrawFn) -> str:
    """What a window costs."""
    unit = draw(st.sampled_from([15, 30, 45, 60, 120, 420]))
    price = draw(st.sampled_from(["0", "1", "2.5", "3.75", "10"]))
    kind = draw(st.sampled_from(["units", "units", "steps", "steps", "flat", "free"]))
    if kind == "flat":
        return f"flat = {price}"
    if kind == "free":
        return "free = true"
    if kind == "units":
        counted = draw(st.sampled_from(["", "", 'counts = "full"', f"grace = {unit // 3}"]))
        return f"unit = {unit}\nprice = {price}\n{counted}"
    middle = draw(st.sampled_from(["{until = 720, flat = 4},", "{until = 840, unit = 60, price = 2},", ""]))
    until = unit * 2 if unit < 400 else unit
    return f"steps = [{{until = {until}, unit = {unit}, price = {price}}}, {middle} {{unit = 60, price = 1}}]"


@st.composite
def windows(draw: st.DrawFn) -> str:
    """A day cut into one to three windows, weekends perhaps apart, perhaps another price from the second day."""
    clocks = sorted(draw(st.lists(st.sampled_from(range(24)), max_size=3, unique=True)))
    lines: list[str] = []
    for special in draw(st.lists(st.sampled_from(['days = ["weekend", "holiday"]', "from_day = 2"]), max_size=1)):
        lines += ["[[window]]", f'name = "special"\n{special}', draw(price_lines())]
    for number in range(max(len(clocks), 1)):
        lines += ["[[window]]", f'name = "w{number}"', draw(price_lines())]
        if len(clocks) > 1:
            lines += [f'from = "{clocks[number]:02d}:00"', f'to = "{clocks[(number + 1) % len(clocks)]:02d}:00"']
        lines += [f"cap = {draw(st.integers(1, 30))}"] if draw(st.integers(0, 3)) == 0 else []
    return "\n".join(lines)


@st.composite
def tariffs(draw: st.DrawFn) -> str:
    """A whole tariff."""
    lines = ['code = "drawn"', f'day_begins = "{draw(st.sampled_from(["00:00", "06:00"]))}"']
    if draw(st.booleans()):
        mode = draw(st.sampled_from(["counted", "deducted"]))
        lines += ["[free]", f"minutes = {draw(st.sampled_from([15, 45, 100]))}", f'mode = "{mode}"']
        lines += ["every_period = true"] if draw(st.booleans()) else []
    lines += [draw(windows())]
    for per in draw(st.lists(st.sampled_from(["stay", "day", "24h", "12h", "10h"]), max_size=2, unique=True)):
        growing = "amounts = [20, 25.5, 31]" if per != "stay" and draw(st.booleans()) else "amount = 23"
        lines += ["[[cap]]", f'per = "{per}"', growing]
    every = draw(st.sampled_from(["never", "day", "24h", "12h", "30h"]))
    lines += ["[restart]", f"at_window = {draw(st.sampled_from(PARTS))}", f'every = "{every}"']
    lines += [f"at_period = {draw(st.sampled_from(PARTS))}"] if every != "never" else []
    lines += ['steps_count = "own_window"'] if draw(st.booleans()) else []
    return "\n".join(lines)
