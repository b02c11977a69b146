"""An evaluation as one page: what was measured, how sure it is, and where it fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from anonflow.evaluate.areas import Reals
from anonflow.evaluate.precision import Curve
from anonflow.evaluate.results import Results, finite, thinned
from anonflow.evaluate.slices import Slice
from anonflow.evaluate.sweep import Grid
from anonflow.page.page import Facts, Image, Page, Part, Plot, Table, Text
from anonflow.page.plots import Line, lines

_N_SLICES = 40
_GALLERY_WARNING = (
    "This page shows unmasked faces and plates, because report.gallery=true asked for it. It is as confidential as "
    "the data."
)


@dataclass(frozen=True)
class Costs:
    """Of a miss, and of a false mask."""

    miss: float
    false_mask: float


def evaluation_page(
    results: Results, facts: Mapping[str, object], costs: Costs, gallery: bytes | None, notes: tuple[str, ...]
) -> Page:
    """The page; `facts` name data, models and settings, `gallery` is a PNG of the worst misses, if asked for."""
    metrics = finite(results.metrics)
    parts: list[Part] = []
    if gallery is not None:
        parts.append(Text("Confidential", [_GALLERY_WARNING]))
    parts += [Facts("What was measured", facts), *_tables(metrics)]
    for label, curve in results.judgement.curves.items():
        parts += _curve_plots(label, curve, metrics["detection"][label], costs)
    parts += [_grid_plot(grid) for grid in results.grids if grid.object_frames.sum()]
    parts += _slice_parts(results)
    if gallery is not None:
        parts.append(Image("The worst misses", gallery, "Largest objects first of those that are least covered."))
    if notes:
        parts.append(Text("To know", notes))
    return Page("Evaluation of anonflow", _lead(metrics), parts)


def _lead(metrics: Mapping[str, Any]) -> str:
    said = []
    for label, masks in metrics["masks"].items():
        if masks["object_frames"] and label != "all":
            said.append(
                f"{label}: {100 * masks['leak_rate']:.2f} % of object-frames leak"
                f"{_between(masks['intervals']['leak_rate'])}"
            )
    return "; ".join(said) + "." if said else "There are no objects to judge."


def _between(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f" ({100 * interval[0]:.2f} to {100 * interval[1]:.2f} %)"


def _tables(metrics: Mapping[str, Any]) -> Iterator[Part]:
    names = ("objects", "ap50", "ap", "voc_ap", "precision", "recall", "f1", "f2", "recall_at_floor", "threshold")
    detection = metrics["detection"]
    rows = [[label, *(of[name] for name in names)] for label, of in detection.items()]
    yield Table("Detection", ["label", *names], rows, "Scores at the configured threshold; AP over all scores.")
    frames = ("positive", "negative", "balanced_accuracy", "mcc", "false_positive_rate")
    rows = [[label, *(of["frames"][name] for name in frames)] for label, of in detection.items()]
    yield Table("Frames told apart", ["label", *frames], rows, "Negative: frames without objects of the label.")
    levels = [[label, *of["wider"].values()] for label, of in detection.items() if "wider" in of]
    if levels:
        yield Table("WIDER FACE's protocol, AP", ["label", "easy", "medium", "hard"], levels)
    sizes = [
        [label, size, of["objects"], of["ap50"], of["ap"], of["recall"]]
        for label, found in detection.items()
        for size, of in found["size"].items()
    ]
    yield Table("By size (COCO's areas)", ["label", "size", "objects", "ap50", "ap", "recall"], sizes)
    masks = metrics["masks"]
    names = tuple(name for name in next(iter(masks.values())) if name != "intervals")
    rows = [[name, *(of.get(name) for of in masks.values())] for name in names]
    yield Table("Masks", ["", *masks], rows, "Times and tracks are over videos only.")
    if tracking := metrics.get("tracking"):
        columns = list(next(iter(tracking.values())))
        yield Table("Tracking", ["label", *columns], [[label, *of.values()] for label, of in tracking.items()])
    yield from _speed(metrics.get("speed"))


def _speed(speed: Mapping[str, Any] | None) -> Iterator[Part]:
    if speed is None:
        return
    columns = ("p50_ms", "p90_ms", "p99_ms")
    rows = [[f"stage {name}", of["frames"], *(of[c] for c in columns)] for name, of in speed["stages"].items()]
    rows += [[f"model {name}", of["pictures"], *(of[c] for c in columns)] for name, of in speed["models"].items()]
    note = "Stages are timed by the chunk, models by the picture; frames per second count the start of Ray."
    yield Table("Speed, per frame", ["what", "frames", *columns], rows, note)
    yield Facts("Throughput", {name: speed[name] for name in ("frames", "frames_per_s", "frames_per_cpu_s")})


def _curve_plots(label: str, curve: Curve, metrics: Mapping[str, Any], costs: Costs) -> Iterator[Part]:
    rows = thinned(len(curve.scores))
    if not len(rows) or not metrics["objects"]:
        return
    scores, threshold = curve.scores[rows], {"threshold": float(metrics["threshold"])}
    svg = lines([Line(label, curve.recall[rows], curve.precision[rows])], "recall", "precision", y_limits=(0, 1.02))
    yield Plot(f"Precision over recall: {label}", svg)
    hits = metrics["objects"] - curve.missed[rows]
    scored = [Line(f"F{beta}", scores, _f_score(hits, curve, rows, beta)) for beta in (1, 2)]
    svg = lines(scored, "score threshold", "F-score", y_limits=(0, 1.02), at_x=threshold)
    yield Plot(f"F-score over threshold: {label}", svg)
    cost = (costs.miss * curve.missed[rows] + costs.false_mask * curve.false[rows]) / metrics["objects"]
    svg = lines([Line(label, scores, cost)], "score threshold", "cost per object", at_x=threshold)
    best = float(scores[np.argmin(cost)])
    note = f"A miss costs {costs.miss:g}, a false detection {costs.false_mask:g}: least at {best:.2f}."
    yield Plot(f"Expected cost over threshold: {label}", svg, note)


def _f_score(hits: Reals, curve: Curve, rows: Any, beta: int) -> Reals:
    weighted = (1 + beta**2) * hits
    score: Reals = weighted / np.maximum(weighted + beta**2 * curve.missed[rows] + curve.false[rows], 1)
    return score


def _grid_plot(grid: Grid) -> Plot:
    rates = grid.rates()
    series = [
        Line(f"margin {margin:g}", grid.thresholds, 100 * rates[:, column])
        for column, margin in enumerate(grid.margins.tolist())
    ]
    return Plot(
        f"Leak rate over threshold and margin: {grid.label}",
        lines(series, "score threshold", "object-frames that leak (%)"),
        "Tracked, stabilised and planned anew at each point, from the same detections.",
    )


def _slice_parts(results: Results) -> Iterator[Part]:
    ordered = sorted(results.judgement.slices, key=lambda s: (-s.leak_rate, s.recall))
    worst = results.metrics.get("worst_group")
    if not ordered or worst is None:
        return
    yield Text(
        "The worst group",
        [f"{worst['label']}, {worst['by']} {worst['group']}: {100 * worst['leak_rate']:.2f} % leak."],
    )
    columns = [
        "label",
        "by",
        "group",
        "object-frames",
        "items",
        "leak rate",
        "low",
        "high",
        "recall",
        "low",
        "high",
    ]
    rows = [_slice_row(s) for s in ordered[:_N_SLICES]]
    yield Table("Groups of objects", columns, rows, "The worst first; small groups are left out (judge.min_count).")


def _slice_row(of: Slice) -> list[object]:
    leak, recall = of.leak_interval or (None, None), of.recall_interval or (None, None)
    return [of.label, of.by, of.group, of.object_frames, of.items, of.leak_rate, *leak, of.recall, *recall]
