"""Train the character network from a pool of strips, on one thread, for a given number of minutes.

``python -m training.recogniser.train POOL OUT --minutes 60 [--start CHECKPOINT]``
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from drivers.recogniser.scores import COLOURS
from training.recogniser.evaluate import Look, looks, report
from training.recogniser.net import COLUMNS, Recogniser
from training.recogniser.samples import Pool

BATCH = 32
WARM_UP = 0.03  # of the run, learning rate rising
LED = 0.08  # of the run, with a hint where the characters stand
COLOUR_WEIGHT = 0.2
UNKNOWN_COLOUR = len(COLOURS) - 1


class Averaged:
    """Exponential moving average of a network's weights and statistics: what is evaluated and exported."""

    def __init__(self, net: nn.Module, decay: float = 0.999) -> None:
        self.net = copy.deepcopy(net).requires_grad_(False)
        self._decay, self._steps = decay, 0

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        self._steps += 1
        decay = min(self._decay, self._steps / (self._steps + 10))
        for mean, value in zip(self.net.state_dict().values(), net.state_dict().values(), strict=True):
            if mean.dtype.is_floating_point:
                mean.lerp_(value, 1 - decay)


def rate_at(progress: float, peak: float) -> float:
    """Learning rate at *progress* 0..1 of the run: a short rise, then a cosine down to a hundredth."""
    if progress < WARM_UP:
        return peak * (0.05 + 0.95 * progress / WARM_UP)
    return peak * (0.01 + 0.99 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP))) / 2)


def as_batch(strips: NDArray[np.uint8], rng: np.random.Generator) -> Tensor:
    """Strips as the network's input, each moved by up to two pixels: the pool's strips are seen more than once."""
    moved = np.stack([np.roll(one, tuple(rng.integers(-2, 3, 2)), (0, 1)) for one in strips])
    gain = torch.from_numpy(rng.uniform(0.85, 1.15, (len(strips), 1, 1, 1)).astype(np.float32))
    batch = torch.from_numpy(moved).permute(0, 3, 1, 2).float() * gain
    return batch.clamp_(0, 255).contiguous(memory_format=torch.channels_last)


def evenly_spread(labels: Tensor) -> Tensor:
    """A class for every column [N, COLUMNS] as if characters stood evenly spread over the strip, blanks between."""
    spread = torch.zeros(len(labels), COLUMNS, dtype=torch.long)
    for row, label in zip(spread, labels, strict=True):
        count = int(label[0])
        places = torch.linspace(4, COLUMNS - 5, count).floor().long()
        row[places] = row[places + 1] = label[2 : 2 + count]
    return spread


def loss_of(net: nn.Module, strips: Tensor, labels: Tensor, lead: float = 0.0) -> Tensor:
    """CTC loss per character in float32, and the colours' cross entropy.

    *lead* weighs the cross entropy with evenly spread characters: without it a CTC network says only blanks at first.
    """
    with torch.autocast("cpu", torch.bfloat16):
        columns, colours = net(strips)
    lengths = labels[:, 0]
    classes = torch.cat([row[2 : 2 + row[0]] for row in labels])
    likely = columns.float().permute(1, 0, 2).log_softmax(2)
    times = torch.full((len(labels),), COLUMNS)
    characters = functional.ctc_loss(likely, classes, times, lengths, zero_infinity=True)
    if lead > 0:
        characters = characters + lead * functional.nll_loss(likely.permute(1, 2, 0), evenly_spread(labels))
    return characters + COLOUR_WEIGHT * functional.cross_entropy(colours.float(), labels[:, 1], label_smoothing=0.02)


class Run:
    def __init__(self, pool: Pool, out: Path, start: Path | None, seed: int, peak: float) -> None:
        torch.manual_seed(seed)
        self._rng = np.random.default_rng(seed)
        self._pool, self._out, self._peak = pool, out, peak
        self._net = Recogniser()
        if start:
            self._net.load_state_dict(torch.load(start))
        self._net.to(memory_format=torch.channels_last)
        self._mean = Averaged(self._net)
        weights = [w for w in self._net.parameters() if w.ndim > 1]
        others = [w for w in self._net.parameters() if w.ndim <= 1]
        groups = [{"params": weights, "weight_decay": 0.02}, {"params": others, "weight_decay": 0.0}]
        self._optimiser = torch.optim.AdamW(groups, peak)

    def step(self, progress: float) -> float:
        for group in self._optimiser.param_groups:
            group["lr"] = rate_at(progress, self._peak)
        strips, labels = self._pool.draw(BATCH, self._rng)
        self._net.train()
        lead = max(0.0, 1 - progress / LED)
        loss = loss_of(self._net, as_batch(strips, self._rng), torch.from_numpy(labels).long(), lead)
        self._optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self._net.parameters(), 5.0)
        self._optimiser.step()
        self._mean.update(self._net)
        return loss.item()

    def save(self, name: str, cut: list[Look]) -> str:
        torch.save(self._mean.net.state_dict(), self._out / f"{name}.pt")
        return report(self._mean.net, cut)[0]

    def train(self, minutes: float, every: float, behind: float) -> None:
        """For *minutes*, with *behind* (0..1) of the learning rate's course already behind."""
        cut = list(looks())
        begun = reported = time.monotonic()
        steps, losses = 0, []
        while (elapsed := time.monotonic() - begun) < 60 * minutes:
            losses.append(self.step(behind + (1 - behind) * elapsed / (60 * minutes)))
            steps += 1
            if time.monotonic() - reported > 60 * every:
                pace = steps * BATCH / elapsed
                said = f"{elapsed / 60:.1f} min, {steps} steps, {pace:.0f} strips/s, loss {np.mean(losses):.4f}"
                print(f"{said}, pool {self._pool.filled()}\n{self.save('latest', cut)}", flush=True)
                reported, losses = time.monotonic(), []
        print(f"end: {steps} steps\n{self.save('final', cut)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pool", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--every", type=float, default=4, help="minutes between checkpoints")
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--behind", type=float, default=0.0, help="share of the learning rate's course to leave out")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    asked.out.mkdir(parents=True, exist_ok=True)
    run = Run(Pool(asked.pool), asked.out, asked.start, asked.seed, asked.rate)
    run.train(asked.minutes, asked.every, asked.behind)


if __name__ == "__main__":
    main()
