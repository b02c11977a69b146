from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from anonflow.calibrate.generated import generated
from anonflow.calibrate.units import Judge, Unit, at_setting, content_sha256, measure
from anonflow.evaluate.exposure import exposure
from anonflow.evaluate.methods import ladder
from tests.calibrate.worlds import configured

CONFIG = configured()
JUDGE = Judge(("face", "plate"), 0.9)
UNITS = generated(6, 0)


def test_it_is_what_a_run_at_that_setting_leaks() -> None:
    (wide, narrow) = measure(UNITS, CONFIG, 0.3, [0.3, 0.1], JUDGE)
    for margin, found in ((0.3, wide), (0.1, narrow)):
        method = list(ladder(at_setting(CONFIG, JUDGE.labels, 0.3, margin)).values())[-1]
        for row, unit in enumerate(UNITS):
            expected = exposure(unit.scene.truth, method(unit.scene), 0.9)
            assert found.leak_rate[row] == expected.leak_share
            assert found.leaked_object_share[row] == expected.leaked_object_share
            assert found.over_mask_share[row] == pytest.approx(expected.over_mask_share)
            assert found.leaking_s[row] == pytest.approx(expected.leaking_s)
    assert (wide.over_mask_share > narrow.over_mask_share).all()
    assert len(wide.of(np.array([1, 3]))) == 2


def test_only_the_labels_that_are_asked_for_change_and_count() -> None:
    config = at_setting(CONFIG, ["plate"], 0.6, 0.05)
    assert config.detector["plate"].threshold == 0.6 and config.mask["plate"].margin == 0.05
    assert config.detector["face"] == CONFIG.detector["face"] and config.mask["face"] == CONFIG.mask["face"]
    of_plates = measure(UNITS, CONFIG, 0.3, [0.2], Judge(("plate",), 0.9))[0]
    counts = [int((unit.scene.truth.labels == 1).sum()) for unit in UNITS]
    assert of_plates.object_frames.tolist() == counts


def test_a_picture_is_planned_as_a_picture() -> None:
    """No time before or after: what is not detected strongly is not hidden."""
    unit = UNITS[0]
    truth = unit.scene.truth
    rows = np.flatnonzero(truth.frames == 0)
    columns = {n: getattr(truth, n)[rows] for n in ("frames", "object_ids", "xyxy", "labels", "visible")}
    scene = replace(
        unit.scene,
        truth=replace(truth, times_s=truth.times_s[:1], end_s=0.1, **columns),
        detections=unit.scene.detections.between(0, 1),
        shots=unit.scene.shots[:1],
        luma=unit.scene.luma[:1],
    )
    (found,) = measure([Unit("p", "", scene, is_video=False)], CONFIG, 0.1, [0.2], JUDGE)
    (blind,) = measure([Unit("p", "", scene, is_video=False)], CONFIG, 1.0, [0.2], JUDGE)
    assert found.leak_rate[0] < blind.leak_rate[0] == 1.0


def test_the_hash_names_what_was_measured() -> None:
    assert content_sha256(UNITS) == content_sha256(UNITS[::-1]) == content_sha256(generated(6, 0))
    moved = replace(UNITS[0].scene, luma=UNITS[0].scene.luma + np.float32(0.01))
    assert content_sha256([replace(UNITS[0], scene=moved), *UNITS[1:]]) != content_sha256(UNITS)
