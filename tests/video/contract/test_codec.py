from __future__ import annotations

from dataclasses import replace

from anonflow.types import StreamFormat, Verdict
from anonflow.video.contract.codec import compare_codec
from anonflow.video.encoders import choose_encoding
from tests.video.rewrite import lossy

H264 = StreamFormat("h264", "yuv420p", 96, 64, None, 0, 0, 2, 2, 2)
HEVC, MPEG2 = replace(H264, codec="hevc"), replace(H264, codec="mpeg2video")


def test_the_codec_is_the_source_s_or_the_configured_one() -> None:
    matched = choose_encoding(H264, lossy("match"))
    assert compare_codec(H264, H264, matched).verdict is Verdict.EQUAL
    assert compare_codec(H264, HEVC, matched).verdict is Verdict.BROKEN
    changed = compare_codec(MPEG2, H264, choose_encoding(MPEG2, lossy("match")))
    assert (changed.verdict, changed.detail) == (Verdict.CHANGED_BY_POLICY, "mpeg2video to h264")
    wanted = choose_encoding(H264, lossy("hevc"))
    assert compare_codec(H264, HEVC, wanted).verdict is Verdict.CHANGED_BY_POLICY
    assert compare_codec(H264, H264, wanted).verdict is Verdict.BROKEN


def test_without_the_configuration_a_change_is_told() -> None:
    assert compare_codec(H264, H264, None).verdict is Verdict.EQUAL
    check = compare_codec(MPEG2, H264, None)
    assert (check.verdict, check.detail) == (Verdict.CHANGED_BY_POLICY, "mpeg2video to h264")
