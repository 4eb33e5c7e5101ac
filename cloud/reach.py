"""Whose lots somebody sees and runs: all of the operator's, or those named (E65)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, true


@dataclass(frozen=True, slots=True)
class Lots:
    """Lots of one operator; None names them all. Stands wherever a row's operator is asked for."""

    named: frozenset[int] | None = None

    def __contains__(self, lot_id: object) -> bool:
        return self.named is None or lot_id in self.named

    def hold(self, lot_id: ColumnElement[Any]) -> ColumnElement[bool]:
        """Is the lot of a row one of these? A row of no lot is nobody's but of who has them all."""
        return true() if self.named is None else lot_id.in_(sorted(self.named))


EVERY = Lots()
