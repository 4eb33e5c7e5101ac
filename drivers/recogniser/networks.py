"""The trained networks: files with known hashes, run by onnxruntime or by OpenCV, one thread a picture.

``models/models.toml`` names each file's SHA-256 and the figures that belong to its training (thresholds, calibration).
"""

from __future__ import annotations

import hashlib
import threading
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from drivers.base import DeviceError
from drivers.pictures import opencv

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Array = NDArray[numpy.float32]

MODELS = Path(__file__).parent / "models"
Runtime = Literal["onnxruntime", "opencv"]


class Network(Protocol):
    """A network with one input. Safe to call from several threads."""

    def run(self, array: NDArray[Any]) -> list[Array]:
        """Its outputs for *array*, in the order of the file."""
        ...


def open_network(name: str, runtime: Runtime = "onnxruntime", folder: Path = MODELS) -> Network:
    """The network in ``name.onnx``. Raises DeviceError when the file is damaged or the runtime is not installed."""
    data = _checked(name, folder)
    return _OnnxRuntime(name, data) if runtime == "onnxruntime" else _OpenCv(name, data)


@cache
def model_figures(folder: Path = MODELS) -> Mapping[str, Any]:
    """What ``models.toml`` says. Raises DeviceError."""
    try:
        return tomllib.loads((folder / "models.toml").read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as exc:
        raise DeviceError(f"{folder / 'models.toml'} cannot be read: install lotgate again") from exc


def _checked(name: str, folder: Path) -> bytes:
    """The bytes of a network whose hash is the one written down. Raises DeviceError."""
    file = folder / f"{name}.onnx"
    try:
        data = file.read_bytes()
    except OSError as exc:
        raise DeviceError(f"{file} cannot be read: install lotgate again") from exc
    if hashlib.sha256(data).hexdigest() != model_figures(folder).get(name, {}).get("sha256"):
        raise DeviceError(f"{file} is damaged: its SHA-256 is not the one in models.toml; install lotgate again")
    return data


class _OnnxRuntime:
    """The usual runtime: quick on x86-64 and on 64-bit ARM."""

    def __init__(self, name: str, data: bytes) -> None:
        try:
            import onnxruntime  # type: ignore[import-untyped]
        except ImportError as exc:
            raise DeviceError("plate reading needs onnxruntime: pip install 'lotgate[vision]'") from exc
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_mem_pattern = False  # it would keep a plan and a block for every size of picture
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as exc:
            raise DeviceError(f"onnxruntime cannot load the network {name}: {exc}") from exc
        self._input = self._session.get_inputs()[0].name

    def run(self, array: NDArray[Any]) -> list[Array]:
        """One forward pass."""
        return self._session.run(None, {self._input: array})  # type: ignore[no-any-return]


class _OpenCv:
    """The second runtime, for machines without onnxruntime; its networks hold state while they run."""

    def __init__(self, name: str, data: bytes) -> None:
        import numpy

        cv2 = opencv()
        try:
            self._net = cv2.dnn.readNetFromONNX(numpy.frombuffer(data, numpy.uint8))
        except cv2.error as exc:
            raise DeviceError(f"OpenCV cannot load the network {name}: {exc}") from exc
        self._outputs = self._net.getUnconnectedOutLayersNames()
        self._turn = threading.Lock()

    def run(self, array: NDArray[Any]) -> list[Array]:
        """One forward pass."""
        with self._turn:
            self._net.setInput(array)
            return list(self._net.forward(self._outputs))
