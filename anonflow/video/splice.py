"""The video packets of an output, in decode order: those of the segments, and between them what is copied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self, TypeAlias

import av
import av.stream
import av.video
import numpy as np

from anonflow.errors import FidelityError
from anonflow.storage import StoragePath
from anonflow.types import FrameIndex, IntArray
from anonflow.video import h264
from anonflow.video.container import open_source
from anonflow.video.copying import Run, copied_packets, decode_order, encoded_between, parameter_sets_of
from anonflow.video.segment import Segment, open_segment, read_segment

_Packet: TypeAlias = "av.Packet[av.stream.Stream]"
_NO_KEYFRAMES = np.zeros(0, np.bool_)


@dataclass(frozen=True, eq=False)
class Splice:
    """Which packets make the video. `order` (n,) is the display index of each frame, in the order of packets."""

    segments: tuple[Segment, ...]
    source: StoragePath
    index: FrameIndex
    runs: tuple[Run, ...]
    order: IntArray

    @classmethod
    def of(
        cls, paths: Sequence[StoragePath], source: StoragePath, index: FrameIndex, runs: Sequence[Run] = ()
    ) -> Self:
        """From the segments of all chunks, in order; one without frames is an empty file. No runs: no copies.

        Raises:
            FidelityError: the segments don't hold exactly the frames that are encoded, or differ in their encoding.
        """
        runs = tuple(runs) or (Run(0, index.n_frames, is_copied=False),)
        segments = tuple(read_segment(path) for path in paths if path.stat().st_size)
        frames = [range(run.start_frame, run.stop_frame) for run in encoded_between(runs, 0, index.n_frames)]
        encoded = _in_decode_order(segments, np.array([n for run in frames for n in run], np.int64), index)
        keyframes = frozenset(encoded[np.concatenate([_NO_KEYFRAMES, *(s.keyframe for s in segments)])].tolist())
        return cls(segments, source, index, runs, _in_runs(encoded, keyframes, runs, index))

    @property
    def has_copies(self) -> bool:
        """Whether packets of the source are among them."""
        return any(run.is_copied for run in self.runs)

    @contextmanager
    def template(self) -> Iterator[av.video.VideoStream]:
        """A stream with the parameters of the output's video, but for its `header`."""
        if self.segments:
            with open_segment(self.segments[0].path) as segment:
                yield segment.streams.video[0]
            return
        with open_source(self.source) as container:
            stream = container.streams[self.index.stream_index]
            assert isinstance(stream, av.video.VideoStream)
            yield stream

    def header(self) -> bytes | None:
        """Parameter sets of source and encoder together (Annex B); None: those of the template.

        A muxer describes the file by the first set, so the most demanding comes first.
        """
        if not self.has_copies:
            return None
        with open_source(self.source) as container:
            stream = container.streams[self.index.stream_index]
            assert isinstance(stream, av.video.VideoStream)
            sets = parameter_sets_of(stream)
        units = list(h264.split_annex_b(b"".join([s.extradata for s in self.segments[:1]])))
        units += [*sets.sps, *sets.pps] if sets else []
        sps = sorted((u for u in units if h264.kind(u) == h264.SPS), key=h264.demands, reverse=True)
        return h264.with_start_codes([*sps, *(u for u in units if h264.kind(u) == h264.PPS)])

    def packets(self, stream: av.stream.Stream, shift_pts: int = 0) -> Iterator[_Packet]:
        """All packets, with the source's timestamps and durations, for `stream` of the output."""
        index = self.index
        pts = index.pts + shift_pts
        dts = _decode_times(pts, _reorder_depth(self.order))
        durations = np.diff(index.pts, append=max(index.end_pts, int(index.pts[-1]) + 1))
        for number, (packet, frame) in enumerate(zip(self._packets(), self.order.tolist(), strict=True)):
            packet.time_base = index.time_base
            packet.pts, packet.dts = int(pts[frame]), int(dts[number])
            packet.duration = int(durations[frame])
            packet.stream = stream
            yield packet

    def _packets(self) -> Iterator[_Packet]:
        encoded, copied = self._encoded(), self._copied()
        for run in self.runs:
            origin = copied if run.is_copied else encoded
            for _ in range(run.n_frames):
                packet = next(origin, None)
                if packet is None:
                    raise FidelityError("The source or a segment has fewer packets than before: run again.")
                yield packet

    def _encoded(self) -> Iterator[_Packet]:
        for segment in self.segments:
            with open_segment(segment.path) as container:
                yield from (p for p in container.demux(*container.streams.video[:1]) if p.size)

    def _copied(self) -> Iterator[_Packet]:
        for _, payload, is_keyframe in copied_packets(self.source, self.index, self.runs):
            packet: _Packet = av.Packet(payload)
            packet.is_keyframe = is_keyframe
            yield packet


def _in_decode_order(segments: Sequence[Segment], frames: IntArray, index: FrameIndex) -> IntArray:
    """The encoded `frames` as the segments' packets have them: one segment after the other, at their distances."""
    n_before, order = 0, [np.zeros(0, np.int64)]
    for segment in segments:
        expected = frames[n_before : n_before + segment.n_frames]
        if not segment.matches(index.pts[expected], index.time_base):
            raise FidelityError(f"Segment {segment.path} does not hold the frames of its chunk: run again.")
        if segment.extradata != segments[0].extradata:
            raise FidelityError(f"Segment {segment.path} is encoded differently from the first: run again.")
        order.append(expected[segment.display_rank])
        n_before += segment.n_frames
    if n_before != len(frames):
        raise FidelityError(f"The segments hold {n_before} frames of {len(frames)}: run again.")
    return np.concatenate(order)


def _in_runs(encoded: IntArray, keyframes: frozenset[int], runs: Sequence[Run], index: FrameIndex) -> IntArray:
    """Copied and encoded frames together, run by run."""
    order, n_before = [np.zeros(0, np.int64)], 0
    for run in runs:
        if run.is_copied:
            order.append(decode_order(index, run))
            continue
        part = encoded[n_before : n_before + run.n_frames]
        n_before += run.n_frames
        is_whole = np.array_equal(np.sort(part), np.arange(run.start_frame, run.stop_frame))
        if not is_whole or part[0] != run.start_frame or run.start_frame not in keyframes:
            raise FidelityError("An encoded run of frames does not begin with a keyframe of its own: run again.")
        order.append(part)
    return np.concatenate(order)


def _reorder_depth(order: IntArray) -> int:
    """Largest number of frames by which decoding runs ahead of display."""
    return int(np.max(np.argsort(order) - np.arange(len(order)), initial=0))


def _decode_times(pts: IntArray, depth: int) -> IntArray:
    """Decode timestamps: the display timestamps `depth` places later, and as many even steps before the first."""
    step = int(pts[1] - pts[0]) if len(pts) > 1 else 1
    before = pts[0] - step * np.arange(depth, 0, -1, dtype=np.int64)
    return np.concatenate([before, pts[: len(pts) - depth]])[: len(pts)]
