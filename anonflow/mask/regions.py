"""Regions that somebody drew on the upright picture, as shapes on the chroma grid of the coded one.

Hiding rounds outward and keeping inward, so that what was drawn is hidden whole, and nothing beyond it is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Self

from anonflow.config import RegionConfig, TimeSpan, VideoRegions
from anonflow.mask.keep import KeepShape, inward
from anonflow.mask.shapes import MaskShape, Points, outward


@dataclass(frozen=True)
class Canvas:
    """The coded picture: its size in luma pixels, its chroma grid, and how it is turned when it is shown.

    `rotation_deg` is the counter-clockwise display rotation, a multiple of 90, as in `StreamFormat`; a picture may
    be flipped left to right after it.
    """

    width: int
    height: int
    shift_x: int
    shift_y: int
    rotation_deg: int
    is_mirrored: bool = False


@dataclass(frozen=True)
class FrameRegions:
    """What was decided by hand for one frame. Of a frame that is not processed, nothing at all is hidden."""

    hide: tuple[MaskShape, ...]
    keep: tuple[KeepShape, ...]
    is_processed: bool


@dataclass(frozen=True)
class RegionPlan:
    """What was decided by hand for one video, each part with its time."""

    hide: tuple[tuple[TimeSpan, MaskShape], ...]
    keep: tuple[tuple[TimeSpan, KeepShape], ...]
    process: tuple[TimeSpan, ...]

    @classmethod
    def of(cls, regions: Sequence[VideoRegions], canvas: Canvas) -> Self:
        """The regions of all entries together, as shapes; those beside the picture are left out."""
        hide = [(region, _hide_shape(region, canvas)) for entry in regions for region in entry.hide]
        keep = [(region, _keep_shape(region, canvas)) for entry in regions for region in entry.keep]
        return cls(
            hide=tuple((span, shape) for span, shape in hide if shape is not None),
            keep=tuple((span, shape) for span, shape in keep if shape is not None),
            process=tuple(span for entry in regions for span in entry.process),
        )

    def at(self, start_s: float, end_s: float) -> FrameRegions:
        """What holds for a frame that is shown for this time, in seconds since the video's first frame.

        A frame that is shown only partly within a span is hidden, and not kept.
        """
        if self.process and not any(span.touches(start_s, end_s) for span in self.process):
            return FrameRegions((), (), is_processed=False)
        return FrameRegions(
            hide=tuple(shape for span, shape in self.hide if span.touches(start_s, end_s)),
            keep=tuple(shape for span, shape in self.keep if span.covers(start_s, end_s)),
            is_processed=True,
        )


def regions_for(regions: Iterable[VideoRegions], relative_path: str) -> tuple[VideoRegions, ...]:
    """The entries whose pattern matches the source's path below the input."""
    return tuple(entry for entry in regions if fnmatchcase(relative_path, entry.videos))


def unmatched(regions: Iterable[VideoRegions], relative_paths: Sequence[str]) -> tuple[str, ...]:
    """The patterns that match none of the sources, each once, in order."""
    patterns = dict.fromkeys(entry.videos for entry in regions)
    return tuple(p for p in patterns if not any(fnmatchcase(path, p) for path in relative_paths))


def coded_points(region: RegionConfig, canvas: Canvas) -> Points:
    """The corners of a region in luma pixels of the coded picture."""
    is_turned = canvas.rotation_deg % 180 != 0
    shown = (canvas.height, canvas.width) if is_turned else (canvas.width, canvas.height)
    unit_x, unit_y = shown if region.units == "share" else (1, 1)
    corners = [(x * unit_x, y * unit_y) for x, y in region.corners]
    if canvas.is_mirrored:
        corners = [(shown[0] - x, y) for x, y in corners]
    return tuple(_turned(x, y, canvas) for x, y in corners)


def _turned(x: float, y: float, canvas: Canvas) -> tuple[float, float]:
    """A point of the shown picture in the coded one, by undoing the display rotation."""
    return {
        0: (x, y),
        90: (canvas.width - y, x),
        180: (canvas.width - x, canvas.height - y),
        270: (y, canvas.height - x),
    }[canvas.rotation_deg % 360]


def _hide_shape(region: RegionConfig, canvas: Canvas) -> MaskShape | None:
    points = coded_points(region, canvas)
    (left, right), (top, bottom) = _spans(points)
    x1, x2 = outward(left, right, canvas.width, canvas.shift_x)
    y1, y2 = outward(top, bottom, canvas.height, canvas.shift_y)
    if x1 == x2 or y1 == y2:
        return None
    if region.box is not None:
        return MaskShape("solid", "box", x1, y1, x2, y2, 0)
    return MaskShape("solid", "polygon", x1, y1, x2, y2, 0, points)


def _keep_shape(region: RegionConfig, canvas: Canvas) -> KeepShape | None:
    points = coded_points(region, canvas)
    (left, right), (top, bottom) = _spans(points)
    x1, x2 = inward(left, right, canvas.width, canvas.shift_x)
    y1, y2 = inward(top, bottom, canvas.height, canvas.shift_y)
    if x1 == x2 or y1 == y2:
        return None
    return KeepShape(x1, y1, x2, y2, () if region.box is not None else points)


def _spans(points: Points) -> tuple[tuple[float, float], tuple[float, float]]:
    """From where to where points reach, in x and in y."""
    xs, ys = zip(*points, strict=True)
    return (min(xs), max(xs)), (min(ys), max(ys))
