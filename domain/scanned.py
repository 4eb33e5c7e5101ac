"""What a scanner held in front of it: a voucher, an entry ticket, an exit pass, or something that is none of ours.

Every paper of ours says its kind twice: the letter in the link a phone opens (``https://HOST/T/…``) and the first three
characters of the token itself. What the token is worth is for the service of its kind to say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class ScannedKind(StrEnum):
    """Whose business a scanned text is."""

    VOUCHER = "voucher"  # 停车券, bought by a merchant
    ENTRY_TICKET = "entry_ticket"  # 入场凭证, taken at the entry by a car without a plate
    EXIT_PASS = "exit_pass"  # noqa: S105 - 出场凭证, given when a stay was settled away from the lane
    CLAIM_CODE = "claim_code"  # 领取码, a shop's coupon that a phone binds to its car
    PAYMENT_CODE = "payment_code"  # 付款码 of a wallet: somebody's money for a minute, never kept and never logged
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Scanned:
    """*token* is the text within the link; for UNKNOWN the whole text, less white space around it."""

    kind: ScannedKind
    token: str


TICKET_PREFIX = "LT1"
PASS_PREFIX = "LP1"  # noqa: S105
CLAIM_PREFIX = "LC1"
_LETTERS = {
    "V": ScannedKind.VOUCHER,
    "T": ScannedKind.ENTRY_TICKET,
    "P": ScannedKind.EXIT_PASS,
    "C": ScannedKind.CLAIM_CODE,
}
_PREFIXES = {
    "LG1": ScannedKind.VOUCHER,
    TICKET_PREFIX: ScannedKind.ENTRY_TICKET,
    PASS_PREFIX: ScannedKind.EXIT_PASS,
    CLAIM_PREFIX: ScannedKind.CLAIM_CODE,
}
_LINK = re.compile(r"https://[^/\s]{1,128}/([VTPC])/(\S*)", re.IGNORECASE)
_PAYMENT_CODE = re.compile(r"1[0-5]\d{16}|(?:2[5-9]|30)\d{14,22}", re.ASCII)  # what wallets show


def recognise(text: str) -> Scanned:
    """Tell the kinds apart by their form alone; nothing is believed of what the token says."""
    bare = text.strip()
    link = _LINK.fullmatch(bare)
    token = link[2] if link else bare
    by_prefix = _PREFIXES.get(token[:3].upper(), ScannedKind.UNKNOWN)
    if link is None:
        return Scanned(ScannedKind.PAYMENT_CODE if _PAYMENT_CODE.fullmatch(bare) else by_prefix, token)
    kind = _LETTERS[link[1].upper()]
    return Scanned(kind, token) if kind is by_prefix else Scanned(ScannedKind.UNKNOWN, bare)


def link_of(host: str, kind: ScannedKind, token: str) -> str:
    """What the QR of a paper holds: a link in capitals, which a phone opens and :func:`recognise` takes apart."""
    letter = next(letter for letter, one in _LETTERS.items() if one is kind)
    return f"HTTPS://{host.upper()}/{letter}/{token}"
