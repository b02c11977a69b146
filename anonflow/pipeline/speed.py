"""How fast the stages and models were, from what they noted beside their results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from anonflow.pipeline.latency import percentile_ms, total

PERCENTILES = (50, 90, 99)

Notes = Mapping[str, Sequence[Mapping[str, float]]]
"""By stage, for each chunk: frames, wall_s, cpu_s."""


def speed(
    notes: Iterable[Notes], latency: Iterable[Mapping[str, Mapping[str, int]]], frames: int, wall_s: float
) -> Any:
    """Latency per frame by stage and by model, and throughput.

    Of a model, percentiles are over pictures. A stage is timed by the chunk: each frame counts with the mean of its
    chunk (overlaps included), and percentiles are over frames. `wall_s` is the whole run's, starting Ray included.
    """
    notes, latency = list(notes), list(latency)
    stages = sorted({stage for note in notes for stage in note})
    models = sorted({model for part in latency for model in part})
    by_stage = {stage: _stage([chunk for note in notes for chunk in note.get(stage, ())]) for stage in stages}
    cpu_s = sum(stage["cpu_s"] for stage in by_stage.values())
    return {
        "frames": frames,
        "wall_s": wall_s,
        "frames_per_s": frames / wall_s if wall_s else float("nan"),
        "frames_per_cpu_s": frames / cpu_s if cpu_s else float("nan"),
        "stages": by_stage,
        "models": {model: _model(total(part.get(model, {}) for part in latency)) for model in models},
    }


def _stage(chunks: Sequence[Mapping[str, float]]) -> dict[str, float]:
    frames = np.array([chunk["frames"] for chunk in chunks], np.int64)
    wall_s = np.array([chunk["wall_s"] for chunk in chunks], np.float64)
    each_ms = np.repeat(1000 * wall_s / np.maximum(frames, 1), frames)
    found = {
        f"p{share}_ms": float(np.percentile(each_ms, share)) if len(each_ms) else float("nan")
        for share in PERCENTILES
    }
    return {"frames": int(frames.sum()), **found, "cpu_s": float(sum(chunk["cpu_s"] for chunk in chunks))}


def _model(histogram: Mapping[str, int]) -> dict[str, float]:
    found = {f"p{share}_ms": percentile_ms(histogram, share / 100) for share in PERCENTILES}
    return {"pictures": sum(histogram.values()), **found}
