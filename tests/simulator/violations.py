"""How a world says that a promise was broken."""

from __future__ import annotations


class ViolationError(AssertionError):
    """A promise was broken; the first word says which."""

    def __init__(self, promise: str, what: str) -> None:
        super().__init__(f"{promise}: {what}")
        self.promise = promise
