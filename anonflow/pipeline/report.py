"""The report of a run: what it was made of, what came out, what was checked. No pictures and no file names.

Of boxes only those that somebody drew by hand, as part of the configuration; never one that was detected.
"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from anonflow import __version__
from anonflow.config import AnonymizeConfig, ModelConfig
from anonflow.mask.operators import IS_WEAK
from anonflow.pipeline.rows import Outcome
from anonflow.types import Status

_PACKAGES = (
    "ray",
    "av",
    "pillow",
    "jpeglib",
    "onnxruntime-gpu",
    "onnxruntime",
    "opencv-python-headless",
    "numpy",
    "pyarrow",
    "scipy",
)
_PATHS = ("input", "output")
_RUNTIME_PATHS = ("work_dir", "detections_dir", "model_cache", "model_dirs")
_LEFT_OUT = "(a path, left out)"
_PATTERN_LEFT_OUT = "(a pattern, left out)"


@dataclass(frozen=True)
class Totals:
    """Sums over a run's outcomes. Frames, objects and times are those of this run's own work."""

    published: int
    unchanged: int
    quarantined: int
    frames: int
    objects: dict[str, int]
    stage_seconds: dict[str, dict[str, float]]
    pictures: int = 0
    """Of the sources, those that were published as pictures, which have no frames."""
    picture_objects: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Totals:
        """Add up."""
        outcomes = list(outcomes)
        made = [o for o in outcomes if o.status is Status.PUBLISHED]
        statuses = Counter(o.status for o in outcomes)
        objects: dict[str, Counter[str]] = {"video": Counter(), "picture": Counter()}
        for outcome in made:
            objects[outcome.kind].update(outcome.details["objects"])
        return cls(
            published=statuses[Status.PUBLISHED],
            unchanged=statuses[Status.UNCHANGED],
            quarantined=statuses[Status.QUARANTINED],
            frames=sum(o.frames for o in made),
            objects=dict(objects["video"]),
            stage_seconds=_stage_seconds(made),
            pictures=sum(o.kind == "picture" for o in made),
            picture_objects=dict(objects["picture"]),
        )


def build_report(
    config: AnonymizeConfig,
    run_id: str,
    outcomes: Sequence[Outcome],
    *,
    wall_s: float,
    passed_over: dict[str, int],
) -> dict[str, Any]:
    """The report as a value that JSON can hold. Which file a video id stands for is in the ledger only."""
    return {
        "run_id": run_id,
        "anonflow": __version__,
        "versions": _versions(),
        "configuration": _configuration(config),
        "models": [_model(name, model) for name, d in sorted(config.detector.items()) for model in d.models],
        "masks": {label: _mask(config, label) for label in config.labels},
        "totals": asdict(Totals.of(outcomes)),
        "wall_s": round(wall_s, 3),
        "files_passed_over": passed_over,
        "videos": [_video(o) for o in sorted(outcomes, key=lambda o: o.video_id) if o.kind == "video"],
        "pictures": _pictures([o for o in outcomes if o.kind == "picture"]),
    }


def _configuration(config: AnonymizeConfig) -> dict[str, Any]:
    """The resolved configuration without its paths, which may carry names; the ledger has those of the videos."""
    resolved = asdict(config)
    for name, detector in resolved["detector"].items():
        shown = [detector["model"], *(member["model"] for member in detector["members"].values())]
        for model, known in zip(shown, config.detector[name].models, strict=True):
            model["uri"] = _public_uri(known.uri)
    resolved["runtime"] |= {key: _LEFT_OUT for key in _RUNTIME_PATHS if resolved["runtime"][key]}
    for entry in resolved["regions"]:
        entry["videos"] = _PATTERN_LEFT_OUT
    return resolved | dict.fromkeys(_PATHS, _LEFT_OUT)


def _public_uri(uri: str) -> str:
    """The URI; of a local file only that it is one, since the SHA-256 says which."""
    return f"file:{_LEFT_OUT}" if uri.startswith("file:") else uri


def _model(name: str, model: ModelConfig) -> dict[str, str]:
    return {
        "detector": name,
        "id": model.id,
        "uri": _public_uri(model.uri),
        "sha256": model.sha256,
        "licence": model.licence,
        "origin": model.origin,
    }


def _mask(config: AnonymizeConfig, label: str) -> dict[str, Any]:
    style = config.mask[label]
    return {"operator": style.operator, "strength": "weak" if IS_WEAK[style.operator] else "strong"}


def _video(outcome: Outcome) -> dict[str, Any]:
    return {
        "video_id": outcome.video_id,
        "status": str(outcome.status),
        "reason": outcome.reason,
        "frames": outcome.frames,
        "duration_s": outcome.duration_s,
        **outcome.details,
    }


def _pictures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """All pictures together, as there may be a million: what they were, how they ended, what their checks found."""
    made = [o for o in outcomes if o.status is Status.PUBLISHED]
    changed = Counter(name for o in made for name in o.details["checks"]["changed by policy"])
    return {
        "n": len(outcomes),
        "statuses": Counter(str(o.status) for o in outcomes),
        "formats": Counter(str(o.details["format"]) for o in made),
        "reasons": Counter(o.reason for o in outcomes if o.status is Status.QUARANTINED),
        "checks": {
            "equal": sum(o.details["checks"]["equal"] for o in made),
            "changed by policy": changed,
            "broken": 0,  # what is broken is not published; it is among the reasons as 'fidelity'
        },
    }


def _stage_seconds(outcomes: Iterable[Outcome]) -> dict[str, dict[str, float]]:
    sums: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        for stage, seconds in outcome.details["stage_seconds"].items():
            sums.setdefault(stage, Counter()).update(seconds)
    return {stage: {key: round(value, 3) for key, value in seconds.items()} for stage, seconds in sums.items()}


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue  # onnxruntime comes in two packages, of which one is installed
    return found
