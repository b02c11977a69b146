"""How things are hidden, and what is decided by hand."""

from __future__ import annotations

import math
from dataclasses import dataclass

from anonflow.config.base import Section, choice, not_negative, positive, require

OPERATORS = ("solid", "pixelate", "blur")
SHAPES = ("box", "ellipse")
REGION_UNITS = ("share", "px")


@dataclass(frozen=True)
class MaskStyle(Section):
    """How the objects of one label are hidden."""

    operator: str
    shape: str
    margin: float
    """Added on every side, as a share of the box's width or height."""
    cells: int
    """`pixelate`: mosaic cells across the longer side of the box; fewer hide more."""
    min_cell_px: int
    sigma: float
    """`blur`: Gaussian sigma as a share of the box's longer side; larger hides more."""
    min_sigma_px: float

    def __post_init__(self) -> None:
        """Check the values."""
        choice("mask operator", self.operator, OPERATORS)
        choice("mask shape", self.shape, SHAPES)
        require(0 <= self.margin <= 5, f"mask margin={self.margin} must lie between 0 and 5")
        require(self.cells >= 1, f"mask cells={self.cells} must be at least 1")
        require(self.min_cell_px >= 1, f"mask min_cell_px={self.min_cell_px} must be at least 1")
        positive("mask sigma", self.sigma)
        positive("mask min_sigma_px", self.min_sigma_px)


@dataclass(frozen=True)
class TimeSpan(Section):
    """A part of a video, in seconds since its first frame: `from_s <= time < to_s`."""

    from_s: float = 0.0
    to_s: float | None = None
    """None: to the end."""

    def __post_init__(self) -> None:
        """Check the values."""
        not_negative("from_s", self.from_s)
        not_negative("to_s", self.to_s)
        ends_later = self.to_s is None or self.from_s < self.to_s
        require(ends_later, f"from_s={self.from_s} must lie before to_s={self.to_s}")

    def touches(self, start_s: float, end_s: float) -> bool:
        """Whether a frame that is shown from `start_s` to `end_s` is shown at any time of it."""
        has_begun = self.from_s <= start_s or self.from_s < end_s
        return has_begun and (self.to_s is None or start_s < self.to_s)

    def covers(self, start_s: float, end_s: float) -> bool:
        """Whether that frame is shown at times of it only."""
        has_not_ended = self.to_s is None or (start_s < self.to_s and end_s <= self.to_s)
        return self.from_s <= start_s and has_not_ended


@dataclass(frozen=True)
class RegionConfig(TimeSpan):
    """A box or a polygon that somebody drew on the picture as it is shown, for all of a video or a span of it."""

    box: tuple[float, float, float, float] | None = None
    """`x1, y1, x2, y2`; `x2` and `y2` are exclusive."""
    polygon: tuple[tuple[float, float], ...] | None = None
    """Corners `x, y`, in order; the last is joined to the first."""
    units: str = "share"
    """Of the coordinates: `share` of the picture's width and height, or `px`."""

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        choice("units", self.units, REGION_UNITS)
        require((self.box is None) != (self.polygon is None), "a region needs a box or a polygon, and not both")
        if self.box is not None:
            x1, y1, x2, y2 = self.box
            ordered = x1 < x2 and y1 < y2
            require(ordered, f"box={list(self.box)} must be x1, y1, x2, y2 with x1 < x2 and y1 < y2")
        n_points = len(set(self.polygon or ()))
        require(
            self.polygon is None or n_points >= 3, f"polygon has {n_points} different points; it needs 3 or more"
        )
        for value in (value for corner in self.corners for value in corner):
            require(math.isfinite(value), f"the coordinate {value} must be finite")
            is_share = 0 <= value <= 1
            require(
                self.units != "share" or is_share, f"{value} is no share between 0 and 1; pixels need `units: px`"
            )

    @property
    def corners(self) -> tuple[tuple[float, float], ...]:
        """The points that say where it is: two opposite corners of a box, all corners of a polygon."""
        if self.box is not None:
            x1, y1, x2, y2 = self.box
            return (x1, y1), (x2, y2)
        return self.polygon or ()


@dataclass(frozen=True)
class VideoRegions(Section):
    """What somebody decided by hand for the videos whose path below the input matches a pattern."""

    videos: str
    """`*`, `?` and `[...]` as in `fnmatch`, case-sensitive; `*` matches `/` too."""
    hide: tuple[RegionConfig, ...] = ()
    """Always hidden, whatever a detector finds and whatever is kept."""
    keep: tuple[RegionConfig, ...] = ()
    """Left as it is, even where a detector finds something."""
    process: tuple[TimeSpan, ...] = ()
    """Outside of these nothing at all is hidden; without any, the whole video is worked on."""
    mute: tuple[TimeSpan, ...] = ()
    """The sound is silent at these times."""

    def __post_init__(self) -> None:
        """Check what no part can check alone."""
        require(bool(self.videos), "videos must be a pattern of names, for example '*'")
        says_something = self.hide or self.keep or self.process or self.mute
        require(bool(says_something), f"nothing is said about '{self.videos}'; add hide, keep, process or mute")
