"""The same relay boards over RS-485: Modbus RTU on a serial port, one request and no repetition for a pulse."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.barrier.modbus_tcp import ModbusBarrier, RelayMap
from drivers.modbus_line import serial_line_of
from drivers.serial_port import SerialPort, check_baud
from drivers.wiring import Wiring


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusRtuBarrierOptions(SerialPort, RelayMap):
    """The serial port of the bus, and the board's register map."""

    def __post_init__(self) -> None:
        check_baud(self.baud)
        RelayMap.__post_init__(self)


async def open_modbus_rtu_barrier(options: ModbusRtuBarrierOptions, wiring: Wiring) -> ModbusBarrier:
    """A barrier whose port is opened by its first request, so a lane starts with its converter unplugged."""
    return ModbusBarrier(serial_line_of(wiring, options, options.unit, options.timeout_ms), options)
