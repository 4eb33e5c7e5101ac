from __future__ import annotations

import dataclasses
import importlib
import inspect

import pytest

from drivers.barrier.simulated import SimulatedRelayBoard
from drivers.base import Barrier
from drivers.registry import MAKES, choose, open_device
from drivers.wiring import Wiring
from plumbing.settings import SettingsError

EVERY_MAKE = [(kind, name) for kind, makes in MAKES.items() for name in makes]


async def test_a_table_of_the_lot_file_becomes_a_working_device() -> None:
    async with SimulatedRelayBoard() as board:
        table = {"type": "modbus_tcp", "host": "127.0.0.1", "port": board.port, "channel": 1}
        chosen = choose("barrier", table, source="lot.toml", at="lanes[0].barrier")

        barrier: Barrier = await open_device(chosen, Wiring("exit-1"))
        await barrier.prepare()
        await barrier.open()
        await barrier.aclose()

        assert [pulse.channel for pulse in board.pulses] == [1]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (
            {"type": "modbus_tpc", "host": "h"},
            'no barrier is called .* did you mean "modbus_tcp"',
        ),
        ({"host": "h"}, "lanes.0..barrier.type: missing; a barrier is one of"),
        ({"type": 5}, "no barrier is called 5"),
        ({"type": "modbus_tcp", "host": "h", "chanel": 1}, "chanel"),
        ({"type": "modbus_tcp"}, "host"),
        ({"type": "modbus_tcp", "host": "h", "channel": "one"}, "channel"),
        ({"type": "modbus_tcp", "host": "h", "gate_input": "toggle"}, "toggle input would close the boom"),
    ],
)
def test_what_a_lot_file_gets_wrong_is_said_with_its_place(table: dict[str, object], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        choose("barrier", table, source="lot.toml", at="lanes[0].barrier")


@pytest.mark.parametrize(("kind", "name"), EVERY_MAKE)
def test_every_entry_of_the_table_exists(kind: str, name: str) -> None:
    make = MAKES[kind][name]
    module = importlib.import_module(make.module)

    assert dataclasses.is_dataclass(getattr(module, make.options))
    assert inspect.iscoroutinefunction(getattr(module, make.factory))
    assert getattr(module, make.options).__doc__
