from __future__ import annotations

from anonflow.config import MergeConfig
from anonflow.detect.augment import Resized
from anonflow.detect.ensemble import Ensemble
from tests.detect.blobs import BlobDetector, corners, found, scene

BLOBS = [(10, 10, 40, 40), (120, 30, 6, 6)]


def test_what_one_member_misses_the_other_finds() -> None:
    blunt, sharp = BlobDetector(least_side_px=20), BlobDetector()
    both = Ensemble((blunt, sharp), (1.0, 1.0), MergeConfig("union", 0.5), 0.1)
    picture = scene(200, 100, BLOBS)
    assert len(blunt.detect([picture])[0]) == 1
    assert found(both.detect([picture])[0]) == corners(BLOBS)
    agreed = Ensemble((blunt, sharp), (1.0, 1.0), MergeConfig("vote", 0.5, 2), 0.1)
    assert found(agreed.detect([picture])[0]) == corners(BLOBS[:1])
    assert both.provider == "cpu"


def test_every_picture_of_a_batch_has_its_own_merger() -> None:
    both = Ensemble((BlobDetector(), Resized(BlobDetector(), 2.0)), (1.0, 1.0), MergeConfig("union", 0.5), 0.1)
    pictures = [scene(200, 100, BLOBS), scene(200, 100, BLOBS[:1]), scene(200, 100, [])]
    assert [len(boxes) for boxes in both.detect(pictures)] == [2, 1, 0]
    assert both.detect([]) == []
