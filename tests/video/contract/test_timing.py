from __future__ import annotations

from pathlib import Path

import pytest

from tests.differences import EXACT, broken
from tests.media import Clip


def uneven(late: int = 0, slip: int = 0) -> list[int]:
    return [n * 512 + late + slip * (n == 20) for n in range(40)]


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (Clip(audio=("aac",), n_frames=37), {"frames", "timestamps", "duration"}),
        (Clip(audio=("aac",), pts=uneven(slip=1)), {"timestamps"}),
        (Clip(audio=("aac",), pts=uneven(late=64), mux_options=EXACT), {"timestamps"}),
    ],
)
def test_frames_and_times(tmp_path: Path, wrong: Clip, expected: set[str]) -> None:
    assert broken(tmp_path, wrong) == expected
