"""What a payment provider can do for us. One folder a provider speaks its language; nothing of it leaves the folder.

Amounts are whole fen, times UTC epoch milliseconds. Every call may raise ProviderError; after one nobody knows whether
the provider did it, so the caller asks again with ``query`` and never takes silence for a no.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable


class ProviderError(Exception):
    """A provider did not answer, or not in a way that can be believed. Nothing is known of what it did."""


class ProviderRefusedError(ProviderError):
    """The provider said no, with its own *code* and words; it did nothing."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(f"{code}: {words}")
        self.code = code


class BadNoticeError(Exception):
    """A notice whose signature, time or content is not the provider's: a forgery, a probe, or not for this account."""


class Way(StrEnum):
    """How the payer pays."""

    QR = "qr"  # scans a code that we show
    WALLET = "wallet"  # the page is open inside the wallet's own app
    PHONE = "phone"  # a phone's browser, which opens the wallet
    CODE = "code"  # shows a payment code that we scan (付款码)


class State(StrEnum):
    """What a provider knows of one try to pay, or of a refund."""

    PAID = "paid"
    WAITING = "waiting"  # not yet: nobody scanned it, or a password is being typed
    UNKNOWN = "unknown"  # ask again
    CLOSED = "closed"  # will never be paid
    REFUNDED = "refunded"  # paid once, and given back wholly or in part


@dataclass(frozen=True, slots=True)
class Charge:
    """One try to have an order paid. *number* is ours and never used twice (6 to 32 letters and digits)."""

    number: str
    amount_fen: int
    description: str
    expires_ms: int
    notify_url: str
    return_url: str = ""  # where the payer's browser goes afterwards
    payer: str = ""  # WALLET: who, in the provider's own terms
    address: str = ""  # PHONE: the payer's IP address


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the payer needs now; one of the three is filled."""

    qr_text: str = ""
    url: str = ""
    wallet: Mapping[str, str] = field(default_factory=dict)  # arguments of the wallet's own script


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the provider says of a try or a refund. *amount_fen* is what it says was paid or given back."""

    state: State
    amount_fen: int = 0
    provider_number: str = ""
    payer: str = ""
    happened_ms: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Repayment:
    """One refund: *number* is ours and the same in every repetition, so that asking twice gives back once."""

    number: str
    amount_fen: int
    total_fen: int
    reason: str
    notify_url: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a provider told us unasked, proved to be its own. *refund_number* is empty where a payment is meant."""

    notice_id: str
    charge_number: str
    outcome: Outcome
    refund_number: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a provider wants to hear when its notice was taken, or was not."""

    status: int
    body: str = ""
    content_type: str = "text/plain"


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line of a provider's daily bill: a payment, or with *refund_number* a refund. Fees are what it charges us."""

    charge_number: str
    amount_fen: int
    fee_fen: int
    provider_number: str
    happened_ms: int
    refund_number: str = ""


class PaymentProvider(Protocol):
    """One account at one provider."""

    kind: str  # its name in settings, addresses and words
    rank: int  # where a payer may choose, the smaller comes first
    ways: frozenset[Way]
    wallet: str  # what the browser inside its wallet calls itself

    async def prepare(self, charge: Charge, way: Way) -> Prepared:
        """Make *charge* known to the provider, so that it can be paid."""

    async def pay_by_code(self, charge: Charge, code: str) -> Outcome:
        """Take the money by the payer's code: PAID, WAITING (a password), UNKNOWN or CLOSED."""

    def takes(self, code: str) -> bool:
        """Whether *code* looks like a payment code of this provider's wallet."""

    async def query(self, number: str) -> Outcome:
        """What became of a charge."""

    async def close(self, number: str) -> None:
        """Let nobody pay a charge any more. Raises ProviderRefusedError when it is paid."""

    async def reverse(self, number: str) -> None:
        """Undo a charge taken by code whose end is unknown: not paid, or given back at once."""

    async def refund(self, number: str, repayment: Repayment) -> Outcome:
        """Give back a part of a charge by the way it came. Asking twice gives back once."""

    async def query_refund(self, number: str, refund_number: str) -> Outcome:
        """What became of a refund: REFUNDED, WAITING or CLOSED; UNKNOWN: the provider knows of no such refund."""

    async def bill(self, day: date) -> Sequence[BillLine]:
        """Everything of one day by the provider's own calendar (China time)."""

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice | None:
        """The notice, proved; None for one that needs no act of ours. Raises BadNoticeError."""

    def reply(self, *, taken: bool) -> Reply:
        """The answer to a notice."""

    async def aclose(self) -> None:
        """Let go of connections."""


@runtime_checkable
class KnowsPayers(Protocol):
    """A provider that must be told who pays inside its wallet, and tells us who opened a page there."""

    script: Path  # what runs on that page and speaks with the wallet

    def ask_who(self, back: str, state: str) -> str:
        """Where to send a browser inside the wallet; it comes back to *back* with ``code`` and *state*."""

    async def who(self, code: str) -> str:
        """The payer a *code* stands for (good once). Raises ProviderError."""
