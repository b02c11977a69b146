"""How long a model took for each picture, as a histogram: small, and histograms of many chunks add up."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from anonflow.detect.base import Detector
from anonflow.types import Boxes, Picture

STEP = 1.02
"""Each bin ends this much above the one before: percentiles are exact to a percent."""

Histogram = dict[str, int]
"""Pictures by the number of their bin, as text, so that JSON keeps it."""


class Timed:
    """A detector that notes the time of every picture; of a batch, each has an equal share."""

    def __init__(self, detector: Detector) -> None:
        """Wrap `detector`."""
        self._detector = detector
        self._bins: Counter[str] = Counter()

    @property
    def provider(self) -> str:
        """What it runs on."""
        return self._detector.provider

    def detect(self, pictures: Sequence[Picture]) -> list[Boxes]:
        """As the detector does."""
        start_s = time.perf_counter()
        found = self._detector.detect(pictures)
        if pictures:
            self._bins[_bin((time.perf_counter() - start_s) / len(pictures))] += len(pictures)
        return found

    def take(self) -> Histogram:
        """The histogram since the last time it was taken."""
        taken = dict(self._bins)
        self._bins.clear()
        return taken


def total(parts: Iterable[Mapping[str, int]]) -> Histogram:
    """Several histograms as one."""
    whole: Counter[str] = Counter()
    for part in parts:
        whole.update(part)
    return dict(whole)


def percentile_ms(histogram: Mapping[str, int], share: float) -> float:
    """The time in ms within which this share of the pictures was done; NaN of none."""
    left = share * sum(histogram.values())
    for number, count in sorted((int(name), count) for name, count in histogram.items()):
        left -= count
        if left <= 0:
            return float(1000 * STEP ** (number + 0.5))
    return math.nan


def _bin(seconds: float) -> str:
    return str(math.floor(math.log(max(seconds, 1e-9)) / math.log(STEP)))
