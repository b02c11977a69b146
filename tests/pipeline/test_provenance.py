from __future__ import annotations

import json

import numpy as np

from anonflow.pipeline.provenance import configuration_sha256, made_with, picture_facts
from anonflow.pipeline.report import build_report
from anonflow.types import Check, Detections, MaskPlan, Verdict
from tests.pipeline.worlds import World


def test_the_configuration_is_told_by_what_the_report_shows(world: World) -> None:
    report = json.loads(json.dumps(build_report(world.config, "run1", [], wall_s=1, passed_over={}), default=str))
    made = made_with(world.context())
    assert made["configuration_sha256"] == configuration_sha256(report["configuration"])
    assert made["fingerprint"] == world.context().paths.keys.masks


def test_another_configuration_has_another_hash(world: World) -> None:
    other = World.make(world.root, "detector.face.threshold=0.9")
    hashes = {made_with(w.context())["configuration_sha256"] for w in (world, other)}
    assert len(hashes) == 2


def test_a_picture_has_digests_of_its_own_rows() -> None:
    found = Detections(np.array([3]), np.ones((1, 4), np.float32), np.ones(1, np.float32), np.zeros(1, np.int16))
    plan, checks = MaskPlan(found.frames, found.xyxy, found.labels), [Check("size", Verdict.EQUAL)]
    facts = picture_facts({"models": {}}, found, plan, {"face": 1}, checks)
    assert facts["detections"]["n"] == facts["masks"]["n"] == 1
    assert facts["detections"]["sha256"] != facts["masks"]["sha256"]
    assert facts["checks"]["points"] == [["size", "equal"]]
