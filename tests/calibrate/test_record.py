from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from anonflow.calibrate.choose import Grid, Targets, certify
from anonflow.calibrate.record import RECORD, broken_record, policy_of, record_of, settings_fingerprint
from anonflow.calibrate.units import at_setting
from tests.calibrate.worlds import configured, measured

LABELS = ("face", "plate")


def recorded(is_generated: bool = False) -> Any:
    config = at_setting(configured(), LABELS, 0.3, 0.15)
    answer = certify(measured(lambda t, m: np.zeros(200)), Grid((0.3,), (0.15,)), Targets(0.05), 0.05, None)
    record = record_of(
        answer,
        Targets(0.05),
        config,
        labels=LABELS,
        confidence=0.95,
        set_sha256="a" * 64,
        n_units=200,
        covered_share=0.9,
        date="2026-01-02",
        is_generated=is_generated,
    )
    return replace(config, policy=policy_of(config, "mine", LABELS, record))


def test_the_policy_says_what_it_rests_on() -> None:
    policy = recorded().policy
    record = policy[RECORD]
    assert policy["name"] == "mine" and policy["max_gap_s"] == 1.0
    assert policy["face"] == {"threshold": 0.3, "keep_threshold": 0.1, "margin": 0.15}
    assert record["certified"] and record["bounds"] == {"leak_rate": 0.05} and record["date"] == "2026-01-02"
    assert record["method"] == "learn-then-test, betting" and record["set_sha256"] == "a" * 64
    assert set(record["models"]) == {"retinaface-mnet025", "clp-det"}


def test_the_record_holds_for_the_settings_that_it_names() -> None:
    config = recorded()
    assert broken_record(config) is None and broken_record(configured()) is None
    face = config.detector["face"]
    assert broken_record(replace(config, detector={**config.detector, "face": replace(face, batch_size=1)})) is None
    elsewhere = replace(face, model=replace(face.model, uri="file:elsewhere.onnx"))
    assert broken_record(replace(config, detector={**config.detector, "face": elsewhere})) is None


@pytest.mark.parametrize(
    ("part", "word"),
    [("threshold", "settings"), ("margin", "settings"), ("stabilise", "settings"), ("model", "models")],
)
def test_any_other_setting_or_model_breaks_it(part: str, word: str) -> None:
    config = recorded()
    face = config.detector["face"]
    other = {
        "threshold": lambda: replace(config, detector={**config.detector, "face": replace(face, threshold=0.31)}),
        "margin": lambda: replace(config, mask={**config.mask, "face": replace(config.mask["face"], margin=0.1)}),
        "stabilise": lambda: replace(config, stabilise=replace(config.stabilise, max_gap_s=0.5)),
        "model": lambda: replace(
            config, detector={**config.detector, "face": replace(face, model=replace(face.model, sha256="0" * 64))}
        ),
    }[part]()
    said = broken_record(other)
    assert said is not None and word in said and "'mine'" in said
    assert settings_fingerprint(other) != settings_fingerprint(config)


def test_generated_videos_certify_no_real_run() -> None:
    config = recorded(is_generated=True)
    assert config.policy[RECORD]["models"] == {}
    said = broken_record(config)
    assert said is not None and "generated" in said
