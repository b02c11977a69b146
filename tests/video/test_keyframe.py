from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import pytest

from anonflow.video.keyframe import starts_clean

ClipPath = Callable[[str], Path]


def _clean(path: Path) -> list[bool]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [starts_clean(p, stream.codec_context) for p in container.demux(stream) if p.size and p.is_keyframe]


@pytest.mark.parametrize("name", ["plain.mp4", "fragmented.mp4", "vp8.webm", "mjpeg.avi"])
def test_idr_and_intra_only_codecs(clip: ClipPath, name: str) -> None:
    clean = _clean(clip(name))
    assert clean and all(clean)


@pytest.mark.parametrize("name", ["opengop.mp4", "opengop.ts", "refresh.mkv", "hdr.mp4"])
def test_recovery_points_and_open_groups_are_not_clean_but_the_first_is(clip: ClipPath, name: str) -> None:
    """x265 opens its groups by default; length-prefixed and start-code streams alike."""
    clean = _clean(clip(name))
    assert clean[0] and len(clean) > 1 and not any(clean[1:])


def test_mpeg2_is_not_known_to_be_clean(clip: ClipPath) -> None:
    assert not any(_clean(clip("mp2.ts")))
