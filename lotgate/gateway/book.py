"""What a simulated gateway knows: trades, how their payers behave, refunds, and the bill of a day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum

CHINA = timezone(timedelta(hours=8))
FEE_PER_MILLE = 6


class Status(StrEnum):
    """Of a trade."""

    WAITING = "waiting"
    TYPING = "typing"  # the payer's phone asks for the password
    PAID = "paid"
    FAILED = "failed"
    CLOSED = "closed"
    REVERSED = "reversed"


class Manner(StrEnum):
    """How the payer of a code behaves; its last digit says which."""

    PAYS = "1"
    TYPES = "2"  # has to type a password, on the payer's page
    POOR = "3"
    SILENT = "4"  # the gateway gives no answer, and nobody has paid
    SILENT_PAID = "5"  # the gateway gives no answer, and it is paid


@dataclass(slots=True)
class Repaid:
    """A refund."""

    number: str
    amount_fen: int
    made_ms: int
    notify_url: str


@dataclass(slots=True)
class Trade:
    """One number of the merchant."""

    provider: str
    number: str
    amount_fen: int
    description: str
    notify_url: str
    way: str
    made_ms: int
    expires_ms: int
    return_url: str = ""
    status: Status = Status.WAITING
    paid_fen: int = 0
    paid_ms: int = 0
    payer: str = ""
    refunds: dict[str, Repaid] = field(default_factory=dict)

    @property
    def gateway_number(self) -> str:
        """The gateway's own number of it."""
        return f"42{int.from_bytes(self.number.encode()[-10:], 'big'):026d}"

    @property
    def refunded_fen(self) -> int:
        return sum(each.amount_fen for each in self.refunds.values())


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill; *refund* is empty for a payment."""

    trade: Trade
    amount_fen: int
    fee_fen: int
    at_ms: int
    refund: str = ""


def fee_of(amount_fen: int) -> int:
    """0.6 %, to the nearest fen."""
    return (amount_fen * FEE_PER_MILLE + 500) // 1000


@dataclass(slots=True)
class Book:
    """All trades by provider and number. *spoilt* changes what bills say, to have differences to work off."""

    now_ms: Callable[[], int]
    trades: dict[tuple[str, str], Trade] = field(default_factory=dict)
    spoilt: dict[str, str] = field(default_factory=dict)  # number -> missing, amount

    def add(self, trade: Trade) -> Trade | None:
        """The trade, the one known already when it is asked for again as it was, None when a number is used twice."""
        key = trade.provider, trade.number
        known = self.trades.setdefault(key, trade)
        return known if (known.amount_fen, known.way) == (trade.amount_fen, trade.way) else None

    def get(self, provider: str, number: str) -> Trade | None:
        """A trade; one that nobody paid in time is closed by now."""
        trade = self.trades.get((provider, number))
        if trade is not None and trade.status in (Status.WAITING, Status.TYPING) and self.now_ms() > trade.expires_ms:
            trade.status = Status.CLOSED
        return trade

    def pay(self, trade: Trade, amount_fen: int | None = None) -> bool:
        """The payer pays, if it still can."""
        if trade.status not in (Status.WAITING, Status.TYPING):
            return False
        trade.status, trade.paid_ms = Status.PAID, self.now_ms()
        trade.paid_fen = trade.amount_fen if amount_fen is None else amount_fen
        trade.payer = trade.payer or "o-payer-0000000000000000000a"
        return True

    def repay(self, trade: Trade, number: str, amount_fen: int, notify_url: str) -> Repaid | None:
        """A refund, once for each number; None when it is more than there is."""
        if number in trade.refunds:
            return trade.refunds[number]
        if trade.status is not Status.PAID or not 0 < amount_fen <= trade.paid_fen - trade.refunded_fen:
            return None
        return trade.refunds.setdefault(number, Repaid(number, amount_fen, self.now_ms(), notify_url))

    def bill(self, provider: str, day: date) -> Iterator[Line]:
        """What happened on *day* in China, with the fee of each line."""
        for trade in self.trades.values():
            if trade.provider == provider and trade.status is Status.PAID:
                yield from (line for line in self._lines(trade) if _day(line.at_ms) == day)

    def _lines(self, trade: Trade) -> Iterator[Line]:
        how = self.spoilt.get(trade.number)
        if how != "missing":
            told = trade.paid_fen + 100 if how == "amount" else trade.paid_fen
            yield Line(trade, told, fee_of(trade.paid_fen), trade.paid_ms)
        for each in trade.refunds.values():
            yield Line(trade, each.amount_fen, -fee_of(each.amount_fen), each.made_ms, each.number)


def _day(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, CHINA).date()
