from __future__ import annotations

from pathlib import Path

from anonflow.types import Verdict
from anonflow.video.contract import inspect
from anonflow.video.probe import probe
from tests.media import Clip, make_clip


def test_an_output_that_does_not_decode(tmp_path: Path) -> None:
    clip = Clip(width=320, height=240, options={"preset": "veryfast", "crf": "5"})
    source = make_clip(tmp_path / "source.mp4", clip)
    content = bytearray(source.read_bytes())
    start = content.find(b"mdat") + len(content) // 3
    for position in range(start, start + 4000, 97):
        content[position] ^= 0x55
    (tmp_path / "bad.mp4").write_bytes(content)
    checks = inspect(source, probe(source), tmp_path / "bad.mp4")
    assert [c.name for c in checks if c.verdict is Verdict.BROKEN] == ["decodes"]
