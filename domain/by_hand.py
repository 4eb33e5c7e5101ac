"""What is left of payments made by hand once some of their sum went back: the newest goes back first."""

from __future__ import annotations

from collections.abc import Iterable


def left_of(moves: Iterable[tuple[str, int]]) -> dict[str, int]:
    """By payment, in the order they were made, what of it has not gone back.

    *moves* in the order they happened: a payment by its name and what was paid, or "" and what went back then; below 0:
    what had gone back is there again, in the payments it was taken from last.
    """
    left: dict[str, int] = {}
    gone: list[tuple[str, int]] = []
    for name, amount in moves:
        if name:
            left[name] = amount
        elif amount > 0:
            _take(left, gone, amount)
        else:
            _put_back(left, gone, -amount)
    return left


def _take(left: dict[str, int], gone: list[tuple[str, int]], amount: int) -> None:
    for name in reversed(left):
        part = min(amount, left[name])
        if part:
            left[name] -= part
            gone.append((name, part))
            amount -= part


def _put_back(left: dict[str, int], gone: list[tuple[str, int]], amount: int) -> None:
    while amount and gone:
        name, part = gone.pop()
        again = min(part, amount)
        left[name] += again
        amount -= again
        if again < part:
            gone.append((name, part - again))
