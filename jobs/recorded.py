"""A real video with ground truth as a scene: what the configured detectors find in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from anonflow.config import DetectorConfig
from anonflow.detect.combined import open_detector
from anonflow.detect.models import ModelStore
from anonflow.errors import ConfigError
from anonflow.evaluate.mot import read_mot
from anonflow.evaluate.truth import Scene, Truth
from anonflow.pipeline.context import FrameMeter, SilentProgress
from anonflow.pipeline.stages.detect import Eye, detect_chunk
from anonflow.types import FrameIndex
from anonflow.video.plan import plan_chunks
from anonflow.video.planes import boxes_to_coded
from anonflow.video.probe import probe


def recorded_scene(
    video: Path, truth: Path, label: str, detectors: Mapping[str, DetectorConfig], store: ModelStore, provider: str
) -> Scene:
    """The video as a scene, with the truth of a MOT Challenge file whose objects have that label.

    The file's boxes are in px of the upright (displayed) picture. Raises ConfigError for a label that no detector
    gives, TruthError for a file that does not fit the video, and what reading a video and loading a model raise.
    """
    labels = tuple(sorted({name for d in detectors.values() for name in d.model.classes.values()}))
    if label not in labels:
        raise ConfigError(f"truth_label={label} is given by no detector; choose one of: {', '.join(labels)}")
    index = probe(video)
    known = _truth(truth, index, labels.index(label))
    eyes = [Eye(open_detector(d, store.load, labels, provider), d, len(labels)) for d in detectors.values()]
    (chunk,) = plan_chunks(index, 2 * index.duration_s + 1, overlap_frames=0)
    found, facts = detect_chunk(video, index, chunk, eyes, FrameMeter(SilentProgress(), "detect"))
    return Scene(video.name, known, found, np.cumsum(facts.cuts).astype(np.int32), facts.luma, labels)


def _truth(path: Path, index: FrameIndex, label: int) -> Truth:
    stream, seconds = index.stream, float(index.time_base)
    coded = (stream.width, stream.height)
    upright = coded if stream.rotation_deg % 180 == 0 else coded[::-1]
    times_s = (index.pts - index.pts[0]) * seconds
    end_s = max(index.end_pts, int(index.pts[-1]) + 1) - int(index.pts[0])
    read = read_mot(path, times_s, end_s * seconds, *upright, label)
    xyxy = np.clip(boxes_to_coded(read.xyxy, upright, coded, stream.rotation_deg), 0, (*coded, *coded))
    return replace(read, xyxy=xyxy.astype(np.float32), width=stream.width, height=stream.height)
