"""A calibration on record: the certificate that goes into a policy, and whether it holds for a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from anonflow import __version__
from anonflow.config import HidingConfig
from anonflow.config.calibration import GENERATED
from anonflow.storage import fingerprint

if TYPE_CHECKING:  # a run reads a record, and has no use for what calibrates
    from anonflow.calibrate.choose import Answer, Targets

RECORD = "calibration"
"""Key of a policy that holds the record."""
_NO_MATTER = ("batch_size",)


def settings_fingerprint(config: HidingConfig) -> str:
    """Names all settings that decide what is hidden: models, thresholds, tracker, stabilisation, rules, margins.

    How things are painted (operator, shape) does not count, except for the shape, which may cover less.
    """
    detectors = {
        name: {key: value for key, value in asdict(d).items() if key not in _NO_MATTER}
        for name, d in config.detector.items()
    }
    for detector in detectors.values():
        for model in (detector["model"], *(member["model"] for member in detector["members"].values())):
            model.pop("uri")  # the hash says which it is
    masks = {label: (config.mask[label].margin, config.mask[label].shape) for label in config.labels}
    return fingerprint(
        {
            "detector": detectors,
            "label": {label: asdict(config.label[label]) for label in config.labels},
            "masks": masks,
            **{part: asdict(getattr(config, part)) for part in ("adaptive", "tracker", "stabilise", "rules")},
        }
    )


def policy_of(
    config: HidingConfig, name: str, labels: tuple[str, ...], record: Mapping[str, Any]
) -> dict[str, Any]:
    """The policy to run a calibrated configuration with: the base's values with the chosen ones, and the record.

    `config` is at the chosen setting. Policies set scores and margins by label, so all detectors of a label have
    the same.
    """
    policy = {key: value for key, value in config.policy.items() if key != RECORD} | {"name": name}
    for label in labels:
        detector = next(d for d in config.detector.values() if label in d.model.classes.values())
        policy[label] = {
            "threshold": detector.threshold,
            "keep_threshold": detector.keep_threshold,
            "margin": config.mask[label].margin,
        }
    return policy | {RECORD: dict(record)}


def record_of(
    answer: Answer,
    targets: Targets,
    config: HidingConfig,
    *,
    labels: tuple[str, ...],
    confidence: float,
    set_sha256: str,
    n_units: int,
    covered_share: float,
    date: str,
    is_generated: bool = False,
) -> dict[str, Any]:
    """What a policy says of the calibration that it came from."""
    models = [model for d in config.detector.values() for model in d.models]
    kind = "learn-then-test" if targets.items() else "expected cost (no guarantee by itself)"
    return {
        "date": date,
        "anonflow": __version__,
        "method": f"{kind}, {answer.method}",
        "confidence": confidence,
        "bounds": {name: round(value, 6) for name, value in sorted(answer.bounds.items())},
        "certified": bool(targets.items()) and answer.chosen is not None,
        "labels": list(labels),
        "covered_share": covered_share,
        "videos": n_units,
        "videos_with_objects": answer.n_units,
        "set_sha256": set_sha256,
        "data": GENERATED if is_generated else "annotated",
        # Generated videos bring their detections along: no model looked at them.
        "models": {} if is_generated else {model.id: model.sha256 for model in models},
        "settings": settings_fingerprint(config),
    }


def broken_record(config: HidingConfig) -> str | None:
    """Why the record of the run's policy does not hold for the run; None if it does, or there is none."""
    record = config.policy.get(RECORD)
    if not isinstance(record, dict):
        return None
    models = {model.id: model.sha256 for d in config.detector.values() for model in d.models}
    name = config.policy.get("name", "")
    if record.get("data") == GENERATED:
        return f"policy '{name}' was calibrated on generated videos, which say nothing about real ones"
    if record.get("models") != models:
        return f"policy '{name}' was calibrated with other models ({', '.join(sorted(record.get('models', {})))})"
    if record.get("settings") != settings_fingerprint(config):
        return f"policy '{name}' was calibrated with other settings than those of this run"
    return None
