"""Coupons: values, validity, stacking, and what they take off a fee (docs/coupons.md)."""

from domain.coupon.apply import PriceStay, apply_coupons, why_invalid, why_not_with
from domain.coupon.model import (
    Applied,
    Coupon,
    CouponKind,
    CouponResult,
    CouponRules,
    Meaning,
    Refused,
    Remainder,
    Stacking,
    Step,
    Validity,
)

__all__ = [
    "Applied",
    "Coupon",
    "CouponKind",
    "CouponResult",
    "CouponRules",
    "Meaning",
    "PriceStay",
    "Refused",
    "Remainder",
    "Stacking",
    "Step",
    "Validity",
    "apply_coupons",
    "why_invalid",
    "why_not_with",
]
