from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import pytest

from anonflow.video.keyframe import heals, starts_clean

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


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plain.mp4", {True}),
        ("hdr.mp4", {True}),  # CRA: what is shown from it on is right
        ("mp2.ts", {True}),
        ("mjpeg.avi", {True}),
        ("opengop.mp4", {True, False}),  # recovery points of H.264 are not trusted
        ("refresh.mkv", {True, False}),
    ],
)
def test_pictures_from_which_all_that_follows_is_right(clip: ClipPath, name: str, expected: set[bool]) -> None:
    with av.open(str(clip(name))) as container:
        stream = container.streams.video[0]
        packets = [p for p in container.demux(stream) if p.size and p.is_keyframe]
        assert {heals(p, stream.codec_context) for p in packets} == expected
        assert heals(packets[0], stream.codec_context)
