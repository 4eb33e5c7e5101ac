"""Modbus over TCP or a serial line through pymodbus, one connection each. The library's types and errors stop here."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest, WriteMultipleCoilsRequest

from drivers.base import DeviceRefusedError, DeviceUnreachableError
from drivers.modbus_frames import WRITE_ONE_COIL
from drivers.serial_port import SerialPort, trouble_of
from drivers.wiring import Wiring

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


class ModbusConnection:
    """The one connection to a board or a bus, shared by its barriers and loops: many boards accept only a few.

    Serial frames carry no number, so after a failure the line is left alone for *quiet_s*: what the board still says
    then is thrown away, and never taken for the answer to the next request.
    """

    def __init__(
        self,
        where: str,
        client: AsyncModbusTcpClient | AsyncModbusSerialClient,
        *,
        quiet_s: float = 0.0,
        port: Path | None = None,
    ) -> None:
        self.where = where
        self._port = port
        self.users = 0
        self.prepared: set[int] = set()  # units whose outputs were all seen off since this process began
        self.pulsing: dict[int, float] = {}  # until when (monotonic) a pulse of this process may last, by unit
        self.held: dict[int, set[int]] = {}  # outputs latched on, by unit
        self.outputs = asyncio.Lock()  # who holds it may write outputs of this connection's boards
        self._lock = asyncio.Lock()
        self._client = client
        self._client.register(WriteCoilValue)
        self._quiet_s = quiet_s
        self._quiet_until = 0.0
        self._inputs: dict[tuple[int, int, int], tuple[float, list[bool]]] = {}
        self._lost = False
        self._answered_at = -IDLE_S

    @property
    def is_idle(self) -> bool:
        """True when nothing has been answered for a while, so that nobody knows whether the board is there."""
        return time.monotonic() - self._answered_at >= IDLE_S

    async def ask(self, request: ModbusPDU) -> ModbusPDU:
        """Send *request* once. Raises DeviceUnreachableError (the outcome is not known), DeviceRefusedError."""
        async with self._lock:
            return await self._ask(request)

    async def inputs(self, unit: int, address: int, count: int, max_age_s: float) -> list[bool]:
        """Inputs as read at most *max_age_s* ago, so that many loops cost one request. Raises as ``ask``."""
        key = (unit, address, count)
        async with self._lock:
            read_at, bits = self._inputs.get(key, (-max_age_s, []))
            if not bits or time.monotonic() - read_at >= max_age_s:
                self._inputs.pop(key, None)
                answer = await self._ask(ReadDiscreteInputsRequest(address=address, count=count, dev_id=unit))
                bits = _bits(answer, count)
                self._inputs[key] = (time.monotonic(), bits)
            return bits

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        self._client.close()

    async def _ask(self, request: ModbusPDU) -> ModbusPDU:
        try:
            answer = await self._exchange(request)
        except (ModbusException, OSError, TimeoutError) as exc:
            self._went(exc)
            if self._port is not None and (trouble := trouble_of(self._port)):
                raise DeviceUnreachableError(f"{self.where} {trouble[0]}", trouble[1]) from exc
            raise DeviceUnreachableError(f"no answer from {self.where}") from exc
        except BaseException:
            self._client.close()  # a late answer must not meet the next request
            raise
        self._came()
        if answer.isError():
            why = EXCEPTIONS.get(answer.exception_code, f"code {answer.exception_code}")
            raise DeviceRefusedError(f"{self.where} refused: {why}")
        return answer

    async def _exchange(self, request: ModbusPDU) -> ModbusPDU:
        with _cancellation_kept():
            await asyncio.sleep(max(0.0, self._quiet_until - time.monotonic()))
            if not self._client.connected and not await self._client.connect():
                raise ConnectionRefusedError(self.where)
            answer: ModbusPDU = await self._client.execute(False, request)
            return answer

    def _went(self, exc: Exception) -> None:
        self._client.close()
        self._quiet_until = time.monotonic() + self._quiet_s
        self._answered_at = -IDLE_S
        if not self._lost:
            self._lost = True
            log.warning("modbus: lost %s (%s); check its power, cable and address", self.where, exc)

    def _came(self) -> None:
        self._answered_at = time.monotonic()
        if self._lost:
            self._lost = False
            log.info("modbus: %s is back", self.where)


class ModbusLine:
    """One device's requests to unit *unit* over a shared connection; errors name the device."""

    def __init__(self, name: str, connection: ModbusConnection, unit: int) -> None:
        self.name = name
        self._connection = connection
        self._unit = unit
        self._closed = False
        connection.users += 1

    async def read_coils(self, address: int, count: int) -> list[bool]:
        """Present state of outputs. Raises DeviceUnreachableError, DeviceRefusedError."""
        return _bits(await self._ask(ReadCoilsRequest(address=address, count=count, dev_id=self._unit)), count)

    async def read_inputs(self, address: int, count: int, max_age_s: float) -> list[bool]:
        """State of inputs at most *max_age_s* ago. Raises DeviceUnreachableError, DeviceRefusedError."""
        with self._named():
            return await self._connection.inputs(self._unit, address, count, max_age_s)

    async def write_coils(self, address: int, values: Sequence[bool]) -> None:
        """Set outputs. Raises DeviceUnreachableError, DeviceRefusedError."""
        await self._ask(WriteMultipleCoilsRequest(address=address, bits=list(values), dev_id=self._unit))

    async def write_coil_value(self, address: int, value: int) -> None:
        """Send one function-05 request, once, and check its echo. No answer: the outcome is unknown."""
        answer = await self._ask(WriteCoilValue(address, value, self._unit))
        if not isinstance(answer, WriteCoilValue) or (answer.address, answer.value) != (address, value):
            raise DeviceRefusedError(f"{self.name}: {self._connection.where} answered something else than was asked")

    async def wake(self, address: int) -> None:
        """Make sure of the connection by a harmless read, tried twice, if it has been idle."""
        if not self._connection.is_idle:
            return
        try:
            await self.read_coils(address, 1)
        except DeviceUnreachableError:
            await self.read_coils(address, 1)

    @property
    def is_prepared(self) -> bool:
        """True once all outputs of the board were written off, by whichever of its devices."""
        return self._unit in self._connection.prepared

    def set_prepared(self) -> None:
        """From now on each device of the board looks after its own outputs only."""
        self._connection.prepared.add(self._unit)

    @property
    def outputs(self) -> asyncio.Lock:
        """Hold it while writing outputs: a pulse and the writing off of a whole board take turns."""
        return self._connection.outputs

    @property
    def held(self) -> set[int]:
        """Outputs of this board that are to stay on, whichever of its devices holds them."""
        return self._connection.held.setdefault(self._unit, set())

    def pulse_begins(self, seconds: float) -> None:
        """A pulse is about to be asked for; by then it is over, whether or not the board answers."""
        until = time.monotonic() + seconds
        self._connection.pulsing[self._unit] = max(until, self._connection.pulsing.get(self._unit, 0.0))

    @property
    def pulse_left_s(self) -> float:
        """How long some output of this board may still be on; 0.0 when no pulse is under way."""
        return max(0.0, self._connection.pulsing.get(self._unit, 0.0) - time.monotonic())

    async def aclose(self) -> None:
        """Leave the connection; the last to leave closes it. Safe to call twice."""
        if not self._closed:
            self._closed = True
            self._connection.users -= 1
            if not self._connection.users:
                self._connection.close()

    async def _ask(self, request: ModbusPDU) -> ModbusPDU:
        with self._named():
            return await self._connection.ask(request)

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except (DeviceUnreachableError, DeviceRefusedError) as exc:
            raise type(exc)(f"{self.name}: {exc}", exc.fault) from exc


@contextlib.contextmanager
def _cancellation_kept() -> Iterator[None]:
    """A cancellation that comes with the answer stays one: Python 3.11's wait_for, used by pymodbus, drops it."""
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    try:
        yield
    finally:
        if task and task.cancelling() > before:
            raise asyncio.CancelledError


def line_of(wiring: Wiring, host: str, port: int, unit: int, timeout_ms: int) -> ModbusLine:
    """A line for the device of *wiring* over the lot's one connection to that address."""
    where = f"{host}:{port}"

    def connect() -> ModbusConnection:
        client = AsyncModbusTcpClient(host, port=port, timeout=timeout_ms / 1000, retries=0, reconnect_delay=0)
        return ModbusConnection(where, client)

    return _shared_line(wiring, where, unit, connect)


def serial_line_of(wiring: Wiring, port: SerialPort, unit: int, timeout_ms: int) -> ModbusLine:
    """The same over RS-485: the lot's one connection to that serial port, whatever boards are on its bus."""

    def connect() -> ModbusConnection:
        client = AsyncModbusSerialClient(
            str(port.device), baudrate=port.baud, parity=port.parity_letter, stopbits=port.stop_bits,
            timeout=timeout_ms / 1000, retries=0, reconnect_delay=0,
        )  # fmt: skip
        return ModbusConnection(str(port.device), client, quiet_s=timeout_ms / 1000, port=port.device)

    return _shared_line(wiring, str(port.device), unit, connect)


def _shared_line(wiring: Wiring, where: str, unit: int, connect: Callable[[], ModbusConnection]) -> ModbusLine:
    connection = wiring.shared.get(f"modbus {where}")
    if not isinstance(connection, ModbusConnection):
        connection = wiring.shared[f"modbus {where}"] = connect()
    return ModbusLine(wiring.name, connection, unit)


def _bits(answer: ModbusPDU, count: int) -> list[bool]:
    if len(answer.bits) < count:
        raise DeviceRefusedError(f"device answered {len(answer.bits)} bits, {count} were asked for")
    return [bool(bit) for bit in answer.bits[:count]]
