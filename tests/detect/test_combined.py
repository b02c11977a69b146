from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from anonflow.config import AugmentConfig, MemberConfig, MergeConfig, TilesConfig
from anonflow.detect import combined
from anonflow.detect.augment import Flipped, Resized
from anonflow.detect.combined import open_detector
from anonflow.detect.ensemble import Ensemble
from anonflow.detect.tiles import Tiled
from tests.detect.blobs import BlobDetector, scene
from tests.detect.conftest import detector_config, model_config


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Models without networks; what each was built from."""
    made: Any = []

    def build(config: Any, weights: Any, labels: Any, provider: Any) -> Any:
        made.append((config.model.id, weights, config.floor, config.nms_iou, labels, provider))
        return BlobDetector()

    monkeypatch.setattr(combined, "build_detector", build)
    return made


def opened(**changes: Any) -> Any:
    config = detector_config("retinaface_mnet025", **changes)
    return open_detector(config, lambda model: model.id.encode(), ("face",), "cpu")


def test_a_model_alone_is_the_model(built: Any) -> None:
    assert isinstance(opened(), BlobDetector)
    assert built == [("retinaface-mnet025", b"retinaface-mnet025", 0.3, 0.4, ("face",), "cpu")]


def test_tiles_are_cut_from_views_and_views_merged_before_models(built: Any) -> None:
    second = MemberConfig(model_config("yunet_n"), 320, 0.2, 0.5, weight=2.0)
    both = opened(
        tiles=TilesConfig(True, 64),
        augment=AugmentConfig(True, (), MergeConfig("union", 0.3)),
        members={"second": second},
        merge=MergeConfig("vote", 0.6, 2),
    )
    assert isinstance(both, Ensemble)
    assert (both.weights, both.merge, both.floor) == ((1.0, 2.0), MergeConfig("vote", 0.6, 2), 0.3)
    own, other = both.members
    assert isinstance(own, Ensemble) and own.merge == MergeConfig("union", 0.3)
    assert isinstance(own.members[0], Tiled) and isinstance(own.members[1], Flipped)
    assert isinstance(other, Resized) and other.max_long_side_px == 320 and isinstance(other.inner, Ensemble)
    assert [row[0] for row in built] == ["retinaface-mnet025", "yunet-n"]
    assert [row[2:4] for row in built] == [(0.3, 0.4), (0.2, 0.5)]
    boxes = both.detect([scene(400, 300, [(30, 30, 50, 50)])])[0]
    np.testing.assert_allclose(boxes.xyxy, [[30, 30, 80, 80]], atol=6)  # a sixth of the size is seen of the whole


def test_a_member_may_have_a_higher_floor_than_the_thresholds(built: Any) -> None:
    second = MemberConfig(model_config("yunet_n"), 320, 0.95, 0.5)
    opened(threshold=0.4, keep_threshold=0.35, members={"second": second})
    assert built[1][2] == 0.95
