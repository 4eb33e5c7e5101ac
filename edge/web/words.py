"""Codes in the words of the person who reads them: rules of a price list, coupons, reasons, devices."""

from __future__ import annotations

from domain.wire import Json
from plumbing.i18n import Texts


def rule(t: Texts, code: str) -> str:
    """A line of a fee: ``name``, ``name:window`` or ``name:window:step``; an unknown code is shown as it is."""
    name, *details = code.removeprefix("note:").split(":")
    if not t.catalogue.has(f"rule.{name}"):
        return code
    exact = f"rule.{name}_{details[0]}" if details else ""
    if exact and t.catalogue.has(exact):
        return t(exact)
    words = t(f"rule.{name}", detail=coded(t, "window", details[0]) if details else "").strip()
    return words + (t("rule.step", number=details[1]) if len(details) > 1 else "")


def coupon(t: Texts, step: Json) -> str:
    """One coupon of a fee: what it took off, or why it was not used."""
    refused = step.get("refused")
    if refused:
        key = f"coupon_refused.{refused}"
        return t(key) if t.catalogue.has(key) else str(refused)
    name = str(step.get("rule", "")).partition(":")[0]
    return t(f"coupon.{name}") if t.catalogue.has(f"coupon.{name}") else name


def saved_fen(step: Json) -> int:
    """What a used coupon took off."""
    return int(step.get("before", 0)) - int(step.get("after", 0))


def short_ref(ref: str) -> str:
    """Which paper or coupon, short enough to compare with what the driver holds."""
    key_id, colon, counter = ref.partition(":")
    return f"{key_id}-{int(counter):06d}" if colon and counter.isdigit() else f"…{ref[-8:]}"


def coded(t: Texts, group: str, code: str) -> str:
    """The words for *code* of *group*; a code without words is shown as it is."""
    key = f"{group}.{code}"
    return t(key) if t.catalogue.has(key) else code
