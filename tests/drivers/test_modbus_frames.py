"""The manuals' own frames (relay boards with address 1 or FE, and the timed pulse)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.barrier.simulated import Pulse, RelayModel
from drivers.base import BadFrameError
from drivers.modbus_frames import (
    MAX_PDU,
    TcpFrame,
    pack_bits,
    rtu_frame,
    rtu_unwrap,
    tcp_frame,
    tcp_header,
    unpack_bits,
)

MANUAL = [
    "01 05 00 00 FF 00 8C 3A",
    "01 05 00 00 00 00 CD CA",
    "01 01 00 00 00 08 3D CC",
    "01 02 00 00 00 08 79 CC",
    "01 0F 00 00 00 08 01 FF BE D5",
    "FE 05 00 00 FF 00 98 35",
    "01 05 02 00 00 07 8D B0",
]


@pytest.mark.parametrize("text", MANUAL)
def test_the_manuals_frames_are_built_and_taken_apart(text: str) -> None:
    frame = bytes.fromhex(text)

    unit, pdu = rtu_unwrap(frame)

    assert (unit, pdu) == (frame[0], frame[1:-2])
    assert rtu_frame(unit, pdu) == frame


def test_the_board_times_the_manuals_pulse_and_echoes_it() -> None:
    now = [100.0]
    board = RelayModel(clock=lambda: now[0])
    frame = bytes.fromhex("01 05 02 00 00 07 8D B0")

    echo = board.answer_rtu(frame)

    assert echo == frame
    assert board.pulses == [Pulse(0, 100.0, 0.7000000000000001)]
    for moment, on in ((100.0, True), (100.69, True), (100.71, False)):
        now[0] = moment
        assert board.outputs[0] is on


@pytest.mark.parametrize(
    ("request_text", "answer_text"),
    [
        ("05 00 00 FF 00", "05 00 00 FF 00"),
        ("05 00 00 12 34", "85 03"),
        ("05 00 09 FF 00", "85 02"),
        ("05 00", "85 03"),
        ("01 00 00 00 08", "01 01 00"),
        ("01 00 00 00 09", "81 02"),
        ("01 00 00 00 00", "81 02"),
        ("02 00 00 00 08", "02 01 02"),
        ("0F 00 00 00 08 01 FF", "0F 00 00 00 08"),
        ("0F 00 00 00 08 02 FF", "8F 03"),
        ("0F 00 04 00 08 01 FF", "8F 02"),
        ("03 00 00 00 01", "83 01"),
        ("", "80 01"),
    ],
)
def test_the_board_answers_each_request_as_the_standard_says(request_text: str, answer_text: str) -> None:
    board = RelayModel()
    board.inputs[1] = True

    assert board.answer(bytes.fromhex(request_text)) == bytes.fromhex(answer_text)


def test_all_off_ends_a_pulse_and_a_latch() -> None:
    board = RelayModel()
    board.answer(bytes.fromhex("05 02 00 00 07"))
    board.answer(bytes.fromhex("05 00 01 FF 00"))
    assert board.outputs[:3] == [True, True, False]

    board.answer(bytes.fromhex("0F 00 00 00 08 01 00"))

    assert not any(board.outputs)


def test_on_rs485_a_board_stays_silent_to_others_and_to_noise() -> None:
    board = RelayModel()
    other = bytes.fromhex("FE 05 00 00 FF 00 98 35")

    assert board.answer_rtu(other) is None
    assert board.answer_rtu(other, unit=0xFE) == other
    assert board.answer_rtu(bytes.fromhex("01 05 00 00 FF 00 8C 3B")) is None
    assert board.answer_rtu(b"\x01") is None


@pytest.mark.parametrize(
    ("head", "says"),
    [
        ("00 01 00 00 00", "seven bytes"),
        ("00 01 00 01 00 06 01", "protocol 1"),
        ("00 01 00 00 00 01 01", "length 1"),
        ("00 01 00 00 FF FF 01", "length 65535"),
    ],
)
def test_bad_tcp_headers_are_refused(head: str, says: str) -> None:
    with pytest.raises(BadFrameError, match=says):
        tcp_header(bytes.fromhex(head))


@settings(deadline=None)  # a busy machine is no failure
@given(st.integers(0, 65535), st.integers(0, 255), st.binary(min_size=1, max_size=MAX_PDU))
def test_a_tcp_frame_survives_the_way(transaction: int, unit: int, pdu: bytes) -> None:
    frame = tcp_frame(TcpFrame(transaction, unit, pdu))

    assert tcp_header(frame[:7]) == (transaction, unit, len(pdu))
    assert frame[7:] == pdu


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.booleans(), max_size=40))
def test_bits_survive_packing(bits: list[bool]) -> None:
    assert unpack_bits(pack_bits(bits), len(bits)) == bits


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary(max_size=300))
def test_no_bytes_break_the_board_or_the_frames(data: bytes) -> None:
    board = RelayModel()

    assert board.answer(data)
    for parse in (rtu_unwrap, tcp_header):
        with contextlib.suppress(BadFrameError):
            parse(data)


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary(min_size=4, max_size=40), st.integers(0, 39), st.integers(1, 255))
def test_one_wrong_byte_is_noticed(data: bytes, place: int, flip: int) -> None:
    frame = bytearray(rtu_frame(data[0], data[1:]))
    frame[place % len(frame)] ^= flip

    with pytest.raises(BadFrameError):
        rtu_unwrap(bytes(frame))
