"""``lotgate quote``: what a stay costs under a tariff file, line by line, with coupons."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.calendar import CalendarSet, parse_calendar
from domain.coupon import Coupon, CouponKind, CouponResult, Meaning, apply_coupons
from domain.document import DocumentError
from domain.fen import Fen
from domain.tariff import (
    Method,
    Quote,
    StayFacts,
    TariffBook,
    VehicleClass,
    parse_tariff,
    pricer,
    round_due,
)
from lotgate.quote_table import table
from plumbing.i18n import DEFAULT, LANGUAGES

SPECS = "amount:500 (fen), duration:60[:end|entry|first] (minutes), percent:80 (to pay), full, until:18:00"


class BadInputError(Exception):
    """Something typed cannot be used; the text is the sentence to show."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A quote with its coupons, ready to be shown."""

    tariff: str
    quote: Quote
    coupons: CouponResult

    @property
    def due(self) -> int:
        """What is to be paid."""
        return self.quote.fee - sum(applied.off for applied in self.coupons.applied)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options; times are ISO 8601, in the lot's zone unless they carry their own."""
    add = parser.add_argument
    add("--tariff", action="append", required=True, type=Path, metavar="F", help="tariff file; again for more versions")
    add("--entry", required=True, metavar="T", help="2026-03-03T08:00")
    add("--exit", required=True, metavar="T", help="2026-03-03T11:30")
    add("--class", dest="vehicle", metavar="C", help="vehicle class (default: the tariff's first)")
    add("--coupon", action="append", default=[], metavar="SPEC", help=SPECS)
    add(
        "--calendar", action="append", type=Path, metavar="F", help="calendar file (default: calendar/ beside tariffs/)"
    )
    add("--method", choices=list(Method), default=Method.ELECTRONIC, help="how it is paid, for the rounding")
    add("--again", action="store_true", help="not the vehicle's first stay of the day")
    add("--charging", type=int, default=0, metavar="MIN", help="minutes the vehicle was charging")
    add("--zone", default="Asia/Shanghai", metavar="Z", help="the lot's time zone")
    add("--lang", choices=LANGUAGES, default=DEFAULT, help="language of the table")
    add("--json", action="store_true", help="JSON instead of the table")


def run(args: argparse.Namespace) -> int:
    """Print the quote; 2 with a sentence on standard error when the input cannot be used."""
    try:
        answer = _answer(args)
    except (BadInputError, DocumentError) as exc:
        print(f"lotgate quote: {exc}", file=sys.stderr)
        return 2
    if args.json:
        print(json.dumps(as_json(answer), ensure_ascii=False, indent=2))
    else:
        print(table(answer.tariff, answer.quote, answer.coupons, answer.due, args.lang))
    return 0


def as_json(answer: Answer) -> dict[str, Any]:
    """The quote for machines; lines sum to fee_fen, and fee_fen less what is applied is due_fen."""
    quote, coupons = answer.quote, answer.coupons
    return {
        "fee_fen": quote.fee,
        "due_fen": answer.due,
        "lines": [
            {"from": line.begins.isoformat(), "to": line.ends.isoformat(), "rule": line.rule, "fen": line.fen}
            for line in quote.lines
        ],
        "applied": [
            {
                "coupon": _spec(one.coupon_id),
                "kind": one.kind,
                "fen": one.off,
                "minutes": one.minutes,
                "unused": one.unused,
            }
            for one in coupons.applied
        ],
        "refused": [{"coupon": _spec(one.coupon_id), "code": one.code} for one in coupons.refused],
        "steps": [
            {"rule": step.rule, "coupon": _spec(step.coupon_id), "before": step.before, "after": step.after}
            for step in coupons.steps
        ],
        "vehicle": quote.vehicle,
        "tariffs": [{"code": ref.code, "version": ref.version, "digest": ref.digest} for ref in quote.tariffs],
        "calendars": list(quote.calendars),
        "notes": list(quote.notes),
    }


def _answer(args: argparse.Namespace) -> Answer:
    book = _book(args.tariff)
    zone = _zone(args.zone)
    entered, left = _when("--entry", args.entry, zone), _when("--exit", args.exit, zone)
    if left < entered:
        raise BadInputError(f"--exit {args.exit} is before --entry {args.entry}")
    calendar = _calendars(args.calendar, args.tariff[0])
    classes = book.at(entered).classes
    vehicle = VehicleClass(args.vehicle or classes[0])
    if vehicle not in classes:
        raise BadInputError(f"--class {vehicle} is not in this tariff; choose one of {', '.join(classes)}")
    if args.charging < 0:
        raise BadInputError(f"--charging {args.charging} is negative; give minutes")
    facts = StayFacts(first_stay_of_day=not args.again, charging_minutes=args.charging)
    priced = book.quote(entered, left, vehicle, calendar, facts)
    coupons = [coupon_from(spec, number, entered, zone) for number, spec in enumerate(args.coupon, 1)]
    result = apply_coupons(pricer(book, vehicle, calendar, facts), priced.entered, priced.left, coupons)
    off = Fen(result.fee - result.due)
    tariff = book.at(left)
    return Answer(tariff.name, round_due(tariff, priced, Method(args.method), off), result)


def _book(paths: list[Path]) -> TariffBook:
    tariffs = [parse_tariff(_read(path, "--tariff"), str(path)) for path in paths]
    try:
        return TariffBook(tariffs)
    except ValueError as exc:
        raise BadInputError(f"--tariff: {exc}") from exc


def _read(path: Path, option: str) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as exc:
        raise BadInputError(f"{option} {path}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise BadInputError(f"{option} {path}: not UTF-8 text") from exc


def _calendars(chosen: list[Path] | None, tariff: Path) -> CalendarSet:
    """The calendars named, else those in ``calendar/`` beside the tariff's folder."""
    paths: Iterable[Path] = chosen or sorted((tariff.resolve().parent.parent / "calendar").glob("*.toml"))
    return CalendarSet([parse_calendar(_read(path, "--calendar"), str(path)) for path in paths])


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as exc:
        raise BadInputError(f"--zone {name} is not a time zone; write one such as Asia/Shanghai") from exc


def _when(option: str, text: str, zone: ZoneInfo) -> datetime:
    """Lot-local, naive."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise BadInputError(f"{option} {text} is not a time; write ISO 8601 such as 2026-03-03T08:00") from exc
    return moment if moment.tzinfo is None else moment.astimezone(zone).replace(tzinfo=None)


def coupon_from(spec: str, number: int, entered: datetime, zone: ZoneInfo) -> Coupon:
    """One coupon from its SPEC; its id is the spec with its place. Raises BadInputError naming what is allowed."""
    kind, _, rest = spec.partition(":")
    name = f"{number}:{spec}"
    try:
        match kind:
            case "amount":
                return Coupon(name, CouponKind.AMOUNT, _whole(rest))
            case "percent":
                return Coupon(name, CouponKind.PERCENT, _whole(rest))
            case "full" if not rest:
                return Coupon(name, CouponKind.FULL_WAIVER)
            case "duration":
                length, _, meaning = rest.partition(":")
                return Coupon(name, CouponKind.DURATION, _whole(length), Meaning(meaning or "end"))
            case "until":
                return Coupon(name, CouponKind.FREE_UNTIL, until=_until(rest, entered, zone))
    except (ValueError, BadInputError) as exc:
        raise BadInputError(f"--coupon {spec} cannot be read; write one of {SPECS}") from exc
    raise BadInputError(f"--coupon {spec} cannot be read; write one of {SPECS}")


def _spec(coupon_id: str) -> str:
    """The spec as it was typed."""
    return coupon_id.partition(":")[2]


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError("not a whole number")
    return int(text)


def _until(text: str, entered: datetime, zone: ZoneInfo) -> datetime:
    """HH:MM on the day of entry ("24:00" its end), or a whole moment."""
    if "T" in text:
        return _when("until", text, zone)
    if text == "24:00":
        return datetime.combine(entered.date() + timedelta(days=1), datetime.min.time())
    return datetime.combine(entered.date(), datetime.strptime(text, "%H:%M").time())  # noqa: DTZ007  lot-local
