"""What a kept receipt says on paper: of a fee, of a refund, of debts paid without a visit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from domain.slip_faces import DebtReceipt, Receipt, RefundReceipt, adjustments, tendered
from domain.wire import Json
from edge.db.receipts import ReceiptRow
from edge.printing import language_of
from edge.services.lot import Lot

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Wording:
    """A receipt's lines in the words of the lot's language: a rule of the price list, a step of a coupon."""

    rule: Callable[[str], str]
    coupon: Callable[[Json], str]


def face_of(row: ReceiptRow, lot: Lot, wording: Wording, copy: int) -> Receipt | RefundReceipt | DebtReceipt:
    """By what it was kept for."""
    match row.body.get("kind"):
        case "refund":
            return _refund(row, lot, copy)
        case "debts":
            return _debts(row, lot, copy)
        case _:
            return _fee(row, lot, wording, copy)


def _fee(row: ReceiptRow, lot: Lot, wording: Wording, copy: int) -> Receipt:
    said, language = row.body, language_of(lot)
    handed = int(said["tendered_fen"])
    off = tuple((wording.coupon(step), int(step["after"]) - int(step["before"])) for step in said["coupons"])
    more = adjustments(int(said["waived_fen"]), int(said["paid_fen"]), int(said["debts_fen"]), language)
    return Receipt(
        lot=lot.name, number=number(row.number), plate=row.plate, entered=lot.local(int(said["entered_ms"])),
        left=lot.local(row.wall_ms), minutes=max(0, row.wall_ms - int(said["entered_ms"])) // MINUTE_MS,
        fee_lines=tuple((wording.rule(line["rule"]), int(line["fen"])) for line in said["lines"]),
        lines=off + more, fee_fen=int(said["fee_fen"]), due_fen=int(said["due_fen"]),
        paid=tendered(handed, language), change_fen=handed - row.amount_fen, cashier=row.by, till=row.workstation,
        copy=copy,
    )  # fmt: skip


def _refund(row: ReceiptRow, lot: Lot, copy: int) -> RefundReceipt:
    said = row.body
    return RefundReceipt(
        lot=lot.name, number=number(row.number), plate=row.plate, at=lot.local(row.wall_ms),
        of=number(int(said["of"])) if said["of"] else "", reason=str(said["reason"]), amount_fen=-row.amount_fen,
        cashier=row.by, approved_by=str(said["approved_by"]), till=row.workstation, copy=copy,
    )  # fmt: skip


def _debts(row: ReceiptRow, lot: Lot, copy: int) -> DebtReceipt:
    said = row.body
    handed = int(said["tendered_fen"])
    return DebtReceipt(
        lot=lot.name, number=number(row.number), plate=row.plate, at=lot.local(row.wall_ms),
        debts=tuple((lot.local(int(one["wall_ms"])), int(one["fen"])) for one in said["debts"]),
        paid_fen=row.amount_fen, left_fen=int(said["left_fen"]), paid=tendered(handed, language_of(lot)),
        change_fen=handed - row.amount_fen, cashier=row.by, till=row.workstation, copy=copy,
    )  # fmt: skip


def number(value: int) -> str:
    """A receipt's number as it stands on paper."""
    return f"{value:06d}"
