"""Write a trained detector as ONNX and its SHA-256 into ``models.toml``.

``python -m training.detector.export CHECKPOINT [--to FOLDER]``. The batch norms are folded into the convolutions, and
the file takes a picture as it lies in memory: uint8, 1×H×W×3, blue green red, H and W any multiples of 32.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from drivers.recogniser.networks import MODELS
from training.detector.net import PlateNet
from training.onnx_files import halved, write

NAME: Final = "detector"
OPSET: Final = 17
TOLERANCE: Final = 0.05  # of logits and corner offsets, against the network in training
AGREEMENT: Final = 1e-4  # between the two runtimes


class FromPicture(nn.Module):
    """The network behind a picture's own layout."""

    def __init__(self, net: PlateNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        maps: tuple[Tensor, Tensor, Tensor] = self.net(pixels.permute(0, 3, 1, 2).float())
        return maps


def as_onnx(net: PlateNet) -> onnx.ModelProto:
    """*net* for pictures of any size."""
    names = ["stride8", "stride16", "stride32"]
    free = {"pixels": {1: "height", 2: "width"}} | {name: {2: f"rows_{name}", 3: f"columns_{name}"} for name in names}
    file = io.BytesIO()
    torch.onnx.export(
        FromPicture(net).eval(),
        (torch.zeros(1, 64, 96, 3, dtype=torch.uint8),),
        file,
        input_names=["pixels"],
        output_names=names,
        dynamic_axes=free,
        opset_version=OPSET,
        dynamo=False,
    )
    return onnx.load_from_string(file.getvalue())


def check(data: bytes, net: PlateNet) -> None:
    """Raise when the file in *data* does not say what *net* says, or OpenCV reads it otherwise than onnxruntime."""
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    second = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
    for height, width in ((384, 640), (640, 384), (64, 224)):
        picture = np.random.default_rng(1).integers(0, 256, (1, height, width, 3), np.uint8)
        said = session.run(None, {"pixels": picture})
        second.setInput(picture)
        again = second.forward(second.getUnconnectedOutLayersNames())
        with torch.inference_mode():
            meant = FromPicture(net)(torch.from_numpy(picture))
        for got, other, wanted in zip(said, again, meant, strict=True):
            if np.abs(got - wanted.numpy()).max() > TOLERANCE or np.abs(got - other).max() > AGREEMENT:
                raise RuntimeError("the exported network differs")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--to", type=Path, default=MODELS)
    asked = parser.parse_args()
    net = PlateNet().eval()
    net.load_state_dict(torch.load(asked.checkpoint)["average"])
    data = halved(as_onnx(net)).SerializeToString()
    check(data, net)
    write(NAME, data, asked.to)
    print(f"{len(data)} bytes")


if __name__ == "__main__":
    main()
