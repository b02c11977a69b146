"""One contract for all detectors, with their real weights."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from anonflow.detect.base import Detector
from anonflow.detect.session import Session
from anonflow.errors import DetectorOutputError
from anonflow.types import Boxes, FloatArray, Picture
from tests.detect.conftest import (
    ASTRONAUT_FACE,
    ASTRONAUT_PERSON,
    CASES,
    Case,
    Labelled,
    look,
    open_case,
    pairwise_iou,
    shared_set,
)

FACES = [case for case in CASES if case.labels == ("face",)]
RESCORED = ("tiles", "wbf")
"""Merging moves boxes or scores by what weak boxes say."""
PLATES = [case for case in CASES if case.labels == ("plate",)]
PEOPLE = [case for case in CASES if case.labels == ("person",)]
all_models = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)

Build = Callable[[Case], Detector]


def noise(width: int, height: int, seed: int = 0) -> Picture:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def assert_sound(found: Boxes, width: int, height: int, case: Case) -> None:
    n = len(found)
    assert (found.xyxy.shape, found.scores.shape, found.classes.shape) == ((n, 4), (n,), (n,))
    assert (found.xyxy.dtype, found.scores.dtype, found.classes.dtype) == (np.float32, np.float32, np.int16)
    assert np.isfinite(found.xyxy).all()
    assert (found.xyxy >= 0).all()
    assert (found.xyxy <= [width, height, width, height]).all()
    assert (found.xyxy[:, 2:] > found.xyxy[:, :2]).all()
    assert (found.scores >= np.float32(case.floor)).all()
    assert (np.diff(found.scores) <= 0).all()
    assert ((found.classes >= 0) & (found.classes < len(case.labels))).all()


@all_models
@pytest.mark.parametrize("size", [(1, 1), (33, 17), (17, 33), (360, 640), (640, 360), (416, 416)])
def test_any_picture_size_gives_sound_boxes(case: Case, size: tuple[int, int], detector: Build) -> None:
    width, height = size
    assert_sound(detector(case).detect([noise(width, height)])[0], width, height, case)


@all_models
@pytest.mark.parametrize("value", [0, 127, 255])
def test_a_blank_picture_has_nothing_in_it(case: Case, value: int, detector: Build) -> None:
    if value not in case.quiet_on:
        pytest.skip(f"{case.name} takes an even bright picture for one large plate")
    found = detector(case).detect([np.full((96, 160, 3), value, np.uint8)])
    assert found[0].equals(Boxes.empty())


@all_models
def test_no_pictures_give_no_results(case: Case, detector: Build) -> None:
    assert detector(case).detect([]) == []


@all_models
def test_a_batch_is_the_same_as_its_pictures_alone(case: Case, detector: Build, astronaut: Picture) -> None:
    scene = cv2.resize(astronaut, (320, 320)).astype(np.uint8)
    pictures = [scene, noise(320, 320), np.ascontiguousarray(scene[:, ::-1]), scene]
    batch = detector(case).detect(pictures)
    alone = [detector(case).detect([picture])[0] for picture in pictures]
    assert all(one.equals(other) for one, other in zip(batch, alone, strict=True))
    assert batch[0].equals(batch[3])


@all_models
def test_a_second_session_says_the_same(
    case: Case, detector: Build, weights: Callable[[str], bytes], astronaut: Picture
) -> None:
    again = open_case(case, weights)
    assert again.detect([astronaut])[0].equals(detector(case).detect([astronaut])[0])
    assert again.provider == "cpu"


@all_models
def test_a_higher_floor_only_removes(
    case: Case, detector: Build, weights: Callable[[str], bytes], astronaut: Picture
) -> None:
    if case.combined in RESCORED:
        pytest.skip("weak boxes have a say in strong ones")
    strict = open_case(case, weights, 0.6)
    found = detector(case).detect([astronaut])[0]
    assert strict.detect([astronaut])[0].equals(found[found.scores >= np.float32(0.6)])


@all_models
def test_weights_that_are_not_finite_raise(case: Case, detector: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """One NaN anywhere in what the network returns."""
    sound, network = detector(case), Session
    run = network.run

    def poisoned(self: object, blob: FloatArray) -> list[FloatArray]:
        outputs = [output.copy() for output in run(self, blob)]
        outputs[-1].flat[-1] = np.nan
        return outputs

    monkeypatch.setattr(network, "run", poisoned)
    with pytest.raises(DetectorOutputError):
        sound.detect([noise(64, 64)])


@pytest.mark.parametrize("case", FACES, ids=lambda case: case.id)
@pytest.mark.parametrize("scale", [0.6, 1.0, 1.25])
def test_the_portraits_face_is_where_it_is(case: Case, scale: float, detector: Build, astronaut: Picture) -> None:
    size = round(512 * scale), round(512 * scale)
    found = detector(case).detect([cv2.resize(astronaut, size, interpolation=cv2.INTER_AREA).astype(np.uint8)])[0]
    assert found.scores[0] >= 0.7
    assert pairwise_iou(found.xyxy[:1], ASTRONAUT_FACE[None] * np.float32(scale))[0, 0] >= 0.55
    assert np.count_nonzero(found.scores >= 0.7) == 1


@pytest.mark.parametrize("case", FACES, ids=lambda case: case.id)
def test_a_face_over_the_border_is_found_with_its_box_inside(
    case: Case, detector: Build, astronaut: Picture
) -> None:
    cut = np.ascontiguousarray(astronaut[80:, 200:])
    found = detector(case).detect([cut])[0]
    assert found.scores[0] >= 0.3
    expected = np.clip(ASTRONAUT_FACE - [200, 80, 200, 80], 0, None).astype(np.float32)
    assert pairwise_iou(found.xyxy[:1], expected[None])[0, 0] >= 0.4
    assert_sound(found, 312, 432, case)


@pytest.mark.parametrize("case", FACES, ids=lambda case: case.id)
def test_a_face_in_a_portrait_format_picture(case: Case, detector: Build, astronaut: Picture) -> None:
    tall = np.zeros((640, 300, 3), np.uint8)
    tall[100:400, :] = astronaut[:300, 50:350]
    found = detector(case).detect([tall])[0]
    expected = ASTRONAUT_FACE - [50, -100, 50, -100]
    assert pairwise_iou(found.xyxy[:1], expected[None].astype(np.float32))[0, 0] >= 0.5


@pytest.mark.parametrize("case", PEOPLE, ids=lambda case: case.id)
def test_the_portraits_person_is_where_she_is(case: Case, detector: Build, astronaut: Picture) -> None:
    found = detector(case).detect([astronaut])[0]
    assert pairwise_iou(found.xyxy[:1], ASTRONAUT_PERSON[None])[0, 0] >= 0.6


def recall(case: Case, detector: Detector, pictures: list[Labelled]) -> float:
    """Share of the labelled objects that a box meets with IoU >= 0.4."""
    hits: list[bool] = []
    for labelled in pictures:
        found = look(detector, labelled.picture, case.long_side_px)
        overlaps = pairwise_iou(labelled.boxes, found.xyxy)
        hits.extend(overlaps.max(axis=1, initial=0) >= 0.4)
    return float(np.mean(hits))


@pytest.mark.parametrize("case", PLATES, ids=lambda case: case.id)
def test_real_plates_are_where_they_are(case: Case, detector: Build) -> None:
    assert recall(case, detector(case), shared_set("plates-eu")[:10]) >= 0.8


@pytest.mark.parametrize("case", FACES, ids=lambda case: case.id)
def test_real_faces_are_where_they_are(case: Case, detector: Build) -> None:
    assert recall(case, detector(case), shared_set("faces-wider", 20, ("easy", "medium"))[:20]) >= 0.8
