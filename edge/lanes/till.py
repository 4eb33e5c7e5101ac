"""A driver's payment code (付款码) at the booth or the lane: only with a line to the cloud, and never two at a time.

The cloud takes the money; the lot books it when the cloud's list tells of it, as any payment by phone. So what is shown
here moves nothing: an answer that was lost costs a look, and no money.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import aiohttp

from domain.decision import Refuse
from domain.fee_quote import CODE_ASK
from domain.scanned import ScannedKind, recognise
from domain.voucher import Sign
from domain.wire import Json, signed
from edge.lanes.phone import PhoneDesk
from edge.trust import trust_of_cloud

log = logging.getLogger(__name__)

ANSWER_S = 8.0
REMEMBERED = 200
NOTHING = "none"  # the cloud never heard of a code for this quote


class Charged(StrEnum):
    """How a charge stands."""

    PAID = "paid"
    WAITING = "waiting"  # the payer types a password, or the provider has not said
    CLOSED = "closed"  # nothing was taken
    UNKNOWN = "unknown"  # the cloud did not answer: it may have been taken


@dataclass(frozen=True, slots=True)
class Charge:
    """*token* is the quote it is for; *why* a code from the cloud where nothing was taken."""

    token: str
    state: Charged
    why: str = ""

    @property
    def waits(self) -> bool:
        """May more be heard of it, so that no other code is taken?"""
        return self.state is not Charged.CLOSED


class CodeTill:
    """Charges by payment code, one a stay at a time."""

    def __init__(
        self, edge: str, url_file: Path, ca: Path | None, sign: Sign, phone: PhoneDesk, link_state: Callable[[], str]
    ) -> None:
        self._edge, self._url_file, self._ca, self._sign = edge, url_file, ca, sign
        self._phone, self._link_state = phone, link_state
        self._charges: dict[str, Charge] = {}

    @property
    def is_open(self) -> bool:
        """Is there a line, so that a code can be taken?"""
        return self._link_state() == "online" and self._url_file.exists()

    async def charge(self, stay_id: str, scanned: str) -> Charge | Refuse:
        """Take a code for what a stay owes. Refuses ``no_link``, ``not_a_payment_code`` and as the quote does.

        While the last code's end is not known no other is taken: the answer is how that one stands.
        """
        code = recognise(scanned)
        if code.kind is not ScannedKind.PAYMENT_CODE:
            return Refuse("not_a_payment_code")
        before = await self.look(stay_id)
        if before is not None and before.waits:
            return before
        if not self.is_open:
            return Refuse("no_link")
        shown = await self._phone.quote(stay_id)
        if isinstance(shown, Refuse):
            return shown
        return await self._ask(stay_id, shown.token, code.token)

    async def look(self, stay_id: str) -> Charge | None:
        """How the last charge of a stay stands, None when there was none."""
        last = self._charges.get(stay_id)
        if last is None or last.state in (Charged.PAID, Charged.CLOSED):
            return last
        asked = await self._ask(stay_id, last.token, "")
        return last if isinstance(asked, Refuse) else asked

    async def _ask(self, stay_id: str, token: str, code: str) -> Charge | Refuse:
        body: Json = {"edge_id": self._edge, "quote": token} | ({"code": code} if code else {})
        url = self._url_file.read_text(encoding="utf-8").strip().rstrip("/")
        message = signed(CODE_ASK, self._edge, body, self._sign)
        timeout = aiohttp.ClientTimeout(total=ANSWER_S)
        try:
            trust = trust_of_cloud(self._ca)
        except OSError as exc:
            log.warning("cloud_ca cannot be used, so no payment code is sent: %s", exc)
            return Refuse("no_link")
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(f"{url}/api/fees/code", json=message, ssl=trust) as answer,
            ):
                answer.raise_for_status()
                said = await answer.json()
            state = str(said["state"])
            charge = Charge(token, Charged.CLOSED if state == NOTHING else Charged(state), str(said.get("why", "")))
        except aiohttp.ClientConnectorError as exc:
            log.info("a payment code was not sent: %s", exc)
            return Refuse("no_link")
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as exc:
            log.warning("what came of a payment code is not known yet: %s", type(exc).__name__)
            charge = Charge(token, Charged.UNKNOWN)
        self._charges[stay_id] = charge
        while len(self._charges) > REMEMBERED:
            self._charges.pop(next(iter(self._charges)))
        return charge
