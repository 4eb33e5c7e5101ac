"""Orders paid in tests without a provider, and a provider that says what it is told to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection

from cloud.act import Act
from cloud.payments import accounts, orders, tries
from cloud.payments.orders import Duties, PayOrder, Settled
from cloud.payments.provider import (
    BillLine,
    Charge,
    Notice,
    Outcome,
    Prepared,
    ProviderError,
    Repayment,
    Reply,
    State,
    Way,
)

WAYS = frozenset(Way)


@dataclass
class Till:
    """A provider whose answers are set by number; "" is for every other one. Remembers what it was asked."""

    kind: str = "till"
    rank: int = 3
    wallet: str = "TillWallet"
    ways: frozenset[Way] = WAYS
    says: dict[str, Outcome | ProviderError] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)

    def _answer(self, what: str, number: str) -> Outcome:
        self.asked.append((what, number))
        said = self.says.get(what) or self.says.get(number) or Outcome(State.WAITING)
        if isinstance(said, ProviderError):
            raise said
        return said

    async def prepare(self, charge: Charge, way: Way) -> Prepared:
        self.charges.append(charge)
        return Prepared(qr_text=f"till:{charge.number}")

    async def pay_by_code(self, charge: Charge, code: str) -> Outcome:
        self.charges.append(charge)
        return self._answer("code", charge.number)

    def takes(self, code: str) -> bool:
        return code.startswith("13")

    async def query(self, number: str) -> Outcome:
        return self._answer("query", number)

    async def close(self, number: str) -> None:
        self._answer("close", number)

    async def reverse(self, number: str) -> None:
        self._answer("reverse", number)

    async def refund(self, number: str, repayment: Repayment) -> Outcome:
        return self._answer("refund", repayment.number)

    async def query_refund(self, number: str, refund_number: str) -> Outcome:
        return self._answer("query_refund", refund_number)

    async def bill(self, day: date) -> Sequence[BillLine]:
        return []

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice | None:
        return None

    def reply(self, *, taken: bool) -> Reply:
        return Reply(200 if taken else 500)

    async def aclose(self) -> None:
        return None


def begun(conn: Connection, act: Act, order: PayOrder, provider: str = "till") -> str:
    """The number of a fresh try to pay *order*."""
    accounts.keep(conn, act, {provider: provider})
    made = tries.begin(conn, act, order.order_id, provider, Way.QR)
    assert isinstance(made, tries.Begun), made
    return made.number


def pay(conn: Connection, act: Act, duties: Duties, order: PayOrder, provider: str = "till") -> Settled:
    """Have *order* paid, as if a provider had said so."""
    number = begun(conn, act, order, provider)
    return orders.settled(conn, act, duties, number, Outcome(State.PAID, order.amount_fen, f"p-{number}"))
