from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from anonflow.jobs.gallery import worst_misses
from tests.evaluate.samples import picture

SMALL, LARGE = [5, 5, 15, 15], [40, 40, 80, 80]


def drawn(tmp_path: Path) -> Path:
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[5:15, 5:15] = (0, 255, 0)
    pixels[40:80, 40:80] = (255, 0, 0)
    path = tmp_path / "p.png"
    Image.fromarray(pixels).save(path)
    return path


def test_the_largest_of_what_is_least_covered_comes_first(tmp_path: Path) -> None:
    case = picture([SMALL, LARGE])
    case = replace(case, item=replace(case.item, path=drawn(tmp_path)))
    sheet = cv2.imdecode(np.frombuffer(worst_misses([case], 0.9, 2), np.uint8), cv2.IMREAD_COLOR)
    assert sheet is not None and sheet.shape == (160, 960, 3)
    red, green = (sheet[:, n * 160 : (n + 1) * 160].reshape(-1, 3).max(axis=0) for n in (0, 1))
    assert red[2] == 255 and green[1] == 255 and not sheet[:, 320:].any()
    assert len(worst_misses([case], 0.9, 1)) > 0


def test_nothing_is_shown_where_nothing_leaks(tmp_path: Path) -> None:
    case = picture([LARGE], masks=[LARGE])
    assert worst_misses([case], 0.9, 5) == b""
    assert worst_misses([picture([LARGE], ignored=[True])], 0.9, 5) == b""
