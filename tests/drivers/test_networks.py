from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import numpy
import pytest

from drivers.base import DeviceError
from drivers.recogniser.networks import Runtime, model_figures, open_network

# Two outputs of one input of 1 x 1 x 2 x 2: twice the input, and the input without what is below zero.
DOUBLES = base64.b64decode(
    "CAgSADqjAQoVCgF4CgN0d28SBmRvdWJsZSIDTXVsChMKAXgSCHBvc2l0aXZlIgRSZWx1EgFnKg8IARABIgQAAABAQgN0d29aGwoBeBIWChQIARIQ"
    "CgIIAQoCCAEKAggCCgIIAmIgCgZkb3VibGUSFgoUCAESEAoCCAEKAggBCgIIAgoCCAJiIgoIcG9zaXRpdmUSFgoUCAESEAoCCAEKAggBCgIIAgoC"
    "CAJCBAoAEBE="
)
RUNTIMES: tuple[Runtime, ...] = ("onnxruntime", "opencv")


def models(folder: Path, data: bytes, *, said: bytes | None = None) -> Path:
    (folder / "net.onnx").write_bytes(data)
    digest = hashlib.sha256(data if said is None else said).hexdigest()
    (folder / "models.toml").write_text(f'[net]\nsha256 = "{digest}"\naccept = 0.9\n')
    return folder


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_both_runtimes_give_the_outputs_in_the_order_of_the_file(tmp_path: Path, runtime: Runtime) -> None:
    network = open_network("net", runtime, models(tmp_path, DOUBLES))
    given = numpy.array([[[[1, -2], [3, 4]]]], numpy.float32)

    double, positive = network.run(given)

    assert double.tolist() == (given * 2).tolist()
    assert positive.tolist() == [[[[1, 0], [3, 4]]]]


def test_a_damaged_file_is_not_run(tmp_path: Path) -> None:
    folder = models(tmp_path, DOUBLES[:-1] + b"\0", said=DOUBLES)

    with pytest.raises(DeviceError, match=r"net\.onnx is damaged.*install lotgate again"):
        open_network("net", folder=folder)


def test_a_network_without_a_hash_or_a_file_is_not_run(tmp_path: Path) -> None:
    folder = models(tmp_path, DOUBLES)
    (folder / "other.onnx").write_bytes(DOUBLES)

    with pytest.raises(DeviceError, match="damaged"):
        open_network("other", folder=folder)
    with pytest.raises(DeviceError, match=r"third\.onnx cannot be read"):
        open_network("third", folder=folder)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_what_a_runtime_cannot_load_is_a_clear_error(tmp_path: Path, runtime: Runtime) -> None:
    with pytest.raises(DeviceError, match="cannot load the network net"):
        open_network("net", runtime, models(tmp_path, b"no network"))


def test_the_figures_of_training_come_with_the_networks(tmp_path: Path) -> None:
    assert model_figures(models(tmp_path, DOUBLES))["net"]["accept"] == 0.9
    with pytest.raises(DeviceError, match=r"models\.toml cannot be read"):
        model_figures(tmp_path / "nowhere")
