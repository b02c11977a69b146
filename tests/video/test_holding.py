from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from anonflow.errors import UnsupportedFormatError
from anonflow.video.carry import CarryPolicy, select
from anonflow.video.holding import language_in, same_language, says_all_languages, unheld
from anonflow.video.inventory import Chapter
from anonflow.video.probe import probe
from anonflow.video.target import choose_container
from tests.carrying import EVERYTHING, keeping, sounding

RichPath = Callable[[str], Path]


@pytest.mark.parametrize(
    ("source", "policy", "limits"),
    [
        (".mkv", keeping(), {".mp4": (), ".mov": (), ".mkv": ()}),
        (".mkv", keeping(subtitles=["*"]), {".mp4": ("subtitle:subrip",), ".mkv": ()}),
        (".mkv", keeping(attachments=["*"]), {".mp4": ("attachment:font/ttf",), ".mkv": ()}),
        (".mkv", keeping(cover=["*"]), {".mp4": (), ".mov": ("cover:mjpeg",), ".mkv": ()}),
        (".mp4", keeping(subtitles=["*"]), {".mp4": (), ".mov": (), ".mkv": ("subtitle:mov_text",)}),
        (".mov", keeping(data=["tmcd"]), {".mp4": (), ".mov": (), ".mkv": ("data:tmcd",)}),
        (".mkv", CarryPolicy(EVERYTHING), {".mkv": ()}),
    ],
)
def test_what_a_container_cannot_hold_is_named(
    rich: RichPath, source: str, policy: CarryPolicy, limits: dict[str, tuple[str, ...]]
) -> None:
    chosen = select(rich(source), probe(rich(source)), policy)
    assert {extension: unheld(extension, chosen) for extension in limits} == limits


def test_chapters_that_begin_late_are_no_chapters_of_mp4(rich: RichPath) -> None:
    chosen = select(rich(".mkv"), probe(rich(".mkv")), keeping(chapters=["times"]))
    late = replace(chosen, chapters=(Chapter(Fraction(1, 5), Fraction(1), ""),))
    assert unheld(".mp4", chosen) == () and unheld(".mp4", late) and unheld(".mkv", late) == ()


def test_keys_of_streams(rich: RichPath) -> None:
    chosen = select(rich(".mkv"), probe(rich(".mkv")), keeping())
    title = replace(chosen, stream_keys={1: {"title": "x", "mood": "y"}})
    assert unheld(".mp4", title) == ("key:mood",) and unheld(".mkv", title) == ()
    dated = replace(chosen, stream_keys={1: {"creation_time": "2024"}})
    assert unheld(".mp4", dated) == ("key:creation_time",)
    assert unheld(".mp4", replace(dated, keys={"creation_time": "2024"})) == ()


def test_the_container_follows_what_is_kept(rich: RichPath) -> None:
    source = rich(".mkv")
    index = probe(source)
    assert choose_container(index, ".mp4", selection=select(source, index, keeping())) == ".mp4"
    assert choose_container(index, ".mp4", selection=select(source, index, keeping(subtitles=["deu"]))) == ".mkv"
    movie = rich(".mov")
    index = probe(movie)
    with pytest.raises(UnsupportedFormatError, match=r"data:tmcd.*take it off the lists"):
        both = replace(select(movie, index, keeping(data=["tmcd"])), others=())
        subtitle = select(source, probe(source), keeping(subtitles=["*"])).others
        timecode = select(movie, index, keeping(data=["tmcd"])).others
        choose_container(index, ".mov", selection=replace(both, others=(*subtitle, *timecode)))


def test_sound_that_no_container_holds_can_be_dropped(rich: RichPath) -> None:
    source = rich(".mkv")
    index = probe(source)
    chosen = select(source, index, keeping())
    odd = replace(chosen, audio=tuple(replace(part, codec="unknown") for part in chosen.audio))
    with pytest.raises(UnsupportedFormatError, match="audio=drop"):
        choose_container(index, ".mkv", selection=odd)
    assert choose_container(index, ".mkv", selection=select(source, index, sounding("drop"))) == ".mkv"


def test_languages() -> None:
    assert language_in(".mkv", "en-US") == "en-US" and language_in(".mp4", "en-US") is None
    assert language_in(".mp4", "deu") == "deu" and language_in(".mov", "deu") == "ger"
    assert language_in(".mov", "swe") is None and language_in(".mov", None) is None
    assert same_language("deu", "ger") and same_language(None, None) and not same_language("deu", None)


def test_a_container_that_can_say_the_language_is_preferred(rich: RichPath) -> None:
    source = rich(".mov")
    index = probe(source)
    chosen = select(source, index, keeping())
    swedish = replace(chosen, audio=tuple(replace(part, language="swe") for part in chosen.audio))
    assert not says_all_languages(".mov", swedish) and says_all_languages(".mp4", swedish)
    assert choose_container(index, ".mov", selection=swedish) == ".mp4"
