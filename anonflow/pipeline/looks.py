"""Descriptors of detections for DeepSORT, computed from the picture whenever they are asked for, never written."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import numpy as np

from anonflow.detect.appearance import describe
from anonflow.detect.base import fit
from anonflow.storage import StoragePath
from anonflow.types import Detections, FloatArray, FrameIndex
from anonflow.video.decode import decode_range
from anonflow.video.planes import bgr_upright, boxes_to_coded

_LONG_SIDE_PX = 960
_BLOCK_FRAMES = 64
_KEPT_BLOCKS = 8


class SourceLooks:
    """Descriptors of a video's detections, decoded block by block as frames are asked for.

    The same from every task: a frame's descriptors depend on that frame and its detections alone.
    """

    def __init__(self, path: StoragePath, index: FrameIndex, load: Callable[[int, int], Detections]) -> None:
        """`load` gives the detections of the frames from one to before another."""
        self._path, self._index, self._load = path, index, load
        self._blocks: OrderedDict[int, list[FloatArray]] = OrderedDict()

    def __call__(self, frame: int) -> FloatArray:
        """Descriptors (n, d) of the frame's detections, in their order."""
        number = frame // _BLOCK_FRAMES
        if number not in self._blocks:
            self._blocks[number] = self._describe(number * _BLOCK_FRAMES)
            if len(self._blocks) > _KEPT_BLOCKS:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(number)
        return self._blocks[number][frame % _BLOCK_FRAMES]

    def _describe(self, start: int) -> list[FloatArray]:
        index = self._index
        stop = min(start + _BLOCK_FRAMES, index.n_frames)
        end_pts = int(index.pts[stop]) if stop < index.n_frames else max(index.end_pts, int(index.pts[-1]) + 1)
        found = self._load(start, stop)
        stream = index.stream
        coded = (stream.width, stream.height)
        upright = coded if stream.rotation_deg % 180 == 0 else coded[::-1]
        size = fit(*upright, _LONG_SIDE_PX, 1.0)
        described = []
        frames = decode_range(self._path, index, int(index.pts[start]), end_pts)
        for number, (_, frame) in zip(range(start, stop), frames, strict=True):
            boxes = found.between(number, number + 1).xyxy
            if not len(boxes):
                described.append(np.zeros((0, 0), np.float32))
                continue
            picture = bgr_upright(frame, *size, stream.rotation_deg)
            # From the coded to the upright picture is a rotation, too: the other way round.
            described.append(describe(picture, boxes_to_coded(boxes, coded, size, -stream.rotation_deg)))
        return described
