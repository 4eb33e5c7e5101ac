"""Tells from pictures that something large has come into view. A ground loop knows better where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.pictures import opencv

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from drivers.pictures import Pixels

SIZE = (160, 90)
LEAST_DIFFERENCE = 25  # of 255: below it is noise and the auto-exposure
LEARN_STILL = 0.05  # share of a still picture that the background takes over, a frame
LEARN_BUSY = 0.003  # with something in view: what stays for minutes becomes background


class MotionGate:
    """Says once that a vehicle has come, and is ready for the next after *quiet_s* of the empty lane."""

    def __init__(self, least_change: float, quiet_s: float) -> None:
        self._least_change = least_change
        self._quiet_s = quiet_s
        self._background: NDArray[numpy.float32] | None = None
        self._present = False
        self._empty_since = 0.0

    def arrives(self, pixels: Pixels, now: float) -> bool:
        """True for the frame that shows a new arrival; *now* in seconds of any steady clock."""
        changed = self._changed(pixels)
        if changed >= self._least_change:
            self._empty_since = now
            arrived = not self._present
            self._present = True
            return arrived
        if now - self._empty_since >= self._quiet_s:
            self._present = False
        return False

    def _changed(self, pixels: Pixels) -> float:
        """Share of the picture that differs from the background."""
        cv2 = opencv()
        grey = cv2.cvtColor(cv2.resize(pixels, SIZE, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
        grey = cv2.GaussianBlur(grey, (5, 5), 0).astype("float32")
        if self._background is None:
            self._background = grey
            return 0.0
        share = float((cv2.absdiff(grey, self._background) > LEAST_DIFFERENCE).mean())
        cv2.accumulateWeighted(grey, self._background, LEARN_BUSY if share >= self._least_change else LEARN_STILL)
        return share
