"""Network files small and with their hash written down."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnx import helper, numpy_helper

WORTH_HALVING: Final = 1024  # values; small tensors stay as they are


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """*model* with its large weights stored as float16 and cast to float32 when loaded: half the file."""
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


def write(name: str, data: bytes, folder: Path) -> None:
    """``NAME.onnx`` and its hash in ``models.toml``, which the product checks when it loads the file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.onnx").write_bytes(data)
    figures = folder / "models.toml"
    old = figures.read_text("utf-8") if figures.exists() else ""
    line = f'sha256 = "{hashlib.sha256(data).hexdigest()}"'
    text, found = re.subn(rf'(?<=\[{name}\]\n)sha256 = "[0-9a-f]*"', line, old)
    figures.write_text(text if found else f"{old}\n[{name}]\n{line}\n".lstrip(), "utf-8")
