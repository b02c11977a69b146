"""Which encoder an output gets: the source's family where its encoder can hold the picture, else one that can.

An encoder "holds" a stream when size, chroma, bit depth, alpha, fields and HDR10 data come out as they went in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import av

from anonflow.config import VideoConfig
from anonflow.errors import UnsupportedFormatError
from anonflow.types import StreamFormat
from anonflow.video.hdr import svtav1_params, x264_params, x265_params

_FAMILIES = {"h264": "h264", "hevc": "hevc", "av1": "av1", "vp9": "vp9", "vp8": "vp9", "prores": "prores"}
"""Family of a source's codec; all others become H.264, which every player knows.

VP8 becomes VP9: the same containers and players, while VP8 keeps invisible frames in packets of their own.
"""
_LOSSLESS = {
    "ffv1", "huffyuv", "ffvhuff", "utvideo", "rawvideo", "magicyuv", "lagarith", "v210", "v308", "v408", "v410",
    "yuv4", "y41p", "png", "qtrle", "zlib", "flic",
}  # fmt: skip
_FALLBACKS = {
    "h264": ("h264", "hevc", "av1", "vp9", "ffv1"),
    "hevc": ("hevc", "h264", "av1", "vp9", "ffv1"),
    "av1": ("av1", "vp9", "hevc", "h264", "ffv1"),
    "vp9": ("vp9", "av1", "hevc", "h264", "ffv1"),
    "prores": ("prores", "hevc", "ffv1"),
    "ffv1": ("ffv1", "hevc"),
}
"""What is tried in turn when the source's family cannot hold the stream."""
_NAMES = {
    "h264": "libx264",
    "hevc": "libx265",
    "av1": "libsvtav1",
    "vp9": "libvpx-vp9",
    "prores": "prores_ks",
    "ffv1": "ffv1",
}
_MIN_SIDE_PX = {"hevc": 16, "av1": 16}
_NARROWED = {"yuv444p12le": "yuv444p10le", "yuva444p12le": "yuva444p10le"}
"""ProRes 4444 decodes to 12 bits, whatever was encoded; its encoder takes 10."""
_SVT_PRESETS = {
    "ultrafast": "10", "superfast": "9", "veryfast": "8", "faster": "7", "fast": "6", "medium": "5", "slow": "4",
    "slower": "3", "veryslow": "2",
}  # fmt: skip
"""Not 11 and 12: with a low crf they gave streams that no decoder reads (SVT-AV1 of av 18.1, noise at crf 2)."""
_VPX_PRESETS = {
    "ultrafast": ("realtime", "8"), "superfast": ("realtime", "7"), "veryfast": ("realtime", "6"),
    "faster": ("realtime", "5"), "fast": ("good", "5"), "medium": ("good", "3"), "slow": ("good", "2"),
    "slower": ("good", "1"), "veryslow": ("good", "0"),
}  # fmt: skip
_DEFAULT_PRESETS = {"av1": "superfast"}
_DEFAULT_PRESET = "veryfast"
_DEFAULT_CRF = {"h264": 18.0, "hevc": 20.0, "av1": 30.0, "vp9": 24.0}
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG
_INTERLACED_FLAGS = 1 << 18 | 1 << 29  # AV_CODEC_FLAG_INTERLACED_DCT, AV_CODEC_FLAG_INTERLACED_ME


@dataclass(frozen=True)
class Encoding:
    """How a video is encoded: all that its segments must have in common."""

    family: str
    """Also the name of the codec that comes out."""
    pixel_format: str
    lossless: bool
    preset: str
    changed: str = ""
    """Why the codec is not the source's; empty if it is."""

    @property
    def encoder(self) -> str:
        """FFmpeg's name of the encoder."""
        return _NAMES[self.family]

    @property
    def has_quality(self) -> bool:
        """Whether a `crf` decides on the quality. ProRes has a fixed rate by its profile."""
        return not self.lossless and self.family != "prores"

    @property
    def default_crf(self) -> float | None:
        """Good quality for most pictures; where the search for a better one begins."""
        return _DEFAULT_CRF[self.family] if self.has_quality else None

    def options(self, form: StreamFormat, crf: float | None, *, first_field: str) -> dict[str, str]:
        """The encoder's options. Closed captions and user data do not pass (`a53cc`, `udu_sei`).

        `first_field` is that of the segment's first frame; it matters where frames are single fields (HEVC).
        """
        quality = {} if crf is None else {"crf": f"{crf:g}"}
        make = {"h264": _x264, "hevc": _x265, "av1": _svtav1, "vp9": _vpx, "prores": _prores, "ffv1": _ffv1}
        return make[self.family](replace(form, field_order=first_field), self) | quality


def color_range(form: StreamFormat) -> int:
    """The range to write: `yuvj` formats are full range by name, and others have no such names."""
    return _FULL_RANGE if form.pixel_format.startswith("yuvj") else form.color_range


def codec_flags(form: StreamFormat, encoding: Encoding) -> int:
    """Flags of the encoder's context: how interlaced frames are coded. HEVC codes fields, which need none."""
    return 0 if form.field_order == "progressive" or encoding.family == "hevc" else _INTERLACED_FLAGS


def choose_encoding(form: StreamFormat, config: VideoConfig) -> Encoding:
    """The encoding of a source of this format.

    With `codec=match` the source's family, or the first after it that holds the stream (h264: hevc, av1, vp9, ffv1;
    hevc: h264, av1, vp9, ffv1; av1: vp9, hevc, h264, ffv1; vp9: av1, hevc, h264, ffv1; prores: hevc, ffv1; lossless
    codecs: ffv1, hevc). A codec that was asked for by name is taken or refused.

    Raises:
        UnsupportedFormatError: the codec that was asked for cannot hold the stream, or none can.
    """
    is_matched = config.codec == "match"
    lossless = config.lossless or (is_matched and form.codec in _LOSSLESS)
    wanted = _wanted(form, config, lossless)
    reasons = []
    for family in _FALLBACKS[wanted] if is_matched else (wanted,):
        pixel_format, reason = _held(form, family)
        if reason:
            reasons.append(f"{family} cannot hold {reason}")
            continue
        changed = "" if form.codec == family else "; ".join([f"{form.codec} to {family}", *reasons])
        if pixel_format != _plain(form.pixel_format):
            changed = f"{changed}; " * bool(changed) + "encoded from 10 of 12 bits"
        preset = config.preset or _DEFAULT_PRESETS.get(family, _DEFAULT_PRESET)
        return Encoding(family, pixel_format, lossless or family == "ffv1", preset, changed)
    remedy = "convert it to yuv420p of even size" if is_matched else "use video=match, which finds one that can"
    raise UnsupportedFormatError(f"The picture cannot be encoded as it is ({'; '.join(reasons)}): {remedy}.")


def _wanted(form: StreamFormat, config: VideoConfig, lossless: bool) -> str:
    if config.codec != "match":
        return config.codec
    if form.codec in _LOSSLESS:
        return "ffv1"
    family = _FAMILIES.get(form.codec, "h264")
    return "ffv1" if lossless and family == "prores" else family


def _held(form: StreamFormat, family: str) -> tuple[str, str]:
    """The pixel format to encode, and what of the stream cannot be held, if anything."""
    pixel_format = _encodable_format(form.pixel_format, family)
    if pixel_format is None:
        return "", form.pixel_format
    if family in ("h264", "hevc", "prores") and _has_odd_chroma(form):
        return "", f"{form.pixel_format} of {form.width}x{form.height} pixels, an odd size"
    if min(form.width, form.height) < _MIN_SIDE_PX.get(family, 1):
        return "", f"a picture of {form.width}x{form.height} pixels"
    is_copied = pixel_format != form.pixel_format  # and PyAV cannot mark the copy as interlaced
    if form.field_order != "progressive" and (is_copied or not _holds_fields(form, family)):
        return "", "interlaced pictures"
    if (form.mastering_display or form.content_light) and family not in ("h264", "hevc", "av1"):
        return "", "HDR10 data"
    return pixel_format, ""


def _encodable_format(pixel_format: str, family: str) -> str | None:
    known = _encoder_formats(family)
    candidates = [pixel_format, _plain(pixel_format)]
    if family == "prores":
        candidates.append(_NARROWED.get(pixel_format, ""))
    return next((candidate for candidate in candidates if candidate in known), None)


@cache
def _encoder_formats(family: str) -> frozenset[str]:
    formats = frozenset(f.name for f in av.Codec(_NAMES[family], "w").video_formats or [])
    if family in ("hevc", "vp9"):  # alpha in a second layer, which decoders leave out
        return frozenset(name for name in formats if not name.startswith("yuva"))
    return formats


def _plain(pixel_format: str) -> str:
    """`yuvj` is the old name of full range, which is a tag of its own."""
    return pixel_format.replace("yuvj", "yuv")


def _holds_fields(form: StreamFormat, family: str) -> bool:
    """HEVC has no interlaced frames, but pictures that are single fields, which the others don't have."""
    return family == "hevc" if form.codec == "hevc" else family in ("h264", "prores", "ffv1")


def _has_odd_chroma(form: StreamFormat) -> bool:
    parts = av.VideoFormat(form.pixel_format, form.width, form.height).components
    if len(parts) < 3:
        return False
    halved_across, halved_down = parts[1].width < form.width, parts[1].height < form.height
    return bool((halved_across and form.width % 2) or (halved_down and form.height % 2))


def _x264(form: StreamFormat, encoding: Encoding) -> dict[str, str]:
    # stitchable: the parameter sets don't depend on the quality, so that segments of several fit together.
    params = ["open-gop=0", "stitchable=1", *x264_params(form)]
    lossless = {"qp": "0"} if encoding.lossless else {}
    shared = {"a53cc": "0", "udu_sei": "0", "preset": encoding.preset}
    return {**shared, "x264-params": ":".join(params), **lossless}


def _x265(form: StreamFormat, encoding: Encoding) -> dict[str, str]:
    # info: no note of the settings in the parameter sets, where the quality would make segments differ.
    params = ["log-level=none", "info=0", "open-gop=0", "pools=none", "frame-threads=1", "wpp=0"]
    params += x265_params(form)
    if form.field_order != "progressive":
        params.append("interlace=" + {"top": "tff", "bottom": "bff"}[form.field_order])
    params += ["lossless=1"] * encoding.lossless
    return {"a53cc": "0", "udu_sei": "0", "preset": encoding.preset, "x265-params": ":".join(params)}


def _svtav1(form: StreamFormat, encoding: Encoding) -> dict[str, str]:
    params = ["irefresh-type=2", "lp=1", *svtav1_params(form), *["lossless=1"] * encoding.lossless]
    return {"preset": _SVT_PRESETS[encoding.preset], "svtav1-params": ":".join(params)}


def _vpx(form: StreamFormat, encoding: Encoding) -> dict[str, str]:
    deadline, speed = _VPX_PRESETS[encoding.preset]
    # b=0: constant quality without a ceiling.
    shared = {"b": "0", "deadline": deadline, "cpu-used": speed, "row-mt": "0"}
    return {**shared, "lossless": "1", "crf": "0"} if encoding.lossless else shared


def _prores(form: StreamFormat, encoding: Encoding) -> dict[str, str]:
    return {"profile": "4444" if "444" in encoding.pixel_format else "hq"}


def _ffv1(form: StreamFormat, encoding: Encoding) -> dict[str, str]:
    return {"level": "3", "slices": "4", "slicecrc": "1"}
