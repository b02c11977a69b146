from __future__ import annotations

import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonflow.config import PRESETS, VideoConfig
from anonflow.errors import UnsupportedFormatError
from anonflow.types import StreamFormat
from anonflow.video.decode import decode_range
from anonflow.video.encoders import Encoding, choose_encoding, codec_flags
from anonflow.video.planes import plane_set
from anonflow.video.probe import probe
from tests.rare import CAPTIONS, HDR10, SECRET, USER_DATA, h264_sei, hevc_sei, mpeg2_user_data, write_clip
from tests.video.rewrite import LOSSLESS, lossy, rewrite

FORMAT = StreamFormat("h264", "yuv420p", 96, 64, None, 0, 0, 2, 2, 2)
MATCH = lossy("match")


@pytest.mark.parametrize(
    ("codec", "pixel_format", "family"),
    [
        ("h264", "yuv420p", "h264"),
        ("h264", "yuv422p10le", "h264"),
        ("hevc", "yuv420p10le", "hevc"),
        ("hevc", "yuv444p12le", "hevc"),
        ("av1", "yuv420p10le", "av1"),
        ("vp9", "yuv444p", "vp9"),
        ("vp8", "yuv420p", "vp9"),
        ("prores", "yuv422p10le", "prores"),
        ("prores", "yuva444p12le", "prores"),
        ("ffv1", "yuv420p16le", "ffv1"),
        ("rawvideo", "yuv420p", "ffv1"),
        ("huffyuv", "yuv422p", "ffv1"),
        ("mpeg2video", "yuv420p", "h264"),
        ("mpeg4", "yuv420p", "h264"),
        ("mjpeg", "yuvj422p", "h264"),
        ("wmv2", "yuv420p", "h264"),
        ("flv1", "yuv420p", "h264"),
        # What the matching encoder cannot hold.
        ("h264", "yuv420p14le", "ffv1"),
        ("av1", "yuv444p", "vp9"),
        ("av1", "yuv444p10le", "hevc"),
        ("vp9", "yuv420p10le", "av1"),
        ("vp9", "yuv422p12le", "hevc"),
        ("hevc", "yuva420p", "ffv1"),
    ],
)
def test_the_family_that_holds_the_source(codec: str, pixel_format: str, family: str) -> None:
    encoding = choose_encoding(replace(FORMAT, codec=codec, pixel_format=pixel_format), MATCH)
    assert encoding.family == family
    assert encoding.changed.startswith(f"{codec} to {family}") or codec == family


def test_why_it_fell_back_is_told() -> None:
    odd = replace(FORMAT, codec="mpeg4", width=97)
    changed = choose_encoding(odd, MATCH).changed
    assert "mpeg4 to av1" in changed and "h264 cannot hold" in changed and "97x64" in changed
    fields = replace(FORMAT, codec="av1", field_order="top")
    assert "interlaced" in choose_encoding(fields, MATCH).changed
    hdr = replace(FORMAT, codec="prores", pixel_format="yuv422p10le", content_light=(1000, 400))
    assert choose_encoding(hdr, MATCH).changed == "prores to hevc; prores cannot hold HDR10 data"


@pytest.mark.parametrize(
    ("codec", "form"),
    [
        ("h264", replace(FORMAT, pixel_format="yuv420p12le")),
        ("h264", replace(FORMAT, width=97)),
        ("hevc", replace(FORMAT, field_order="top")),
        ("hevc", replace(FORMAT, width=12, height=12)),
        ("h264", replace(FORMAT, codec="hevc", field_order="top")),
        ("av1", replace(FORMAT, pixel_format="yuv422p")),
        ("av1", replace(FORMAT, field_order="bottom")),
        ("vp9", replace(FORMAT, pixel_format="yuv420p10le")),
        ("vp9", replace(FORMAT, content_light=(1, 1))),
        ("ffv1", replace(FORMAT, content_light=(1, 1))),
    ],
)
def test_a_codec_by_name_is_taken_or_refused_with_the_remedy(codec: str, form: StreamFormat) -> None:
    config = VideoConfig("ffv1", True, None, None, None) if codec == "ffv1" else lossy(codec)
    with pytest.raises(UnsupportedFormatError, match=f"{codec} cannot hold .*video=match"):
        choose_encoding(form, config)


def test_what_none_can_hold_is_refused() -> None:
    with pytest.raises(UnsupportedFormatError, match="convert it"):
        choose_encoding(replace(FORMAT, codec="ffv1", pixel_format="yuva422p", content_light=(1, 1)), MATCH)


@given(
    codec=st.sampled_from(["h264", "hevc", "av1", "vp9", "vp8", "prores", "ffv1", "mpeg2video", "mjpeg"]),
    depth=st.sampled_from(["", "10le", "12le", "16le"]),
    chroma=st.sampled_from(["420", "422", "444"]),
    alpha=st.booleans(),
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    field_order=st.sampled_from(["progressive", "top", "bottom"]),
)
def test_whatever_is_chosen_loses_nothing(
    codec: str, depth: str, chroma: str, alpha: bool, width: int, height: int, field_order: str
) -> None:
    """Never fewer bits (but ProRes's own rounding), less chroma or no alpha, in any fallback."""
    pixel_format = f"yuv{'a' * alpha}{chroma}p{depth}"
    form = replace(
        FORMAT, codec=codec, pixel_format=pixel_format, width=width, height=height, field_order=field_order
    )
    try:
        encoding = choose_encoding(form, MATCH)
    except UnsupportedFormatError:
        assert (codec == "hevc" and field_order != "progressive") or pixel_format not in ffv1_formats()
        return
    narrowed = encoding.family == "prores" and depth == "12le"
    assert encoding.pixel_format == (pixel_format.replace("12le", "10le") if narrowed else pixel_format)
    assert encoding.family not in ("av1", "vp9") or field_order == "progressive"


def ffv1_formats() -> set[str]:
    return {form.name for form in av.Codec("ffv1", "w").video_formats or []}


def test_every_preset_means_something_to_every_encoder() -> None:
    for family in ("h264", "hevc", "av1", "vp9"):
        pixel = Encoding(family, "yuv420p", False, "fast").pixel_format
        seen = {
            str(Encoding(family, pixel, False, p).options(FORMAT, 20, first_field="progressive")) for p in PRESETS
        }
        assert len(seen) == len(PRESETS)


def test_fields_are_coded_as_fields_only_where_they_are() -> None:
    top = replace(FORMAT, field_order="top")
    assert codec_flags(FORMAT, choose_encoding(FORMAT, MATCH)) == 0
    assert codec_flags(top, choose_encoding(top, MATCH)) != 0


# --- real files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first_field", ["top", "bottom"])
@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [
        ("a.mp4", "libx264", "yuv420p"),
        ("a.ts", "mpeg2video", "yuv420p"),
        ("a.mov", "prores_ks", "yuv422p10le"),
        ("a.mp4", "ffv1", "yuv420p"),
    ],
)
def test_interlaced(tmp_path: Path, name: str, codec: str, pixel_format: str, first_field: str) -> None:
    source = write_clip(tmp_path / name, codec, pixel_format=pixel_format, first_field=first_field)
    made = rewrite(source, tmp_path)
    assert probe(source).stream.field_order == probe(made.output).stream.field_order == first_field
    assert made.broken == []


@pytest.mark.parametrize("first_field", ["top", "bottom"])
def test_hevc_pictures_that_are_fields_keep_their_parity_over_chunks(tmp_path: Path, first_field: str) -> None:
    """Chunks of three pictures: every other one begins with the other field."""
    options = {"x265-params": f"log-level=none:interlace={first_field[0]}ff"}
    source = write_clip(tmp_path / "a.mp4", "libx265", n_frames=9, first_field=first_field, options=options)
    made = rewrite(source, tmp_path, length_s=0.12)
    assert made.n_segments == 3 and made.broken == []
    index = probe(made.output)
    assert index.stream.field_order == first_field
    assert all(f.interlaced_frame for _, f in decode_range(made.output, index, 0, index.end_pts))


@pytest.mark.parametrize("target", ["match", "h264", "hevc", "av1"])
@pytest.mark.parametrize("codec", sorted(HDR10))
def test_hdr10(tmp_path: Path, codec: str, target: str) -> None:
    source = write_clip(
        tmp_path / "a.mp4", codec, pixel_format="yuv420p10le", colour=(1, 9, 16, 9), options=HDR10[codec]
    )
    made = rewrite(source, tmp_path, lossy(target))
    assert made.broken == []
    before, after = probe(source).stream, probe(made.output).stream
    assert before.mastering_display and after.mastering_display and after.content_light == (1000, 400)


@pytest.mark.parametrize(
    ("codec", "pixel_format", "name"),
    [
        ("libx264", "yuv420p", "a.mp4"),
        ("libx265", "yuv420p10le", "a.mp4"),
        ("libsvtav1", "yuv420p", "a.mp4"),
        ("libvpx-vp9", "yuv444p", "a.mp4"),
        ("prores_ks", "yuva444p10le", "a.mov"),
        ("mjpeg", "yuvj420p", "a.avi"),
        ("ffv1", "yuva420p", "a.mp4"),
    ],
)
def test_lossless_is_bit_exact(tmp_path: Path, codec: str, pixel_format: str, name: str) -> None:
    odd = (97, 65) if codec == "mjpeg" else (96, 64)
    source = write_clip(tmp_path / name, codec, pixel_format=pixel_format, size=odd)
    made = rewrite(source, tmp_path, LOSSLESS)
    assert made.broken == []
    for before, after in zip(_frames(source), _frames(made.output), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_prores_4444_stays_what_it_is(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mov", "prores_ks", pixel_format="yuva444p10le")
    made = rewrite(source, tmp_path)
    assert made.broken == [] and made.output.suffix == ".mov"
    assert made.changed["codec"] == "encoded from 10 of 12 bits"
    assert probe(made.output).stream.pixel_format == probe(source).stream.pixel_format == "yuva444p12le"


@pytest.mark.parametrize(
    ("name", "codec", "settings"),
    [
        ("a.mp4", "libx264", {"first_field": "bottom"}),
        ("a.mov", "prores_ks", {"pixel_format": "yuv422p10le", "first_field": "top"}),
        ("a.mov", "prores_ks", {"pixel_format": "yuva444p10le"}),
        ("a.mp4", "libx265", {"pixel_format": "yuv420p10le", "options": HDR10["libx265"]}),
        ("a.mp4", "libsvtav1", {"pixel_format": "yuv420p10le", "options": HDR10["libsvtav1"]}),
        ("a.webm", "libvpx-vp9", {"time_base": Fraction(1, 1000)}),
        ("a.avi", "mjpeg", {"pixel_format": "yuvj420p", "size": (97, 65)}),
        ("a.mkv", "libx265", {"pixel_format": "yuv422p12le", "time_base": Fraction(1, 1000)}),
    ],
)
def test_a_second_decoder_has_nothing_to_warn_about(
    tmp_path: Path, name: str, codec: str, settings: dict[str, Any]
) -> None:
    ffmpeg = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    source = write_clip(tmp_path / name, codec, **settings)
    for config in (lossy("match"), LOSSLESS):
        made = rewrite(source, tmp_path, config)
        command = [
            ffmpeg,
            "-v",
            "warning",
            "-i",
            str(made.output),
            "-fps_mode",
            "passthrough",
            "-f",
            "framehash",
            "-",
        ]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        frames = [line for line in done.stdout.splitlines() if not line.startswith("#")]
        assert (len(frames), done.stderr, made.broken) == (12, "", [])


def _frames(path: Path) -> list[list[np.ndarray]]:
    index = probe(path)
    frames = decode_range(path, index, int(index.pts[0]), index.end_pts)
    return [[plane.copy() for plane in plane_set(frame).planes] for _, frame in frames]


@pytest.mark.parametrize(
    ("name", "codec", "edit", "mark"),
    [
        ("a.ts", "libx264", h264_sei(4, CAPTIONS), b"GA94"),
        ("a.ts", "libx264", h264_sei(5, USER_DATA), SECRET),
        ("a.ts", "libx265", hevc_sei(4, CAPTIONS), b"GA94"),
        ("a.ts", "libx265", hevc_sei(5, USER_DATA), SECRET),
        ("a.ts", "mpeg2video", mpeg2_user_data(CAPTIONS[3:]), b"GA94"),
    ],
)
def test_captions_and_user_data_do_not_survive(tmp_path: Path, name: str, codec: str, edit, mark: bytes) -> None:
    source = write_clip(tmp_path / name, codec, edit=edit, n_frames=6)
    assert mark in source.read_bytes() and probe(source).stream.side_data, "the source has none"
    for target in ("match", "h264", "hevc", "av1", "vp9", "ffv1", "lossless"):
        configs = {"ffv1": VideoConfig("ffv1", True, None, None, None), "lossless": LOSSLESS}
        made = rewrite(source, tmp_path, configs.get(target) or lossy(target))
        assert mark not in made.output.read_bytes(), target
        assert made.broken == []
        assert "side data" in made.changed
