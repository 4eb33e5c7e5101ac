"""What may go wrong between the cloud and an edge's log."""

from __future__ import annotations


class CannotApplyError(Exception):
    """An event that cannot be applied as it stands: it is kept raw, parked with this reason, and the log goes on."""

    def __init__(self, why: str, lease_id: int | None = None, *, follows: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.lease_id = lease_id  # later events on this lease are parked too until this one is re-run
        self.follows = follows  # parked for no fault of its own, but behind another one
