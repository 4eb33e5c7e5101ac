"""A driver's payment code (付款码) at the booth or the lane: only with a line to the cloud, and never two at a time.

The cloud takes the money; the lot books it when the cloud's list tells of it, as any payment by phone. So what is shown
here moves nothing: an answer that was lost costs a look, and no money.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.decision import Refuse
from domain.fee_quote import CODE_ASK
from domain.scanned import ScannedKind, recognise
from edge.lanes.cloud_line import CloudLine, NoAnswerError, NotAskedError
from edge.lanes.phone import PhoneDesk

ASK_PATH = "/api/fees/code"
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

    def __init__(self, cloud: CloudLine, phone: PhoneDesk) -> None:
        self._cloud, self._phone = cloud, phone
        self._charges: dict[str, Charge] = {}

    @property
    def is_open(self) -> bool:
        """Is there a line, so that a code can be taken?"""
        return self._cloud.is_open

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
        try:
            said = await self._cloud.ask(ASK_PATH, CODE_ASK, {"quote": token} | ({"code": code} if code else {}))
            state = str(said["state"])
            charge = Charge(token, Charged.CLOSED if state == NOTHING else Charged(state), str(said.get("why", "")))
        except NotAskedError:
            return Refuse("no_link")
        except (NoAnswerError, ValueError, KeyError):
            charge = Charge(token, Charged.UNKNOWN)
        self._charges[stay_id] = charge
        while len(self._charges) > REMEMBERED:
            self._charges.pop(next(iter(self._charges)))
        return charge
