"""Which class of the price lists a vehicle belongs to, as far as its plate tells."""

from __future__ import annotations

from domain.plate import PlateColour, PlateKind, classify

NEW_ENERGY = (PlateKind.NEV_SMALL, PlateKind.NEV_LARGE)


def class_of(plate: str, colour: PlateColour = PlateColour.UNKNOWN) -> str:
    """The class a plate in normal form points to: nev, large (yellow plates) or small."""
    if classify(plate) in NEW_ENERGY:
        return "nev"
    return "large" if colour is PlateColour.YELLOW else "small"
