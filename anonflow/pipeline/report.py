"""The report of a run: what it was made of, what came out, what was checked. No pictures and no file names.

Of boxes only those that somebody drew by hand, as part of the configuration; never one that was detected.
"""

from __future__ import annotations

import json
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
from anonflow.storage import StoragePath, readable_json, written_whole
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
_RUNTIME_PATHS = (
    "work_dir",
    "detections_dir",
    "model_cache",
    "model_dirs",
    "scratch_dir",
    "storage_options",
    "signing_key",
)
_LEFT_OUT = "(a path, left out)"
_PATTERN_LEFT_OUT = "(a pattern, left out)"
_PLACE_OF_VIDEOS = "(videos, written one by one)"


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
        return Tally.of(outcomes).totals()


@dataclass
class Tally:
    """Adds up outcomes one by one, so that none has to be held."""

    statuses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    """Of the quarantined."""
    frames: int = 0
    unplanned: int = 0
    """Sources that ended without a frame of work."""
    objects: Counter[str] = field(default_factory=Counter)
    stage_seconds: dict[str, Counter[str]] = field(default_factory=dict)
    picture_objects: Counter[str] = field(default_factory=Counter)
    picture_statuses: Counter[str] = field(default_factory=Counter)
    picture_reasons: Counter[str] = field(default_factory=Counter)
    picture_formats: Counter[str] = field(default_factory=Counter)
    picture_checks_equal: int = 0
    picture_changes: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Tally:
        """Add up all of them."""
        tally = cls()
        for outcome in outcomes:
            tally.add(outcome)
        return tally

    def add(self, outcome: Outcome) -> None:
        """Take one more."""
        is_picture, status = outcome.kind == "picture", str(outcome.status)
        self.statuses[status] += 1
        self.unplanned += outcome.status is Status.UNCHANGED or not (is_picture or outcome.frames)
        if outcome.status is Status.QUARANTINED:
            self.reasons[outcome.reason] += 1
        if is_picture:
            self._add_picture(outcome)
        if outcome.status is Status.PUBLISHED:
            self._add_work(outcome)

    def take_back(self, outcome: Outcome) -> None:
        """Forget a quarantine that was added."""
        is_picture = outcome.kind == "picture"
        self.statuses[str(outcome.status)] -= 1
        self.reasons[outcome.reason] -= 1
        self.unplanned -= not is_picture
        if is_picture:
            self.picture_statuses[str(outcome.status)] -= 1
            self.picture_reasons[outcome.reason] -= 1

    def totals(self) -> Totals:
        """The sums."""
        return Totals(
            published=self.statuses[Status.PUBLISHED],
            unchanged=self.statuses[Status.UNCHANGED],
            quarantined=self.statuses[Status.QUARANTINED],
            frames=self.frames,
            objects=dict(self.objects),
            stage_seconds={
                stage: {key: round(value, 3) for key, value in seconds.items()}
                for stage, seconds in self.stage_seconds.items()
            },
            pictures=self.picture_statuses[Status.PUBLISHED],
            picture_objects=dict(self.picture_objects),
        )

    def pictures(self) -> dict[str, Any]:
        """All pictures together, as there may be a million: what they were, how they ended, what checks found."""
        return {
            "n": self.picture_statuses.total(),
            "statuses": dict(self.picture_statuses),
            "formats": dict(self.picture_formats),
            "reasons": dict(self.picture_reasons),
            "checks": {
                "equal": self.picture_checks_equal,
                "changed by policy": dict(self.picture_changes),
                "broken": 0,  # what is broken is not published; it is among the reasons as 'fidelity'
            },
        }

    def _add_work(self, outcome: Outcome) -> None:
        details = outcome.details
        self.frames += outcome.frames
        (self.picture_objects if outcome.kind == "picture" else self.objects).update(details.get("objects", {}))
        for stage, seconds in details.get("stage_seconds", {}).items():
            self.stage_seconds.setdefault(stage, Counter()).update(seconds)

    def _add_picture(self, outcome: Outcome) -> None:
        self.picture_statuses[str(outcome.status)] += 1
        if outcome.status is Status.QUARANTINED:
            self.picture_reasons[outcome.reason] += 1
        elif outcome.status is Status.PUBLISHED:
            checks = outcome.details["checks"]
            self.picture_formats[str(outcome.details["format"])] += 1
            self.picture_checks_equal += checks["equal"]
            self.picture_changes.update(checks["changed by policy"].keys())


def build_report(
    config: AnonymizeConfig,
    run_id: str,
    outcomes: Sequence[Outcome],
    *,
    wall_s: float,
    passed_over: dict[str, int],
) -> dict[str, Any]:
    """The report as a value that JSON can hold. Which file a video id stands for is in the ledger only."""
    by_id = sorted(outcomes, key=lambda o: o.video_id)
    frame = public_frame(config, run_id, Tally.of(outcomes), wall_s=wall_s, passed_over=passed_over)
    return frame | {"videos": [_video(o) for o in by_id if o.kind == "video"]}


def write_report(path: StoragePath, frame: dict[str, Any], outcomes: Iterable[Outcome]) -> None:
    """Write `frame` with the list of videos, whole, without holding the outcomes, which come by video id."""
    text = readable_json(frame | {"videos": _PLACE_OF_VIDEOS})
    before, after = text.split(json.dumps(_PLACE_OF_VIDEOS))
    with written_whole(path) as partial, partial.open("w", encoding="utf-8") as out:
        out.write(before + "[")
        separator = ""
        for outcome in outcomes:
            if outcome.kind == "video":
                lines = readable_json(_video(outcome)).rstrip("\n").replace("\n", "\n    ")
                out.write(f"{separator}\n    {lines}")
                separator = ","
        out.write(("\n  ]" if separator else "]") + after)


def public_frame(
    config: AnonymizeConfig, run_id: str, tally: Tally, *, wall_s: float, passed_over: dict[str, int]
) -> dict[str, Any]:
    """The report but for its videos."""
    return {
        "run_id": run_id,
        "anonflow": __version__,
        "versions": _versions(),
        "configuration": public_configuration(config),
        "models": [_model(name, model) for name, d in sorted(config.detector.items()) for model in d.models],
        "masks": {label: _mask(config, label) for label in config.labels},
        "totals": asdict(tally.totals()),
        "wall_s": round(wall_s, 3),
        "files_passed_over": passed_over,
        "pictures": tally.pictures(),
    }


def public_configuration(config: AnonymizeConfig) -> dict[str, Any]:
    """The resolved configuration without its paths, which may carry names; the ledger has those of the videos."""
    resolved = asdict(config)
    for name, detector in resolved["detector"].items():
        shown = [detector["model"], *(member["model"] for member in detector["members"].values())]
        for model, known in zip(shown, config.detector[name].models, strict=True):
            model["uri"] = _public_uri(known.uri)
    resolved["runtime"] |= {key: _LEFT_OUT for key in _RUNTIME_PATHS if resolved["runtime"][key]}
    lineage = resolved["runtime"]["lineage"]
    lineage |= {key: _LEFT_OUT for key in ("url", "file") if lineage[key]}
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


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue  # onnxruntime comes in two packages, of which one is installed
    return found
