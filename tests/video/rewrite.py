"""A whole way through a video: read, encode in chunks, join, inspect."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from anonflow.config import VideoConfig
from anonflow.types import Check, Verdict
from anonflow.video.contract import inspect
from anonflow.video.encoders import choose_encoding
from anonflow.video.join import join
from anonflow.video.probe import probe
from anonflow.video.target import choose_container
from tests.video.conftest import write_segments

LOSSLESS = VideoConfig("match", True, None, None, None)
FFV1 = VideoConfig("ffv1", True, None, None, None)


def lossy(codec: str, crf: int = 30) -> VideoConfig:
    """The fastest lossy encode with this codec."""
    return VideoConfig(codec, False, crf, "ultrafast", None)


@dataclass(frozen=True)
class Rewritten:
    """An output and what the contract says of it."""

    output: Path
    n_segments: int
    checks: tuple[Check, ...]

    @property
    def broken(self) -> list[str]:
        """Names and details of the broken points."""
        return [f"{c.name}: {c.detail}" for c in self.checks if c.verdict is Verdict.BROKEN]

    @property
    def changed(self) -> dict[str, str]:
        """Details of what a policy changed, by name."""
        return {c.name: c.detail for c in self.checks if c.verdict is Verdict.CHANGED_BY_POLICY}


def rewrite(source: Path, folder: Path, config: VideoConfig | None = None, length_s: float = 0.2) -> Rewritten:
    """Encode `source` anew, in chunks of `length_s`."""
    config = config or lossy("match")
    index = probe(source)
    encoding = choose_encoding(index.stream, config)
    segments = write_segments(source, index, folder, length_s, config)
    container = choose_container(index, source.suffix, encoding.family)
    output = folder / f"out{container}"
    join(segments, source, index, output, container)
    return Rewritten(output, len(segments), inspect(source, index, output, encoding=encoding))
