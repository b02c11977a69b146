"""Several detectors as one: each has its opinion of a picture, and the opinions are merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from anonflow.config import MergeConfig
from anonflow.detect.base import Detector
from anonflow.detect.merge import merge
from anonflow.types import Boxes, Picture


@dataclass(frozen=True)
class Ensemble:
    """A `Detector` of detectors that look at the same pictures; `weights` as in `merge`."""

    members: tuple[Detector, ...]
    weights: tuple[float, ...]
    merge: MergeConfig
    floor: float

    @property
    def provider(self) -> str:
        """What all of its members run on."""
        return self.members[0].provider

    def detect(self, pictures: Sequence[Picture]) -> list[Boxes]:
        """As `Detector.detect`."""
        opinions = [member.detect(pictures) for member in self.members]
        return [merge(of_one, self.weights, self.merge, self.floor) for of_one in zip(*opinions, strict=True)]
