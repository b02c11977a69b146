from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hydra import compose, initialize_config_module

from anonflow.config.evaluation import FORMATS, INTERVALS, UNLABELED
from anonflow.errors import ConfigError
from anonflow.jobs.evaluate import EvaluateConfig
from anonflow.jobs.launch import typed


def composed(*overrides: str) -> Any:
    with initialize_config_module("anonflow.conf", version_base="1.3"):
        given = ["data.path=x", "output=out", *overrides]
        return typed(compose("evaluate", overrides=given), EvaluateConfig)


def test_labels_may_be_numbers_and_may_be_left_out() -> None:
    data = composed("data.labels={1: plate, number plate: null, *: face}").data
    assert data.mapping == {"1": "plate", "number plate": None, "*": "face"}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_can_be_named(name: str) -> None:
    assert composed(f"data.format={name}").data.format == name


@pytest.mark.parametrize("name", UNLABELED)
def test_every_way_with_unlabeled_files_can_be_chosen(name: str) -> None:
    assert composed(f"data.unlabeled={name}").data.unlabeled == name


@pytest.mark.parametrize("name", INTERVALS)
def test_every_kind_of_interval_can_be_chosen(name: str) -> None:
    assert composed(f"judge.bootstrap.method={name}").judge.bootstrap.method == name


@pytest.mark.parametrize(
    "override",
    [
        "data.format=xls",
        "data.unlabeled=guess",
        "judge.iou=0",
        "judge.covered_share=1.1",
        "judge.min_visible=1",
        "judge.min_count=0",
        "judge.bootstrap.method=magic",
        "judge.bootstrap.samples=-1",
        "judge.bootstrap.confidence=1",
        "judge.cost.miss=0",
        "judge.sweep.thresholds=[1.5]",
        "judge.sweep.margins=[-1]",
        "report.gallery_size=0",
        "judge.unknown=1",
    ],
)
def test_wrong_values_are_named(override: str) -> None:
    with pytest.raises((ConfigError, Exception), match=override.partition("=")[0].rpartition(".")[2]):
        composed(override if "unknown" not in override else f"+{override}")


def test_lists_of_wider_belong_to_wider() -> None:
    data = composed("data.format=coco").data
    with pytest.raises(ConfigError, match="wider_lists"):
        replace(data, wider_lists="lists/")
