from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from anonflow.types import StreamFormat, Verdict
from anonflow.video.contract import inspect
from anonflow.video.contract.sidedata import FORBIDDEN, compare_side_data
from anonflow.video.probe import probe
from tests.rare import CAPTIONS, h264_sei, write_clip

PLAIN = StreamFormat("h264", "yuv420p", 96, 64, None, 0, 0, 2, 2, 2)


@pytest.mark.parametrize("name", sorted(FORBIDDEN))
def test_what_must_not_pass(name: str) -> None:
    carrying = replace(PLAIN, side_data=(name,))
    for source in (PLAIN, carrying):
        assert compare_side_data(source, carrying).verdict is Verdict.BROKEN
    removed = compare_side_data(carrying, PLAIN)
    assert (removed.verdict, removed.detail) == (Verdict.CHANGED_BY_POLICY, f"removed: {name}")


def test_the_rest_is_equal_or_told() -> None:
    stereo = replace(PLAIN, side_data=("stereo3d",))
    assert compare_side_data(stereo, stereo).verdict is Verdict.EQUAL
    assert compare_side_data(stereo, PLAIN).detail == "removed: stereo3d"
    assert compare_side_data(PLAIN, PLAIN).detail == "none"


def test_captions_that_begin_late_are_found_too(tmp_path: Path) -> None:
    """Formats are read from the first frame; every frame of an output is looked at."""
    put, seen = h264_sei(4, CAPTIONS), 0

    def late(packet: bytes) -> bytes:
        nonlocal seen
        seen += 1
        return put(packet) if seen == 5 else packet

    options = {"bf": "0", "preset": "ultrafast"}
    source = write_clip(tmp_path / "a.ts", "libx264", options=options)
    output = write_clip(tmp_path / "b.ts", "libx264", options=options, edit=late)
    assert probe(output).stream.side_data == ()
    checks = {c.name: c for c in inspect(source, probe(source), output)}
    assert checks["captions and user data"].verdict is Verdict.BROKEN
    assert {c.name for c in checks.values() if c.verdict is Verdict.BROKEN} == {"captions and user data"}
