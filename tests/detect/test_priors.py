from __future__ import annotations

import numpy as np
import pytest

from anonflow.detect.base import Canvas
from anonflow.detect.network import InputLayout
from anonflow.detect.priors import Priors, prior_boxes

STRIDES, SIZES = (8, 16), ((16, 32), (64,))
DECODER = Priors(InputLayout(), ("conf", "loc"), STRIDES, SIZES)
CANVAS = Canvas.for_picture(64, 32, None)
N_PRIORS = 4 * 8 * 2 + 2 * 4


def conf(batch: int = 1) -> np.ndarray:
    return np.tile(np.array([0.75, 0.25], np.float32), (batch, N_PRIORS, 1))


def loc() -> np.ndarray:
    return np.zeros((1, N_PRIORS, 4), np.float32)


def test_priors_go_by_level_row_column_and_size() -> None:
    priors = prior_boxes((64, 32), STRIDES, SIZES)
    assert priors.shape == (N_PRIORS, 4)
    assert priors[0].tolist() == [4, 4, 16, 16]
    assert priors[1].tolist() == [4, 4, 32, 32]
    assert priors[2].tolist() == [12, 4, 16, 16]
    assert priors[16].tolist() == [4, 12, 16, 16]
    assert priors[64].tolist() == [8, 8, 64, 64]
    assert priors[-1].tolist() == [56, 24, 64, 64]


def test_a_level_that_does_not_divide_is_cut() -> None:
    """As the pooling of a 320 x 240 network does it: 7 rows at stride 32, 3 at 64."""
    assert len(prior_boxes((320, 240), (8, 16, 32, 64), ((1, 2, 3), (1, 2), (1, 2), (1, 2, 3)))) == 4385


def test_without_corrections_a_box_is_its_prior() -> None:
    np.testing.assert_allclose(DECODER.boxes([conf(), loc()], CANVAS, 0, np.array([2])), [[4, -4, 20, 12]])


def test_corrections_are_scaled_by_the_prior_and_the_variances() -> None:
    corrected = loc()
    corrected[0, 64] = [1.0, -0.5, np.log(2) / 0.2, 0.0]
    box = DECODER.boxes([conf(), corrected], CANVAS, 0, np.array([64]))
    x, y = 8 + 0.1 * 64, 8 - 0.5 * 0.1 * 64
    np.testing.assert_allclose(box, [[x - 64, y - 32, x + 64, y + 32]], rtol=1e-5)


def test_background_is_no_class() -> None:
    scores = DECODER.scores([conf(3), loc()], CANVAS)
    assert scores.shape == (3, N_PRIORS, 1)
    assert np.unique(scores).tolist() == [0.25]


@pytest.mark.parametrize(("iou", "expected"), [(0.64, 0.4), (-0.3, 0.0), (1.7, 0.5)])
def test_an_iou_output_is_clipped_and_averaged_in(iou: float, expected: float) -> None:
    scores = DECODER.scores([conf(), loc(), np.full((1, N_PRIORS, 1), iou, np.float32)], CANVAS)
    np.testing.assert_allclose(scores, expected, rtol=1e-6)


def test_decoded_boxes_are_shares_of_the_input() -> None:
    decoder = Priors(InputLayout(), ("scores", "boxes"))
    shares = np.array([[[0, 0, 1, 1], [0.25, 0.5, 0.5, 1.0]]], np.float32)
    assert decoder.boxes([shares, shares], CANVAS, 0, np.array([1])).tolist() == [[16, 16, 32, 32]]
