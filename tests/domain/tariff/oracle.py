"""The same rules written minute by minute, with no arithmetic to speak of: slow, and independent of the walk."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.calendar import CalendarSet
from domain.tariff import Tariff, VehicleClass
from domain.tariff.model import DayKind, Plan, Step


class Oracle:
    """Follows one stay a minute at a time."""

    def __init__(self, tariff: Tariff, vehicle: str, calendar: CalendarSet, entered: datetime, left: datetime) -> None:
        self.tariff, self.calendar = tariff, calendar
        self.plan: Plan = tariff.plan(VehicleClass(vehicle))
        self.entered, self.length = entered, (left - entered) // timedelta(minutes=1)
        self.entry_day = self.day(0)

    def day(self, minute: int) -> int:
        return (self.entered + timedelta(minutes=minute - self.tariff.day_begins)).toordinal()

    def clock(self, minute: int) -> int:
        moment = self.entered + timedelta(minutes=minute - self.tariff.day_begins)
        return moment.hour * 60 + moment.minute

    def kind(self, minute: int) -> DayKind:
        day = self.day(minute)
        return self.plan.day(self.calendar.day(day), day - self.entry_day)

    def window(self, minute: int) -> int:
        return next(window for end, window in self.kind(minute).spans if self.clock(minute) < end)

    def turns(self, minute: int) -> bool:
        period = self.plan.restart.period
        return minute > 0 and (self.clock(minute) == 0 if period < 0 else period > 0 and minute % period == 0)

    def fee(self) -> int:
        plan, restart = self.plan, self.plan.restart
        free = plan.free[0] if plan.free else None
        if self.length == 0 or (free and self.length < free.minutes + free.inclusive):
            return 0
        total, visit, window = 0, 0, -1
        unit: tuple[Step, int, int, int] | None = None  # the running unit: step, begin, end, window
        free_until = free.minutes if free and free.deducted else 0
        origin, own = free_until, [0] * len(plan.windows)
        used, index = [0] * len(plan.caps), [-1] * len(plan.caps)
        limits: list[int | None] = [None] * len(plan.caps)
        for minute in range(self.length):
            now = self.window(minute)
            moved, turned = now != window, self.turns(minute)
            sealed = unit is not None and unit[0].flat
            if unit and ((moved and (restart.window_units or sealed)) or (turned and restart.period_units)):
                if minute - unit[1] > unit[0].grace:
                    own[unit[3]] -= unit[2] - minute
                unit = None
            if moved or (turned and restart.period_units):
                visit = 0
            if turned and free and free.every_period:
                left_over = self.length - minute
                if free.deducted or left_over < free.minutes + free.inclusive:
                    free_until = minute + free.minutes
            if (moved and restart.window_steps) or (turned and restart.period_steps):
                runs_to = unit[2] if unit and minute - unit[1] > unit[0].grace else 0
                origin = max(minute, runs_to, free_until)
                own = [0] * len(own) if turned and restart.period_steps else own
                own[now] = 0
            window = now
            for number, cap in enumerate(plan.caps):
                if minute == 0 or (minute % cap.length == 0 if cap.length else self.clock(minute) == 0):
                    index[number] += 1
                    used[number] = 0
                    amounts = self.kind(minute).limits[number]
                    limits[number] = amounts[min(index[number], len(amounts) - 1)] if amounts else None
            if minute < free_until and unit is None:
                continue
            if unit is None:
                position = own[now] if restart.own_count else minute - origin
                step = next(step for step in plan.windows[now].steps if position < step.until)
                unit = (step, minute, minute + (step.until - position if step.flat else step.unit), now)
            step, began, ends, payer = unit
            if minute == began + step.grace:
                own[payer] += ends - began
                room: list[int] = [step.price]
                room += [cap - visit for cap in [plan.windows[now].cap] if cap is not None]
                room += [limit - one for limit, one in zip(limits, used, strict=True) if limit is not None]
                charge = max(0, min(room))
                total, visit = total + charge, visit + charge
                used = [one + charge for one in used]
            if minute + 1 == ends:
                unit = None
        return min(total, plan.stay_cap) if plan.stay_cap is not None else total
