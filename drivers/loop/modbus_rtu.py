"""Loop detectors on the inputs of a Modbus RTU board, over RS-485."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.loop.modbus_tcp import InputMap, ModbusLoop, check_inputs
from drivers.modbus_line import serial_line_of
from drivers.serial_port import SerialPort, check_baud
from drivers.wiring import Wiring


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusRtuLoopOptions(SerialPort, InputMap):
    """The serial port of the bus; ``inputs = { approach = 0 }``: the name of each loop and its input."""

    inputs: dict[str, int]

    def __post_init__(self) -> None:
        check_baud(self.baud)
        check_inputs(self, self.inputs)


async def open_modbus_rtu_loop(options: ModbusRtuLoopOptions, wiring: Wiring) -> ModbusLoop:
    """Loops whose port is opened by the first poll."""
    return ModbusLoop(serial_line_of(wiring, options, options.unit, options.timeout_ms), options, options.inputs)
