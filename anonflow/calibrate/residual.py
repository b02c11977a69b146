"""The risk that is left, for an archive of given size: what was seen, and what may be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from anonflow.calibrate.units import Leaks
from anonflow.evaluate.intervals import Bootstrap


@dataclass(frozen=True)
class Residual:
    """Of the videos that were looked at, and expected of `archive_videos` drawn like them."""

    videos: int
    leaking_videos: int
    """In which an object is uncovered in one frame at least."""
    leaking_share_bound: float
    """Upper confidence bound on the share of such videos."""
    archive_videos: int
    expected_objects: float
    """Objects that are uncovered in one frame at least, in the archive: observed mean times its size."""
    expected_objects_interval: tuple[float, float] | None
    """By bootstrap over videos; None if none leaked, where a bootstrap says nothing."""
    expected_s: float
    """Seconds in which an object is uncovered, summed over objects."""

    @property
    def leaking_archive_videos_bound(self) -> float:
        """At most so many videos of the archive are expected to show somebody, with that confidence."""
        return self.leaking_share_bound * self.archive_videos


def residual(leaks: Leaks, archive_videos: int, confidence: float, n_settings: int) -> Residual:
    """What is left at a setting that was chosen from `n_settings` by these videos; 1: by others.

    The bound on the share of videos is exact for one setting (Clopper and Pearson, Biometrika 26, 1934) and
    corrected by Bonferroni for several.
    """
    n, n_leaking = len(leaks), int((leaks.leaked_objects > 0).sum())
    error = (1 - confidence) / n_settings
    bound = 1.0 if n_leaking == n else float(betaincinv(n_leaking + 1, n - n_leaking, 1 - error))
    interval = None
    if n_leaking:
        interval = Bootstrap(confidence=confidence).of_ratio(leaks.leaked_objects, np.ones(n))
    return Residual(
        videos=n,
        leaking_videos=n_leaking,
        leaking_share_bound=bound,
        archive_videos=archive_videos,
        expected_objects=float(leaks.leaked_objects.mean()) * archive_videos,
        expected_objects_interval=interval and (interval[0] * archive_videos, interval[1] * archive_videos),
        expected_s=float(leaks.leaking_s.mean()) * archive_videos,
    )
