from __future__ import annotations

import multiprocessing
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from anonflow.assure.pairs import Pair
from anonflow.assure.verify import Agreed, verify, verify_all
from anonflow.storage import file_sha256
from anonflow.video.watchdog import one_step
from tests.media import Clip, make_clip
from tests.pipeline.worlds import configuration


def agreed(*overrides: str) -> Agreed:
    config = configuration(*overrides)
    return Agreed(config.source, config.limits, config.video, config.audio, config.picture)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "clip.mp4", Clip(audio=("aac",)))


def copy(clip: Path) -> Path:
    """An output that is the source without a mask, and without its keys."""
    return shutil.copy(clip, clip.with_name("out.mp4"))


def test_an_output_that_holds(clip: Path) -> None:
    output = make_clip(clip.with_name("out.mp4"), Clip(audio=("aac",)))
    found = verify(Pair("clip.mp4", clip, output, file_sha256(clip), file_sha256(output)), agreed())
    names = [point.name for point in found.checks]
    assert names[:2] == ["output as published", "source as anonymised"] and "timestamps" in names
    # The muxer of the test signs its file; ours does not.
    assert [point.name for point in found.broken] in ([], ["metadata"])


@pytest.mark.parametrize(
    ("which", "point"), [("source", "source as anonymised"), ("output", "output as published")]
)
def test_bytes_that_are_not_those_of_the_ledger(clip: Path, which: str, point: str) -> None:
    output = copy(clip)
    hashes = {"source": file_sha256(clip), "output": file_sha256(output)} | {which: "0" * 64}
    found = verify(Pair("clip.mp4", clip, output, hashes["source"], hashes["output"]), agreed())
    assert point in [broken.name for broken in found.broken] and not found.holds


def test_an_output_that_is_not_there(clip: Path) -> None:
    found = verify(Pair("clip.mp4", clip, None), agreed())
    assert [(p.name, p.detail) for p in found.broken] == [("output", "there is none")]


def test_a_source_that_is_gone_or_no_video(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("words")
    for source, why in ((tmp_path / "gone.mp4", "SourceMissingError"), (tmp_path / "text.mp4", "NotAVideoError")):
        found = verify(Pair("clip.mp4", source, clip), agreed())
        assert [(p.name, p.detail) for p in found.broken] == [("source", why)]


def test_an_output_without_a_source(clip: Path) -> None:
    assert [p.name for p in verify(Pair("clip.mp4", None, clip), agreed()).broken] == ["no source"]


def test_what_was_agreed_decides_on_what_is_broken(clip: Path) -> None:
    silent = make_clip(clip.with_name("silent.mp4"), Clip())
    broken = {p.name for p in verify(Pair("clip.mp4", clip, silent), agreed()).broken}
    assert "audio packets" in broken
    broken = {p.name for p in verify(Pair("clip.mp4", clip, silent), agreed("audio=drop")).broken}
    assert "audio packets" not in broken
    other = {p.name for p in verify(Pair("clip.mp4", clip, silent), agreed("audio=drop", "video=hevc")).broken}
    assert "codec" in other


def test_several_at_once_come_in_their_order(clip: Path) -> None:
    output = copy(clip)
    pairs = [Pair(str(n), clip, output if n % 2 else None) for n in range(3)]
    alone = list(verify_all(pairs, agreed(), workers=1))
    assert [v.name for v in alone] == ["0", "1", "2"]
    assert list(verify_all(pairs, agreed(), workers=2)) == alone


class Trouble(Pair):
    """A pair whose worker dies, hangs in a step, or meets something that nobody foresaw: as its name says."""

    def __getattribute__(self, name: str) -> Any:
        if name == "output" and multiprocessing.parent_process() is not None:
            if self.name == "dies":
                os._exit(1)
            if self.name == "hangs":
                with one_step():
                    time.sleep(600)
            raise ZeroDivisionError
        return super().__getattribute__(name)


def test_a_worker_that_dies_or_hangs_costs_its_own_pair_only(clip: Path) -> None:
    values = agreed()
    values = replace(values, limits=replace(values.limits, max_decode_s_per_frame=1.5))
    pairs = [Trouble(name, clip, clip) for name in ("dies", "hangs", "fails")]
    found = list(verify_all([Pair("first", clip, None), *pairs, Pair("last", clip, None)], values, workers=1))
    assert [v.name for v in found] == ["first", "dies", "hangs", "fails", "last"]
    assert [v.broken[0].name for v in found] == ["output", "crashed", "crashed", "crashed", "output"]
    assert (
        "ZeroDivisionError" in found[3].broken[0].detail and "max_decode_s_per_frame" in found[2].broken[0].detail
    )


def test_a_picture(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (64, 48), (90, 120, 30)).save(tmp_path / "a.png")
    Image.new("RGB", (64, 48), (0, 0, 0)).save(tmp_path / "b.png")
    Image.new("RGB", (48, 64), (0, 0, 0)).save(tmp_path / "c.png")
    assert verify(Pair("a.png", tmp_path / "a.png", tmp_path / "b.png"), agreed()).holds
    broken = verify(Pair("a.png", tmp_path / "a.png", tmp_path / "c.png"), agreed()).broken
    assert "size as shown" in [point.name for point in broken]


def test_an_output_that_cannot_be_read(clip: Path, tmp_path: Path) -> None:
    found = verify(Pair("clip.mp4", clip, tmp_path / "gone.mp4", output_sha256="0" * 64), agreed())
    assert [(p.name, p.detail) for p in found.broken] == [("output", "FileNotFoundError")]
