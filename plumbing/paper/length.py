"""How much paper a job takes: the dot rows that its bytes feed. No I/O."""

from __future__ import annotations

import segno

from plumbing.paper.commands import CUT, FEED_LINES, LINE_FEED, RASTER, SIZE, SYMBOL, Command

LINE = 30  # dots of a line of text with its gap
KNIFE = 2 * LINE  # from the head past the knife; real units have some millimetres more
DOTS_A_MM = 8  # 203 dpi


class Roll:
    """Counts along with the commands of a printer. *rows* have been fed so far."""

    def __init__(self) -> None:
        self.rows = 0
        self._size, self._dots, self._symbol = 1, 4, b""

    def feed(self, command: Command) -> int:
        """How many rows *command* feeds."""
        rows = self._rows(command)
        self.rows += rows
        return rows

    def _rows(self, command: Command) -> int:
        match command.name:
            case x if x == LINE_FEED:
                return LINE * self._size
            case x if x == FEED_LINES:
                return LINE * command.data[0]
            case x if x == CUT:
                return KNIFE
            case x if x == RASTER:
                return command.data[3] + command.data[4] * 256
            case x if x == SIZE:
                self._size = (command.data[0] & 0x0F) + 1
            case x if x == SYMBOL:
                return self._symbol_rows(command.data[2:])
        return 0

    def _symbol_rows(self, step: bytes) -> int:
        if step[:2] == b"1C":
            self._dots = step[2]
        elif step[:2] == b"1P":
            self._symbol = step[3:]
        elif step[:2] == b"1Q":
            return int(segno.make_qr(self._symbol, error="m", boost_error=False).symbol_size(self._dots, 4)[1])
        return 0
