"""Paying by phone here: the quote a phone is shown; passes, digits and the cloud's list that tell of payments.

A lane where the car waits looks at what it owes every second, so whatever is booked here opens by the lane's own
decision.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from domain import fee_quote
from domain.decision import Refuse
from domain.fee_quote import FeeQuote
from domain.tries import Tries
from edge.db import phone
from edge.db.database import DiskFullError
from edge.db.phone import PhonePayment
from edge.lanes.office import Office
from edge.services import giving_back, phone_paying
from edge.services.phone_quotes import quote_stay, seal_of, token_of

LOOK_S = 0.5
TRIES, TRIES_S = 5, 600.0  # of eight digits for one stay
ALL_TRIES = 20  # for the whole lot


@dataclass(frozen=True, slots=True)
class Shown:
    """A quote and its signed text."""

    quote: FeeQuote
    token: str


class PhoneDesk:
    """Quotes out, payments in. *host* is where phones find the cloud."""

    def __init__(self, office: Office, host: str) -> None:
        self._office, self._host = office, host
        self._tries, self._all = Tries(TRIES, TRIES_S), Tries(ALL_TRIES, TRIES_S)

    def link_of(self, shown: Shown) -> str:
        """What a phone opens to pay."""
        return fee_quote.link_of(f"https://{self._host}", shown.token)

    async def quote(self, stay_id: str) -> Shown | Refuse:
        """What a stay owes now, to be paid by phone. Refuses as ``quote_stay``, and ``not_recorded``."""
        office = self._office
        try:
            made = await office.commit(quote_stay, office.db, office.lot, stay_id, office.now())
        except DiskFullError:
            return Refuse("not_recorded")
        if isinstance(made, Refuse):
            return made
        return Shown(made, token_of(office.lot, made, await office.read(seal_of)))

    async def take_pass(self, token: str) -> PhonePayment | Refuse:
        """Take what an exit pass tells of. Refuses ``pass_not_ours`` and ``not_recorded``."""
        office = self._office
        try:
            return await office.commit(phone_paying.take_pass, office.db, office.lot, token, office.now())
        except DiskFullError:
            return Refuse("not_recorded")

    async def take_digits(self, stay_id: str, typed: str) -> PhonePayment | Refuse:
        """Take what eight digits prove. Refuses ``pass_code_wrong``, ``pass_code_tries`` and ``not_recorded``."""
        office, now = self._office, asyncio.get_running_loop().time()
        if not (self._tries.take(stay_id, now) and self._all.take("", now)):
            return Refuse("pass_code_tries")
        try:
            taken = await office.commit(phone_paying.take_code, office.db, office.lot, stay_id, typed, office.now())
        except DiskFullError:
            return Refuse("not_recorded")
        if not isinstance(taken, Refuse):
            self._tries.forget(stay_id)
        return taken

    async def run(self) -> None:
        """Take what the cloud's lists tell of, as it comes, until cancelled: payments, and coupons that come late."""
        office = self._office
        looked: tuple[int, ...] = ()
        while True:
            if looked != (news := await office.thread.run(phone.news, office.db.conn)):
                with suppress(DiskFullError):  # the lists keep it until it is taken
                    await office.commit(phone_paying.take_listed, office.db, office.lot, office.now())
                    await office.commit(giving_back.give_back, office.db, office.lot, office.now())
                    looked = news
            await asyncio.sleep(LOOK_S)
