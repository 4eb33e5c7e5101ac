"""What a driver is given beside its own options: its name in the lot file and the devices it leans on."""

from __future__ import annotations

from dataclasses import dataclass, field

from drivers.base import Camera, Recogniser


@dataclass(frozen=True, slots=True)
class Wiring:
    """*recogniser* for cameras that only see; *camera* for a loop wired to a camera's own contact.

    *shared* is one dict for all devices of a lot, where drivers keep what they share: the connection to a board.
    """

    name: str
    recogniser: Recogniser | None = None
    camera: Camera | None = None
    shared: dict[str, object] = field(default_factory=dict)
