"""Linux key events, bytes <-> the text they type on a US keyboard, which is what readers pretend to be. No I/O."""

from __future__ import annotations

import struct
from collections.abc import Iterator

EVENT = struct.Struct("@llHHi")  # seconds, microseconds, type, code, value: native, as the kernel hands it out
SYNC, KEY = 0, 1
PRESSED = 1
SHIFTS = (42, 54)
_ROWS = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (57, " ", " "),
    (71, "789-456+1230.", "789-456+1230."),
    (98, "/", "/"),
    (55, "*", "*"),
)
_ENDS = (28, 96, 15)  # enter, the number pad's enter, tab
PLAIN = {first + place: letter for first, plain, _ in _ROWS for place, letter in enumerate(plain)}
SHIFTED = {first + place: letter for first, _, shifted in _ROWS for place, letter in enumerate(shifted)}


class Keys:
    """What is typed, event by event; a key without a letter types nothing."""

    def __init__(self) -> None:
        self._held: set[int] = set()  # shift keys
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        """The text that *data* types, "\\n" where a code ends."""
        self._rest += data
        whole = len(self._rest) // EVENT.size * EVENT.size
        events, self._rest = self._rest[:whole], self._rest[whole:]
        struck = ((code, value) for _, _, kind, code, value in EVENT.iter_unpack(events) if kind == KEY)
        return "".join(self._typed(code, value) for code, value in struck).encode()

    def _typed(self, code: int, value: int) -> str:
        if code in SHIFTS:
            (self._held.add if value else self._held.discard)(code)
            return ""
        if value != PRESSED:
            return ""
        return "\n" if code in _ENDS else (SHIFTED if self._held else PLAIN).get(code, "")


def strokes(text: str) -> Iterator[bytes]:
    """Events that type *text*, as a reader sends them. Raises ValueError for a letter this keyboard has not."""
    plain = {letter: code for code, letter in reversed(PLAIN.items())} | {"\n": _ENDS[0]}
    shifted = {letter: code for code, letter in reversed(SHIFTED.items())}
    for letter in text:
        code = plain.get(letter) or shifted.get(letter)
        if code is None:
            raise ValueError(f"a US keyboard has no {letter!r}")
        held = () if letter in plain else SHIFTS[:1]
        for key, value in (*((one, 1) for one in held), (code, 1), (code, 0), *((one, 0) for one in held)):
            yield EVENT.pack(0, 0, KEY, key, value) + EVENT.pack(0, 0, SYNC, 0, 0)
