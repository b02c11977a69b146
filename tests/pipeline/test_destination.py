from __future__ import annotations

from pathlib import Path

import pytest

from anonflow.errors import UnsupportedFormatError
from anonflow.pipeline.destination import Destination
from anonflow.video.probe import probe
from tests.media import Clip
from tests.pipeline.worlds import World


def destination(world: World, name: str, clip: Clip) -> Destination:
    world.clip(name, clip)
    row = world.row()
    return Destination.of(world.config, row, probe(Path(row.uri)))


def test_encoding_selection_and_container_agree(tmp_path: Path) -> None:
    world = World.make(tmp_path, "video=match", "video.crf=20")
    made = destination(world, "clip.avi", Clip(codec="mpeg4", options={}, time_base=Clip().time_base))
    assert (made.encoding.family, made.container) == ("h264", ".mkv")
    assert made.selection.audio == () and made.policy.sound.mode == "copy"


def test_sound_that_is_dropped_needs_no_place(tmp_path: Path) -> None:
    clip = Clip(audio=("pcm_s16le",))
    (tmp_path / "kept").mkdir()
    kept = destination(World.make(tmp_path / "kept"), "clip.mov", clip)
    assert [part.codec for part in kept.selection.audio] == ["pcm_s16le"]
    (tmp_path / "dropped").mkdir()
    dropped = destination(World.make(tmp_path / "dropped", "audio=drop"), "clip.mov", clip)
    assert dropped.selection.audio == () and dropped.container == ".mov"


def test_what_cannot_be_made_is_refused_before_any_work(tmp_path: Path) -> None:
    world = World.make(tmp_path, "video=h264", "video.crf=20")
    with pytest.raises(UnsupportedFormatError, match="odd size"):
        destination(world, "clip.mkv", Clip(codec="libsvtav1", width=97, height=65, options={}))
