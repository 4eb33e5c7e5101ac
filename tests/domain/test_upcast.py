"""Events of an older release are read as today's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from unittest.mock import patch

import pytest

from domain import upcast
from domain.events import Event, Priority, encode, event, open_envelope
from domain.moment import Moment
from domain.wire import BadMessageError, Json

MOMENT = Moment("b", 1, 2)
Door = tuple[Callable[..., Event], Callable[..., Event]]  # its two versions


@pytest.fixture(autouse=True)
def door() -> Iterator[Door]:
    """A type with two versions: the second knows the door's colour."""
    with patch.dict("domain.events.TYPES"), patch.dict("domain.upcast.UPCASTS"):

        @event("door.sung", 1, Priority.P2)
        @dataclass(frozen=True, slots=True)
        class First(Event):
            song: str

        @event("door.sung", 2, Priority.P2)
        @dataclass(frozen=True, slots=True)
        class Second(Event):
            song: str
            colour: str

        yield First, Second


def white(payload: Json) -> Json:
    return {**payload, "colour": "white"}


def test_an_older_version_is_read_as_the_newest(door: Door) -> None:
    first, second = door
    assert upcast.missing() == [("door.sung", 1)]
    upcast.upcast("door.sung", 1)(white)

    assert upcast.missing() == []
    assert upcast.read(open_envelope(encode(1, MOMENT, first("la")))) == second("la", "white")
    assert upcast.read(open_envelope(encode(1, MOMENT, second("la", "red")))) == second("la", "red")


def test_what_an_older_version_lacked_wrongly_is_still_refused(door: Door) -> None:
    upcast.upcast("door.sung", 1)(lambda payload: payload)

    with pytest.raises(BadMessageError, match="colour"):
        upcast.read(open_envelope(encode(1, MOMENT, door[0]("la"))))


def test_every_released_version_can_be_read() -> None:
    with patch.dict("domain.events.TYPES"):
        from domain.events import TYPES

        del TYPES["door.sung", 1], TYPES["door.sung", 2]
        assert upcast.missing() == []
