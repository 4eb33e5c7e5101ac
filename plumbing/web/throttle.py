"""Slowing down those who guess passwords and PINs, by account and by address."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FREE_TRIES = 3
FIRST_WAIT = 2.0  # seconds after the free tries, doubled by each further failure
ACCOUNT_CAP = 60.0  # low: somebody else's guessing must not lock a person out for long
ADDRESS_CAP = 900.0
FORGET_AFTER = 3600.0
REMEMBERED = 10_000


@dataclass(slots=True)
class _Failures:
    count: int
    last: float


class LoginThrottle:
    """Counts failures of one process by the monotonic clock; bounded memory."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[tuple[str, str], _Failures] = OrderedDict()

    def wait_seconds(self, account: str, address: str) -> int:
        """Whole seconds this caller must wait before its next try is looked at; 0 = go on."""
        account_wait = self._wait(("account", account), ACCOUNT_CAP)
        return math.ceil(max(account_wait, self._wait(("address", address), ADDRESS_CAP)))

    def failed(self, account: str, address: str) -> None:
        """Note a wrong password."""
        now = self._clock()
        for key in (("account", account), ("address", address)):
            before = self._failures.pop(key, None)
            count = before.count if before is not None and now - before.last < FORGET_AFTER else 0
            self._failures[key] = _Failures(count + 1, now)
        while len(self._failures) > REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, account: str, address: str) -> None:
        """Forget the failures of both: the person is who they say."""
        self._failures.pop(("account", account), None)
        self._failures.pop(("address", address), None)

    def _wait(self, key: tuple[str, str], cap: float) -> float:
        failures = self._failures.get(key)
        if failures is None or failures.count < FREE_TRIES:
            return 0.0
        delay = min(cap, FIRST_WAIT * 2.0 ** min(failures.count - FREE_TRIES, 20))
        return max(0.0, failures.last + delay - self._clock())
