from __future__ import annotations

from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest

from anonflow.demo import scene
from anonflow.demo.scene import HEIGHT, N_FRAMES, WIDTH, frames, portrait

PERSON = np.full((512, 512, 3), (10, 20, 250), np.uint8)


@pytest.fixture(scope="module")
def pictures() -> Any:
    return list(frames(PERSON))


def test_the_scene_has_its_frames_in_its_size(pictures: Any) -> None:
    assert len(pictures) == N_FRAMES
    assert {(p.shape, str(p.dtype)) for p in pictures} == {((HEIGHT, WIDTH, 3), "uint8")}


def test_the_scene_is_the_same_every_time(pictures: Any) -> None:
    again = frames(PERSON)
    assert all(np.array_equal(p, next(again)) for p in pictures[:5])


def test_everything_moves(pictures: Any) -> None:
    assert all((a != b).mean() > 0.05 for a, b in pairwise(pictures))


def person_share(picture: Any) -> Any:
    return float((np.abs(picture.astype(int) - PERSON[0, 0]).max(axis=2) < 12).mean())


def test_the_person_is_there_and_is_hidden_for_a_while(pictures: Any) -> None:
    shares = np.array([person_share(p) for p in pictures[::8]])
    assert shares[0] > 0.05
    assert shares.min() < 0.98 * shares.max(), "the lamp post passes"


def test_the_portrait_is_decoded_and_never_see_through(monkeypatch: pytest.MonkeyPatch) -> None:
    _, png = cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))
    monkeypatch.setattr(scene, "fetch", lambda uri: png.tobytes())
    assert portrait().shape == (8, 8, 3) and portrait().min() == 1
