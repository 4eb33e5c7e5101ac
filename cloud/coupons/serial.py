"""The coupon serial of S1.41: when it was made, whose it is, a number of its own, and a check character (Q4)."""

from __future__ import annotations

from domain.ids import CROCKFORD

MARK = "231F"
_OWN = 6  # characters of its own after the mark: 30 bits


def coupon_serial(made_ms: int, account_no: str, number: int) -> str:
    """Thirteen digits of *made_ms*, nine of *account_no*, ``231F``, six from *number*, one that checks the rest."""
    if not 10**12 <= made_ms < 10**13 or not (len(account_no) == 9 and account_no.isdigit()):
        raise ValueError("a serial holds 13 digits of time and 9 of an account")
    own = "".join(CROCKFORD[number >> 5 * place & 31] for place in reversed(range(_OWN)))
    body = f"{made_ms}{account_no}{MARK}{own}"
    return body + _check(body)


def is_serial(text: str) -> bool:
    """Whether the check character fits; one wrong or two swapped neighbours never pass."""
    return len(text) > 1 and all(letter in CROCKFORD for letter in text) and text[-1] == _check(text[:-1])


def _check(body: str) -> str:
    """Luhn's sum modulo 32 over Crockford's characters."""
    total = 0
    for place, letter in enumerate(reversed(body)):
        doubled = CROCKFORD.index(letter) * (2 if place % 2 == 0 else 1)
        total += doubled // 32 + doubled % 32
    return CROCKFORD[-total % 32]
