"""Finding a car by part of its plate, though a camera or a person may have one character of it wrong."""

from __future__ import annotations

from typing import Final

from domain.lookalike import DEFAULT, Lookalikes
from domain.plate import PROVINCES

FEWEST_TYPED: Final = 3  # characters before anything is shown: nobody pages through all cars
SURE_FROM: Final = 5  # so many characters in a row may hold any one wrong; of fewer only a look-alike


def patterns(typed: str, table: Lookalikes = DEFAULT) -> tuple[tuple[str, ...], ...]:
    """Groups of SQL LIKE patterns: a plate for which :func:`misreads` is not None fits one of each group.

    The first group is the text's halves, one of which is right: most plates are passed over after two patterns.
    """
    if not typed.isalnum():
        return ()
    any_one = len(typed) >= SURE_FROM
    places = [place for place, one in enumerate(typed) if any_one or one in PROVINCES or table.may_be_wrong(one)]
    holed = [f"{typed[:place]}_{typed[place + 1 :]}" for place in places] or [typed]
    middle = len(typed) // 2
    groups = ([typed[:middle], typed[middle:]], holed) if len(typed) > FEWEST_TYPED else (holed,)
    return tuple(tuple(f"%{part}%" for part in group) for group in groups)


def misreads(typed: str, plate: str, table: Lookalikes = DEFAULT) -> int | None:
    """0 when *plate* holds *typed*, 1 when it does with one character misread, None when it does not."""
    if typed in plate:
        return 0
    parts = (plate[start : start + len(typed)] for start in range(len(plate) - len(typed) + 1))
    return 1 if any(_one_wrong(typed, part, table) for part in parts) else None


def _one_wrong(typed: str, part: str, table: Lookalikes) -> bool:
    wrong = [(one, other) for one, other in zip(typed, part, strict=True) if one != other]
    if len(wrong) != 1:
        return False
    one, other = wrong[0]
    provinces = one in PROVINCES and other in PROVINCES
    return len(typed) >= SURE_FROM or provinces or table.confusable(one, other)
