"""Every event type and version has a body on file, as some appliance once wrote it: it must be readable for ever.

A new type or version writes its file with ``python -m tests.domain.test_golden_events``; a file is never changed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.events import TYPES, Event, decode, encode, open_envelope
from domain.moment import Moment, Quality
from domain.sync.caps import newest_versions
from domain.upcast import read

FOLDER = Path(__file__).parent / "golden_events"
MOMENT = Moment("0f1e2d3c4b5a6978", 86_400_123, 1_795_219_200_000, Quality.CLOUD, 20)
SAMPLES = {str: "京A12345", int: 1500, bool: True}


def sample(cls: type[Event]) -> Event:
    return cls(*(SAMPLES[kind] for _, kind in cls.FIELDS))


def path(name: str, version: int) -> Path:
    return FOLDER / f"{name}.{version}.json"


@pytest.mark.parametrize(("name", "version"), sorted(TYPES))
def test_a_body_on_file_is_read_and_would_be_written_the_same_today(name: str, version: int) -> None:
    body = path(name, version).read_bytes()

    envelope = open_envelope(body)

    assert decode(envelope) == sample(TYPES[name, version])
    assert type(read(envelope)) is TYPES[name, newest_versions()[name]]
    assert encode(envelope.seq, envelope.moment, sample(TYPES[name, version]), envelope.correlation) == body


def test_no_file_is_left_without_its_type() -> None:
    assert {file.name for file in FOLDER.iterdir()} == {path(*key).name for key in TYPES}


if __name__ == "__main__":
    for (name, version), cls in TYPES.items():
        if not path(name, version).exists():
            path(name, version).write_bytes(encode(7, MOMENT, sample(cls), "01936f00-0000-7000-8000-000000000000"))
