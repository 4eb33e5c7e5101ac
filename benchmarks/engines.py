"""Plate engines side by side: ours, the declared alternative, and others where they happen to be installed."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.plate import classify, normalise
from drivers.base import BadFrameError, DeviceError, Recogniser
from drivers.pictures import decode
from drivers.recogniser.reader import LotgateOptions, new_reader
from drivers.recogniser.tesseract import new_tesseract


@dataclass(frozen=True, slots=True)
class Answer:
    """What an engine made of one picture. *plate* is "" when unread; *confidence* 0-1; *ms* from file to answer."""

    plate: str
    verdict: str
    confidence: float
    ms: float


@dataclass(frozen=True, slots=True)
class Engine:
    """*read* takes a picture file; *most* pictures are given to one that is slow."""

    name: str
    read: Callable[[Path], Answer]
    most: int | None = None


def engines(tesseract_pictures: int) -> Iterator[Engine]:
    """Every engine that can run here. Raises DeviceError when ours cannot."""
    yield Engine("lotgate", _ours(new_reader()))
    yield Engine("lotgate, OpenCV runtime", _ours(new_reader(LotgateOptions("opencv"))))
    try:
        yield Engine("Tesseract + OpenCV", _ours(new_tesseract()), tesseract_pictures)
    except DeviceError as exc:
        print(f"left out: {exc}")
    for module, make in OTHERS.items():
        try:
            yield Engine(module, make(importlib.import_module(module)))
        except ImportError:
            continue


def _ours(recogniser: Recogniser) -> Callable[[Path], Answer]:
    def read(file: Path) -> Answer:
        began = time.perf_counter()
        try:
            found = recogniser.recognise(file.read_bytes())
        except BadFrameError:
            found = ()
        ms = (time.perf_counter() - began) * 1000
        if not found:
            return Answer("", "unread", 0.0, ms)
        return Answer(found[0].text, found[0].verdict, found[0].confidence / 100, ms)

    return read


def _other(look: Callable[[Any], Iterator[tuple[str, float]]]) -> Callable[[Path], Answer]:
    """An engine that gives texts with their confidences: the surest that is a plate counts, no verdict of its own."""

    def read(file: Path) -> Answer:
        began = time.perf_counter()
        texts = [(normalise(text), sure) for text, sure in look(decode(file.read_bytes()))]
        ms = (time.perf_counter() - began) * 1000
        texts.sort(key=lambda found: (classify(found[0]) is not None, found[1]))
        plate, sure = texts[-1] if texts else ("", 0.0)
        return Answer(plate, "ask" if plate else "unread", sure, ms)

    return read


def _agentclpr(module: Any) -> Callable[[Path], Answer]:
    system = module.CLPSystem()

    def look(pixels: Any) -> Iterator[tuple[str, float]]:
        for _, (text, sure) in system(pixels):
            yield text, float(sure)

    return _other(look)


def _rapidocr(module: Any) -> Callable[[Path], Answer]:
    ocr = module.RapidOCR()

    def look(pixels: Any) -> Iterator[tuple[str, float]]:
        for _, text, sure in ocr(pixels)[0] or ():
            yield text, float(sure)

    return _other(look)


def _hyperlpr(module: Any) -> Callable[[Path], Answer]:
    catcher = module.LicensePlateCatcher()

    def look(pixels: Any) -> Iterator[tuple[str, float]]:
        for text, sure, *_ in catcher(pixels):
            yield text, float(sure)

    return _other(look)


OTHERS: Mapping[str, Callable[[Any], Callable[[Path], Answer]]] = {
    "agentclpr": _agentclpr,
    "rapidocr_onnxruntime": _rapidocr,
    "hyperlpr3": _hyperlpr,
}
