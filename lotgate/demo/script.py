"""What the scripted day is about, and what it must cost: figures worked out here, by nobody's code but this."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(slots=True)
class Car:
    """A car of the day. *entered* is in minutes of the script; *stay_id* once it is inside."""

    plate: str
    entered: int = 0
    stay_id: str = ""
    photo: Path | None = None


def published_fee(minutes: int) -> int:
    """Fen for a stay of up to a day, from the airport's notice of 2015 (config/tariffs/g1-hongqiao-t1.toml).

    20 minutes are free; beyond them the first hour costs 7 yuan and every further started hour 5, at most 42.
    """
    if minutes <= 20:
        return 0
    started_hours = -(-minutes // 60)
    return min(7_00 + 5_00 * (started_hours - 1), 42_00)


COUPON_OFF = 10_00  # the amount template
DURATION_MIN = 120  # the duration template: cut from the end of the stay
VOUCHER_OFF = 15_00  # the template printed at the counter

SHORT = "川A9W617"  # leaves within the free minutes
CASH = "沪A31526"
COUPON = "苏E5K318"  # is given an amount coupon while inside
CACHED = "京N7P263"  # its duration coupon is redeemed with the cloud gone
VOUCHER = "粤B4X916"
MISREAD = "沪C8T473"
MISREAD_AS = "沪CBT473"  # 8 and B look alike
TAILGATER = "鲁K6M204"
BY_HAND = "湘F2Y685"  # let out by hand, owing
DRAWN = ("浙C72H95", "闽D38R45")  # on the drawn scenes where there are no photographs
SMART_LANE = (SHORT, CASH, COUPON, CACHED, VOUCHER, MISREAD, TAILGATER, BY_HAND)
SHOP_LANE = ("浙B6M208", "苏A7T931", "皖C2R654")  # given a coupon, claims one, is given one that was bought


def yuan(fen: int) -> str:
    """As a person types it."""
    return f"{fen // 100}.{fen % 100:02d}"
