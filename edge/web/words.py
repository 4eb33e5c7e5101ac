"""Codes in the words of the person who reads them: rules of a price list, coupons, reasons, devices."""

from __future__ import annotations

from domain.wire import Json
from edge.lanes.scans import Outcome
from edge.services import excusing, listed
from edge.services.listed import Standing
from plumbing.i18n import Texts
from plumbing.lanepage.fee_lines import coded


def coupon(t: Texts, step: Json) -> str:
    """One coupon of a fee: what it took off, or why it was not used."""
    refused = step.get("refused")
    if refused:
        key = f"coupon_refused.{refused}"
        return t(key) if t.catalogue.has(key) else str(refused)
    name = str(step.get("rule", "")).partition(":")[0]
    return t(f"coupon.{name}") if t.catalogue.has(f"coupon.{name}") else name


def lost(t: Texts, part: str) -> str:
    """What is wrong with a device, and what to do meanwhile."""
    kind, _, name = part.partition(" ")
    key = f"lost.{kind}"
    if name.endswith(" taken") or not t.catalogue.has(key):
        return t("booth.wrong", part=part)
    return t(key, name=name)


def saved_fen(step: Json) -> int:
    """What a used coupon took off."""
    return int(step.get("before", 0)) - int(step.get("after", 0))


def short_ref(ref: str) -> str:
    """Which paper or coupon, short enough to compare with what the driver holds."""
    key_id, colon, counter = ref.partition(":")
    return f"{key_id}-{int(counter):06d}" if colon and counter.isdigit() else f"…{ref[-8:]}"


def standing(t: Texts, one: Standing) -> str:
    """What the lists say of a plate, in one line: monthly, 3 days left; visitor of whom; blocked, why."""
    if one.kind == listed.BLOCK:
        return t("standing.block", why=one.detail)
    if one.kind == listed.FREE_KIND:
        return t("standing.free_kind", kind=coded(t, "plate_kind", one.detail))
    said = t(f"standing.{one.kind}")
    if one.host:
        said += t("standing.host", host=one.host)
    if one.state in ("ended", "ahead"):
        return said + t(f"standing.{one.state}")
    if one.state == "grace":
        return said + t("standing.grace", days=one.days_left or 0)
    if one.days_left is None:
        return said
    return said + (t("standing.left", days=one.days_left) if one.days_left > 1 else t("standing.today"))


def excused(t: Texts, why: str, detail: str) -> str:
    """Why a stay was let go, in more words: kinds of plates, lists and reasons by their names, else as typed."""
    if why == excusing.COVERED:
        return " ".join(coded(t, "standing", grant) for grant in detail.split())
    return coded(t, "plate_kind" if why == excusing.FREE_KIND else "waive_reason", detail)


def scanned(t: Texts, outcome: Outcome) -> str:
    """How a scan ended: that it counted, or why not and what to do."""
    if not outcome.why:
        return t("scan.counted", lane=outcome.lane)
    for group in ("scan", "refused"):
        if t.catalogue.has(f"{group}.{outcome.why}"):
            return t(f"{group}.{outcome.why}", **{"count": outcome.waiting, **dict(outcome.facts)})
    return t("refused.other", code=outcome.why)
