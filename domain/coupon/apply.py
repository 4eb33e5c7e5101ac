"""Using coupons on a fee: which of them, in which order, and what each takes off (docs/coupons.md).

The result depends on the set of coupons, never on the order they were scanned in (E6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from domain.coupon.model import Applied, Coupon, CouponKind, CouponResult, CouponRules, Meaning, Refused, Step
from domain.fen import Fen

PriceStay = Callable[[datetime, datetime], Fen]
"""The fee of a stay between two lot-local times; see ``domain.tariff.pricer``."""

MOST_CONSIDERED = 12
"""So many coupons are tried in every combination; of more, those that save most by themselves."""
_TIMED = (CouponKind.DURATION, CouponKind.FREE_UNTIL)
_MEANINGS = tuple(Meaning)
_NEVER = datetime(9999, 12, 31)  # noqa: DTZ001  naive on purpose: lot-local


def apply_coupons(
    price: PriceStay,
    entered: datetime,
    left: datetime,
    coupons: Iterable[Coupon],
    rules: CouponRules = CouponRules(),  # noqa: B008  a frozen value
    lot: int | None = None,
) -> CouponResult:
    """Use the permitted set of coupons that makes the due lowest; of equal sets the one with fewest coupons.

    Deterministic in the set of coupons: ties go to what expires first, then to the lowest id. Raises ValueError when
    two coupons share an id. A coupon not used is refused with a code and keeps its value.
    """
    fee = price(entered, left)
    usable: list[Coupon] = []
    refused: list[Refused] = []
    ordered = sorted(coupons, key=lambda coupon: coupon.id)
    if len({coupon.id for coupon in ordered}) != len(ordered):
        raise ValueError("two coupons share an id")
    for coupon in ordered:
        code = why_invalid(coupon, entered, left, lot)
        if code is None:
            usable.append(coupon)
        else:
            refused.append(Refused(coupon.id, code))
    priced = cache(price) if any(coupon.kind in _TIMED for coupon in usable) else price
    start = _State(fee, entered, left)
    chosen = _choose(priced, start, usable, rules)
    due, applied, steps = _apply(priced, start, chosen)
    refused += [
        Refused(coupon.id, why_not_with(chosen, coupon, rules) or "no_effect")
        for coupon in usable
        if coupon not in chosen
    ]
    refused.sort(key=lambda one: one.coupon_id)
    return CouponResult(fee, due, applied, tuple(refused), steps)


def why_invalid(coupon: Coupon, entered: datetime, left: datetime, lot: int | None) -> str | None:
    """Why *coupon* does not hold for this stay by itself: a stable code, or None when it does."""
    rule = coupon.validity
    minute = left.hour * 60 + left.minute
    checks = (
        ("not_yet_valid", rule.begins is not None and left < rule.begins),
        ("expired", rule.ends is not None and left > rule.ends),
        ("wrong_lot", bool(rule.lots) and lot not in rule.lots),
        ("wrong_day", bool(rule.weekdays) and left.weekday() not in rule.weekdays),
        ("wrong_hour", bool(rule.hours) and not any(_within(minute, *hours) for hours in rule.hours)),
        ("stay_too_short", left - entered < timedelta(minutes=rule.min_stay)),
        ("left_too_late", _too_late(coupon, left)),
        ("until_passed", coupon.until is not None and coupon.until <= entered),
    )
    return next((code for code, holds in checks if holds), None)


def why_not_with(others: Sequence[Coupon], coupon: Coupon, rules: CouponRules) -> str | None:
    """Why *coupon* may not be used beside *others*: a stable code, or None when it may."""
    if not others:
        return "coupon_limit" if rules.max_coupons == 0 else None
    if coupon.stacking.alone or any(other.stacking.alone for other in others):
        return "not_with_others"
    same = [
        other for other in others if coupon.stacking.template and other.stacking.template == coupon.stacking.template
    ]
    if same and any(len(same) >= limit for one in (*same, coupon) if (limit := one.stacking.per_stay) is not None):
        return "template_limit"
    kinds = {coupon.kind, *(other.kind for other in others)}
    if rules.together is not None and not any(kinds <= group for group in rules.together) and len(kinds) > 1:
        return "kinds_not_together"
    if rules.max_coupons is not None and len(others) >= rules.max_coupons:
        return "coupon_limit"
    return None


def _within(minute: int, begins: int, ends: int) -> bool:
    return begins <= minute < ends if begins <= ends else minute >= begins or minute < ends


def _too_late(coupon: Coupon, left: datetime) -> bool:
    within = coupon.validity.leave_within
    return within is not None and coupon.issued_at is not None and left - coupon.issued_at > timedelta(minutes=within)


def _choose(price: PriceStay, start: _State, usable: Sequence[Coupon], rules: CouponRules) -> tuple[Coupon, ...]:
    """The permitted set with the lowest due, then the fewest coupons, then what expires first, then the lowest ids.

    In the order in which they are applied, so that every set costs one step more than the set before it.
    """
    considered = usable
    if len(usable) > MOST_CONSIDERED:
        by_saving = sorted(usable, key=lambda one: (_used(price, start, one)[0].fee, _expiry(one), one.id))
        considered = by_saving[:MOST_CONSIDERED]
    rank = {one.id: place for place, one in enumerate(sorted(considered, key=lambda one: (_expiry(one), one.id)))}
    ordered = _in_order(considered, rules)
    best: tuple[int, int, list[int]] = (start.fee, 0, [])
    chosen: tuple[Coupon, ...] = ()
    waiting: list[tuple[int, _State, tuple[Coupon, ...]]] = [(0, start, ())]
    while waiting:
        at, state, some = waiting.pop()
        for place in range(at, len(ordered)):
            coupon = ordered[place]
            if why_not_with(some, coupon, rules) is not None:
                continue
            after, more = _used(price, state, coupon)[0], (*some, coupon)
            if (key := (after.fee, len(more), sorted(rank[one.id] for one in more))) < best:
                best, chosen = key, more
            if after.fee:  # nothing can be better than nothing due
                waiting.append((place + 1, after, more))
    return chosen


def _in_order(coupons: Iterable[Coupon], rules: CouponRules) -> list[Coupon]:
    return sorted(
        coupons, key=lambda one: (rules.order.index(one.kind), _MEANINGS.index(one.meaning), -one.value, one.id)
    )


def _expiry(coupon: Coupon) -> datetime:
    return coupon.validity.ends or _NEVER


class _State(NamedTuple):
    """A stay as the coupons applied so far leave it; *first* and *minutes* are minutes covered."""

    fee: int
    entered: datetime
    left: datetime
    first: int = 0
    minutes: int = 0


def _used(price: PriceStay, state: _State, coupon: Coupon) -> tuple[_State, int]:
    """The stay after one more coupon, and how much of the coupon's own value that took."""
    if coupon.kind in _TIMED:
        after, used = _covered(price, state, coupon)
    else:
        used = _money_off(state.fee, coupon)
        if coupon.max_fen is not None:
            used = min(used, coupon.max_fen)
        after = state._replace(fee=state.fee - used)
    if coupon.max_fen is not None and state.fee - after.fee > coupon.max_fen:
        after = after._replace(fee=state.fee - coupon.max_fen)
    return after, used


def _money_off(fee: int, coupon: Coupon) -> int:
    if coupon.kind is CouponKind.PERCENT:
        return fee - fee * coupon.value // 100
    return min(fee, coupon.value) if coupon.kind is CouponKind.AMOUNT else fee


def _covered(price: PriceStay, state: _State, coupon: Coupon) -> tuple[_State, int]:
    """Let a time coupon shorten the stay; the minutes it really covers."""
    length = (state.left - state.entered) // timedelta(minutes=1) - state.first
    wanted = coupon.value
    if coupon.until is not None and coupon.kind is CouponKind.FREE_UNTIL:
        wanted = max(0, (coupon.until - state.entered) // timedelta(minutes=1))
    if coupon.max_minutes is not None:
        wanted = min(wanted, max(0, coupon.max_minutes - state.minutes))
    used = min(wanted, length)
    shift = timedelta(minutes=used)
    shorter = state._replace(minutes=state.minutes + used)
    if coupon.kind is CouponKind.FREE_UNTIL or coupon.meaning is Meaning.ENTRY:
        shorter = shorter._replace(entered=state.entered + shift)
    elif coupon.meaning is Meaning.END:
        shorter = shorter._replace(left=state.left - shift)
    else:
        shorter = shorter._replace(first=state.first + used)
    fee = max(0, state.fee - max(0, _timed(price, state) - _timed(price, shorter)))
    return shorter._replace(fee=fee), used


def _timed(price: PriceStay, state: _State) -> int:
    """The fee of what is left of the stay, less the price of its first minutes already covered."""
    whole = price(state.entered, state.left)
    first = state.entered + timedelta(minutes=state.first)
    return whole - price(state.entered, first) if state.first else whole


def _apply(
    price: PriceStay, start: _State, coupons: Sequence[Coupon]
) -> tuple[Fen, tuple[Applied, ...], tuple[Step, ...]]:
    """Due, what each coupon of a chosen set, in the order it was chosen in, came to, and the log of it."""
    state = start
    applied: list[Applied] = []
    steps: list[Step] = []
    for coupon in coupons:
        before = state.fee
        state, used = _used(price, state, coupon)
        is_time = coupon.kind in _TIMED
        rule = f"{coupon.kind.lower()}:{coupon.meaning}" if coupon.kind is CouponKind.DURATION else coupon.kind.lower()
        whole = coupon.value if coupon.kind in (CouponKind.DURATION, CouponKind.AMOUNT) else used
        off, unit = Fen(before - state.fee), "MIN" if is_time else "FEN"
        rest = max(whole - used, 0)
        applied.append(
            Applied(coupon.id, coupon.kind, coupon.merchant_id, coupon.source, off, unit, used, rest, coupon.remainder)
        )
        steps.append(Step(rule, coupon.id, Fen(before), Fen(state.fee)))
    return Fen(state.fee), tuple(applied), tuple(steps)
