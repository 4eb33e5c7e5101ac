"""The gate over ISAPI, against a simulated device behind Digest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from drivers.barrier.hikvision import HikvisionGate, HikvisionGateOptions, open_hikvision_gate
from drivers.base import BadOptionsError, DeviceRefusedError, DeviceUnreachableError
from drivers.camera.simulated_hikvision import PASSWORD, SimulatedHikvision
from drivers.wiring import Wiring
from plumbing.files import write_private


@pytest.fixture
async def device() -> AsyncIterator[SimulatedHikvision]:
    async with SimulatedHikvision() as device:
        yield device


async def gate_of(device: SimulatedHikvision, folder: Path, password: str = PASSWORD) -> HikvisionGate:
    write_private(folder / "password", password.encode())
    options = HikvisionGateOptions(host="127.0.0.1", port=device.port, password_file=folder / "password")
    return await open_hikvision_gate(options, Wiring("exit-1"))


async def test_opening_is_one_order(device: SimulatedHikvision, tmp_path: Path) -> None:
    gate = await gate_of(device, tmp_path)

    await gate.prepare()
    await gate.open()

    assert device.gate_orders == ["open"]


async def test_a_device_that_hangs_up_was_asked_once_and_the_outcome_is_unknown(
    device: SimulatedHikvision, tmp_path: Path
) -> None:
    gate = await gate_of(device, tmp_path)
    device.drop_orders = True

    with pytest.raises(DeviceUnreachableError, match="exit-1: no answer"):
        await gate.open()

    assert device.gate_orders == ["open"]


async def test_a_no_is_told_with_its_reason(device: SimulatedHikvision, tmp_path: Path) -> None:
    gate = await gate_of(device, tmp_path)
    device.gate_status = 4

    with pytest.raises(DeviceRefusedError, match=r"statusCode 4 .notSupport"):
        await gate.open()


async def test_a_wrong_login_is_tried_once_so_that_the_account_is_not_locked(
    device: SimulatedHikvision, tmp_path: Path
) -> None:
    gate = await gate_of(device, tmp_path, "wrong")
    with pytest.raises(DeviceRefusedError, match="login refused; check user and password_file"):
        await gate.prepare()
    asked = device.requests

    for _ in range(3):
        with pytest.raises(DeviceRefusedError, match="not tried again for half an hour"):
            await gate.open()

    assert asked == 2  # the challenge and one proof
    assert device.requests == asked
    assert device.gate_orders == []


async def test_held_open_it_is_locked_and_let_go_it_is_unlocked(device: SimulatedHikvision, tmp_path: Path) -> None:
    gate = await gate_of(device, tmp_path)

    await gate.release()
    await gate.hold()
    await gate.open()
    await gate.release()

    assert device.gate_orders == ["open", "lock", "unlock"]


async def test_unplugged_and_plugged_in_again_it_works(device: SimulatedHikvision, tmp_path: Path) -> None:
    gate = await gate_of(device, tmp_path)
    await gate.open()
    await device.stop()
    with pytest.raises(DeviceUnreachableError):
        await gate.open()

    await device.start()
    await gate.open()

    assert device.gate_orders == ["open", "open"]


async def test_an_exposed_password_is_refused(device: SimulatedHikvision, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("pa55word")
    (tmp_path / "password").chmod(0o644)
    options = HikvisionGateOptions(host="127.0.0.1", port=device.port, password_file=tmp_path / "password")

    with pytest.raises(BadOptionsError, match="chmod 600"):
        await open_hikvision_gate(options, Wiring("exit-1"))
