"""The edge's side of the log: what to put in flight, and what an answer or silence changes (sync §3).

It holds positions only. Rows live in the outbox, and only the cloud's ack moves the cursor.
"""

from __future__ import annotations

from dataclasses import dataclass, field

TIMEOUT_MS = 10_000
FIRST_WINDOW = 2
TICK_MS = 250


@dataclass(frozen=True, slots=True)
class Flight:
    """Events ``start … last`` sent and not yet answered."""

    start: int
    last: int
    sent_ms: int


@dataclass(slots=True)
class Uplink:
    """Sends ranges in order, several at once; goes back to the cursor when one is lost."""

    epoch: int
    cursor: int  # last event the cloud has acked
    window: int = FIRST_WINDOW
    most: int = 8  # batches in flight the cloud allows
    flights: list[Flight] = field(default_factory=list)
    open: bool = False  # nothing is sent before the cloud has answered this session's hello
    rate: int = 0  # events a second the cloud takes; 0: as many as we can send
    paced_ms: int = 0  # when what was sent so far has had its time
    gone_back: int = 0  # the gap already filled once: every batch beyond it brings a nak, one of them is enough

    def next_start(self, newest: int) -> int | None:
        """First event of the next batch, or None: nothing to send, window full, or no session."""
        start = self.flights[-1].last + 1 if self.flights else self.cursor + 1
        if not self.open or start > newest or len(self.flights) >= min(self.window, self.most):
            return None
        return start

    def is_paced(self, now_ms: int) -> bool:
        """Is it too early for another batch? What may go within the next tick goes at once."""
        return self.rate > 0 and self.paced_ms - now_ms > TICK_MS

    def sent(self, start: int, last: int, now_ms: int) -> None:
        """A batch went out."""
        self.flights.append(Flight(start, last, now_ms))
        if self.rate:
            self.paced_ms = max(self.paced_ms, now_ms) + (last - start + 1) * 1000 // self.rate

    def acked(self, epoch: int, seq: int, most: int) -> bool:
        """The cloud holds everything up to *seq*. False if this says nothing new (late, repeated, other epoch)."""
        if epoch != self.epoch or seq <= self.cursor:
            return False
        self.cursor, self.most = seq, max(1, most)
        answered = [flight for flight in self.flights if flight.last <= seq]
        self.flights = [flight for flight in self.flights if flight.last > seq]
        self.window = min(self.most, self.window + len(answered))
        return True

    def wanted(self, epoch: int, seq: int) -> bool:
        """The cloud wants the log from *seq* on (nak): send again from the cursor, once. Late naks change nothing."""
        if epoch != self.epoch or seq != self.cursor + 1 or seq == self.gone_back or not self.flights:
            return False
        if self.flights[0].start == seq and len(self.flights) == 1:
            return False  # the batch that fills the gap is on its way
        self.gone_back = seq
        self.flights.clear()
        return True

    def is_late(self, now_ms: int) -> bool:
        """Has the oldest batch waited too long?"""
        return bool(self.flights) and now_ms - self.flights[0].sent_ms >= TIMEOUT_MS

    def timed_out(self) -> None:
        """Silence: halve the window and send again from the cursor."""
        self.window, self.gone_back = max(1, self.window // 2), 0
        self.flights.clear()

    def lost_session(self) -> None:
        """The line is down: nothing in flight can be relied on, and a new hello comes first."""
        self.flights.clear()
        self.open, self.window, self.gone_back = False, FIRST_WINDOW, 0
