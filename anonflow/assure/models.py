"""The models that a report names: that it names one of each, and that those at hand are them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from anonflow.config import ModelConfig
from anonflow.detect.models import ModelStore
from anonflow.storage import file_sha256
from anonflow.types import Check, Verdict


def models_of_report(report: Mapping[str, Any]) -> dict[str, list[str]]:
    """SHA-256 of the models of each detector, as the report's list of models says."""
    models: dict[str, list[str]] = {}
    for entry in report["models"]:
        models.setdefault(entry["detector"], []).append(entry["sha256"])
    return models


def models_of_configuration(configuration: Mapping[str, Any]) -> dict[str, list[str]]:
    """The same, as the report's configuration says."""
    detectors = configuration["detector"].items()
    return {name: [model["sha256"] for model in models_of(detector)] for name, detector in detectors}


def models_of(detector: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The models of a detector in a report's configuration, those that it is combined from included."""
    return [detector["model"], *(member["model"] for member in detector.get("members", {}).values())]


def check_models(report: Mapping[str, Any], models: Sequence[ModelConfig], store: ModelStore) -> Iterator[Check]:
    """What is wrong: two parts of the report that name different models, or files that are not those it names.

    `models` are those of the report's configuration. Files are looked for where a run looks; one that is not there
    is fine.
    """
    if models_of_report(report) != models_of_configuration(report["configuration"]):
        yield Check("models", Verdict.BROKEN, "the report's list of models is not that of its configuration")
    for model in models:
        path = store.resolve(model)
        if path is not None and file_sha256(path) != model.sha256.lower():
            yield Check("models", Verdict.BROKEN, f"{path} is not the model {model.id} of this run")
