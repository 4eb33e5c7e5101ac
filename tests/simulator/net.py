"""A network that loses, repeats, delays and reorders, between machines that come and go."""

from __future__ import annotations

import heapq
import random
from collections import deque
from dataclasses import dataclass, field

from domain.wire import Json, pack

UP, DOWN = "up", "dn"
REMEMBERED = 60  # packets kept for whoever wants to replay one


@dataclass(frozen=True, slots=True, order=True)
class Packet:
    """A payload on its way: *way* ``up`` is from *edge* to the cloud, ``dn`` the other way."""

    due_ms: int
    order: int
    way: str = field(compare=False)
    edge: str = field(compare=False)
    kind: str = field(compare=False)
    payload: bytes = field(compare=False)


@dataclass(frozen=True, slots=True)
class Weather:
    """How bad the network of this world is: percent of packets, and milliseconds by which they overtake each other."""

    drop: int
    repeat: int
    slow: int
    jitter_ms: int


CALM = Weather(0, 0, 0, 0)
TRANSIT_MS = 20


class Net:
    """The broker and the lines to it. A packet for a line that is cut when it arrives is lost (clean start)."""

    def __init__(self, rng: random.Random, weather: Weather) -> None:
        self._rng, self.weather = rng, weather
        self._waiting: list[Packet] = []
        self._sent = 0
        self.is_up: dict[str, bool] = {}
        self.seen: deque[Packet] = deque(maxlen=REMEMBERED)

    def send(self, way: str, edge: str, kind: str, message: Json, now_ms: int) -> None:
        """Hand a message to the network."""
        packet = Packet(0, 0, way, edge, kind, pack(message))
        self.seen.append(packet)
        if self._chance(self.weather.drop):
            return
        self.put(packet, now_ms)
        if self._chance(self.weather.repeat):
            self.put(packet, now_ms)

    def put(self, packet: Packet, now_ms: int) -> None:
        """Let *packet* arrive after a while."""
        delay = TRANSIT_MS + self._rng.randint(0, self.weather.jitter_ms)
        if self._chance(self.weather.slow):
            delay = self._rng.choice((2_000, 9_000, 40_000, 900_000))
        self._sent += 1
        heapq.heappush(
            self._waiting, Packet(now_ms + delay, self._sent, packet.way, packet.edge, packet.kind, packet.payload)
        )

    def due(self, now_ms: int) -> Packet | None:
        """The next packet that has arrived by now."""
        if self._waiting and self._waiting[0].due_ms <= now_ms:
            return heapq.heappop(self._waiting)
        return None

    def next_due_ms(self) -> int | None:
        """When the next packet arrives, if one is on its way."""
        return self._waiting[0].due_ms if self._waiting else None

    def _chance(self, percent: int) -> bool:
        return percent > 0 and self._rng.randrange(100) < percent
