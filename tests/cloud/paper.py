"""What a PDF shows, by Poppler's programs."""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from PIL import Image

DPI = 150


def pictures(pdf: bytes) -> list[Image.Image]:
    """Each page in grey, at 150 dots an inch."""
    with tempfile.TemporaryDirectory() as folder:
        _poppler("pdftoppm", "-r", str(DPI), "-gray", "-", f"{folder}/page", pdf=pdf)
        return [Image.open(io.BytesIO(path.read_bytes())) for path in sorted(Path(folder).iterdir())]


def text_of(pdf: bytes) -> str:
    """Its words."""
    return _poppler("pdftotext", "-", "-", pdf=pdf).decode()


def _poppler(program: str, *arguments: str, pdf: bytes) -> bytes:
    if shutil.which(program) is None:
        pytest.skip("needs Poppler (poppler-utils)")
    command = [program, *arguments]
    return subprocess.run(command, input=pdf, check=True, capture_output=True, timeout=60).stdout  # noqa: S603
