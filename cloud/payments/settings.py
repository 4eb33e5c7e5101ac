"""The part ``[payments]`` of the cloud's settings file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PaymentSettings:
    """Accounts at providers by their name, and what one person may refund alone."""

    refund_limit_fen: int = 20_000  # above it a second person agrees
