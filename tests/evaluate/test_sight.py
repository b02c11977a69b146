from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from anonflow.evaluate.sight import sight_of_picture, sight_of_video
from anonflow.evaluate.truth import Clock
from anonflow.picture.still import open_picture
from anonflow.types import Detections, FrameFacts, MaskPlan, Tracks
from tests.pictures import camera, encoded, scene

NOTHING: Any = (Detections.empty(), FrameFacts.empty(), Tracks.empty(), MaskPlan.empty())


@pytest.mark.parametrize(("end_pts", "end_s"), [(40, 0.4), (0, 0.31)])
def test_a_video_ends_after_its_last_frame(end_pts: int, end_s: float) -> None:
    clock = Clock(np.array([5, 15, 35]), Fraction(1, 100), end_pts + 5)
    made = sight_of_video("v", clock, (64, 48), 0, *NOTHING)
    np.testing.assert_allclose(made.times_s, [0, 0.1, 0.3])
    assert made.end_s == pytest.approx(end_s) and made.is_video and made.clock is clock


def test_a_turned_video_is_shown_upright_and_stored_as_it_is() -> None:
    clock = Clock(np.arange(2), Fraction(1, 10), 2)
    made = sight_of_video("v", clock, (64, 48), 90, *NOTHING)
    assert (made.width, made.height, made.shown) == (64, 48, (48, 64))
    stored = made.to_stored(np.array([[0, 0, 48, 32]], np.float32))
    assert (stored[:, 2:] - stored[:, :2]).tolist() == [[32, 48]]


def test_a_picture_has_no_time_and_no_tracks() -> None:
    info = open_picture(encoded(scene(), "JPEG", exif=camera(6)), 10**8).info
    made = sight_of_picture("p", info, Detections.empty(), FrameFacts.empty(), MaskPlan.empty())
    assert not made.is_video and made.end_s == 0 and not len(made.tracks) and made.clock is None
    assert made.shown == (made.height, made.width) == info.shown_size
