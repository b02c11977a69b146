"""What becomes of every file of the corpus, as a table:

python -m tests.corpus.table

Each file goes through all stages, with a detector that sees one box in every frame. What comes out is judged by the
fidelity contract, and decoded by a second decoder. The exit code is 1 if anything is not as the corpus expects.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from anonflow.pipeline.rows import Outcome
from anonflow.types import Status
from tests.corpus.make import EXPECTED, Corpus
from tests.corpus.recipes import EXACT
from tests.corpus.test_pipeline import OTHERWISE, complaints, published
from tests.pipeline.worlds import FixedDetector, World, use_detector


def main() -> int:
    """Print the table and the sums; give the exit code."""
    sums: Counter[str] = Counter()
    print("| file | what came out | contract: changed by policy | second decoder |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        use_detector(patch, FixedDetector())
        corpus = Corpus(Path(folder) / "corpus")
        for number, name in enumerate(sorted(EXPECTED)):
            root = Path(folder) / str(number)
            root.mkdir()
            extension = Path(name).suffix.lstrip(".")
            world = World.make(root, f"source.extensions=[{extension}]", "video.copy_clean=true")
            outcome = published(world, corpus.path(name))
            sums[_line(name, outcome)] += 1
    print(", ".join(f"{count} {what}" for what, count in sorted(sums.items())))
    return int(sums["not as expected"] > 0)


def _line(name: str, outcome: Outcome) -> str:
    """Print one file's line; say how it ended."""
    came = EXACT if outcome.status is Status.PUBLISHED else outcome.reason
    said = complaints(Path(outcome.output_uri)) if outcome.output_uri else ""
    is_expected = came in OTHERWISE.get(name, EXPECTED[name]) and not said
    shown = name if len(os.fsencode(name)) < 60 else f"{name[:20]}... ({len(os.fsencode(name))} bytes)"
    points = [p["name"] for p in outcome.details.get("checks", []) if p["verdict"] == "changed by policy"]
    points = [p for p in points if p not in ("metadata", "picture outside the masks")]
    what = "published" if came == EXACT else f"quarantined: {came}"
    if came == EXACT:
        video = outcome.details["video"]
        what += f" ({Path(outcome.output_uri).suffix.lstrip('.')}, {video['codec']}, {outcome.frames} frames)"
    mark = "" if is_expected else " **not as expected**"
    print(
        f"| {ascii(shown)[1:-1]} | {what}{mark} | {', '.join(points)} | {said.splitlines()[:1] or 'no word'} |",
        flush=True,
    )
    return "not as expected" if not is_expected else ("published" if came == EXACT else "quarantined")


if __name__ == "__main__":
    sys.exit(main())
