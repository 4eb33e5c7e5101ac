"""How long to wait before trying again."""

from __future__ import annotations

import random
from collections.abc import Callable

Backoff = Callable[[int], float]
"""Seconds to wait before attempt *n* (0 = the first retry)."""


def full_jitter(base: float = 1.0, cap: float = 300.0) -> Backoff:
    """A uniform draw from 0 to ``min(cap, base * 2**n)`` seconds, so that many edges do not return as one."""
    return lambda attempt: random.uniform(0, min(cap, base * 2 ** min(attempt, 32)))  # noqa: S311 - not a secret


def steady(seconds: float) -> Backoff:
    """Always the same wait."""
    return lambda _attempt: seconds
