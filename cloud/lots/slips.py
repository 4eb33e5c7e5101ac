"""How a lot's slips are laid out, set here and told to its edge (docs/slips.md).

The row of the edge's channel is where it is kept: a lot without an edge prints nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.lots.edges import edge_of_lot
from cloud.lots.service import name_of
from cloud.reach import EVERY, Lots
from cloud.sync.channels import put_row, rows_of
from cloud.sync.cursors import printers
from domain.slip_layouts import Layout
from domain.slip_parse import LayoutError
from domain.slip_samples import LAYOUTS
from domain.wire import Json
from plumbing.paper.profile import Profile
from plumbing.paper.shipped import layout_of, shipped_text

CHANNEL: Final = "config"


@dataclass(frozen=True, slots=True)
class OwnSlip:
    """Lines above and below a slip, and the file of its layout ("": the shipped one)."""

    head: tuple[str, ...] = ()
    foot: tuple[str, ...] = ()
    text: str = ""

    def layout(self, name: str) -> Layout:
        """The layout these make. Raises LayoutError."""
        return layout_of(name, self.text, self.head, self.foot)


def own_of(conn: Connection, operator_id: int, lot_id: int, name: str, within: Lots = EVERY) -> OwnSlip | None:
    """What was set for a lot's slips called *name*; None where its own file counts."""
    edge_id = edge_of_lot(conn, lot_id) if name_of(conn, operator_id, lot_id, within) else None
    row = dict(rows_of(conn, edge_id, CHANNEL)).get(_key(name)) if edge_id else None
    return None if row is None else OwnSlip(tuple(row["head"]), tuple(row["foot"]), str(row["text"]))


def printers_of(conn: Connection, operator_id: int, lot_id: int, within: Lots = EVERY) -> dict[str, Profile]:
    """A lot's printers by name, as its edge told them."""
    edge_id = edge_of_lot(conn, lot_id) if name_of(conn, operator_id, lot_id, within) else None
    return printers(conn, edge_id) if edge_id else {}


def typed(head: str, foot: str, text: str, name: str) -> OwnSlip:
    """What a form says; the shipped file unchanged is none of the lot's own."""
    text = text.replace("\r\n", "\n").strip()
    return OwnSlip(_lines(head), _lines(foot), "" if text == shipped_text(name).strip() else text)


def set_own(conn: Connection, act: Act, lot_id: int, name: str, own: OwnSlip | None) -> Refused | None:
    """Tell the lot's edge how to lay a slip out; None: as its own file says. It counts from the next one printed."""
    if name not in LAYOUTS or not name_of(conn, act.operator_id, lot_id, act.within):
        return Refused("lot_unknown")
    edge_id = edge_of_lot(conn, lot_id)
    if edge_id is None:
        return Refused("slips_without_edge")
    try:
        row: Json | None = None
        if own is not None:
            own.layout(name)
            row = {"head": list(own.head), "foot": list(own.foot), "text": own.text}
    except LayoutError as exc:
        return Refused("slip_layout_wrong", {"problem": str(exc)})
    before = dict(rows_of(conn, edge_id, CHANNEL)).get(_key(name))
    put_row(conn, act.operator_id, edge_id, CHANNEL, _key(name), row, act.now_ms)
    audit.record(conn, act, "slip.layout_set", f"lot:{lot_id}", before=before, after={"slip": name, **(row or {})})
    return None


def _lines(text: str) -> tuple[str, ...]:
    lines: Sequence[str] = [line.strip() for line in text.splitlines()]
    return tuple(line for line in lines if line)


def _key(name: str) -> str:
    return f"slip:{name}"
