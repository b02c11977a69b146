from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonflow.video.aperture import Aperture, read_aperture, remove_apertures
from anonflow.video.probe import probe
from tests.media import Clip, make_clip
from tests.video.apertures import with_aperture

SHOWN = (64, 1, 97, 2, -16, 1, 0, 1)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "clip.mp4", Clip(n_frames=5, audio=("aac",)))


def test_is_read_and_removed_in_place(clip: Path) -> None:
    assert read_aperture(clip) is None
    with_aperture(clip, *SHOWN)
    assert read_aperture(clip) == Aperture(Fraction(64), Fraction(97, 2), Fraction(-16), Fraction(0))
    assert str(read_aperture(clip)) == "64x48.5"
    before = clip.read_bytes()
    remove_apertures(clip)
    assert read_aperture(clip) is None and probe(clip).n_frames == 5
    assert clip.read_bytes() == before.replace(b"clap", b"free")


def test_the_whole_picture_is_none(clip: Path) -> None:
    form = probe(clip).stream
    assert read_aperture(with_aperture(clip, form.width * 2, 2, form.height, 1, 0, 1, 0, 0)) is None


@given(data=st.binary(max_size=200))
def test_what_is_no_movie_has_none(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "file"
    path.write_bytes(data)
    assert read_aperture(path) is None
    remove_apertures(path)
    assert path.read_bytes() == data


@pytest.fixture(scope="module")
def with_one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_aperture(make_clip(tmp_path_factory.mktemp("one") / "clip.mp4", Clip(n_frames=2)), *SHOWN)


@given(stop=st.integers(0, 3), size=st.binary(min_size=4, max_size=4), at=st.integers(4, 1500))
def test_damaged_boxes_end_the_search(with_one: Path, stop: int, size: bytes, at: int) -> None:
    data = bytearray(with_one.read_bytes())
    data[len(data) - at : len(data) - at + 4] = size
    damaged = with_one.with_name("damaged.mp4")
    damaged.write_bytes(data[: len(data) - stop])
    read_aperture(damaged)
