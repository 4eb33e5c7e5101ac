"""Every fault of every driver, met on its twin: said in one sentence with the next step, in both languages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import serial  # type: ignore[import-untyped]

from drivers.barrier.modbus_tcp import ModbusBarrierOptions, open_modbus_barrier
from drivers.barrier.simulated import RelayModel, SimulatedRelayBoard
from drivers.barrier.simulated_rtu import SimulatedRtuBus
from drivers.base import DeviceError, Fault, PrinterStatus
from drivers.camera.hikvision import HikvisionOptions, open_hikvision
from drivers.camera.simulated_hikvision import PASSWORD, SimulatedHikvision
from drivers.camera.simulated_vzenith_mqtt import SimulatedVzenithMqtt
from drivers.printer.simulated import PrinterFault, SimulatedPrinter
from drivers.serial_simulated import SimulatedSerial
from drivers.wiring import Wiring
from edge import doctor_devices
from edge.doctor_devices import devices_found, of_daemon
from edge.finding import LOCALE, Finding, doctors_words
from edge.settings import Devices
from plumbing.broker import EmbeddedBroker, free_port
from plumbing.files import write_private
from plumbing.i18n import LANGUAGES, differences
from tests.edge.lots import settings as lot_settings

STATUSES = {
    PrinterFault.PAPER_LOW: PrinterStatus.PAPER_LOW,
    PrinterFault.PAPER_OUT: PrinterStatus.PAPER_OUT,
    PrinterFault.COVER_OPEN: PrinterStatus.COVER_OPEN,
    PrinterFault.OFFLINE: PrinterStatus.OFFLINE,
    PrinterFault.CUTTER: PrinterStatus.CUTTER,
}
KINDS = {"camera": "cameras", "barrier": "barriers", "loop": "loops", "display": "displays",
         "scanner": "scanners", "printer": "printers"}  # fmt: skip


async def asked(folder: Path, kind: str, table: dict[str, Any], language: str = "en") -> Finding:
    """What the doctor says of one device called x."""
    settings = replace(lot_settings(folder), devices=Devices(**{KINDS[kind]: {"x": table}}))
    found = await devices_found(settings, "lot.toml", folder, doctors_words(language))
    return found[-1]


async def must_say(folder: Path, kind: str, table: dict[str, Any], fault: Fault) -> None:
    """The fault, its next step and what it means meanwhile, in both languages; the driver's words in brackets."""
    for language in LANGUAGES:
        t, found = doctors_words(language), await asked(folder, kind, table, language)
        exact = f"fault_next.{fault.value}_{kind}"
        assert not found.well
        assert t(f"fault.{fault.value}") in found.what
        assert t(f"kind.{kind}") + " x" in found.what
        assert found.advice.startswith(t(exact if t.catalogue.has(exact) else f"fault_next.{fault.value}"))
        assert found.advice.endswith(t(f"fault_means.{kind}"))


def test_the_languages_agree_and_every_fault_and_status_has_words() -> None:
    assert differences(LOCALE) == []
    t = doctors_words("en")
    wanted = [f"{table}.{one.value}" for one in Fault for table in ("fault", "fault_next")]
    wanted += [f"printer.{one.value}" for one in PrinterStatus]
    wanted += [f"printer_next.{one.value}" for one in PrinterStatus if one not in doctor_devices.WELL]
    wanted += [f"{table}.{kind}" for kind in KINDS for table in ("kind", "fault_means", "daemon_next")]
    assert [key for key in wanted if not t.catalogue.has(key)] == []


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        ("barrier", {"type": "modbus_rtu"}),
        ("barrier", {"type": "lcus", "gate_input": "momentary"}),
        ("loop", {"type": "modbus_rtu", "inputs": {"x": 0}}),
        ("display", {"type": "olm"}),
        ("scanner", {"type": "serial"}),
        ("scanner", {"type": "hid"}),
        ("printer", {"type": "escpos_serial"}),
    ],
)
async def test_a_port_that_is_not_there(tmp_path: Path, kind: str, table: dict[str, Any]) -> None:
    await must_say(tmp_path, kind, table | {"device": str(tmp_path / "ttyUSB7")}, Fault.ABSENT)


async def test_a_file_printer_without_its_file(tmp_path: Path) -> None:
    await must_say(tmp_path, "printer", {"type": "escpos_file", "path": str(tmp_path / "lp7")}, Fault.ABSENT)


async def test_a_port_that_another_program_holds(tmp_path: Path) -> None:
    async with SimulatedSerial(tmp_path / "ttyUSB0") as cable:
        with serial.Serial(str(cable.path), exclusive=True):
            await must_say(tmp_path, "scanner", {"type": "serial", "device": str(cable.path)}, Fault.BUSY)
        assert (await asked(tmp_path, "scanner", {"type": "serial", "device": str(cable.path)})).well


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        ("barrier", {"type": "modbus_tcp"}),
        ("loop", {"type": "modbus_tcp", "inputs": {"x": 0}}),
        ("barrier", {"type": "hikvision", "password_file": "pw"}),
        ("camera", {"type": "hikvision", "password_file": "pw"}),
        ("printer", {"type": "escpos_network"}),
    ],
)
async def test_an_address_where_nobody_answers(tmp_path: Path, kind: str, table: dict[str, Any]) -> None:
    write_private(tmp_path / "pw", PASSWORD.encode())
    await must_say(tmp_path, kind, table | {"host": "127.0.0.1", "port": free_port()}, Fault.SILENT)


async def test_a_bus_where_no_board_has_the_address(tmp_path: Path) -> None:
    async with SimulatedRtuBus(tmp_path / "ttyUSB0", {1: RelayModel()}) as bus:
        table = {"type": "modbus_rtu", "device": str(bus.path)}
        assert (await asked(tmp_path, "barrier", table)).well
        await must_say(tmp_path, "barrier", table | {"unit": 9}, Fault.SILENT)


async def test_a_board_that_has_no_such_output(tmp_path: Path) -> None:
    async with SimulatedRelayBoard() as board:
        table = {"type": "modbus_tcp", "host": "127.0.0.1", "port": board.port}
        assert (await asked(tmp_path, "barrier", table)).well
        await must_say(tmp_path, "barrier", table | {"coil_base": 900}, Fault.REFUSED)


async def test_a_login_that_is_refused_and_a_picture_that_is_none(tmp_path: Path) -> None:
    write_private(tmp_path / "pw", PASSWORD.encode())
    write_private(tmp_path / "wrong", b"guessed")
    async with SimulatedHikvision() as device:
        table = {"type": "hikvision", "host": "127.0.0.1", "port": device.port}
        await must_say(tmp_path, "camera", table | {"password_file": str(tmp_path / "wrong")}, Fault.LOGIN)
        await must_say(tmp_path, "barrier", table | {"password_file": str(tmp_path / "wrong")}, Fault.LOGIN)
        assert (await asked(tmp_path, "camera", table | {"password_file": str(tmp_path / "pw")})).well
        device.snapshot = b"<html>"
        await must_say(tmp_path, "camera", table | {"password_file": str(tmp_path / "pw")}, Fault.NONSENSE)


async def test_a_camera_behind_a_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.camera.vzenith_mqtt.CONNECT_S", 1.5)
    table = {"type": "vzenith_mqtt", "serial": "fe71e106-57263272", "broker_port": free_port(), "reply_within_ms": 900}
    await must_say(tmp_path, "camera", table, Fault.BROKER)
    async with EmbeddedBroker(tmp_path, {}) as broker:
        table |= {"broker_port": broker.port}
        await must_say(tmp_path, "camera", table, Fault.SILENT)
        async with SimulatedVzenithMqtt(broker.port) as device:
            device.code = 405
            await must_say(tmp_path, "camera", table | {"reply_within_ms": 5000}, Fault.REFUSED)


async def test_cameras_that_only_push_are_named_and_not_blamed(tmp_path: Path) -> None:
    write_private(tmp_path / "secret", b"0123456789abcdef")

    for language in LANGUAGES:
        found = await asked(tmp_path, "camera", {"type": "vzenith", "secret_file": "secret"}, language)
        assert found == Finding(
            True, doctors_words(language)("doctor.only_pushes", device=found.what.split(" ")[0] + " x")
        )


async def test_what_a_printer_says_of_itself(tmp_path: Path) -> None:
    async with SimulatedPrinter() as printer:
        table = {"type": "escpos_network", "host": "127.0.0.1", "port": printer.port}
        assert (await asked(tmp_path, "printer", table)).well
        for fault, status in STATUSES.items():
            printer.fault = fault
            for language in LANGUAGES:
                t, found = doctors_words(language), await asked(tmp_path, "printer", table, language)
                assert not found.well
                assert t(f"printer.{status.value}") in found.what
                assert found.advice == t(f"printer_next.{status.value}")


async def test_a_lot_file_that_is_wrong_says_where(tmp_path: Path) -> None:
    for language in LANGUAGES:
        found = await asked(tmp_path, "camera", {"type": "vzenith", "secret_file": "none"}, language)
        assert "secret_file" in found.what
        assert found.advice == doctors_words(language)("doctor_next.lot_file")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_running_service_says_gets_its_next_step(language: str) -> None:
    t = doctors_words(language)

    found = of_daemon(t, "exit-1: barrier x", "no answer from 10.0.0.9:502")
    strange = of_daemon(t, "exit-1: something", "odd")

    assert t("kind.barrier") + " x" in found.what
    assert "10.0.0.9:502" in found.what
    assert found.advice.endswith(t("fault_means.barrier"))
    assert strange.advice == t("doctor_next.see_log")


async def test_a_login_that_is_not_tried_again_and_an_output_that_sticks_are_faults_of_their_own(
    tmp_path: Path,
) -> None:
    write_private(tmp_path / "wrong", b"guessed")
    async with SimulatedHikvision() as device, SimulatedRelayBoard() as board:
        options = HikvisionOptions(host="127.0.0.1", port=device.port, password_file=tmp_path / "wrong")
        camera = await open_hikvision(options, Wiring("x"))
        board.model.welded.add(0)
        barrier = await open_modbus_barrier(ModbusBarrierOptions(host="127.0.0.1", port=board.port), Wiring("x"))
        faults = []
        for act in (camera.check, camera.check, barrier.prepare):
            with pytest.raises(DeviceError) as caught:
                await act()
            faults.append(caught.value.fault)
        await barrier.aclose()

    assert faults == [Fault.LOGIN, Fault.LOGIN_HELD, Fault.STUCK]
