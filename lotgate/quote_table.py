"""A quote as a table for a terminal: Chinese characters count two columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from domain.coupon import CouponResult
from domain.fen import yuan
from domain.tariff import Quote
from plumbing.i18n import Texts, load_catalogue

LOCALE = Path(__file__).parent / "locale"


def table(tariff: str, quote: Quote, coupons: CouponResult, due: int, language: str) -> str:
    """Title, lines, coupons, due and notes."""
    say = load_catalogue(LOCALE).speaking(language)
    span = timedelta(minutes=1)
    days, minutes = divmod((quote.left - quote.entered) // span, 1440)
    length = say("quote.length" if days else "quote.hours", days=days, hours=minutes // 60, minutes=minutes % 60)
    ref = quote.tariffs[-1]
    rows = [(say("quote.from"), say("quote.to"), say("quote.rule"), say("quote.yuan"))]
    rows += [
        (f"{line.begins:%m-%d %H:%M}", f"{line.ends:%m-%d %H:%M}", _rule(line.rule, say), yuan(line.fen))
        for line in quote.lines
    ]
    sums = [("", "", say("quote.fee"), yuan(quote.fee))]
    for one in coupons.applied:
        what = f"{say('quote.coupons.' + one.kind.lower())} {one.coupon_id.partition(':')[2]}"
        sums.append(("", "", what, yuan(-one.off)))
    sums.append(("", "", say("quote.due"), yuan(due)))
    head = say("quote.title", tariff=tariff, version=ref.version, vehicle=quote.vehicle)
    stay = say(
        "quote.stay", entered=f"{quote.entered:%Y-%m-%d %H:%M}", left=f"{quote.left:%Y-%m-%d %H:%M}", length=length
    )
    return "\n".join([head, stay, "", *_aligned(rows, sums), *_notes(quote, coupons, say)])


def _rule(code: str, say: Texts) -> str:
    name, _, detail = code.partition(":")
    return say(f"quote.rules.{name}", detail=detail).strip()


def _notes(quote: Quote, coupons: CouponResult, say: Texts) -> list[str]:
    notes = [
        say("quote.refused", coupon=one.coupon_id.partition(":")[2], why=say(f"quote.refusals.{one.code}"))
        for one in coupons.refused
    ]
    if quote.calendars:
        notes.append(say("quote.calendar", names=", ".join(quote.calendars)))
    for note in quote.notes:
        name, _, detail = note.partition(":")
        notes.append(say(f"quote.{name}", detail=detail))
    return ["", *notes] if notes else []


def _aligned(rows: Sequence[Sequence[str]], sums: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(_columns(row[place]) for row in (*rows, *sums)) for place in range(4)]
    ruler = "─" * (sum(widths) + 6)

    def laid(row: Sequence[str]) -> str:
        cells = [text + " " * (widths[place] - _columns(text)) for place, text in enumerate(row[:3])]
        return "  ".join([*cells, " " * (widths[3] - _columns(row[3])) + row[3]])

    return [laid(rows[0]), ruler, *map(laid, rows[1:]), ruler, *map(laid, sums)]


def _columns(text: str) -> int:
    """Terminal columns: wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
