"""LED and voice boards of the OLM kind on RS-485, bytes <-> values (display protocol 1.0 to 2.6). No I/O."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from drivers.base import BadFrameError
from drivers.modbus_frames import crc16

ADDRESS = 0x00
SHORT, LONG = 0x64, 0xC8  # one or two bytes of length
SINGLE_PACKET = b"\xff\xff"
CONNECT, BRIGHTNESS, VOLUME, RELAY, SAY, HUSH, LINE, PAGE = 0x00, 0x0C, 0x0D, 0x0F, 0x30, 0x31, 0x62, 0x6F
DONE = 0x00
PLAY = 0x01  # queue and play
NOW, LEFTWARD = 0x00, 0x01  # how a line enters
FONT_16 = 0x03
LONGEST = 255
LINE_HEAD = 19
LONGEST_TEXT = LONGEST - LINE_HEAD
STEADY = 0x15  # how a line of a page enters
MOST_LINES = 4  # of a page
LONGEST_LINE = 32
UNTIL_NEXT = 0xFF  # seconds a page stands; 6 to 253 are taken as such
_PAGE_LINE = struct.Struct("<BBBBBBB3BxB")
_NEXT_LINE, _LAST_LINE, _VOICE = 0x0D, 0x00, 0x0A

RED, GREEN, YELLOW = (255, 0, 0), (0, 255, 0), (255, 255, 0)


@dataclass(frozen=True, slots=True)
class Frame:
    """One message; an answer has the command of its question and one byte, 0 for done."""

    command: int
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Line:
    """A temporary line: what stands on line *place* until the next one. *hold_s* between movements."""

    place: int
    text: str
    colour: tuple[int, int, int] = RED
    scrolls: bool = False
    speed: int = 1
    hold_s: int = 5


def encode(frame: Frame) -> bytes:
    """*frame* as it goes on the wire. Raises BadFrameError when it is too long."""
    if len(frame.data) > LONGEST:
        raise BadFrameError(f"display message of {len(frame.data)} bytes; at most {LONGEST} fit")
    body = bytes([ADDRESS, SHORT]) + SINGLE_PACKET + bytes([frame.command, len(frame.data)]) + frame.data
    return body + crc16(body)


def size_of(start: bytes) -> int | None:
    """How long the frame that begins with *start* is; None until that is known. Raises BadFrameError."""
    if len(start) >= 2 and start[1] not in (SHORT, LONG):
        raise BadFrameError(f"display answers with version {start[1]:02X}; 64 and C8 are known")
    head = 7 if len(start) >= 2 and start[1] == LONG else 6
    if len(start) < head:
        return None
    length = int.from_bytes(start[5:head], "little")
    return head + length + 2


def decode(data: bytes) -> Frame:
    """A whole frame. Raises BadFrameError on a wrong length or check sum."""
    size = size_of(data)
    if size is None or size != len(data):
        raise BadFrameError(f"display frame of {len(data)} bytes is cut off or too long")
    if crc16(data[:-2]) != data[-2:]:
        raise BadFrameError("display frame with a wrong check sum")
    head = 7 if data[1] == LONG else 6
    return Frame(data[4], data[head:-2])


def text_bytes(text: str, limit: int = LONGEST_TEXT) -> bytes:
    """GB2312, never cut inside a character; what the board cannot write becomes "?"."""
    taken = bytearray()
    for letter in text:
        code = letter.encode("gb2312", "replace") if letter.isprintable() else b" "
        if len(taken) + len(code) > limit:
            break
        taken += code
    return bytes(taken)


def line_frame(line: Line) -> Frame:
    """Command 62. Its reserved bytes are 0, as the manual's text says (its example has a 1 there)."""
    text = text_bytes(line.text) or b" "
    entry = LEFTWARD if line.scrolls else NOW
    head = struct.pack(
        "<BBBBBHBB3B5xH", line.place, entry, line.speed, 0, line.hold_s, 0, FONT_16, 0, *line.colour, len(text)
    )
    return Frame(LINE, head + text)


def line_of(frame: Frame) -> Line:
    """What command 62 puts on which line. Raises BadFrameError."""
    if len(frame.data) < LINE_HEAD:
        raise BadFrameError("display line is cut off")
    place, entry, speed, _, hold_s, _, _, _, red, green, blue, length = struct.unpack(
        "<BBBBBHBB3B5xH", frame.data[:LINE_HEAD]
    )
    text = frame.data[LINE_HEAD:]
    if len(text) != length:
        raise BadFrameError(f"display line says {length} bytes of text and carries {len(text)}")
    return Line(place, text.decode("gb2312", "replace"), (red, green, blue), entry == LEFTWARD, speed, hold_s)


def page_frame(lines: Sequence[Line], speak: str = "", stands_s: int = UNTIL_NEXT) -> Frame:
    """Command 6F: up to four lines and what is said with them. Raises BadFrameError when they are too long for it."""
    texts = [text_bytes(line.text) or b" " for line in lines]
    if not 1 <= len(lines) <= MOST_LINES or any(len(text) > LONGEST_LINE for text in texts):
        raise BadFrameError(f"a page holds 1 to {MOST_LINES} lines of {LONGEST_LINE} bytes")
    data = bytes([0, stands_s, len(lines)])
    for line, text in zip(lines, texts, strict=True):
        entry = LEFTWARD if line.scrolls else STEADY
        data += _PAGE_LINE.pack(line.place, entry, line.speed, line.hold_s, 0, FONT_16, 0, *line.colour, len(text))
        data += text + bytes([_NEXT_LINE])
    data = data[:-1] + bytes([_LAST_LINE])
    if speak:
        said = text_bytes(speak.replace("，", ","), LONGEST)
        data += bytes([_VOICE, len(said)]) + said + b"\x00"
    if len(data) > LONGEST:
        raise BadFrameError(f"a page of {len(data)} bytes; at most {LONGEST} fit")
    return Frame(PAGE, data)


def page_of(frame: Frame) -> tuple[list[Line], str]:
    """The lines of command 6F and what is said. Raises BadFrameError."""
    data, lines, at = frame.data, [], 3
    for _ in range(data[2] if len(data) > 2 else 0):
        if len(data) < at + _PAGE_LINE.size:
            raise BadFrameError("display page is cut off")
        place, entry, speed, hold_s, _, _, _, red, green, blue, length = _PAGE_LINE.unpack_from(data, at)
        at += _PAGE_LINE.size
        text = data[at : at + length].decode("gb2312", "replace")
        lines.append(Line(place, text, (red, green, blue), entry == LEFTWARD, speed, hold_s))
        at += length + 1
    said = data[at + 2 : -1] if data[at : at + 1] == bytes([_VOICE]) else b""
    if not lines or at > len(data):
        raise BadFrameError("display page is cut off")
    return lines, said.decode("gb2312", "replace")


def say_frame(text: str) -> Frame:
    """Command 30: say it after what is being said; phrases are separated by commas."""
    return Frame(SAY, bytes([PLAY]) + text_bytes(text.replace("，", ","), LONGEST - 1))


def level_frame(command: int, percent: int) -> Frame:
    """BRIGHTNESS or VOLUME; the board takes 10 to 100."""
    return Frame(command, bytes([min(max(percent, 10), 100)]))


def is_done(answer: Frame, question: Frame) -> bool:
    """Whether *answer* says that *question* was carried out. Raises BadFrameError when it answers something else."""
    if answer.command != question.command or len(answer.data) != 1:
        raise BadFrameError(f"display answered {answer.command:02X} to {question.command:02X}")
    return answer.data[0] == DONE
