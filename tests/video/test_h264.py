from __future__ import annotations

from pathlib import Path

import av
import pytest

from anonflow.video import h264
from tests.media import Clip, make_clip


def _header(path: Path) -> bytes:
    with av.open(str(path)) as container:
        return bytes(container.streams.video[0].codec_context.extradata or b"")


@pytest.fixture(scope="module")
def avcc(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return _header(make_clip(tmp_path_factory.mktemp("h264") / "clip.mp4", Clip(n_frames=3)))


def test_the_sets_of_a_header(avcc: bytes) -> None:
    sets = h264.parameter_sets(avcc)
    assert sets is not None and sets.length_size == 4
    assert [h264.kind(unit) for unit in (*sets.sps, *sets.pps)] == [h264.SPS, h264.PPS]
    assert sets.annex_b == b"\0\0\0\1" + sets.sps[0] + b"\0\0\0\1" + sets.pps[0]


@pytest.mark.parametrize(("set_id", "free"), [(0, 1), (1, 2), (2, 1), (31, 1)])
def test_an_id_that_no_set_has(tmp_path: Path, set_id: int, free: int) -> None:
    options = {"preset": "ultrafast", "x264-params": f"sps-id={set_id}"}
    sets = h264.parameter_sets(_header(make_clip(tmp_path / "clip.mp4", Clip(n_frames=3, options=options))))
    assert sets is not None and sets.free_id() == free


def test_a_header_that_is_cut_or_another_is_none(avcc: bytes) -> None:
    whole = h264.parameter_sets(avcc)
    n_bytes = next(n for n in range(len(avcc) + 1) if h264.parameter_sets(avcc[:n]) == whole)
    assert all(h264.parameter_sets(avcc[:n]) is None for n in range(n_bytes))
    assert h264.parameter_sets(whole.annex_b if whole else b"") is None


def test_units_of_a_packet() -> None:
    packet = b"\0\0\0\2\x65a\0\0\0\1\x06"
    assert [h264.kind(unit) for unit in h264.units(packet, 4)] == [h264.IDR, h264.SEI]
    assert h264.with_start_codes(h264.units(packet, 4)) == b"\0\0\0\1\x65a\0\0\0\1\x06"


@pytest.mark.parametrize("packet", [b"\0\0\0\3\x65a", b"\0\0\0\0", b"\0\0", b"\0\0\0\2\x65a\0"])
def test_lengths_that_do_not_add_up(packet: bytes) -> None:
    with pytest.raises(ValueError, match="NAL"):
        list(h264.units(packet, 4))
