"""A loop detector wired to a dry contact of a camera, which pushes its changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from drivers.base import BadOptionsError, HasInputs, LoopChange
from drivers.wiring import Wiring


@dataclass(frozen=True, slots=True)
class CameraIoOptions:
    """``inputs = { approach = 0 }``: the name of the loop and the camera's contact (0 to 3)."""

    inputs: dict[str, int]

    def __post_init__(self) -> None:
        if len(self.inputs) != 1:
            raise ValueError("inputs must name exactly one loop; give the next contact a loop of its own")


class CameraIo:
    """Changes as the camera pushes them; it debounces itself and does not tell its present state."""

    def __init__(self, camera: HasInputs, loop: str, source: int) -> None:
        self._camera = camera
        self._loop = loop
        self._source = source

    def changes(self) -> AsyncIterator[LoopChange]:
        """Changes from the next push on."""
        return self._camera.input_changes(self._source, self._loop)

    async def aclose(self) -> None:
        """Nothing to let go: the line is the camera's."""


async def open_camera_io(options: CameraIoOptions, wiring: Wiring) -> CameraIo:
    """A loop on the lane's own camera. Raises BadOptionsError when that camera has no contacts."""
    if not isinstance(wiring.camera, HasInputs):
        raise BadOptionsError(f"{wiring.name}: camera_io needs a camera with contacts of its own (type vzenith)")
    ((loop, source),) = options.inputs.items()
    return CameraIo(wiring.camera, loop, source)
