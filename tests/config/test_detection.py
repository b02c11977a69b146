from __future__ import annotations

import pytest

from anonflow.errors import ConfigError
from tests.pipeline.worlds import configuration


@pytest.mark.parametrize(
    "override",
    [
        "detector.face.long_side_px=31",
        "detector.face.max_upscale=0",
        "detector.face.max_upscale=inf",
        "detector.face.threshold=1.1",
        "detector.face.threshold=nan",
        "detector.face.keep_threshold=0.5",
        "detector.face.keep_threshold=0.01",
        "detector.face.floor=-0.1",
        "detector.face.floor=0.95",
        "detector.face.nms_iou=2",
        "detector.face.batch_size=0",
        "detector.face.tiles.size_px=31",
        "detector.face.tiles.overlap_share=0.6",
        "detector.face.augment.scales=[1]",
        "detector.face.augment.scales=[9]",
        "detector.face.augment.scales=[2,2]",
        "detector.face.augment.merge.method=mean",
        "detector.face.merge.min_iou=2",
        "detector.face.merge.min_votes=0",
        "detector.face.merge.min_votes=2",
        "label.face.min_side_px=-1",
        "label.face.max_side_share=1.1",
        "adaptive.dark_luma=-0.1",
        "adaptive.dark_luma=0.9",
        "adaptive.bright_luma=1.2",
        "adaptive.dark_factor=1.5",
        "adaptive.crowd_factor=-1",
        "adaptive.sparse_objects=90",
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(override: str) -> None:
    with pytest.raises(ConfigError) as raised:
        configuration(override)
    assert override.lstrip("~").split("=")[0].split(".")[-1] in str(raised.value)


def test_thresholds_do_not_fall_from_floor_to_start() -> None:
    face = configuration("detector.face.floor=0.1", "detector.face.keep_threshold=0.1").detector["face"]
    assert face.floor == face.keep_threshold <= face.threshold


@pytest.mark.parametrize(
    "overrides",
    [
        ["detector.face.members.second.long_side_px=1920"],
        ["detector.face.members.second.floor=2"],
        ["detector.face.members.second.weight=0"],
        ["detector.face.merge.method=vote", "detector.face.merge.min_votes=3"],
        ["model@detector.face.members.second.model=clp_det"],
    ],
)
def test_an_ensemble_that_makes_no_sense_is_refused(overrides: list[str]) -> None:
    with pytest.raises(ConfigError):
        configuration("detector=ensemble", *overrides)


def test_an_ensemble_has_all_of_its_models() -> None:
    ensemble = configuration("detector=ensemble")
    assert [model.id for model in ensemble.detector["face"].models] == ["retinaface-mnet025", "centerface"]
    assert [model.id for model in ensemble.detector["plate"].models] == ["clp-det"]
    assert ensemble.labels == ("face", "plate")
