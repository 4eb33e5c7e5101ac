"""Write a trained character network as ONNX, with half-precision weights, and its SHA-256 into ``models.toml``.

``python -m training.recogniser.export WEIGHTS [--to FOLDER]``. Batch norms are folded into the convolutions; weights
are stored as float16 (half the file) and cast back when the file is loaded, so arithmetic stays float32.
"""

from __future__ import annotations

import argparse
import hashlib
import re
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper, numpy_helper

from drivers.recogniser.networks import MODELS
from drivers.recogniser.strip import HEIGHT, WIDTH
from training.recogniser.net import Recogniser, fuse

NAME: Final = "recogniser"
WORTH_HALVING: Final = 1024  # values; small tensors stay as they are
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


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """*model* with its large weights stored as float16 and cast to float32 when loaded."""
    casts = []
    for weights in model.graph.initializer:
        values = numpy_helper.to_array(weights)
        if values.dtype == np.float32 and values.size >= WORTH_HALVING:
            name = weights.name
            weights.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
            casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    del model.graph.value_info[:], model.metadata_props[:]
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    onnx.checker.check_model(model)
    return model


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


def write(data: bytes, folder: Path) -> None:
    """The file and its hash, which the product checks when it loads it."""
    (folder / f"{NAME}.onnx").write_bytes(data)
    figures = folder / "models.toml"
    line = f'sha256 = "{hashlib.sha256(data).hexdigest()}"'
    text, found = re.subn(rf'(?<=\[{NAME}\]\n)sha256 = "[0-9a-f]*"', line, figures.read_text("utf-8"))
    if not found:
        raise ValueError(f"{figures}: no [{NAME}] table that begins with its sha256")
    figures.write_text(text, "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--to", type=Path, default=MODELS)
    asked = parser.parse_args()
    net = Recogniser()
    net.load_state_dict(torch.load(asked.weights))
    data = halved(as_onnx(net)).SerializeToString()
    check(data, net)
    write(data, asked.to)
    print(f"{len(data)} bytes")


if __name__ == "__main__":
    main()
