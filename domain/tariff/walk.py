"""Walking through a stay window by window, and over its whole middle days by looking up what such a day comes to.

The walk is cut into charging days: 24 hours from entry when something is counted from entry, else the tariff's natural
days. What a charging day costs depends only on the sorts of day it touches and on the state it begins in, and that
state repeats after a day or two; so each (state, days) is walked once and every later one is a look-up.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

from domain.calendar import CalendarSet
from domain.fen import Fen
from domain.tariff.model import DAY_MINUTES, FOREVER, DayKind, Free, Plan, Step, Window

Row = tuple[int, int, str, int]
"""From minute, to minute, rule code, fen."""

State = tuple[Any, ...]

MOST_REMEMBERED = 4096
"""Whole days kept for each vehicle class of a tariff; some hundred bytes each."""


class Walk:
    """The running state of pricing one stay; all times are minutes since day 0, lot-local."""

    __slots__ = (
        "_begin", "_calendar", "_end", "_first_day", "_free", "_free_until", "_index", "_limits", "_minutes_free",
        "_open", "_origin", "_own", "_paid_until", "_payer", "_plan", "_real_end", "_rows", "_sealed", "_summed_until",
        "_trim", "_turn", "_used", "_visit_used", "_window", "fee",
    )  # fmt: skip

    def __init__(
        self,
        plan: Plan,
        calendar: CalendarSet,
        turn: int,
        begin: int,
        end: int,
        real_end: int,
        free: Free | None,
        minutes_free: int,
        charged_before: Fen,
    ) -> None:
        """Prices [begin, end); *real_end* is where the stay really ends when this is one part of it."""
        self._plan, self._calendar, self._turn = plan, calendar, turn
        self._begin, self._end, self._real_end = begin, end, real_end
        self._free, self._minutes_free = free, minutes_free
        self._first_day = (begin - turn) // DAY_MINUTES
        self._free_until = begin
        self._paid_until = begin  # a unit already charged runs until here
        self._payer = 0  # … charged by this window
        self._sealed = False  # … and ends with the window whatever restarts (flat prices)
        self._origin = begin  # where position 0 of the steps lies
        self._own = [0] * len(plan.windows)  # or, counted window by window, the minutes used in each
        self._open: tuple[Step, int, int] | None = None  # a unit begun but not yet counted: step, window, began
        self._window = -1
        self._visit_used = 0
        self._used = [0] * len(plan.caps)
        self._index = [-1] * len(plan.caps)
        self._limits: list[int | None] = [None] * len(plan.caps)
        self._rows: list[Row] = []
        self._summed_until = begin  # lines before it are summed up: no later line begins earlier
        self._trim: Row | None = None
        self.fee = 0
        self._begin_caps(begin, self._kind(begin))
        self._used = [int(charged_before)] * len(plan.caps)

    def price(self) -> list[Row]:
        """The lines of the whole stay: first and last charging day in detail, whole days between summed."""
        start = min(self._next_day(self._begin), self._end)
        self._detail(self._begin, start)
        latest = min(
            self._end, self._real_end - self._minutes_free
        )  # free minutes look ahead: walk the days near the end
        days = (latest - 1 - start) // DAY_MINUTES
        if days > 0:
            self._clip(start)
            start = self._whole_days(start, days)
        while start < self._end:
            stop = min(start + DAY_MINUTES, self._end)
            self._detail(start, stop)
            start = stop
        return self._rows

    def _next_day(self, start: int) -> int:
        if self._plan.lengths:
            return start + DAY_MINUTES
        return start + DAY_MINUTES - (start - self._turn) % DAY_MINUTES

    def _whole_days(self, start: int, days: int) -> int:
        """Price *days* whole charging days, walking each (state, sorts of day) once; one line per run of equal days."""
        calendar, plan = self._calendar, self._plan
        states, numbers = [self._save(start)], {}
        numbers[states[0]] = number = 0
        known: dict[tuple[int, int, int], tuple[int, int]] = {}
        day = (start - self._turn) // DAY_MINUTES
        ends_later = 1 if (start - self._turn) % DAY_MINUTES else 0
        kind = plan.day(calendar.day(day), day - self._first_day).number
        fees: list[int] = []
        while len(fees) < days:
            day += 1
            after = plan.day(calendar.day(day), day - self._first_day).number
            key = (number, kind, after if ends_later else kind)
            found = known.get(key)
            if found is None:
                fee, state = self._known_day(start + len(fees) * DAY_MINUTES, states[number], key[1:])
                if state not in numbers:
                    numbers[state] = len(states)
                    states.append(state)
                found = known[key] = (fee, numbers[state])
            fees.append(found[0])
            if found[1] == number and plan.uniform:
                fees.extend([found[0]] * (days - len(fees)))
            number, kind = found[1], after
        stop = start + days * DAY_MINUTES
        self._load(states[number], stop)
        self._sum_up(start, fees)
        return stop

    def _known_day(self, start: int, state: State, kinds: tuple[int, int]) -> tuple[int, State]:
        """What such a day comes to and how it ends: walked once for a tariff, remembered for every later stay."""
        repeats = self._free is not None and self._free.every_period
        key = (state, kinds, (start - self._turn) % DAY_MINUTES, (self._free, self._minutes_free) if repeats else None)
        walked = self._plan.walked
        found: tuple[int, State] | None = walked.get(key)
        if found is None:
            if len(walked) >= MOST_REMEMBERED:
                walked.clear()
            found = walked[key] = self._walk_day(start, state)
        return found

    def _walk_day(self, start: int, state: State) -> tuple[int, State]:
        """What the whole charging day from *start* comes to, begun in *state*, and the state it ends in."""
        rows, fee = self._rows, self.fee
        self._rows = []
        self._load(state, start)
        self._detail(start, start + DAY_MINUTES)
        result = (self.fee - fee, self._save(start + DAY_MINUTES))
        self._rows, self.fee = rows, fee
        return result

    def _sum_up(self, start: int, fees: list[int]) -> None:
        """One line for each run of days that come to the same."""
        for fee, run in groupby(fees):
            days = len(list(run))
            self._rows.append((start, start + days * DAY_MINUTES, "whole_days", fee * days))
            self.fee += fee * days
            start += days * DAY_MINUTES
        self._summed_until = start

    def _save(self, now: int) -> State:
        """Everything the future depends on, relative to *now* and levelled where more makes no difference."""
        plan, paid, free, position = self._plan, self._paid_until - now, self._free_until - now, now - self._origin
        growth, ladder = plan.growth, plan.ladder
        return (
            0 if paid < 0 else min(paid, FOREVER >> 1),
            self._payer,
            self._sealed,
            max(free, 0),
            position if position < ladder else ladder,
            tuple([min(used, ladder) for used in self._own]) if plan.restart.own_count else (),
            None if self._open is None else (self._open[0], self._open[1], self._open[2] - now),
            self._window,
            self._visit_used if plan.windows[self._window].cap is not None else 0,
            tuple(
                [
                    (0 if limit is None else used, index if index < growth else growth, limit)
                    for used, index, limit in zip(self._used, self._index, self._limits, strict=True)
                ]
            ),
            tuple([(now - self._begin) % length for length in plan.uneven]) if plan.uneven else (),
        )

    def _load(self, state: State, now: int) -> None:
        """Back to a saved state, as if the walk had just come to *now*."""
        paid, self._payer, self._sealed, free, position, own, waiting, self._window, self._visit_used, caps, _ = state
        self._paid_until, self._free_until, self._origin = now + paid, now + free, now - position
        self._own = list(own) or [0] * len(self._own)
        self._open = None if waiting is None else (waiting[0], waiting[1], waiting[2] + now)
        for number, (used, index, limit) in enumerate(caps):
            self._used[number], self._index[number], self._limits[number] = used, index, limit

    def _kind(self, now: int) -> DayKind:
        day = (now - self._turn) // DAY_MINUTES
        return self._plan.day(self._calendar.day(day), day - self._first_day)

    def _detail(self, now: int, stop: int) -> None:
        """Walk from *now* to *stop*, edge by edge."""
        lengths, turn, begin = self._plan.lengths, self._turn, self._begin
        kind = self._kind(now)
        while now < stop:
            minute = (now - turn) % DAY_MINUTES
            if minute == 0:
                kind = self._kind(now)
            for span_end, window in kind.spans:  # noqa: B007  read after the loop
                if minute < span_end:
                    break
            edge = min(now - minute + span_end, stop)
            for length in lengths:
                bucket = now + length - (now - begin) % length
                if bucket < edge:
                    edge = bucket
            self._enter(now, minute, window, kind)
            self._charge(now, edge, window)
            now = edge
        self._flush()

    def _enter(self, now: int, minute: int, window: int, kind: DayKind) -> None:
        """Begin anew what the tariff restarts where *now* is the edge of a window, a period or a cap's bucket."""
        restart = self._plan.restart
        moved = window != self._window
        turned = now > self._begin and self._turns(now)
        if (moved and (restart.window_units or self._sealed)) or (turned and restart.period_units):
            self._cut(now)
        if moved or (turned and restart.period_units):
            self._visit_used = 0
            if (
                self._trim is not None
                and self._window >= 0
                and self._trim[2] == self._plan.windows[self._window].cap_rule
            ):
                self._flush()
        free = self._free
        if free is not None and ((turned and free.every_period) or (now == self._begin and free.deducted)):
            self._begin_free(free, now)
        if (moved and restart.window_steps) or (turned and restart.period_steps) or now == self._begin:
            self._origin = max(now, self._paid_until, self._free_until)
            if turned and restart.period_steps:
                self._own = [0] * len(self._own)
            self._own[window] = 0
        self._window = window
        if now > self._begin:
            self._begin_caps(now, kind, minute)

    def _turns(self, now: int) -> bool:
        """Whether a new period begins at *now*."""
        period = self._plan.restart.period
        if period < 0:
            return (now - self._turn) % DAY_MINUTES == 0
        return period > 0 and (now - self._begin) % period == 0

    def _begin_free(self, free: Free, now: int) -> None:
        """Free minutes from *now*: deducted always, counted only when the stay ends within them."""
        if free.deducted or self._real_end - now < self._minutes_free + free.inclusive:
            self._free_until = now + self._minutes_free
            self._rows.append((now, min(self._free_until, self._end), "free_minutes", 0))

    def _cut(self, now: int) -> None:
        """A running unit ends here."""
        if self._paid_until > now:
            self._own[self._payer] -= self._paid_until - now
            self._paid_until = now
            self._clip(now)
        self._open = None
        self._sealed = False

    def _clip(self, now: int) -> None:
        """Let a line that runs past *now* end there; caps may have added lines behind it."""
        for place in range(max(0, len(self._rows) - 3), len(self._rows)):
            begin, end, rule, fen = self._rows[place]
            self._rows[place] = (begin, min(end, now), rule, fen)

    def _begin_caps(self, now: int, kind: DayKind, minute: int = 0) -> None:
        for number, cap in enumerate(self._plan.caps):
            starts = now == self._begin or ((now - self._begin) % cap.length == 0 if cap.length else minute == 0)
            if starts:
                self._flush()
                self._index[number] += 1
                self._used[number] = 0
                amounts = kind.limits[number]
                self._limits[number] = None if amounts is None else amounts[min(self._index[number], len(amounts) - 1)]

    def _charge(self, now: int, edge: int, window: int) -> None:
        """Count the units that begin between *now* and *edge*, then cut what the caps cut."""
        begin, total = (now, 0) if self._open is None else self._resume(self._open, edge)
        if self._paid_until > begin:
            begin = self._paid_until
        if self._free_until > begin:
            begin = self._free_until
        rules = self._plan.windows[window]
        own = self._own if self._plan.restart.own_count else None
        while begin < edge and self._open is None:
            position = begin - self._origin if own is None else own[window]
            for step in rules.steps:
                if position < step.until:
                    break
            if step.flat:
                count, length = 1, step.until - position
                self._sealed = True
            else:
                self._sealed = False
                unit = step.unit
                count = (edge - begin - step.grace + unit - 1) // unit
                if step.until < FOREVER:
                    count = min(count, (step.until - position + unit - 1) // unit)
                count = max(count, 0)
                length = count * unit
            if count:
                self._payer, self._paid_until = window, begin + length
                self._row(begin, min(begin + length, self._end), step.rule, count * step.price)
                total += count * step.price
            else:
                self._open = (step, window, begin)
            begin += length
            if own is not None:
                own[window] += length
        self._cap(now, edge, rules, total)

    def _resume(self, waiting: tuple[Step, int, int], edge: int) -> tuple[int, int]:
        """Count the unit that was open when this piece began, if its grace runs out before *edge*."""
        step, window, began = waiting
        if edge - began <= step.grace:
            return edge, 0
        self._open = None
        self._row(max(began, self._summed_until), min(began + step.unit, self._end), step.rule, step.price)
        self._own[window] += step.unit
        self._payer, self._paid_until = window, began + step.unit
        return began + step.unit, step.price

    def _row(self, begin: int, end: int, rule: str, fen: int) -> None:
        rows = self._rows
        if rows and rows[-1][2] == rule and rows[-1][1] == begin:
            begin, fen = rows[-1][0], fen + rows.pop()[3]
        rows.append((begin, end, rule, fen))

    def _cap(self, now: int, edge: int, window: Window, total: int) -> None:
        """Let pass what every cap has room for; the rest becomes one negative line per cap and bucket."""
        allowed, rule = total, ""
        if window.cap is not None and window.cap - self._visit_used < allowed:
            allowed, rule = window.cap - self._visit_used, window.cap_rule
        for number, limit in enumerate(self._limits):
            if limit is not None and limit - self._used[number] < allowed:
                allowed, rule = max(limit - self._used[number], 0), self._plan.caps[number].rule
        self._visit_used += allowed
        for number in range(len(self._used)):
            self._used[number] += allowed
        self.fee += allowed
        if allowed == total:
            return
        if self._trim is not None and self._trim[2] == rule:
            self._trim = (self._trim[0], edge, rule, self._trim[3] + allowed - total)
        else:
            self._flush()
            self._trim = (now, edge, rule, allowed - total)

    def _flush(self) -> None:
        if self._trim is not None:
            self._rows.append(self._trim)
            self._trim = None
