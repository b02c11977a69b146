from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from tests.differences import broken
from tests.media import Clip


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (Clip(), {"audio packets", "audio timing"}),
        (Clip(audio=("aac", "aac")), {"audio packets", "audio timing"}),
        # AC-3 and AAC have other delays.
        (Clip(audio=("ac3",)), {"audio packets", "audio timing"}),
        (Clip(audio=("aac",), audio_duration_s=Fraction(1, 2)), {"audio packets"}),
        (Clip(audio=("aac",), audio_start_s=Fraction(1, 100)), {"audio timing"}),
    ],
)
def test_packets_and_their_start(tmp_path: Path, wrong: Clip, expected: set[str]) -> None:
    assert broken(tmp_path, wrong) == expected
