"""What the fidelity contract says of one clip that claims to be another."""

from __future__ import annotations

from pathlib import Path

from anonflow.types import Verdict
from anonflow.video.contract import inspect
from anonflow.video.probe import probe
from tests.media import Clip, make_clip

SOURCE = Clip(audio=("aac",))
EXACT = {"movie_timescale": "12800"}


def broken(folder: Path, wrong: Clip, source: Clip = SOURCE, suffix: str = ".mp4") -> set[str]:
    """Names of the broken points."""
    first = make_clip(folder / "source.mp4", source)
    second = make_clip(folder / f"wrong{suffix}", wrong)
    return {c.name for c in inspect(first, probe(first), second) if c.verdict is Verdict.BROKEN}
