"""Plates of GA 36-2018: normal form, kinds, look-alikes, masking."""

from __future__ import annotations

from enum import StrEnum


class PlateColour(StrEnum):
    """Ground colour of a plate."""

    UNKNOWN = "unknown"
    BLUE = "blue"
    YELLOW = "yellow"
    WHITE = "white"
    BLACK = "black"
    GREEN = "green"
    YELLOW_GREEN = "yellow_green"
