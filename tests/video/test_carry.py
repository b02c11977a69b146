from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from anonflow.config import AudioConfig, KeepConfig, TimeSpan
from anonflow.types import FrameIndex
from anonflow.video.carry import SOUND_ONLY, CarryPolicy, Selection, encoded_as, select, timecode
from anonflow.video.probe import probe
from tests.carrying import EVERYTHING, keeping, sounding

RichPath = Callable[[str], Path]


@pytest.fixture
def index(rich: RichPath) -> FrameIndex:
    return probe(rich(".mkv"))


def test_by_default_the_sound_and_nothing_else(rich: RichPath, index: FrameIndex) -> None:
    chosen = select(rich(".mkv"), index, SOUND_ONLY)
    assert [part.name for part in chosen.streams] == ["audio:aac"]
    assert chosen.keys == {} and not any(chosen.stream_keys.values()) and chosen.chapters == ()
    assert chosen.removed_streams == ("subtitle:subrip", "attachment:font/ttf", "cover:mjpeg")
    assert chosen.removed_chapters == ("chapters",)
    assert {"title", "location", "com.apple.quicktime.model"} <= set(chosen.removed_keys)


def test_everything(rich: RichPath, index: FrameIndex) -> None:
    chosen = select(rich(".mkv"), index, CarryPolicy(EVERYTHING))
    assert len(chosen.streams) == 4
    assert chosen.removed_streams == chosen.removed_chapters == chosen.removed_keys == ()


@pytest.mark.parametrize(
    ("policy", "names"),
    [
        (keeping(subtitles=["deu"]), ["audio:aac", "subtitle:subrip"]),
        (keeping(subtitles=["eng"]), ["audio:aac"]),
        (keeping(attachments=["font/*"]), ["audio:aac", "attachment:font/ttf"]),
        (keeping(attachments=["image/*"]), ["audio:aac"]),
        (keeping(cover=["mjpeg"]), ["audio:aac", "cover:mjpeg"]),
        (keeping(cover=["png"], data=["*"]), ["audio:aac"]),
        (sounding("drop"), []),
    ],
)
def test_each_list_takes_its_kind_by_name(
    rich: RichPath, index: FrameIndex, policy: CarryPolicy, names: list[str]
) -> None:
    assert [part.name for part in select(rich(".mkv"), index, policy).streams] == names


def test_chapters_with_and_without_titles(rich: RichPath, index: FrameIndex) -> None:
    times = select(rich(".mkv"), index, keeping(chapters=["times"]))
    assert len(times.chapters) == 2 and not any(chapter.title for chapter in times.chapters)
    assert times.removed_chapters == ("chapter titles",)
    titles = select(rich(".mkv"), index, keeping(chapters=["times", "titles"]))
    assert all(chapter.title for chapter in titles.chapters) and titles.removed_chapters == ()


def test_the_timecode_goes_with_its_track(rich: RichPath) -> None:
    source = rich(".mov")
    assert timecode(select(source, probe(source), keeping(data=["tmcd"]))) == "01:00:00:00"
    assert timecode(select(source, probe(source), keeping(metadata=["*"]))) is None


def test_only_what_changes_the_sound_encodes_it_again() -> None:
    span = (TimeSpan(0.0, 1.0),)
    assert not CarryPolicy.of(KeepConfig(), AudioConfig("copy"), ()).sound.is_changed
    assert not CarryPolicy.of(KeepConfig(), AudioConfig("mute_spans"), ()).sound.is_changed
    assert CarryPolicy.of(KeepConfig(), AudioConfig("mute_spans"), span).sound.is_changed
    assert CarryPolicy.of(KeepConfig(), AudioConfig("pitch", semitones=3), ()).sound.is_changed
    both = CarryPolicy.of(KeepConfig(), AudioConfig("mute_spans", ((2.0, None),)), span).sound.mute
    assert both == (TimeSpan(2.0, None), TimeSpan(0.0, 1.0))


def test_changed_sound_keeps_its_codec_where_that_can_be_encoded(index: FrameIndex) -> None:
    assert [encoded_as(c) for c in ("mp3", "opus", "pcm_s24be")] == ["mp3", "opus", "pcm_s24be"]
    assert [encoded_as(c) for c in ("vorbis", "wmav2", "dts")] == ["aac"] * 3
    assert Selection.of_sound(index).audio_codec(Selection.of_sound(index).audio[0]) == "aac"
