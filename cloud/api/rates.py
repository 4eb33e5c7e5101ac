"""How fast one caller may ask: so many calls a second, with a store of them for a burst (E71)."""

from __future__ import annotations

import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable

REMEMBERED = 10_000


class Rates:
    """One bucket a caller, of this process and by the monotonic clock; bounded memory."""

    def __init__(self, per_second: int, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._burst, self._clock = per_second, burst, clock
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def wait_seconds(self, caller: str) -> int:
        """Take one call from the caller's bucket: 0, or after how many whole seconds there will be one."""
        name, now = hashlib.sha256(caller.encode()).digest(), self._clock()  # a token is not kept in clear
        left, at = self._buckets.pop(name, (float(self._burst), now))
        left = min(float(self._burst), left + (now - at) * self._per_second)
        self._buckets[name] = (left - 1 if left >= 1 else left, now)
        while len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        return 0 if left >= 1 else math.ceil((1 - left) / self._per_second)
