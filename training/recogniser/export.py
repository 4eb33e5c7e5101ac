"""Write a trained character network as ONNX, with half-precision weights, and its SHA-256 into ``models.toml``.

``python -m training.recogniser.export WEIGHTS [--to FOLDER]``. Batch norms are folded into the convolutions; weights
are stored as float16 (half the file) and cast back when the file is loaded, so arithmetic stays float32.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import onnxruntime
import torch

from drivers.recogniser.networks import MODELS
from drivers.recogniser.strip import HEIGHT, WIDTH
from training.onnx_files import halved, write
from training.recogniser.net import Recogniser, fuse

NAME: Final = "recogniser"
TOLERANCE: Final = 0.02  # of the outputs, which are logits of a few units


def as_onnx(net: Recogniser) -> onnx.ModelProto:
    """*net* with batch norms folded, for any number of strips."""
    fuse(net.eval())
    example = torch.rand(2, 3, HEIGHT, WIDTH) * 255
    program = torch.onnx.export(
        net,
        (example,),
        input_names=["strip"],
        output_names=["columns", "colours"],
        dynamic_shapes={"strips": {0: "strips"}},
        dynamo=True,
        verbose=False,
    )
    if program is None:
        raise RuntimeError("the network was not exported")
    return program.model_proto


def check(data: bytes, net: Recogniser) -> None:
    """Raise when the file in *data* does not say what *net* says."""
    strips = np.random.default_rng(1).uniform(0, 255, (3, 3, HEIGHT, WIDTH)).astype(np.float32)
    said = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"]).run(None, {"strip": strips})
    with torch.inference_mode():
        meant = net(torch.from_numpy(strips))
    for got, wanted in zip(said, meant, strict=True):
        worst = float(np.abs(got - wanted.numpy()).max())
        if worst > TOLERANCE * max(1.0, float(wanted.abs().max())):
            raise RuntimeError(f"the exported network differs by {worst:.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--to", type=Path, default=MODELS)
    asked = parser.parse_args()
    net = Recogniser()
    net.load_state_dict(torch.load(asked.weights))
    data = halved(as_onnx(net)).SerializeToString()
    check(data, net)
    write(NAME, data, asked.to)
    print(f"{len(data)} bytes")


if __name__ == "__main__":
    main()
