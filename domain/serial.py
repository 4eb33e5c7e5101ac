"""A coupon's serial (S1.41): time, merchant account, ``231F`` and a suffix, closed by a check character.

``1691669087660`` ``174293128`` ``231F`` ``00A1B2C3`` ``K``: 13 digits of creation time in milliseconds, 9 of the
account, 8 that tell coupons of one moment apart, one check character (ISO/IEC 7064 MOD 37,36), 35 characters in all.
Serials seen elsewhere may carry one more digit after the time and are often shown cut short; both are read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_MARK: Final = "231F"
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_OURS: Final = re.compile(rf"(\d{{13}})(\d{{9}}){_MARK}([0-9A-F]{{8}})([0-9A-Z])", re.ASCII)
_SEEN: Final = re.compile(rf"(\d{{13}})(\d?)(\d{{9}}){_MARK}([0-9A-Z]*)(?:\.\.\.|…)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Serial:
    """What a serial tells: UTC epoch milliseconds of making, the merchant's account number, the rest.

    *checked* is True for our own whole form with a right check character. *extra* is the odd digit some carry.
    """

    made_ms: int
    account: str
    suffix: str
    extra: str = ""
    checked: bool = False


def make_serial(made_ms: int, account: int, unique: int) -> str:
    """The serial of one coupon; *unique* (32 bits) tells apart those of one millisecond. Raises ValueError."""
    if not (10**12 <= made_ms < 10**13 and 0 <= account < 10**9 and 0 <= unique < 2**32):
        raise ValueError("a serial takes 13 digits of time, 9 of account and 32 bits")
    body = f"{made_ms}{account:09d}{_MARK}{unique:08X}"
    return body + check_character(body)


def parse_serial(text: str) -> Serial | None:
    """What *text* tells, or None when it is no serial or one of ours with a wrong check character."""
    bare = text.strip().upper()
    if ours := _OURS.fullmatch(bare):
        made, account, suffix, check = ours.groups()
        return Serial(int(made), account, suffix, checked=True) if check_character(bare[:-1]) == check else None
    if seen := _SEEN.fullmatch(bare):
        made, extra, account, suffix = seen.groups()
        return Serial(int(made), account, suffix, extra)
    return None


def check_character(body: str) -> str:
    """ISO/IEC 7064 MOD 37,36: finds every single wrong character and every swap of neighbours."""
    product = 36
    for letter in body:
        total = (product + _ALPHABET.index(letter)) % 36 or 36
        product = total * 2 % 37
    return _ALPHABET[(37 - product) % 36]
