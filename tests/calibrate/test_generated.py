from __future__ import annotations

from anonflow.calibrate.generated import N_CAMERAS, generated
from anonflow.calibrate.units import content_sha256


def test_more_videos_begin_with_the_same() -> None:
    assert content_sha256(generated(3, 1)) == content_sha256(generated(5, 1)[:3])
    assert content_sha256(generated(3, 1)) != content_sha256(generated(3, 2))


def test_every_video_has_objects_and_a_camera() -> None:
    units = generated(2 * N_CAMERAS, 0)
    assert len({unit.group for unit in units}) == N_CAMERAS and len({unit.name for unit in units}) == len(units)
    assert all(len(unit.scene.truth) and len(unit.scene.detections) for unit in units)
