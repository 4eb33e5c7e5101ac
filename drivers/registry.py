"""``type = "modbus_tcp"`` -> options and factory. A driver's module is imported only where a lot names it."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivers.wiring import Wiring
from plumbing.settings import Problem, SettingsError, build


@dataclass(frozen=True, slots=True)
class Make:
    """Where a driver lives: its module, the dataclass of its options, its async factory."""

    module: str
    options: str
    factory: str


MAKES: Mapping[str, Mapping[str, Make]] = {
    "camera": {
        "dahua": Make("drivers.camera.dahua", "DahuaOptions", "open_dahua"),
        "hikvision": Make("drivers.camera.hikvision", "HikvisionOptions", "open_hikvision"),
        "hikvision_push": Make("drivers.camera.hikvision", "HikvisionPushOptions", "open_hikvision_push"),
        "image_folder": Make("drivers.camera.image_folder", "ImageFolderOptions", "open_image_folder"),
        "video": Make("drivers.camera.video", "VideoOptions", "open_video"),
        "vzenith": Make("drivers.camera.vzenith", "VzenithOptions", "open_vzenith"),
        "vzenith_mqtt": Make("drivers.camera.vzenith_mqtt", "VzenithMqttOptions", "open_vzenith_mqtt"),
    },
    "barrier": {
        "hikvision": Make("drivers.barrier.hikvision", "HikvisionGateOptions", "open_hikvision_gate"),
        "lcus": Make("drivers.barrier.lcus", "LcusOptions", "open_lcus"),
        "modbus_rtu": Make("drivers.barrier.modbus_rtu", "ModbusRtuBarrierOptions", "open_modbus_rtu_barrier"),
        "modbus_tcp": Make("drivers.barrier.modbus_tcp", "ModbusBarrierOptions", "open_modbus_barrier"),
        "vzenith_io": Make("drivers.barrier.vzenith_io", "VzenithIoOptions", "open_vzenith_io"),
        "simulated": Make("drivers.barrier.simulated", "SimulatedBarrierOptions", "open_simulated_barrier"),
    },
    "loop": {
        "camera_io": Make("drivers.loop.camera_io", "CameraIoOptions", "open_camera_io"),
        "modbus_rtu": Make("drivers.loop.modbus_rtu", "ModbusRtuLoopOptions", "open_modbus_rtu_loop"),
        "modbus_tcp": Make("drivers.loop.modbus_tcp", "ModbusLoopOptions", "open_modbus_loop"),
    },
    "display": {
        "olm": Make("drivers.display.olm", "OlmOptions", "open_olm"),
        "olm_camera": Make("drivers.display.olm", "OlmCameraOptions", "open_olm_camera"),
        "log": Make("drivers.display.simulated", "DisplayOptions", "open_log_display"),
        "simulated": Make("drivers.display.simulated", "DisplayOptions", "open_simulated_display"),
    },
    "recogniser": {
        "lotgate": Make("drivers.recogniser.reader", "LotgateOptions", "open_reader"),
        "tesseract": Make("drivers.recogniser.tesseract", "TesseractOptions", "open_tesseract"),
    },
    "scanner": {
        "hid": Make("drivers.scanner.hid", "HidOptions", "open_hid"),
        "serial": Make("drivers.scanner.serial_reader", "SerialScannerOptions", "open_serial_scanner"),
    },
    "printer": {
        "escpos_serial": Make("drivers.printer.escpos_serial", "EscposSerialOptions", "open_escpos_serial"),
        "escpos_usb": Make("drivers.printer.escpos_usb", "EscposUsbOptions", "open_escpos_usb"),
        "escpos_file": Make("drivers.printer.escpos", "EscposFileOptions", "open_escpos_file"),
        "escpos_network": Make("drivers.printer.escpos", "EscposNetworkOptions", "open_escpos_network"),
        "simulated": Make("drivers.printer.simulated", "SimulatedPrinterOptions", "open_simulated_printer"),
    },
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """A device of the lot file, read and checked, not yet opened."""

    kind: str
    type: str
    options: Any


def choose(kind: str, table: Mapping[str, object], *, source: str, at: str, folder: Path | None = None) -> Chosen:
    """Read the *table* found at place *at* of *source*. Raises SettingsError naming every unknown key and type."""
    name = table.get("type")
    makes = MAKES[kind]
    if not isinstance(name, str) or name not in makes:
        raise SettingsError(source, [Problem(f"{at}.type", _which(kind, name))])
    make = makes[name]
    options_class = getattr(importlib.import_module(make.module), make.options)
    rest = {key: value for key, value in table.items() if key != "type"}
    return Chosen(kind, name, build(rest, options_class, source=source, at=at, folder=folder))


async def open_device(chosen: Chosen, wiring: Wiring) -> Any:
    """The device itself (a Camera, Barrier, Loop … by its kind); close it with ``aclose``. Raises DeviceError."""
    make = MAKES[chosen.kind][chosen.type]
    return await getattr(importlib.import_module(make.module), make.factory)(chosen.options, wiring)


def _which(kind: str, name: object) -> str:
    known = ", ".join(f'"{type_name}"' for type_name in sorted(MAKES[kind]))
    if name is None:
        return f"missing; a {kind} is one of {known}"
    near = difflib.get_close_matches(str(name), MAKES[kind], n=1)
    hint = f'; did you mean "{near[0]}"?' if near else ""
    return f"no {kind} is called {name!r}; there are {known}{hint}"
