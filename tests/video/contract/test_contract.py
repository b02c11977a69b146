from __future__ import annotations

from pathlib import Path

from anonflow.types import Verdict
from anonflow.video.contract import inspect
from anonflow.video.probe import probe
from tests.differences import SOURCE, broken
from tests.media import make_clip


def test_an_equal_file_passes(tmp_path: Path) -> None:
    assert broken(tmp_path, SOURCE) == set()


def test_a_truncated_output(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "source.mp4", SOURCE)
    (tmp_path / "cut.mp4").write_bytes(source.read_bytes()[:-3000])
    checks = inspect(source, probe(source), tmp_path / "cut.mp4")
    assert [(c.name, c.verdict) for c in checks] == [("readable", Verdict.BROKEN)]
