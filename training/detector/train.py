"""Train the plate detector: ``python -m training.detector.train --out FOLDER [--minutes 75]``.

One thread. The learning rate follows the share of the minutes that has passed, so that the run ends in time on any
machine. FOLDER gets ``checkpoint.pt`` every few minutes and a last one at the end; ``--start`` goes on from one.
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from torch import Tensor

from training.detector.loss import loss_of
from training.detector.net import PlateNet
from training.detector.samples import Sampler, load_scenes
from training.detector.targets import targets

SEED: Final = 20261122
SHAPES: Final = ((320, 320, 16), (416, 256, 16), (256, 416, 16), (640, 384, 7), (256, 128, 40))  # width, height, batch
PEAK_RATE: Final = 2e-3
WARM_UP: Final = 150  # steps
KEEP: Final = 0.999  # share of the running average of the weights that a step keeps
CHECKPOINT_EVERY: Final = 240.0  # seconds


def main() -> None:
    arguments = _arguments()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    rng = np.random.default_rng(SEED + arguments.part)
    net, average = PlateNet().to(memory_format=torch.channels_last), PlateNet()
    if arguments.start:
        net.load_state_dict(torch.load(arguments.start)["net"])
    average.load_state_dict(net.state_dict())
    Trainer(net, average, Sampler(load_scenes(), rng), rng, arguments.minutes * 60, arguments.peak).run(arguments.out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=75)
    parser.add_argument("--start", type=Path, help="a checkpoint to go on from")
    parser.add_argument("--part", type=int, default=0, help="another number draws other samples")
    parser.add_argument("--peak", type=float, default=PEAK_RATE, help="highest learning rate")
    return parser.parse_args()


class Trainer:
    """One run of training, *seconds* long."""

    def __init__(
        self,
        net: PlateNet,
        average: PlateNet,
        sampler: Sampler,
        rng: np.random.Generator,
        seconds: float,
        peak: float,
    ) -> None:
        self._net, self._average, self._sampler, self._rng = net, average, sampler, rng
        self._seconds, self._peak = seconds, peak
        decayed = [weight for weight in net.parameters() if weight.ndim > 1]
        plain = [weight for weight in net.parameters() if weight.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}]
        self._optimizer = torch.optim.AdamW(groups, lr=peak)

    def run(self, out: Path) -> None:
        out.mkdir(parents=True, exist_ok=True)
        start = saved = time.monotonic()
        losses, step = np.zeros(3), 0
        while (passed := (time.monotonic() - start) / self._seconds) < 1:
            step += 1
            for group in self._optimizer.param_groups:
                group["lr"] = self._peak * min(1, step / WARM_UP) * (0.01 + 0.99 * (1 + math.cos(math.pi * passed)) / 2)
            losses = 0.99 * losses + 0.01 * np.array(self._step(step))
            if step % 100 == 0:
                score, corners, rows = losses / (1 - 0.99**step)
                print(f"{step} {passed:.3f} score {score:.4f} corners {corners:.4f} rows {rows:.4f}", flush=True)
            if time.monotonic() - saved > CHECKPOINT_EVERY:
                saved = time.monotonic()
                self._save(out)
        self._save(out)

    def _step(self, step: int) -> tuple[float, float, float]:
        pixels, wanted = self._batch()
        with torch.autocast("cpu", torch.bfloat16):
            maps = self._net(pixels)
        score, corners, rows = loss_of(tuple(level.float() for level in maps), wanted)
        self._optimizer.zero_grad(set_to_none=True)
        (score * 5 + corners + rows * 0.3).backward()
        torch.nn.utils.clip_grad_norm_(self._net.parameters(), 5.0)
        self._optimizer.step()
        self._follow(min(KEEP, step / (step + 10)))
        return score.item(), corners.item(), rows.item()

    def _batch(self) -> tuple[Tensor, tuple[Tensor, ...]]:
        width, height, count = SHAPES[self._rng.integers(len(SHAPES))]
        samples = [self._sampler.sample(width, height) for _ in range(count)]
        pixels = torch.from_numpy(np.stack([sample[0] for sample in samples])).permute(0, 3, 1, 2).float()
        wanted = zip(*(targets(plates, height, width) for _, plates in samples), strict=True)
        return pixels, tuple(torch.from_numpy(np.stack(level)) for level in wanted)

    @torch.no_grad()
    def _follow(self, keep: float) -> None:
        """Move the average of the weights towards the weights."""
        for slow, fast in zip(self._average.state_dict().values(), self._net.state_dict().values(), strict=True):
            if slow.dtype.is_floating_point:
                slow.lerp_(fast, 1 - keep)
            else:
                slow.copy_(fast)

    def _save(self, out: Path) -> None:
        fresh = out / "checkpoint.new"
        torch.save({"net": copy.copy(self._net.state_dict()), "average": self._average.state_dict()}, fresh)
        fresh.replace(out / "checkpoint.pt")


if __name__ == "__main__":
    main()
