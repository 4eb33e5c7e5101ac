"""Money: whole fen (1/100 yuan), never a float (E32)."""

from __future__ import annotations

from decimal import Decimal, DecimalException
from typing import NewType

Fen = NewType("Fen", int)

MOST_TYPED = 10**15  # fen: beyond it no amount is meant, and a short text such as 1e999999 must not fill the memory


def yuan(fen: int) -> str:
    """Write *fen* as yuan with two places, for people: 1250 -> "12.50", -5 -> "-0.05"."""
    sign = "-" if fen < 0 else ""
    whole, rest = divmod(abs(fen), 100)
    return f"{sign}{whole}.{rest:02d}"


def fen_from_yuan(text: str) -> Fen:
    """Read an amount a person typed in yuan. Raises ValueError if it is not a whole number of fen, or absurd."""
    try:
        fen = Decimal(text.strip()) * 100
    except DecimalException as exc:
        raise ValueError(f"not an amount in yuan: {text!r}") from exc
    if not fen.is_finite() or abs(fen) > MOST_TYPED or fen != fen.to_integral_value():
        raise ValueError(f"not a whole number of fen: {text!r}")
    return Fen(int(fen))
