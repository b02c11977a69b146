"""Segments of which some runs of frames are left out, to be copied from the source."""

from __future__ import annotations

from pathlib import Path

from anonflow.config import VideoConfig
from anonflow.video.copying import Run, encoded_between
from anonflow.video.decode import decode_range
from anonflow.video.encode import SegmentWriter
from anonflow.video.probe import probe
from tests.media import Clip

CLOSED = Clip(n_frames=40, options={"preset": "veryfast", "g": "10", "bf": "3", "x264-params": "scenecut=0"})
MIXED = (Run(0, 10, is_copied=True), Run(10, 30, is_copied=False), Run(30, 40, is_copied=True))
FAST = VideoConfig("match", False, 30, "veryfast", None, copy_clean=True)


def segment(path: Path, source: Path, runs: tuple[Run, ...], *, starts: bool = True) -> Path:
    """The encoded runs of the source."""
    index = probe(source)
    with SegmentWriter(path, index, FAST, set_id=1) as writer:
        for run in encoded_between(runs, 0, index.n_frames):
            stop = int(index.pts[run.stop_frame]) if run.stop_frame < index.n_frames else index.end_pts
            decoded = decode_range(source, index, int(index.pts[run.start_frame]), stop)
            for number, (pts, frame) in enumerate(decoded):
                writer.write(pts, frame, starts_run=starts and number == 0)
    return path
