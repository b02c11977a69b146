from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from anonflow.detect.checked import require_boxes
from anonflow.errors import DetectorOutputError
from anonflow.types import Boxes

PICTURE = np.zeros((60, 100, 3), np.uint8)


def boxes(xyxy: Any = ((10, 10, 30, 40),), scores: Any = (0.9,), classes: Any = (0,)) -> Boxes:
    return Boxes(np.array(xyxy, np.float32), np.array(scores, np.float32), np.array(classes, np.int16))


def test_what_keeps_the_contract_comes_back_as_it_is() -> None:
    found = [boxes(), Boxes.empty(), boxes(((0, 0, 100, 60),), (1.0,), (1,))]
    assert require_boxes(found, [PICTURE] * 3, n_labels=2) is found


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, "no list of results for 1 pictures"),
        ([], "0 results for 1 pictures"),
        ([boxes(), boxes()], "2 results for 1 pictures"),
        ([((10, 10, 30, 40),)], "no boxes"),
        ([boxes(xyxy=((10, 10, 30),))], "do not fit"),
        ([boxes(xyxy=(10, 10, 30, 40))], "do not fit"),
        ([boxes(scores=(0.9, 0.8))], "do not fit"),
        ([boxes(classes=())], "do not fit"),
        ([boxes(xyxy=((10, np.nan, 30, 40),))], "no numbers"),
        ([boxes(xyxy=((10, 10, np.inf, 40),))], "no numbers"),
        ([boxes(scores=(np.nan,))], "no numbers"),
        ([boxes(scores=(np.inf,))], "no numbers"),
        ([boxes(scores=(7.0,))], "between 0 and 1"),
        ([boxes(scores=(-3.0,))], "between 0 and 1"),
        ([boxes(classes=(2,))], "labels"),
        ([boxes(classes=(-1,))], "labels"),
        ([boxes(xyxy=((30, 10, 10, 40),))], "without area"),
        ([boxes(xyxy=((200, 10, 230, 40),))], "within"),
        ([boxes(xyxy=((10, 10, 30, 400),))], "within"),
        ([boxes(xyxy=((-50, 10, 30, 40),))], "within"),
    ],
)
def test_what_does_not_is_an_error_that_tells_no_values(found: Any, said: str) -> None:
    with pytest.raises(DetectorOutputError, match=said) as caught:
        require_boxes(found, [PICTURE], n_labels=2)
    assert "30" not in str(caught.value) and "40" not in str(caught.value)


def test_one_wrong_box_among_many_is_enough() -> None:
    found = [boxes(), boxes(((10, 10, 30, 40), (10, 10, np.nan, 40)), (0.9, 0.9), (0, 0))]
    with pytest.raises(DetectorOutputError):
        require_boxes(found, [PICTURE, PICTURE], n_labels=1)
