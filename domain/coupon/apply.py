"""Using coupons on a fee: which of them, in which order, and what each takes off (docs/coupons.md).

The result depends on the set of coupons, never on the order they were scanned in (E6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from itertools import combinations

from domain.coupon.model import Applied, Coupon, CouponKind, CouponResult, CouponRules, Meaning, Refused, Step
from domain.fen import Fen

PriceStay = Callable[[datetime, datetime], Fen]
"""The fee of a stay between two lot-local times; see ``domain.tariff.pricer``."""

MOST_CONSIDERED = 8
"""So many coupons are tried in every combination; of more, those that save most by themselves."""
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
    priced = cache(price)
    fee = priced(entered, left)
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
    best = _choose(usable, rules, lambda some: _Application(priced, entered, left, some, rules))
    refused += [
        Refused(coupon.id, why_not_with(best.coupons, coupon, rules) or "no_effect")
        for coupon in usable
        if coupon not in best.coupons
    ]
    refused.sort(key=lambda one: one.coupon_id)
    return CouponResult(fee, best.fee, tuple(best.applied), tuple(refused), tuple(best.steps))


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


def _choose(
    usable: Sequence[Coupon], rules: CouponRules, run: Callable[[Sequence[Coupon]], _Application]
) -> _Application:
    """The permitted set with the lowest due, then the fewest coupons, then what expires first, then the lowest ids."""
    considered = usable
    if len(usable) > MOST_CONSIDERED:
        by_saving = sorted(usable, key=lambda coupon: (run([coupon]).fee, _expiry(coupon), coupon.id))
        considered = by_saving[:MOST_CONSIDERED]
    considered = sorted(considered, key=lambda coupon: (_expiry(coupon), coupon.id))
    best = run(())
    for size in range(1, len(considered) + 1):
        for some in combinations(considered, size):
            if _permitted(some, rules) and (tried := run(some)).fee < best.fee:
                best = tried
    return best


def _permitted(some: Sequence[Coupon], rules: CouponRules) -> bool:
    return all(
        why_not_with([*some[:place], *some[place + 1 :]], coupon, rules) is None for place, coupon in enumerate(some)
    )


def _expiry(coupon: Coupon) -> datetime:
    return coupon.validity.ends or _NEVER


@dataclass
class _Application:
    """One run through the stages; ``fee`` falls from step to step."""

    price: PriceStay
    entered: datetime
    left: datetime
    coupons: Sequence[Coupon]
    rules: CouponRules
    fee: Fen = field(init=False)
    first: int = 0
    minutes: int = 0
    applied: list[Applied] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fee = self.price(self.entered, self.left)
        order = self.rules.order
        meanings = list(Meaning)
        for coupon in sorted(
            self.coupons, key=lambda one: (order.index(one.kind), meanings.index(one.meaning), -one.value, one.id)
        ):
            self._apply(coupon)

    def _apply(self, coupon: Coupon) -> None:
        before, most = self.fee, coupon.max_fen
        unit, rule = "FEN", coupon.kind.lower()
        if coupon.kind in (CouponKind.DURATION, CouponKind.FREE_UNTIL):
            unit, used = "MIN", self._cover(coupon)
            off = before - self.fee if most is None else min(before - self.fee, most)
            rule = f"{rule}:{coupon.meaning}" if coupon.kind is CouponKind.DURATION else rule
        else:
            off = self._money_off(coupon) if most is None else min(self._money_off(coupon), most)
            used = off
        self.fee = Fen(before - off)
        whole = coupon.value if coupon.kind in (CouponKind.DURATION, CouponKind.AMOUNT) else used
        self.applied.append(
            Applied(
                coupon.id,
                coupon.kind,
                coupon.merchant_id,
                coupon.source,
                Fen(off),
                unit,
                used,
                max(whole - used, 0),
                coupon.remainder,
            )
        )
        self.steps.append(Step(rule, coupon.id, before, self.fee))

    def _money_off(self, coupon: Coupon) -> int:
        if coupon.kind is CouponKind.PERCENT:
            return self.fee - self.fee * coupon.value // 100
        return min(self.fee, coupon.value) if coupon.kind is CouponKind.AMOUNT else self.fee

    def _cover(self, coupon: Coupon) -> int:
        """Let a time coupon shorten the stay; the minutes it really covers."""
        length = (self.left - self.entered) // timedelta(minutes=1) - self.first
        wanted = coupon.value
        if coupon.until is not None and coupon.kind is CouponKind.FREE_UNTIL:
            wanted = max(0, (coupon.until - self.entered) // timedelta(minutes=1))
        if coupon.max_minutes is not None:
            wanted = min(wanted, max(0, coupon.max_minutes - self.minutes))
        used = min(wanted, length)
        before = self._timed()
        if coupon.kind is CouponKind.FREE_UNTIL or coupon.meaning is Meaning.ENTRY:
            self.entered += timedelta(minutes=used)
        elif coupon.meaning is Meaning.END:
            self.left -= timedelta(minutes=used)
        else:
            self.first += used
        self.minutes += used
        self.fee = Fen(max(0, self.fee - max(0, before - self._timed())))
        return used

    def _timed(self) -> int:
        """The fee of what is left of the stay, less the price of its first minutes already covered."""
        whole = self.price(self.entered, self.left)
        return whole - self.price(self.entered, self.entered + timedelta(minutes=self.first)) if self.first else whole
