from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import imageio_ffmpeg
import pytest

from anonflow.types import Verdict
from anonflow.video.carry import SOUND_ONLY, CarryPolicy
from tests.carrying import (
    DATE,
    EVERYTHING,
    PLACE,
    SECRET,
    broken,
    checks,
    keeping,
    rewrite,
    run_ffmpeg,
    sounding,
    with_hidden_boxes,
)
from tests.media import Clip, make_clip

RichPath = Callable[[str], Path]
KINDS = (".mp4", ".mov", ".mkv")
FORBIDDEN = (SECRET.encode(), SECRET.lower().encode(), PLACE[:6].encode(), DATE[:10].encode(), b"xmpmeta", b"loci")


def _leaks(path: Path) -> list[bytes]:
    content = path.read_bytes()
    return [words for words in FORBIDDEN if words in content or words.decode().encode("utf-16-be") in content]


@pytest.mark.parametrize("extension", KINDS)
def test_by_default_nothing_that_somebody_wrote_is_in_the_output(
    rich: RichPath, tmp_path: Path, extension: str
) -> None:
    source = rich(extension)
    assert SECRET.encode() in source.read_bytes()
    output = rewrite(source, tmp_path, SOUND_ONLY)
    assert output.suffix == extension and _leaks(output) == [] and broken(source, output, SOUND_ONLY) == []
    with av.open(str(output)) as result:
        assert len(result.streams) == 2 and not result.chapters()


@pytest.mark.parametrize("extension", [".mp4", ".mov"])
def test_hidden_boxes_stay_behind_even_if_all_is_to_be_kept(rich: RichPath, tmp_path: Path, extension: str) -> None:
    source = with_hidden_boxes(rich(extension), tmp_path / f"hidden{extension}")
    output = rewrite(source, tmp_path, SOUND_ONLY)
    assert _leaks(output) == [] and broken(source, output, SOUND_ONLY) == []
    output = rewrite(source, tmp_path, CarryPolicy(EVERYTHING))
    assert b"xmpmeta" not in output.read_bytes() and broken(source, output, CarryPolicy(EVERYTHING)) == []


@pytest.mark.parametrize("extension", [".avi", ".flv", ".ts", ".webm"])
def test_other_containers_leave_nothing_behind_either(tmp_path: Path, extension: str) -> None:
    source = tmp_path / f"source{extension}"
    codecs = ["-c:v", "libvpx", "-c:a", "libopus"] if extension == ".webm" else ["-c:v", "libx264", "-bf", "0"]
    tags = ["-metadata", f"title={SECRET}", "-metadata", f"comment={SECRET}", "-metadata", f"date={DATE[:10]}"]
    tags += ["-metadata", f"service_name={SECRET}", "-metadata", f"service_provider={SECRET}"]
    pattern = ["-f", "lavfi", "-i", "testsrc=s=96x64:r=25:d=1", "-f", "lavfi", "-i", "sine=d=1"]
    # AVI numbers frames; only a rate that divides a second in milliseconds can be told by Matroska.
    run_ffmpeg(*pattern, *codecs, *tags, source)
    output = rewrite(source, tmp_path, SOUND_ONLY)
    assert SECRET.encode() in source.read_bytes() and _leaks(output) == []
    assert broken(source, output, SOUND_ONLY) == []


def test_tags_in_front_of_mp3_frames_are_no_packets(tmp_path: Path) -> None:
    sound, picture = tmp_path / "sound.mp3", make_clip(tmp_path / "picture.mp4", Clip())
    run_ffmpeg("-f", "lavfi", "-i", "sine=d=1", "-metadata", f"title={SECRET}", sound)
    source = tmp_path / "source.mp4"
    run_ffmpeg("-i", picture, "-i", sound, "-map", "0:v", "-map", "1:a", "-c", "copy", source)
    output = rewrite(source, tmp_path, SOUND_ONLY)
    assert _leaks(output) == [] and broken(source, output, SOUND_ONLY) == []


@pytest.mark.parametrize("extension", KINDS)
def test_all_that_is_allowed_is_there_and_equal(rich: RichPath, tmp_path: Path, extension: str) -> None:
    source, policy = rich(extension), CarryPolicy(EVERYTHING)
    output = rewrite(source, tmp_path, policy)
    assert broken(source, output, policy) == []
    found = checks(source, output, policy)
    for name in ("metadata", "chapters", "other streams", "kept streams", "languages"):
        assert found[name].verdict is Verdict.EQUAL, found[name]
    with av.open(str(output)) as result:
        assert result.metadata["title"] == SECRET and len(result.chapters()) == 2
        assert result.chapters()[0]["metadata"]["title"] == f"{SECRET} chapter"


@pytest.mark.parametrize(
    ("policy", "present", "absent"),
    [
        (keeping(metadata=["title"]), [SECRET], [PLACE[:6], "chapter", "two", "font"]),
        (keeping(metadata=["creation_time"]), [], [SECRET, PLACE[:6]]),
        (keeping(subtitles=["deu"]), [f"{SECRET} two"], [f"{SECRET} chapter", PLACE[:6]]),
        (keeping(chapters=["times"]), [], [SECRET]),
        (keeping(chapters=["times", "titles"]), [f"{SECRET} chapter"], [f"{SECRET} two", PLACE[:6]]),
        (keeping(attachments=["font/*"]), [f"{SECRET} font"], [f"{SECRET} two", f"{SECRET} chapter"]),
        (sounding("drop"), [], [SECRET]),
    ],
)
def test_each_list_lets_through_its_own_and_nothing_else(
    rich: RichPath, tmp_path: Path, policy: CarryPolicy, present: list[str], absent: list[str]
) -> None:
    output = rewrite(rich(".mkv"), tmp_path, policy)
    content = output.read_bytes()
    assert broken(rich(".mkv"), output, policy) == []
    assert [word for word in present if word.encode() not in content] == []
    assert [word for word in absent if word.encode() in content] == []


def test_data_streams_are_copied_by_codec_or_handler(tmp_path: Path) -> None:
    source = telemetry(tmp_path / "source.mp4")
    for policy, is_kept in (
        (keeping(data=["bin_data"]), True),
        (keeping(data=["gopro met"]), True),
        (keeping(data=["tmcd"]), False),
    ):
        output = rewrite(source, tmp_path, policy)
        assert broken(source, output, policy) == []
        assert (b"N52E13" in output.read_bytes()) is is_kept


def telemetry(path: Path) -> Path:
    """A clip with a data stream as cameras write it."""
    from fractions import Fraction

    clip = make_clip(path.with_name("plain.mp4"), Clip())
    with av.open(str(clip)) as source, av.open(str(path), "w") as out:
        video = out.add_stream_from_template(source.streams[0], opaque=True)
        data = out.add_data_stream("bin_data")
        data.time_base = Fraction(1, 1000)
        data.metadata["handler_name"] = "GoPro MET"
        for packet in source.demux(source.streams[0]):
            if packet.size:
                packet.stream = video
                out.mux(packet)
        for number in range(3):
            packet = av.Packet(b"N52E13-%d" % number)
            packet.pts = packet.dts = number * 400
            packet.duration, packet.time_base, packet.stream = 400, Fraction(1, 1000), data
            out.mux(packet)
    return path


@pytest.mark.parametrize("extension", KINDS)
@pytest.mark.parametrize("keeps", [False, True])
def test_a_second_decoder_has_nothing_to_complain_about(
    rich: RichPath, tmp_path: Path, extension: str, keeps: bool
) -> None:
    output = rewrite(rich(extension), tmp_path, CarryPolicy(EVERYTHING) if keeps else SOUND_ONLY)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "warning", "-i", str(output), "-map", "0:v:0", "-map", "0:a"]
    done = subprocess.run([*command, "-f", "null", "-"], check=True, capture_output=True, text=True)
    # What it says of covers, titles of tracks and fonts in files that it wrote itself, too.
    own = ("timescale not set", "UDTA parsing failed", "Could not find codec parameters", "Consider increasing")
    assert [line for line in done.stderr.splitlines() if not (keeps and any(words in line for words in own))] == []
