"""A provider's bill of one day beside our own book, line by line (E72). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cloud.payments.provider import BillLine

KINDS = (
    "not_ours",  # paid there, unknown or unpaid here
    "not_in_bill",  # paid here, unknown there
    "amount",
    "refund_not_ours",
    "refund_not_in_bill",
    "refund_amount",
    "fee",  # charged otherwise than agreed
)


@dataclass(frozen=True, slots=True)
class Ours:
    """A payment of ours, or with *refund_id* a refund."""

    number: str
    amount_fen: int
    refund_id: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One thing the two books do not share; 0 fen where a side has nothing."""

    kind: str
    number: str
    refund_id: str
    ours_fen: int
    theirs_fen: int


def compare(ours: Sequence[Ours], theirs: Sequence[BillLine], fee_per_mille: int) -> list[Difference]:
    """Every difference, sorted. Fees of payments are compared with the agreed rate to one fen; 0: not compared."""
    undone = {line.charge_number for line in theirs if line.refund_number == "REVOKED"}
    lines = {(line.charge_number, line.refund_number): line for line in theirs if line.charge_number not in undone}
    book = {(one.number, one.refund_id): one for one in ours}
    found = [_between(key, book.get(key), lines.get(key)) for key in lines.keys() | book.keys()]
    fees = _fees(lines.values(), fee_per_mille) if fee_per_mille else []
    return sorted([*(each for each in found if each is not None), *fees])


def _between(key: tuple[str, str], ours: Ours | None, line: BillLine | None) -> Difference | None:
    mine, their = (ours.amount_fen if ours else 0), (line.amount_fen if line else 0)
    if ours is not None and line is not None and mine == their:
        return None
    kind = "not_ours" if ours is None else "not_in_bill" if line is None else "amount"
    return Difference(f"refund_{kind}" if key[1] else kind, *key, mine, their)


def _fees(lines: Iterable[BillLine], per_mille: int) -> Iterable[Difference]:
    for line in lines:
        agreed = (line.amount_fen * per_mille + 500) // 1000
        if not line.refund_number and abs(line.fee_fen - agreed) > 1:
            yield Difference("fee", line.charge_number, "", agreed, line.fee_fen)
