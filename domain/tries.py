"""How often something may be tried within a while. Times are seconds on any clock that only runs forward."""

from __future__ import annotations

from collections import OrderedDict, deque

REMEMBERED = 10_000


class Tries:
    """At most *most* tries within *seconds* for each name; remembers the newest names only."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._made: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, name: str, now: float) -> bool:
        """Count one try; False when it is one too many, which is not counted."""
        made = self._made.pop(name, None) or deque()
        self._made[name] = made
        while made and now - made[0] >= self._seconds:
            made.popleft()
        if len(made) >= self._most:
            return False
        made.append(now)
        while len(self._made) > REMEMBERED:
            self._made.popitem(last=False)
        return True

    def forget(self, name: str) -> None:
        """Begin anew."""
        self._made.pop(name, None)
