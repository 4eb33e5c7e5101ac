"""What a reader's probabilities are worth: fitted on validation pictures, and kept beside the networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy

from domain.plate import PlateVerdict
from domain.plate_reading import Reading, Thresholds
from drivers.recogniser.networks import model_figures

AS_IT_IS = ((0.0, 0.0), (1.0, 1.0))  # a calibration that changes nothing


@dataclass(frozen=True, slots=True)
class ReaderFigures:
    """What was fitted on the validation pictures: *plates* for forms of GA 36, *foreign* for other Latin plates.

    *calibration*: raw and true probability, pair by pair, rising.
    """

    plates: Thresholds
    foreign: Thresholds
    calibration: tuple[tuple[float, float], ...] = AS_IT_IS

    @classmethod
    def of_models(cls) -> ReaderFigures:
        """The figures that came with the networks. Raises DeviceError."""
        figures = model_figures()
        pairs = tuple((float(raw), float(true)) for raw, true in figures["recogniser"].get("calibration", ()))
        found = figures["thresholds"]
        return cls(Thresholds(**found["plates"]), Thresholds(**found["foreign"]), pairs or AS_IT_IS)

    def calibrated(self, readings: Sequence[Reading]) -> tuple[Reading, ...]:
        """*readings* with the share of such readings that were right as their probabilities."""
        raw, true = zip(*self.calibration, strict=True)
        return tuple(replace(one, probability=float(numpy.interp(one.probability, raw, true))) for one in readings)

    def verdict(self, readings: Sequence[Reading]) -> PlateVerdict:
        """What may be done with the best of *readings*."""
        if not readings:
            return PlateVerdict.UNREAD
        return (self.plates if readings[0].kind else self.foreign).verdict(readings[0])
