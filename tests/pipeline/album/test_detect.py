from __future__ import annotations

import numpy as np
import pytest

from anonflow.pipeline.album.album import Album
from anonflow.pipeline.album.detect import read_found
from anonflow.pipeline.album.stages import Detect
from anonflow.types import Boxes
from tests.pictures import camera, encoded, scene
from tests.pipeline.album.gallery import SizeDetector, add, album_of
from tests.pipeline.worlds import World, outcome_of, use_detector


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> SizeDetector:
    detector = use_detector(monkeypatch, SizeDetector())
    assert isinstance(detector, SizeDetector)
    return detector


def test_pictures_of_one_size_are_searched_together(world: World, sizes: SizeDetector) -> None:
    for number in range(20):
        width, height = ((60, 40), (40, 60), (61, 40))[number % 3]
        add(world, f"{number:02}.png", encoded(scene(width, height), "PNG", exif=camera(6 if number % 2 else 1)))
    context = world.context()
    row = album_of(world, context)
    (made,) = Detect(context)(row)
    found = read_found(row, context)
    assert made == row and found.facts.frames.tolist() == list(range(20))
    assert found.detections.frames.tolist() == list(range(20)) and sum(sizes.batches) == 20
    assert max(sizes.batches) > 1 and len(sizes.batches) < 10
    assert found.sizes["0"] == [60, 40] and found.sizes["1"] == [40, 60]


def test_boxes_are_in_pixels_of_the_stored_picture(world: World, sizes: SizeDetector) -> None:
    for orientation in range(1, 9):
        add(world, f"{orientation}.png", encoded(scene(60, 40), "PNG", exif=camera(orientation)))
    context = world.context()
    row = album_of(world, context)
    Detect(context)(row)
    boxes = read_found(row, context).detections.xyxy
    upper_left, upper_right, lower_left, lower_right = (
        (0, 0, 30, 20),
        (30, 0, 60, 20),
        (0, 20, 30, 40),
        (30, 20, 60, 40),
    )
    expected = [upper_left, upper_right, lower_right, lower_left, upper_left, lower_left, lower_right, upper_right]
    np.testing.assert_allclose(boxes, expected, atol=0.01)


def test_a_detector_that_fails_at_one_picture_fails_no_other(world: World, sizes: SizeDetector) -> None:
    add(world, "a.png", encoded(scene(60, 40), "PNG"))
    add(world, "b.png", encoded(scene(50, 50), "PNG"))
    add(world, "c.png", encoded(scene(60, 40), "PNG"))
    sizes.fails_at = (100, 100)
    context = world.context()
    row = album_of(world, context)
    ended, _ = Detect(context)(row)
    assert (ended.relative_path, outcome_of(ended).reason) == ("b.png", "internal")
    assert read_found(row, context).facts.frames.tolist() == [0, 2]


def test_what_failed_in_a_run_is_looked_at_in_the_next(world: World, sizes: SizeDetector) -> None:
    add(world, "a.png", encoded(scene(60, 40), "PNG"))
    add(world, "b.png", encoded(scene(50, 50), "PNG"))
    sizes.fails_at = (100, 100)
    context = world.context()
    Detect(context)(album_of(world, context))
    sizes.fails_at, sizes.batches = None, []
    later = world.context("run2")
    row = album_of(world, later)
    assert Detect(later)(row) == [row]
    found = read_found(row, later)
    assert found.facts.frames.tolist() == found.detections.frames.tolist() == [0, 1]
    assert sizes.batches == [1], "only what was missing"
    assert Detect(later)(row) == [row] and sizes.batches == [1]


def test_after_a_crash_pictures_are_searched_one_by_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the picture that is to blame is the one whose attempt was noted last."""

    class Deadly(SizeDetector):
        def detect(self, pictures: list[np.ndarray]) -> list[Boxes]:
            if any(picture[0, 0, 0] > 250 for picture in pictures):
                raise SystemExit(139)
            return super().detect(pictures)

    use_detector(monkeypatch, Deadly())
    for name in "abcde":
        content = scene(40, 40) if name != "c" else scene(40, 40).point(lambda _: 255)
        add(world, f"{name}.png", encoded(content, "PNG"))
    context = world.context()
    row = album_of(world, context)
    for _ in range(9):
        try:
            rows = Detect(context)(row)
            break
        except SystemExit:
            continue
    ended = {r.relative_path: outcome_of(r).reason for r in rows if r.outcome}
    assert ended == {"c.png": "worker_crash"}
    assert read_found(row, context).facts.frames.tolist() == [0, 1, 3, 4]
    assert [m.position for m in Album(row, "stitch", context).left()] == [0, 1, 3, 4]


def test_a_transparent_picture_is_searched_in_all_its_looks(world: World, sizes: SizeDetector) -> None:
    image = scene(60, 40).convert("RGBA")
    image.putalpha(scene(60, 40).convert("L"))
    add(world, "a.png", encoded(image, "PNG"))
    context = world.context()
    row = album_of(world, context)
    assert Detect(context)(row) == [row]
    found = read_found(row, context)
    assert sum(sizes.batches) == 3 and found.facts.frames.tolist() == [0]
    assert found.detections.frames.tolist() == [0, 0, 0]
