"""The words of the project as data: sources, frames, chunks, detections, tracks, masks, outcomes.

Frames are named by their *display index*: 0 for the first presented frame of a video, counted over the
video's own packet timestamps (`FrameIndex.pts`), never by a frame number that a container claims. Boxes are
`x1, y1, x2, y2` in pixels of the coded picture (before display rotation), `x2` and `y2` exclusive.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
Picture = NDArray[np.uint8]


class Origin(enum.IntEnum):
    """Where a point of a track comes from."""

    DETECTED = 0
    """Associated with a detection above the high threshold."""
    LOW = 1
    """Associated with a detection below it (second association)."""
    INTERPOLATED = 2
    """Filled in between two points of the same track."""
    EXTENDED = 3
    """Added before the first or after the last point."""
    REVERSED = 4
    """Found by tracking backwards in time: a weak detection before the track's birth."""
    RULE = 5
    """Added by a rule."""


class Status(enum.StrEnum):
    """What became of a source."""

    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    QUARANTINED = "quarantined"


class Verdict(enum.StrEnum):
    """What a check of the output found."""

    EQUAL = "equal"
    CHANGED_BY_POLICY = "changed by policy"
    BROKEN = "broken"
    NOT_COMPARED = "not compared"
    """Only of outputs of a finished run whose source is gone, or is not to be read."""


@dataclass(frozen=True)
class Source:
    """One input: where it is, where its output belongs, and which version of its content is meant."""

    uri: str
    relative_path: str
    """Path of the output below the output folder, before the container is known; `/` separated."""
    video_id: str
    """Stable name derived from URI, size and modification time."""
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True)
class AudioStream:
    """An audio stream that is copied packet by packet."""

    index: int
    codec: str
    n_packets: int


@dataclass(frozen=True)
class StreamFormat:
    """What of the video stream must be the same in the output."""

    codec: str
    pixel_format: str
    width: int
    height: int
    sample_aspect_ratio: Fraction | None
    rotation_deg: int
    """Counter-clockwise display rotation, a multiple of 90 in -180..180, as `av.VideoFrame.rotation`."""
    color_range: int
    color_primaries: int
    color_transfer: int
    color_matrix: int
    field_order: str = "progressive"
    """Or `top`, `bottom`: interlaced, and which field of the first frame comes first."""
    mastering_display: tuple[int, ...] | None = None
    """Of HDR10 (SMPTE ST 2086): x, y of red, green, blue and white in 1/50000; largest and smallest luminance in
    1/10000 cd/m2."""
    content_light: tuple[int, int] | None = None
    """Of HDR10 (CTA-861.3): maximum content and frame-average light level in cd/m2."""
    side_data: tuple[str, ...] = ()
    """Names of what else the first frame carries beside its picture, sorted: captions, stereo, Dolby Vision, ..."""


@dataclass(frozen=True, eq=False)
class FrameIndex:
    """Every presented frame of a video, from one demux pass, in display order.

    `pts` (n,) strictly increasing, in units of `time_base` seconds. `keyframe` (n,) bool. `decode_rank` (n,)
    is the frame's position in decode order among the presented packets. `end_pts` is the end of the last frame.
    """

    container: str
    stream_index: int
    time_base: Fraction
    pts: IntArray
    keyframe: NDArray[np.bool_]
    decode_rank: IntArray
    end_pts: int
    stream: StreamFormat
    audio: tuple[AudioStream, ...]
    removed_streams: tuple[str, ...]
    """Kinds and codecs of the streams that are not copied, for the report."""
    shift_pts: int = 0
    """Ticks that bring all streams to zero or later where one starts before; see `video.shift`."""
    damaged: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    """Display indices, sorted, of the frames that are hidden whole because damage touched them, or may have."""
    byte_positions: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    """(n,) where the frames' packets begin in the file, -1 where the demuxer does not say; empty if never asked."""

    def display_index(self, pts: int | None) -> int | None:
        """Which frame has this timestamp; None if none has."""
        place = -1 if pts is None else int(np.searchsorted(self.pts, pts))
        return place if 0 <= place < self.n_frames and self.pts[place] == pts else None

    @property
    def n_frames(self) -> int:
        """Number of presented frames."""
        return len(self.pts)

    @property
    def duration_s(self) -> float:
        """Time from the first frame's start to the last frame's end."""
        return float((self.end_pts - int(self.pts[0])) * self.time_base)

    @property
    def frame_interval_s(self) -> float:
        """Median time between neighbouring frames; the mean of the whole for a single frame."""
        if self.n_frames < 2:
            return max(self.duration_s, 1e-3)
        return float(np.median(np.diff(self.pts)) * self.time_base)

    @property
    def reorder_depth(self) -> int:
        """Largest number of frames by which decoding runs ahead of display."""
        return int(np.max(self.decode_rank - np.arange(self.n_frames), initial=0))


@dataclass(frozen=True)
class Chunk:
    """A run of frames that is worked on as a unit.

    It owns the frames with `start_pts <= pts < stop_pts`, which are the display indices
    `start_frame..stop_frame`; it also reads the frames from `lead_pts` on (the overlap) to warm up the tracker.
    """

    index: int
    lead_pts: int
    start_pts: int
    stop_pts: int
    lead_frame: int
    start_frame: int
    stop_frame: int

    @property
    def n_frames(self) -> int:
        """Number of owned frames."""
        return self.stop_frame - self.start_frame


@dataclass(frozen=True, eq=False)
class _Rows:
    """Arrays of one length, a row each: sliced, joined and compared together."""

    def __len__(self) -> int:
        return len(getattr(self, next(iter(self.__dataclass_fields__))))

    def __getitem__(self, rows: Any) -> Self:
        # Past the constructor, which takes longer than slicing: a tracker does this for every frame.
        part = object.__new__(type(self))
        part.__dict__.update({name: column[rows] for name, column in self.__dict__.items()})
        return part

    def equals(self, other: Self) -> bool:
        """Whether all columns are the same to the bit."""
        return all(np.array_equal(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))

    @classmethod
    def concat(cls, parts: Iterable[Self]) -> Self:
        """All rows of `parts`, in order."""
        parts = [cls.empty(), *parts]
        return cls(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)})

    @classmethod
    def empty(cls) -> Self:
        """No rows."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class _FrameRows(_Rows):
    """Rows of frames, sorted by frame."""

    frames: IntArray

    def between(self, start_frame: int, stop_frame: int) -> Self:
        """The rows with `start_frame <= frame < stop_frame`."""
        return self[slice(*np.searchsorted(self.frames, [start_frame, stop_frame]))]


@dataclass(frozen=True, eq=False)
class Boxes(_Rows):
    """The boxes of one picture: `xyxy` (n, 4) float32 px, `scores` (n,) float32, `classes` (n,) int16."""

    xyxy: FloatArray
    scores: FloatArray
    classes: NDArray[np.int16]

    @classmethod
    def empty(cls) -> Self:
        """No boxes."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int16))


@dataclass(frozen=True, eq=False)
class Detections(_FrameRows):
    """Boxes over frames, sorted by frame: `frames` (n,) display indices, `labels` (n,) label codes."""

    xyxy: FloatArray
    scores: FloatArray
    labels: NDArray[np.int16]

    @classmethod
    def empty(cls) -> Self:
        """No detections."""
        boxes = Boxes.empty()
        return cls(np.zeros(0, np.int64), boxes.xyxy, boxes.scores, boxes.classes)


@dataclass(frozen=True, eq=False)
class Observations(_FrameRows):
    """Detections as a tracker sees them, sorted by frame: what their scores mean is decided.

    `high` (n,) bool: may start a track; the others can only carry one on. `places` (n,) is the position of each
    among all detections of its frame, by which its appearance is found again.
    """

    xyxy: FloatArray
    scores: FloatArray
    labels: NDArray[np.int16]
    high: NDArray[np.bool_]
    places: NDArray[np.int16]

    @classmethod
    def empty(cls) -> Self:
        """Nothing seen."""
        d = Detections.empty()
        return cls(d.frames, d.xyxy, d.scores, d.labels, np.zeros(0, np.bool_), np.zeros(0, np.int16))


@dataclass(frozen=True, eq=False)
class FrameFacts(_FrameRows):
    """What is known of each decoded frame as a whole: `luma` (n,) mean brightness 0..1, `cuts` (n,) bool.

    A cut is the first frame of a new shot.
    """

    luma: FloatArray
    cuts: NDArray[np.bool_]

    @classmethod
    def empty(cls) -> Self:
        """No frames."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.bool_))


@dataclass(frozen=True, eq=False)
class Tracks(_FrameRows):
    """Points of tracks, sorted by frame then track id. `track_ids` are names only; `origins` are `Origin`."""

    track_ids: IntArray
    xyxy: FloatArray
    scores: FloatArray
    labels: NDArray[np.int16]
    origins: NDArray[np.uint8]

    @classmethod
    def empty(cls) -> Self:
        """No points."""
        d = Detections.empty()
        return cls(d.frames, np.zeros(0, np.int64), d.xyxy, d.scores, d.labels, np.zeros(0, np.uint8))


@dataclass(frozen=True, eq=False)
class MaskPlan(_FrameRows):
    """What to hide: a box (margin included) a row, sorted by frame. Its label says how it is painted."""

    xyxy: FloatArray
    labels: NDArray[np.int16]

    @classmethod
    def empty(cls) -> Self:
        """Nothing to hide."""
        d = Detections.empty()
        return cls(d.frames, d.xyxy, d.labels)


@dataclass(frozen=True, eq=False)
class PlaneSet:
    """The planes of one decoded frame as writable views: Y, U, V (and alpha), or Y alone.

    Samples are uint8, or uint16 in the low `bit_depth` bits. A chroma sample covers `1 << chroma_shift_x` by
    `1 << chroma_shift_y` luma samples.
    """

    planes: tuple[NDArray[Any], ...]
    chroma_shift_x: int
    chroma_shift_y: int
    bit_depth: int
    full_range: bool

    @property
    def height(self) -> int:
        """Luma rows."""
        return int(self.planes[0].shape[0])

    @property
    def width(self) -> int:
        """Luma columns."""
        return int(self.planes[0].shape[1])


@dataclass(frozen=True)
class Check:
    """One point of the fidelity contract, with counts or names as detail, never values of the picture."""

    name: str
    verdict: Verdict
    detail: str = ""
