"""Judge the pipeline against ground truth: `anonflow evaluate data=PATH output=FOLDER [KEY=VALUE ...]`."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.text import Text

from anonflow import __version__
from anonflow.config import AnonymizeConfig
from anonflow.config.evaluation import DataConfig, EvaluationReportConfig, JudgeConfig
from anonflow.errors import ConfigError, one_line
from anonflow.evaluate.formats.read import Data, read_ground_truth
from anonflow.evaluate.ground import GroundTruth
from anonflow.evaluate.intervals import Bootstrap
from anonflow.evaluate.judge import Settings, judge
from anonflow.evaluate.pages import Costs, evaluation_page
from anonflow.evaluate.results import Results, finite
from anonflow.evaluate.sweep import Grid, sweep
from anonflow.jobs.cases import Cases, judged_cases, kept_cases
from anonflow.jobs.gallery import worst_misses
from anonflow.jobs.launch import DONE, QUARANTINED, launch
from anonflow.page.page import render
from anonflow.pipeline.interrupts import leave
from anonflow.storage import write_bytes

log = logging.getLogger("anonflow")

_SHORT, _LONG = "data=", "data.path="


@dataclass(frozen=True)
class EvaluateConfig(AnonymizeConfig):
    """A run, and what it is judged by."""

    data: DataConfig
    judge: JudgeConfig
    report: EvaluationReportConfig
    detections: str | None
    """Folder of detections that an earlier run kept; None: they are made."""


def main() -> int:
    """Run the job on the command line's overrides; give the exit code."""
    # `data` is a group of values, of which the path is the one that everybody gives.
    sys.argv[1:] = [_LONG + a.removeprefix(_SHORT) if a.startswith(_SHORT) else a for a in sys.argv[1:]]
    return int(launch("evaluate", EvaluateConfig, _run))


def _run(config: EvaluateConfig, console: Console) -> int:
    if config.regions:
        raise ConfigError(
            "regions= does not belong here: evaluate judges detectors and masks, not what is drawn by hand"
        )
    truth = read_ground_truth(read_as(config.data), config.labels)
    log.info("%s: %d items, %d boxes", truth.format, len(truth.items), len(truth.objects))
    if config.detections is None:
        cases = judged_cases(truth, config, config.judge.min_visible, console)
    else:
        cases = kept_cases(truth, Path(config.detections).expanduser(), config, config.judge.min_visible)
    for outcome in cases.failed:
        log.warning("Left out (%s): %s", outcome.reason, one_line(outcome.message))
    results = _judged(config, truth, cases)
    for path in _written(config, truth, cases, results):
        log.info("%s", path)
    Console().print(Text(_said(results.metrics)), soft_wrap=True, end="")
    return int(QUARANTINED if cases.failed else DONE)


def read_as(config: DataConfig) -> Data:
    """Where the ground truth is and how it is read, for the readers."""

    def folder(path: str | None) -> Path | None:
        return None if path is None else Path(path).expanduser()

    path = Path(config.path).expanduser()
    return Data(
        path, config.format, config.mapping, config.unlabeled, folder(config.media), folder(config.wider_lists)
    )


def _judged(config: EvaluateConfig, truth: GroundTruth, cases: Cases) -> Results:
    how, b = config.judge, config.judge.bootstrap
    settings = Settings(
        how.iou, how.covered_share, how.min_count, Bootstrap(b.samples, b.confidence, b.method, b.seed)
    )
    scores = {
        label: min(d.threshold for d in config.detector.values() if label in d.model.classes.values())
        for label in config.labels
    }
    judgement = judge(cases.cases, truth.labels, truth.judged, scores, settings)
    metrics = {
        **judgement.metrics,
        "data": _about_data(truth, cases),
        "run": _about_run(config),
        "speed": cases.speed,
    }
    return Results(metrics, judgement, cases.cases, _grids(config, truth, cases))


def _grids(config: EvaluateConfig, truth: GroundTruth, cases: Cases) -> list[Grid]:
    """Leak rates over thresholds and margins; a tracker that looks at pictures cannot be replayed without them."""
    if config.tracker.appearance or not config.judge.sweep.thresholds or not config.judge.sweep.margins:
        return []
    thresholds, margins = (np.array(sorted(v)) for v in (config.judge.sweep.thresholds, config.judge.sweep.margins))
    share = config.judge.covered_share
    return [sweep(cases.cases, config, label, thresholds, margins, share) for label in truth.judged]


def _about_data(truth: GroundTruth, cases: Cases) -> dict[str, Any]:
    return {
        "format": truth.format,
        "pictures": sum(not case.is_video for case in cases.cases),
        "videos": sum(case.is_video for case in cases.cases),
        "video_s": sum(case.duration_s for case in cases.cases),
        "left_out_unlabeled": truth.excluded,
        "left_out_unreadable": len(cases.failed),
        "judged_labels": list(truth.judged),
        "notes": list(truth.notes),
    }


def _about_run(config: EvaluateConfig) -> dict[str, Any]:
    models = {}
    for name, d in config.detector.items():
        members = {f"{name}.{member}": of.model for member, of in d.members.items()}
        for key, m in {name: d.model, **members}.items():
            models[key] = {"id": m.id, "sha256": m.sha256, "licence": m.licence, "threshold": d.threshold}
    judged = config.judge
    return {
        "version": __version__,
        "policy": config.policy.get("name"),
        "models": models,
        "margins": {label: config.mask[label].margin for label in config.labels},
        "iou": judged.iou,
        "covered_share": judged.covered_share,
        "min_visible": judged.min_visible,
        "bootstrap": vars(judged.bootstrap),
    }


def _written(config: EvaluateConfig, truth: GroundTruth, cases: Cases, results: Results) -> list[Path]:
    folder = Path(config.output).expanduser()
    paths = results.write(folder, with_names=config.report.names)
    gallery = None
    if config.report.gallery:
        gallery = worst_misses(cases.cases, config.judge.covered_share, config.report.gallery_size) or None
    run, data = results.metrics["run"], results.metrics["data"]
    facts = {
        "data": f"{data['format']}: {data['pictures']} pictures, {data['videos']} videos",
        **{f"detector {name}": f"{m['id']}, {m['licence']}" for name, m in run["models"].items()},
        "policy": run["policy"],
        "found from IoU": run["iou"],
        "covered from": run["covered_share"],
        "without annotation, left out": truth.excluded,
        "unreadable, left out": len(cases.failed),
        "intervals": f"{run['bootstrap']['confidence']:.0%}, {run['bootstrap']['method']}, by video and picture",
    }
    costs = Costs(config.judge.cost.miss, config.judge.cost.false_mask)
    page = folder / "report.html"
    write_bytes(page, render(evaluation_page(results, facts, costs, gallery, truth.notes)).encode())
    return [*paths, page]


def _said(metrics: dict[str, Any]) -> str:
    """The numbers that matter most, a line a label."""
    said = []
    for label, found in finite(metrics["detection"]).items():
        masks = finite(metrics["masks"][label])
        names = {"AP50": found["ap50"], "recall": found["recall"], "precision": found["precision"]}
        names |= {"leak rate": masks["leak_rate"], "over-mask": masks["over_mask_share"]}
        told = ", ".join(
            f"{name} {'-' if value is None else format(value, '.4f')}" for name, value in names.items()
        )
        said.append(f"{label}: {found['objects']} objects, {told}\n")
    return "".join(said)


if __name__ == "__main__":
    leave(main())
