"""The desk: speaks with the providers, and writes what they say. No transaction is open while it waits for one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from aiohttp import web
from sqlalchemy import Connection, RowMapping

from cloud.act import Act, Refused
from cloud.db import Database
from cloud.payments import accounts, bills, notices, orders, refunds, tries
from cloud.payments.comparing import Difference
from cloud.payments.orders import Duties, PayOrder, Settled
from cloud.payments.provider import (
    BillLine,
    Charge,
    Notice,
    Outcome,
    PaymentProvider,
    Prepared,
    ProviderError,
    ProviderRefusedError,
    Repayment,
    State,
    Way,
)

log = logging.getLogger(__name__)

SERVICE = "payments"  # who does what no person asked for
ROUND_S = 2.0
CODE_ASK_S, CODE_ASKS = 5.0, 12  # a code's payer has a minute for the password, then the charge is undone
CODE_OVER_MS = 90_000
BILLS_EVERY_MS = 600_000
UNDO_TRIES = 3


@dataclass(slots=True)
class Desk:
    """*providers* by the name of their account. *changed* is called after money moved."""

    db: Database
    act: Callable[[str], Act]
    providers: Mapping[str, PaymentProvider]
    duties: Duties
    base_url: Callable[[], str]
    changed: Callable[[], None] = lambda: None
    sleep: Callable[[float], Awaitable[Any]] = field(default=asyncio.sleep)
    fee_per_mille: int = 0
    bills_ms: int = 0  # when to look for bills next

    async def start(self) -> None:
        """Know the accounts of the settings file."""
        kinds = {name: provider.kind for name, provider in self.providers.items()}
        await self.db.run(accounts.keep, self.act(SERVICE), kinds)

    async def aclose(self) -> None:
        """Let go of every provider."""
        for provider in self.providers.values():
            await provider.aclose()

    async def offers(self, order: PayOrder) -> dict[str, PaymentProvider]:
        """Which providers may take the money of *order*, by kind."""
        chosen = await self.db.run(accounts.choose, order.operator_id, order.lot_id, order.purpose)
        return {kind: self.providers[row["name"]] for kind, row in chosen.items() if row["name"] in self.providers}

    async def prepare(
        self, order_id: str, provider: str, way: Way, payer: str = "", address: str = ""
    ) -> Prepared | Refused:
        """What the payer needs to pay *order_id* this way. Raises ProviderError."""
        begun = await self._begin(order_id, provider, way, payer)
        if isinstance(begun, Refused) or begun.prepared is not None:
            return begun if isinstance(begun, Refused) else begun.prepared or Prepared()
        made = await self.providers[begun.account].prepare(self._charge(begun, payer, address), way)
        await self.db.run(tries.prepared, begun.number, made)
        return made

    async def _begin(self, order_id: str, provider: str, way: Way, payer: str = "") -> tries.Begun | Refused:
        begun = await self.db.run(tries.begin, self.act(SERVICE), order_id, provider, way, payer)
        if isinstance(begun, tries.Begun) and begun.account not in self.providers:
            return Refused("provider_unknown")
        return begun

    def _charge(self, begun: tries.Begun, payer: str, address: str) -> Charge:
        base = self.base_url()
        return begun.charge(self.notice_url(begun.account), f"{base}{begun.order.cashier_path}?back=1", payer, address)

    def notice_url(self, account: str) -> str:
        """Where a provider tells us of an account's money."""
        return f"{self.base_url()}/api/payments/notices/{account}"

    async def pay_by_code(self, order_id: str, code: str) -> Outcome | Refused:
        """Take the money by the code a payer shows: at the end it is PAID, or CLOSED and undone (within 70 s or so)."""
        order = await self.db.run(orders.get, self.act(SERVICE).operator_id, order_id)
        offers = {} if order is None else await self.offers(order)
        kind = next((kind for kind, each in offers.items() if each.takes(code)), None)
        begun = Refused("code_unknown") if kind is None else await self._begin(order_id, kind, Way.CODE)
        if isinstance(begun, Refused):
            return begun
        provider = self.providers[begun.account]
        outcome = await _taken(provider.pay_by_code(self._charge(begun, "", ""), code))
        for _ in range(CODE_ASKS):
            if outcome.state in (State.PAID, State.CLOSED):
                break
            await self.sleep(CODE_ASK_S)
            outcome = await _or_unknown(provider.query(begun.number))
        if outcome.state not in (State.PAID, State.CLOSED):
            outcome = await self._undo(provider, begun.number)
        await self.settle(begun.number, outcome)
        return outcome

    async def look_at(self, order: PayOrder) -> None:
        """Ask about every try of *order* that waits, now: its payer is back and wants to know."""
        for row in await self.db.run(orders.tries, order.order_id):
            if row["state"] == "waiting":
                await self.look(row["number"])

    async def _undo(self, provider: PaymentProvider, number: str) -> Outcome:
        """Reverse a charge; UNKNOWN leaves it to the rounds, which ask until there is an end."""
        for _ in range(UNDO_TRIES):
            try:
                await provider.reverse(number)
            except ProviderError as exc:
                log.warning("charge %s not reversed yet: %s", number, exc)
                await self.sleep(CODE_ASK_S)
            else:
                return Outcome(State.CLOSED, detail="reversed")
        return Outcome(State.UNKNOWN)

    async def settle(self, number: str, outcome: Outcome) -> Settled:
        """Write a provider's word on one try."""
        done = await self.db.run(orders.settled, self.act(SERVICE), self.duties, number, outcome)
        if done is not Settled.NOTHING:
            self.changed()
        return done

    async def take_notice(self, account: str, notice: Notice) -> str:
        """Write what a provider told us; what came of it."""
        done = await self.db.run(self._take_notice, account, notice)
        self.changed()
        return done

    def _take_notice(self, conn: Connection, account: str, notice: Notice) -> str:
        act = self.act(SERVICE)
        known = {row["name"]: row["account_id"] for row in accounts.accounts(conn, act.operator_id)}
        return notices.take(conn, act, self.duties, known[account], notice)

    async def look(self, number: str) -> Outcome:
        """Ask the provider about one try now, and write what it says."""
        row = await self.db.run(tries.get, self.act(SERVICE).operator_id, number)
        if row is None or row["account"] not in self.providers:
            return Outcome(State.UNKNOWN)
        return await self._ask(row)

    async def _ask(self, row: RowMapping) -> Outcome:
        provider, number = self.providers[row["account"]], row["number"]
        outcome = await _or_unknown(provider.query(number))
        if outcome.state in (State.WAITING, State.UNKNOWN) and self._is_over(row):
            outcome = await self._close(provider, row)
        if outcome.state in (State.WAITING, State.UNKNOWN):
            await self.db.run(tries.put_off, self.act(SERVICE), number)
        else:
            await self.settle(number, outcome)
        return outcome

    def _is_over(self, row: RowMapping) -> bool:
        """Nobody waits for this try: its order ended, or the till that took the code is gone."""
        over_ms: int = row["created_ms"] + CODE_OVER_MS
        is_ended: bool = row["order_state"] != "open"
        return is_ended or (row["way"] == Way.CODE.value and self.act(SERVICE).now_ms > over_ms)

    async def _close(self, provider: PaymentProvider, row: RowMapping) -> Outcome:
        """Nobody wants this money any more. A provider that refuses has been paid, which the next question shows."""
        try:
            await (provider.reverse if row["way"] == Way.CODE else provider.close)(row["number"])
        except ProviderError as exc:
            log.info("charge %s not closed: %s", row["number"], exc)
            return Outcome(State.UNKNOWN)
        return Outcome(State.CLOSED)

    async def run(self) -> None:
        """Rounds until cancelled."""
        while True:
            await self.sleep(ROUND_S)
            await self.round()

    async def round(self) -> None:
        """End orders whose time is over, ask about tries, send refunds."""
        act = self.act(SERVICE)
        if await self.db.run(orders.expire, act):
            self.changed()
        for row in await self.db.run(tries.to_ask, act.operator_id, act.now_ms):
            if row["account"] in self.providers:
                await self._guarded(self._ask(row), row["number"])
            await self.db.run(_still_due, act, row)
        for row in await self.db.run(refunds.to_send, act.operator_id, act.now_ms):
            await self._guarded(self._send(row), row["refund_id"])
        if act.now_ms >= self.bills_ms:
            self.bills_ms = act.now_ms + BILLS_EVERY_MS
            for account_id, name, day in await self.db.run(bills.days_due, act.operator_id, act.now_ms):
                await self._guarded(self.take_bill(account_id, name, day), f"bill {name} {day}")

    async def take_bill(self, account_id: int, name: str, day: date) -> list[Difference] | None:
        """Lay the provider's bill of a day beside ours; None when there is none yet. Raises ProviderError."""
        provider = self.providers.get(name)
        if provider is None:
            return None
        lines = await provider.bill(day)
        for number in await self.db.run(bills.unheard, account_id, lines):
            await self.settle(number, await _or_unknown(provider.query(number)))
        return await self.db.run(self._take_bill, account_id, day, lines)

    def _take_bill(self, conn: Connection, account_id: int, day: date, lines: Sequence[BillLine]) -> list[Difference]:
        return bills.take(conn, self.act(SERVICE), self.duties, account_id, day, lines, self.fee_per_mille)

    async def _guarded(self, work: Awaitable[object], what: str) -> None:
        """One piece of a round: what breaks it must not keep the rest of the money waiting."""
        try:
            await work
        except Exception:
            log.exception("payment %s could not be worked on", what)

    async def _send(self, row: RowMapping) -> None:
        names = {each["account_id"]: each["name"] for each in await self.db.run(accounts.accounts, row["operator_id"])}
        provider = self.providers.get(names[row["account_id"]])
        outcome = Outcome(State.UNKNOWN, detail="no such account in the settings")
        if provider is not None:
            outcome = await self._repay(provider, names[row["account_id"]], row)
        await self.db.run(self._heard, row, outcome)
        self.changed()

    def _heard(self, conn: Connection, row: RowMapping, outcome: Outcome) -> None:
        notices.refund_heard(conn, self.act(SERVICE), self.duties, row, outcome)

    async def _repay(self, provider: PaymentProvider, account: str, row: RowMapping) -> Outcome:
        repayment = Repayment(
            row["refund_id"], row["amount_fen"], row["paid_fen"], row["reason"], self.notice_url(account)
        )
        try:
            if row["state"] == "sent":
                outcome = await provider.query_refund(row["number"], row["refund_id"])
                if outcome.state is not State.UNKNOWN:
                    return outcome
            return await provider.refund(row["number"], repayment)
        except ProviderRefusedError as exc:
            return Outcome(State.CLOSED, detail=str(exc))
        except ProviderError as exc:
            return Outcome(State.UNKNOWN, detail=str(exc))


def _still_due(conn: Connection, act: Act, row: RowMapping) -> None:
    """A try that broke its round waits for a later one."""
    now = tries.get(conn, act.operator_id, row["number"])
    if now is not None and now["ask_ms"] == row["ask_ms"]:
        tries.put_off(conn, act, row["number"])


DESK = web.AppKey("desk", Desk)


async def _or_unknown(question: Awaitable[Outcome]) -> Outcome:
    """A provider's word; its silence, and a question it will not take, tell nothing."""
    try:
        return await question
    except ProviderError as exc:
        return Outcome(State.UNKNOWN, detail=str(exc))


async def _taken(charge: Awaitable[Outcome]) -> Outcome:
    """What came of a code; one that was refused took nothing."""
    try:
        return await charge
    except ProviderRefusedError as exc:
        return Outcome(State.CLOSED, detail=str(exc))
    except ProviderError as exc:
        return Outcome(State.UNKNOWN, detail=str(exc))
