"""Detections that an earlier run kept, in place of pixels: planned anew with this run's thresholds and masks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from anonflow.config import AnonymizeConfig
from anonflow.errors import ConfigError
from anonflow.evaluate.replay import picture_points
from anonflow.evaluate.sight import Sight, sight_of_picture, sight_of_video
from anonflow.evaluate.truth import Clock
from anonflow.kept import Kept, read_kept
from anonflow.picture.still import HEAD_BYTES, kind_of, open_picture, read_picture
from anonflow.pipeline.planned import sources_of
from anonflow.track.configured import margins
from anonflow.track.stabilise import mask_plan
from anonflow.track.timeline import Timeline
from anonflow.track.whole import plan_whole, track_whole


def kept_sights(files: Sequence[Path], folder: Path, config: AnonymizeConfig) -> Iterator[tuple[Path, Sight]]:
    """What this run would hide of each file, from the detections in `folder` (`_anonflow/RUN/detections`).

    Raises ConfigError for a folder without detections, for a file of which none were kept, and for detections of
    other models or labels than this run's.
    """
    if not (folder / "frames").is_dir():
        raise ConfigError(
            f"detections={folder}: no kept detections are there. Give OUTPUT/_anonflow/RUN/detections of a run "
            "with keep.detections=true."
        )
    _check_models(folder, config)
    kept = {one.video_id: one for one in read_kept(folder)}
    for source in sources_of(files, config):
        if source.video_id not in kept:
            raise ConfigError(
                f"detections={folder}: nothing was kept of this version of {source.uri}. Evaluate the files of "
                "that run, where they lay then, or leave detections out."
            )
        path, own = Path(source.uri), _relabelled(kept[source.video_id], folder, config)
        yield path, _sight(path, own, config)


def _check_models(folder: Path, config: AnonymizeConfig) -> None:
    """Boxes of other models, or from above a higher floor, would be judged as if they were this run's."""
    names = ["label", "model", "floor"]
    found: set[tuple[str, str, float]] = set()
    for path in sorted((folder / "detections").glob("*.parquet")):
        table = pq.read_table(path, columns=names).group_by(names).aggregate([])
        found |= {(row["label"], row["model"], row["floor"]) for row in table.to_pylist()}
    for label, model, floor in sorted(found):
        own = [d for d in config.detector.values() if label in d.model.classes.values()]
        wanted = "+".join(sorted(d.model.id for d in own))
        if own and model != wanted:
            raise ConfigError(
                f"detections={folder}: those of '{label}' were made by {model}, but this run has {wanted}. Choose "
                "the same model, or leave detections out."
            )
        if own and floor > np.float32(min(d.keep_threshold for d in own)):
            raise ConfigError(
                f"detections={folder}: those of '{label}' go down to a score of {floor:g} only. Raise the "
                "thresholds to that, or keep detections of a run with a lower floor."
            )


def _relabelled(kept: Kept, folder: Path, config: AnonymizeConfig) -> Kept:
    """With this run's label codes, and only its labels."""
    if missing := [label for label in config.labels if label not in kept.labels]:
        raise ConfigError(
            f"detections={folder}: that run did not look for '{missing[0]}'. Leave its detector out here, or keep "
            "detections of a run that has it."
        )
    codes = np.array([config.labels.index(n) if n in config.labels else -1 for n in kept.labels], np.int16)
    found = replace(kept.detections, labels=codes[kept.detections.labels])
    return replace(kept, labels=config.labels, detections=found[np.flatnonzero(found.labels >= 0)])


def _sight(path: Path, kept: Kept, config: AnonymizeConfig) -> Sight:
    with path.open("rb") as file:
        is_picture = kind_of(file.read(HEAD_BYTES)) is not None
    return _picture(path, kept, config) if is_picture else _video(kept, config)


def _video(kept: Kept, config: AnonymizeConfig) -> Sight:
    shown, found, size = kept.shown, kept.detections, (kept.shown.width, kept.shown.height)
    timeline = Timeline.of(shown.pts, shown.time_base, shown.end_pts, kept.facts.cuts)
    tracks = track_whole(found, kept.facts, timeline, config, *size)
    plan = plan_whole(tracks, timeline, config, *size)
    clock = Clock(shown.pts, shown.time_base, shown.end_pts)
    return sight_of_video(kept.video_id, clock, size, shown.rotation_deg, found, kept.facts, tracks, plan)


def _picture(path: Path, kept: Kept, config: AnonymizeConfig) -> Sight:
    info = open_picture(read_picture(path, config.picture.max_bytes), config.picture.max_pixels).info
    stored = (info.grid.width, info.grid.height)
    hidden = picture_points(kept.detections, kept.facts.luma, config, *stored)
    plan = mask_plan(hidden, margins(config), *stored)
    return sight_of_picture(kept.video_id, info, kept.detections, kept.facts, plan)
