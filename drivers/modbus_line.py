"""One Modbus TCP connection through pymodbus. Its types and errors stop here."""

from __future__ import annotations

import asyncio
import logging
import struct
import time
from collections.abc import Sequence

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest, WriteMultipleCoilsRequest

from drivers.base import DeviceRefusedError, DeviceUnreachableError
from drivers.modbus_frames import WRITE_ONE_COIL

log = logging.getLogger(__name__)
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)  # it logs each failure; we log the change once

IDLE_S = 1.0  # a connection unused for longer is tried by a read before anything that must not be repeated
EXCEPTIONS = {
    1: "it does not know this function",
    2: "it has no such address",
    3: "it does not take this value",
    4: "it failed",
    6: "it is busy",
    11: "the device behind the gateway does not answer",
}


class WriteCoilValue(ModbusPDU):
    """Function 05 with any value: relay boards time a pulse by one that plain Modbus does not know."""

    function_code = WRITE_ONE_COIL
    rtu_frame_size = 8

    def __init__(self, address: int = 0, value: int = 0, dev_id: int = 1) -> None:
        super().__init__(dev_id=dev_id, address=address)
        self.value = value

    def encode(self) -> bytes:
        """Address and value."""
        return struct.pack(">HH", self.address, self.value)

    def decode(self, data: bytes) -> None:
        """The echo; too short an answer is kept as a value no request has."""
        self.address, self.value = struct.unpack(">HH", data[:4]) if len(data) >= 4 else (-1, -1)


class ModbusLine:
    """Asks one device, each request once, and reconnects before the next request after a failure."""

    def __init__(self, name: str, host: str, port: int, unit: int, timeout_ms: int) -> None:
        self.name = name
        self._where = f"{host}:{port}"
        self._unit = unit
        self._lock = asyncio.Lock()
        self._client = AsyncModbusTcpClient(
            host, port=port, timeout=timeout_ms / 1000, retries=0, reconnect_delay=0, name=name
        )
        self._client.register(WriteCoilValue)
        self._lost = False
        self._answered_at = -IDLE_S

    async def read_coils(self, address: int, count: int) -> list[bool]:
        """Present state of outputs. Raises DeviceUnreachableError, DeviceRefusedError."""
        return _bits(await self._ask(ReadCoilsRequest(address=address, count=count, dev_id=self._unit)), count)

    async def read_inputs(self, address: int, count: int) -> list[bool]:
        """Present state of inputs. Raises DeviceUnreachableError, DeviceRefusedError."""
        return _bits(await self._ask(ReadDiscreteInputsRequest(address=address, count=count, dev_id=self._unit)), count)

    async def write_coils(self, address: int, values: Sequence[bool]) -> None:
        """Set outputs. Raises DeviceUnreachableError, DeviceRefusedError."""
        await self._ask(WriteMultipleCoilsRequest(address=address, bits=list(values), dev_id=self._unit))

    async def write_coil_value(self, address: int, value: int) -> None:
        """Send one function-05 request, once, and check its echo. No answer: the outcome is unknown."""
        answer = await self._ask(WriteCoilValue(address, value, self._unit))
        if not isinstance(answer, WriteCoilValue) or (answer.address, answer.value) != (address, value):
            raise DeviceRefusedError(f"{self.name}: {self._where} answered something else than was asked")

    async def wake(self, address: int) -> None:
        """Make sure of the connection by a harmless read, tried twice, if it has been idle."""
        if time.monotonic() - self._answered_at < IDLE_S:
            return
        try:
            await self.read_coils(address, 1)
        except DeviceUnreachableError:
            await self.read_coils(address, 1)

    async def aclose(self) -> None:
        """Close the connection; the next request opens it again."""
        self._client.close()

    async def _ask(self, request: ModbusPDU) -> ModbusPDU:
        async with self._lock:
            try:
                answer = await self._exchange(request)
            except (ModbusException, OSError, TimeoutError) as exc:
                self._went(exc)
                raise DeviceUnreachableError(f"{self.name}: no answer from {self._where}") from exc
            except BaseException:
                self._client.close()  # a late answer must not meet the next request
                raise
            self._came()
        if answer.isError():
            why = EXCEPTIONS.get(answer.exception_code, f"code {answer.exception_code}")
            raise DeviceRefusedError(f"{self.name}: {self._where} refused: {why}")
        return answer

    async def _exchange(self, request: ModbusPDU) -> ModbusPDU:
        if not self._client.connected and not await self._client.connect():
            raise ConnectionRefusedError(self._where)
        answer: ModbusPDU = await self._client.execute(False, request)
        return answer

    def _went(self, exc: Exception) -> None:
        self._client.close()
        self._answered_at = -IDLE_S
        if not self._lost:
            self._lost = True
            log.warning("%s: lost %s (%s); check its power, cable and address", self.name, self._where, exc)

    def _came(self) -> None:
        self._answered_at = time.monotonic()
        if self._lost:
            self._lost = False
            log.info("%s: %s is back", self.name, self._where)


def _bits(answer: ModbusPDU, count: int) -> list[bool]:
    if len(answer.bits) < count:
        raise DeviceRefusedError(f"device answered {len(answer.bits)} bits, {count} were asked for")
    return [bool(bit) for bit in answer.bits[:count]]
