from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av

from anonflow.types import Verdict
from anonflow.video.carry import SOUND_ONLY, CarryPolicy, select
from anonflow.video.contract import inspect
from anonflow.video.contract.streams import compare_contents, compare_languages, compare_streams, digest_streams
from anonflow.video.inventory import take_inventory
from anonflow.video.probe import probe
from tests.carrying import EVERYTHING, broken, keeping, rewrite, run_ffmpeg, sounding

ClipPath = Callable[[str], Path]


RichPath = Callable[[str], Path]


def test_streams_that_policy_removes_are_reported_and_extra_ones_break(clip: ClipPath, tmp_path: Path) -> None:
    plain, more = clip("refresh.mkv"), tmp_path / "subtitles.mkv"
    with av.open(str(plain)) as source, av.open(str(more), "w") as out:
        video = out.add_stream_from_template(source.streams.video[0], opaque=True)
        subtitles = out.add_mux_stream("subrip", time_base=Fraction(1, 1000))
        words = av.Packet(b"words")
        words.pts, words.dts, words.duration, words.time_base = 0, 0, 1000, Fraction(1, 1000)
        words.stream = subtitles
        packets = [p for p in source.demux(source.streams.video[0]) if p.size]
        for packet in packets:
            packet.stream = video
        out.mux([packets[0], words, *packets[1:]])
    by_name = {c.name: c for c in inspect(more, probe(more), plain)}
    assert by_name["other streams"].verdict is Verdict.CHANGED_BY_POLICY
    assert by_name["other streams"].detail == "removed: subtitle:subrip"
    by_name = {c.name: c for c in inspect(plain, probe(plain), more)}
    assert by_name["other streams"].verdict is Verdict.BROKEN


def test_a_selected_stream_that_is_missing_is_broken(rich: RichPath, tmp_path: Path) -> None:
    source = rich(".mkv")
    output = rewrite(source, tmp_path, SOUND_ONLY)
    for policy in (keeping(subtitles=["*"]), keeping(attachments=["*"]), keeping(cover=["*"])):
        found = {text.partition(":")[0] for text in broken(source, output, policy)}
        assert found == {"other streams", "kept streams"}


def test_other_bytes_or_other_times_are_broken(rich: RichPath) -> None:
    source = rich(".mkv")
    others = select(source, probe(source), CarryPolicy(EVERYTHING)).others
    digests = digest_streams(source, others)
    assert [len(digest.contents) for digest in digests] == [2, 1, 1]
    (same,) = compare_contents(digests, digests[::-1])
    assert same.verdict is Verdict.EQUAL
    subtitle = digests[0]
    for wrong in (
        replace(subtitle, contents=(b"x", *subtitle.contents[1:])),
        replace(subtitle, contents=subtitle.contents[:1], times=subtitle.times[:1]),
        replace(subtitle, times=tuple(time + 2 for time in subtitle.times)),
    ):
        (point,) = compare_contents(digests, (wrong, *digests[1:]))
        assert point.verdict is Verdict.BROKEN and point.detail == "not equal: subtitle:subrip"
    (point,) = compare_contents(digests, digests[1:])
    assert point.verdict is Verdict.BROKEN


def test_more_video_streams_are_removed_and_named(rich: RichPath, tmp_path: Path) -> None:
    both = tmp_path / "two.mkv"
    run_ffmpeg("-i", rich(".mkv"), "-i", rich(".mp4"), "-map", "0:v:0", "-map", "1:v:0", "-c", "copy", both)
    index = probe(both)
    chosen = select(both, index, CarryPolicy(EVERYTHING))
    point = compare_streams(chosen, (), take_inventory(rewrite(both, tmp_path, CarryPolicy(EVERYTHING)), 0))
    assert (point.verdict, point.detail) == (Verdict.CHANGED_BY_POLICY, "removed: video:h264")


def test_dropped_sound_is_removed_by_policy_and_sound_that_is_left_is_broken(
    rich: RichPath, tmp_path: Path
) -> None:
    source = rich(".mkv")
    kept = rewrite(source, tmp_path, SOUND_ONLY)
    assert [text.partition(":")[0] for text in broken(source, kept, sounding("drop"))] == ["audio packets"]


def test_a_language_that_the_container_cannot_say_is_no_secret(rich: RichPath) -> None:
    chosen = select(rich(".mkv"), probe(rich(".mkv")), SOUND_ONLY)
    found = take_inventory(rich(".mkv"), 0)
    result = replace(found, parts=tuple(part for part in found.parts if part.kind == "audio"))
    assert compare_languages(".mkv", chosen, result).verdict is Verdict.EQUAL
    other = replace(result, parts=tuple(replace(part, language="fra") for part in result.parts))
    assert compare_languages(".mkv", chosen, other).verdict is Verdict.BROKEN
    tagged = replace(chosen, audio=tuple(replace(part, language="en-US") for part in chosen.audio))
    none = replace(result, parts=tuple(replace(part, language=None) for part in result.parts))
    point = compare_languages(".mp4", tagged, none)
    assert (point.verdict, point.detail) == (Verdict.CHANGED_BY_POLICY, "the container cannot say en-US")
