"""From a camera's JPEG frame to a verdict on the plate, in one thread; and the most memory a reading process takes.

The frames are photographs held back from training, fitted into 1280 × 720, where ``make plates`` has any; else scenes
are drawn. The baseline is OpenCV's decoding of the same bytes.
"""

from __future__ import annotations

import io
import itertools
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from benchmarks.figures import Figure, Options
from benchmarks.pairs import Spread, interleave, shown
from benchmarks.plates import held_back, is_chinese, photographs, sample
from drivers.pictures import decode, jpeg, opencv
from drivers.recogniser.reader import LotgateOptions, PlateReader, new_reader
from lotgate.demo.scenes import draw_scene

FRAME_MOST_S = 0.060
MEMORY_MOST_MB = 200
FRAME, FRAMES = (1280, 720), 41
PLATES = ("京A12345", "粤BD12345", "沪C8K267", "川A90T31", "鲁B7Q552")

LARGE, SIDE = 2880, 2508  # of the largest baseline JPEG and the largest other picture that are taken whole
CLAIMED = 20_000  # what a hostile one claims to be
PROCESS = r"""
import contextlib, re, sys
from pathlib import Path
from drivers.base import BadFrameError
from drivers.recogniser.reader import new_reader

reader = new_reader()
for file in sys.argv[2:] * int(sys.argv[1]):
    with contextlib.suppress(BadFrameError):
        reader.recognise(Path(file).read_bytes())
print(int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024)
"""


def run(options: Options) -> list[Figure]:
    """Both runtimes beside the decoding, then memory with usual frames and with odd and hostile pictures."""
    cv2 = opencv()
    frames = photographed(len(PLATES) if options.smoke else FRAMES)
    frames = frames or [draw_scene(plate, seed) for seed, plate in enumerate(PLATES)]
    readers = {name: new_reader(LotgateOptions(name)) for name in ("onnxruntime", "opencv")}
    spent: dict[str, list[float]] = {name: [] for name in readers}
    works: Mapping[str, Callable[[], object]] = {
        "decoding": partial(decode_next, cv2, itertools.cycle(frames)),
        **{name: partial(read_next, reader, itertools.cycle(frames), spent[name]) for name, reader in readers.items()},
    }
    taken = interleave(works, 5 if options.smoke else 200)
    return [
        *(frame_figure(name, len(frames), taken[name], taken["decoding"], spent[name]) for name in readers),
        memory_figure("usual frames", frames, options),
        memory_figure("odd and hostile pictures", odd_pictures(), options),
    ]


def photographed(most: int) -> list[bytes]:
    """At most so many frames made of Chinese scenes held back, evenly chosen; none where there are no photographs."""
    cv2, folder = opencv(), photographs()
    scenes = [row for row in held_back(folder) if row["kind"] == "scene" and is_chinese(row)]
    return [framed(cv2, (folder / row["file"]).read_bytes()) for row in sample(scenes, most)]


def framed(cv2: Any, picture: bytes) -> bytes:
    """A picture as a camera's frame: as large as it goes into 1280 × 720, the rest grey."""
    import numpy

    pixels = decode(picture)
    height, width = pixels.shape[:2]
    scale = min(FRAME[0] / width, FRAME[1] / height)
    inner = cv2.resize(pixels, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    frame = numpy.full((FRAME[1], FRAME[0], 3), 128, numpy.uint8)
    frame[: inner.shape[0], : inner.shape[1]] = inner
    return jpeg(frame)


def decode_next(cv2: Any, frames: Any) -> None:
    """The baseline: pixels of the next frame."""
    import numpy

    cv2.imdecode(numpy.frombuffer(next(frames), numpy.uint8), cv2.IMREAD_COLOR)


def read_next(reader: PlateReader, frames: Any, spent: list[float]) -> None:
    """The subject: the plates of the next frame; *spent* gets the processor's seconds, whoever else is at work."""
    began = time.thread_time()
    reader.recognise(next(frames))
    spent.append(time.thread_time() - began)


def frame_figure(
    name: str, frames: int, taken: Sequence[float], decoding: Sequence[float], spent: Sequence[float]
) -> Figure:
    """A frame's whole way beside its decoding alone."""
    ours, bare = Spread.of(taken), Spread.of(decoding)
    return Figure(
        f"1280 x 720 frame to verdict, {name}",
        f"≤ {FRAME_MOST_S * 1000:.0f} ms",
        f"{frames} frames, {ours}, of the processor p50 {shown(statistics.median(spent))}, "
        f"{ours.p50 / bare.p50:.1f} × decoding it ({bare})",
        ours.p50 <= FRAME_MOST_S,
    )


def odd_pictures() -> list[bytes]:
    """The largest that are taken in each form, the same cut off, and small files that claim to be huge."""
    import cv2
    import numpy
    from PIL import Image

    def saved(picture: Image.Image, form: str, **options: object) -> bytes:
        out = io.BytesIO()
        picture.save(out, form, **options)
        return out.getvalue()

    noise = Image.effect_noise((LARGE, LARGE), 60).convert("RGB")
    whole = [saved(noise, "JPEG")]
    noise = noise.crop((0, 0, SIDE, SIDE))
    whole += [
        saved(noise, "JPEG", progressive=True, subsampling=0),
        saved(noise, "PNG"),
        saved(noise.convert("RGBA"), "PNG"),
        saved(noise, "WEBP"),
        saved(Image.new("CMYK", (8000, 8000)), "JPEG"),
        bytes(cv2.imencode(".png", numpy.full((SIDE, SIDE, 3), 40_000, numpy.uint16))[1]),
    ]
    claims = [
        b"BM" + struct.pack("<IIIIiiHH", 54, 0, 54, 40, CLAIMED, CLAIMED, 1, 24) + bytes(24),
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", CLAIMED, CLAIMED) + bytes(9),
        b"",
        b"no picture",
    ]
    return [*whole, *(picture[: len(picture) // 2] for picture in whole), *claims]


def memory_figure(name: str, pictures: Sequence[bytes], options: Options) -> Figure:
    """The most a fresh process ever holds that loads the engine and reads *pictures* three times."""
    files = [options.folder / f"{number}.picture" for number in range(len(pictures))]
    for file, picture in zip(files, pictures, strict=True):
        file.write_bytes(picture)
    command = [sys.executable, "-c", PROCESS, "1" if options.smoke else "3", *map(str, files)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    peak = float(done.stdout)
    return Figure(f"peak memory, {name}", f"≤ {MEMORY_MOST_MB} MB", f"{peak:.0f} MB", peak <= MEMORY_MOST_MB)
