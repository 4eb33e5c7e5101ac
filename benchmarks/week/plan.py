"""Who comes in the week and what goes wrong, drawn from a seed before anything runs.

The rules of chance stand here in one place; how often each thing happened is in the report.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

from benchmarks.week.devices import Look
from domain.lookalike import CONFUSION_GROUPS

DAY_S = 86_400
HOURS = (2, 1, 1, 1, 2, 6, 18, 55, 70, 60, 75, 85, 88, 70, 66, 68, 74, 96, 100, 82, 55, 34, 16, 6)  # arrivals by hour
WEEKEND = 1.25
ZONES = {"yard": 3, "garage": 7}
WAYS_IN = {"yard": {"yard-in-1": 45, "yard-in-2": 45, "gate-in": 10}, "garage": {"garage-in": 1}}
WAYS_OUT = {"yard": {"yard-out-1": 50, "yard-out-2": 42, "gate-out": 8}, "garage": {"garage-out": 1}}
CHANCES = {  # per thousand cars
    "misread_in": 20, "misread_out": 20, "unread_in": 8, "unread_out": 8, "unsure_in": 10, "no_plate": 6,
    "reverses_in": 6, "reverses_out": 3, "tailgates_in": 3, "tailgates_out": 6, "will_not_pay": 4,
    "coupon": 90, "voucher": 40, "shows_voucher_again": 10,
}  # fmt: skip
REGULARS = 0.45  # of the cars have been here before
MONTHLY = 0.12  # of the regulars are paid for by the month
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
PROVINCES = "京沪粤苏浙鲁川湘闽鄂"
CAPITALS = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(slots=True)
class Car:
    """One visit. *traits* are what is odd about it; *plate* is what a person reads, "" on a car without."""

    number: int
    plate: str
    comes_s: float
    stays_s: float
    zone: str
    lane_in: str
    lane_out: str
    look_in: Look
    look_out: Look
    traits: frozenset[str]

    @property
    def called(self) -> str:
        """Its plate, or what the attendant calls a car that has none."""
        return self.plate or f"无W{self.number:06d}"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is out from *begins_s* for *lasts_s*: power, crash, line, camera, board, printer."""

    kind: str
    subject: str
    begins_s: float
    lasts_s: float = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that will happen, but for how the lot answers."""

    seed: int
    days: float
    cars: list[Car]
    troubles: list[Trouble]
    monthly: list[str]
    places: dict[str, int] = field(default_factory=dict)


def plan_week(seed: int, days: float, cars_a_day: int) -> Plan:
    """The week of a seed; fewer days and cars for a test."""
    rng = random.Random(seed)
    regulars = [draw_plate(rng) for _ in range(max(10, cars_a_day))]
    monthly = regulars[: round(len(regulars) * MONTHLY)]
    free_from = dict.fromkeys(regulars, -1.0)
    cars = []
    for number, comes_s in enumerate(sorted(arrivals(rng, days, cars_a_day)), 1):
        stays_s = draw_length(rng)
        plate = _whose(rng, regulars, free_from, comes_s, stays_s)
        cars.append(_car(rng, number, plate, comes_s, stays_s))
    peak = round(cars_a_day / 26)  # cars in the yard at a busy hour: it fills on busy days
    return Plan(seed, days, cars, draw_troubles(rng, days), monthly, {"yard": max(6, peak), "garage": 680})


def arrivals(rng: random.Random, days: float, a_day: int) -> list[float]:
    """Seconds at which cars come, from midnight of a Monday."""
    hours = [(hour, HOURS[hour % 24] * (WEEKEND if hour // 24 % 7 >= 5 else 1)) for hour in range(round(days * 24))]
    chosen = rng.choices([hour for hour, _ in hours], [weight for _, weight in hours], k=round(days * a_day))
    return [hour * 3600 + rng.random() * 3600 for hour in chosen]


def draw_length(rng: random.Random) -> float:
    """How long somebody means to stay: mostly an hour or two, some for ten minutes, a few over night."""
    dice = rng.random()
    if dice < 0.08:
        return rng.uniform(240, 1_100)
    if dice < 0.11:
        return rng.uniform(8, 30) * 3600
    return min(12 * 3600, 60 * math.exp(rng.gauss(4.3, 0.7)))


def draw_plate(rng: random.Random) -> str:
    """A blue or a green plate."""
    head = rng.choice(PROVINCES) + rng.choice(LETTERS)
    if rng.random() < 0.3:
        return head + rng.choice("DFABC") + "".join(rng.choices("0123456789", k=5))
    return head + "".join(rng.choices(CAPITALS, (6,) * 10 + (1,) * 24, k=5))


def _whose(rng: random.Random, regulars: list[str], free_from: dict[str, float], comes_s: float, stays_s: float) -> str:
    if rng.random() < REGULARS:
        for plate in rng.sample(regulars, 5):
            if free_from[plate] < comes_s:
                free_from[plate] = comes_s + stays_s + 2 * 3600
                return plate
    return draw_plate(rng)


def _car(rng: random.Random, number: int, plate: str, comes_s: float, stays_s: float) -> Car:
    traits = {trait for trait, chance in CHANCES.items() if rng.random() * 1000 < chance}
    if "no_plate" in traits:
        plate = ""
    zone = _pick(rng, ZONES)
    return Car(
        number, plate, comes_s, stays_s, zone, _pick(rng, WAYS_IN[zone]), _pick(rng, WAYS_OUT[zone]),
        look_at(rng, plate, traits, "in"), look_at(rng, plate, traits, "out"), frozenset(traits),
    )  # fmt: skip


def look_at(rng: random.Random, plate: str, traits: set[str], way: str) -> Look:
    """What the cameras of a lane make of the plate."""
    if not plate or f"unread_{way}" in traits:
        return Look("")
    if f"misread_{way}" in traits:
        return Look(misread(rng, plate), 88)
    return Look(plate, 93, sure=False) if f"unsure_{way}" in traits else Look(plate, rng.randint(90, 99))


def misread(rng: random.Random, plate: str) -> str:
    """The plate with one character taken for one that looks like it; as it is where none does."""
    places = list(range(2, len(plate)))
    rng.shuffle(places)
    for place in places:
        others = [c for group in CONFUSION_GROUPS if plate[place] in group for c in group if c != plate[place]]
        others = [c for c in others if c in CAPITALS]
        if others:
            return plate[:place] + rng.choice(others) + plate[place + 1 :]
    return plate


def _pick(rng: random.Random, weights: dict[str, int]) -> str:
    return rng.choices(list(weights), list(weights.values()))[0]


def draw_troubles(rng: random.Random, days: float) -> list[Trouble]:
    """What breaks, spread over the week as it is long: hours of a seven-day week, shrunk for a shorter one."""
    shrink = min(1.0, days / 7)

    def at(day: float, hour: float) -> float:
        return (day * 24 + hour) * 3600 * shrink + rng.uniform(0, 300)

    def hours(number: float) -> float:
        return number * 3600 * max(shrink, 0.05)

    troubles = [
        Trouble("camera", "yard-in-1", at(1, 10), hours(3)),
        Trouble("power", "arms up", at(2, 17.6), hours(0.4)),
        Trouble("line", "cloud", at(3, 0), hours(24)),
        Trouble("camera", "garage-out", at(3, 14), hours(2)),
        Trouble("board", "garage-out", at(4, 11.2), hours(0.7)),
        Trouble("printer", "booth", at(4, 9), hours(6)),
        Trouble("board", "gate-in gate-out", at(5, 10), hours(1.5)),
        Trouble("power", "arms down", at(5, 12.1), 240),
        Trouble("camera", "yard-out-1 yard-out-1-side", at(6, 15), hours(2)),
    ]
    for number in range(8):
        when = ("before", "after", "any")[number % 3]
        troubles.append(Trouble("crash", when, at(0.4 + 6.4 * number / 8, 12), 45))
    return sorted(troubles, key=lambda trouble: trouble.begins_s)
