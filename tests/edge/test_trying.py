"""A lane tried with a person watching, on the simulated wires; the doctor's word on each device; the bundle."""

from __future__ import annotations

import asyncio
import tarfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.barrier.simulated import SimulatedRelayBoard
from drivers.display.simulated_olm import SimulatedOlm
from edge.bundle import cleaned, make_bundle
from edge.doctor import examine
from edge.finding import Finding
from edge.lanes import trying
from edge.lanes.devices import open_devices
from edge.lanes.trying import LaneTry, Tried
from edge.settings import EdgeSettings
from tests.edge.test_daemon import lot_settings


class Person:
    """Says yes to everything but what holds one of *no*."""

    def __init__(self, *no: str) -> None:
        self.no = no
        self.heard: list[str] = []

    def say(self, text: str) -> None:
        self.heard.append(text)

    async def ask(self, question: str) -> bool:
        self.heard.append(question)
        return not any(part in question for part in self.no)


@pytest.fixture
async def board() -> AsyncIterator[SimulatedRelayBoard]:
    async with SimulatedRelayBoard() as board:
        yield board


@pytest.fixture
async def led(tmp_path: Path) -> AsyncIterator[SimulatedOlm]:
    async with SimulatedOlm(tmp_path / "ttyUSB0") as led:
        yield led


def settings(folder: Path, board: SimulatedRelayBoard, led: SimulatedOlm) -> EdgeSettings:
    plain = lot_settings(folder, board.port)
    relay = {"type": "modbus_tcp", "host": "127.0.0.1", "port": board.port}
    lane = replace(plain.lanes[1], cameras=(), display="out", loop="out", loop_devices=("out",))
    devices = replace(
        plain.devices,
        displays={"out": {"type": "olm", "device": str(led.path)}},
        loops={"out": {**relay, "inputs": {"out": 0}, "poll_ms": 5, "debounce_ms": 10}},
    )
    return replace(plain, lanes=(lane,), devices=devices)


async def tried(lot: EdgeSettings, folder: Path, person: Person) -> list[Tried]:
    async with AsyncExitStack() as stack:
        devices = await open_devices(lot, stack, "lot.toml", folder)
        return [one async for one in LaneTry(lot.lanes[0], devices.of_lane(lot.lanes[0]), {}, person, folder).run()]


async def test_every_device_is_tried_and_what_was_not_seen_is_told_with_what_to_look_at(
    board: SimulatedRelayBoard, led: SimulatedOlm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trying, "WATCH_S", 2.0)
    asyncio.get_running_loop().call_later(0.4, board.set_input, 0, True)

    results = await tried(settings(tmp_path, board, led), tmp_path, Person("Did it say"))

    assert [(one.device, one.well) for one in results] == [
        ("loop out", True),
        ("barrier out", True),
        ("display out", False),
    ]
    assert "loudspeaker" in results[2].note
    assert len(board.pulses) == 1
    assert led.model.texts[0] == "测试 TEST"


async def test_nothing_moves_while_somebody_is_under_the_boom(
    board: SimulatedRelayBoard, led: SimulatedOlm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trying, "WATCH_S", 0.3)

    results = await tried(settings(tmp_path, board, led), tmp_path, Person("nobody under"))

    assert not board.pulses
    assert [one.note for one in results[:2]] == [
        "nothing changed: check its wires, its input number and the detector's lamp",
        "not tried",
    ]


async def test_the_doctor_explains_each_device_with_a_next_step(
    board: SimulatedRelayBoard, led: SimulatedOlm, tmp_path: Path
) -> None:
    lot = settings(tmp_path, board, led)
    led.unplug()
    await board.stop()

    found = {one.what: one for one in await examine(lot, "lot.toml", tmp_path, "en")}

    display = next(one for what, one in found.items() if what.startswith("display out"))
    assert "is not there: is it plugged in" in display.what
    assert "Plug it in" in display.advice
    barrier = next(one for what, one in found.items() if "no answer from 127.0.0.1" in what)
    assert not barrier.well
    assert "button" in barrier.advice or "cameras only" in barrier.advice


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ('source = "rtsp://admin:pa55@10.0.0.5/1"', 'source = "rtsp://***@10.0.0.5/1"'),
        ('password = "hush"', "password = ***"),
        ('secret_file = "/etc/lotgate/secrets/x"', 'secret_file = "/etc/lotgate/secrets/x"'),
        ("exit-1: 京A12345 paid", "exit-1: 京A·1***5 paid"),
        ('{"plate": "粤BD12345"}', '{"plate": "粤B·D****5"}'),
        ("key 0123456789abcdef0123456789abcdef", "key ***"),
    ],
)
def test_what_leaves_the_lot_holds_no_secret_and_no_whole_plate(text: str, clean: str) -> None:
    assert cleaned(text) == clean


def test_a_bundle_is_private_and_holds_what_helps(tmp_path: Path) -> None:
    (tmp_path / "lot.toml").write_text('name = "x"\nsource = "http://u:p@10.0.0.1/"\n', encoding="utf-8")
    (tmp_path / "edge.log").write_text("京A12345 left\n", encoding="utf-8")
    to = tmp_path / "help.tar.gz"

    make_bundle(tmp_path / "lot.toml", {"wrong": {}}, [Finding(False, "x", "y")], [tmp_path / "edge.log"], to)

    assert to.stat().st_mode & 0o077 == 0
    with tarfile.open(to) as archive:
        texts = {name: archive.extractfile(name).read().decode() for name in archive.getnames()}  # type: ignore[union-attr]
    assert set(texts) == {
        f"lotgate/{name}" for name in ("doctor.txt", "lot.toml", "standing.json", "versions.txt", "logs/edge.log")
    }
    assert "u:p" not in texts["lotgate/lot.toml"]
    assert "京A12345" not in texts["lotgate/logs/edge.log"]
