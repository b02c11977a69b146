"""The corpus through all stages: what comes out, and that it decodes in two decoders without a word."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest

from anonflow.pipeline.rows import Outcome
from anonflow.types import Status
from anonflow.video.decode import decode_range
from anonflow.video.planes import plane_set
from anonflow.video.probe import probe
from tests.corpus.damaged import DAMAGED
from tests.corpus.make import EXPECTED, Corpus
from tests.corpus.recipes import EXACT
from tests.corpus.spoil import spoiled
from tests.pipeline.worlds import FixedDetector, World, run_all, use_detector

OTHERWISE: dict[str, tuple[str, ...]] = {}
"""Readable files that today's encoders or containers cannot write, and the reasons that may be given."""
BY_DEFAULT = (
    "h264.mp4",
    "h264.ts",
    "vfr.mp4",
    "hevc10.mkv",
    "turned90.mp4",
    "tracks.mkv",
    "cut50.mp4",
    "flipped.ts",
)
BY_DEFAULT += ("empty.mp4", "endless.m3u8", "x" * 251 + ".mp4", "line\nbreak.mp4")


def published(world: World, source: Path) -> Outcome:
    """Run the stages on one file of the corpus."""
    target = world.root / "in" / source.name
    if source.is_symlink():
        target.symlink_to(target.name)
    else:
        shutil.copy(source, target)
    rows = [row for row in world.rows() if row.uri == str(target)]
    (outcome,) = run_all(rows, world.context())
    return outcome


def complaints(path: Path, streams: str = "0") -> str:
    """What the second decoder says of a whole file, or of some of its streams."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "warning", "-xerror", "-i", f"file:{path}"]
    done = subprocess.run(
        [*command, "-map", streams, "-f", "null", "-"], capture_output=True, text=True, check=False
    )
    said = [line for line in done.stderr.splitlines() if "Guessed Channel Layout" not in line]  # PCM does not say
    return "\n".join(said) or str(done.returncode or "")


def check(corpus: Corpus, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What came of the file; an output is whole and the only thing in the output folder, or there is none."""
    use_detector(monkeypatch, FixedDetector())
    extension = Path(name).suffix.lstrip(".")
    world = World.make(tmp_path, f"source.extensions=[{extension}]")
    outcome = published(world, corpus.path(name))
    left = [p for p in world.output.rglob("*") if p.is_file() and "_anonflow" not in p.parts]
    assert not list(world.output.rglob("*.partial"))
    if outcome.status is Status.QUARANTINED:
        assert left == [] and outcome.message
        return outcome.reason
    assert left == [Path(outcome.output_uri)] and outcome.frames > 0
    assert complaints(left[0]) == ""
    return EXACT


@pytest.mark.parametrize("name", BY_DEFAULT, ids=ascii)
def test_some(corpus: Corpus, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(corpus, name, tmp_path, monkeypatch) in OTHERWISE.get(name, EXPECTED[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(EXPECTED.keys() - set(BY_DEFAULT)), ids=ascii)
def test_all(corpus: Corpus, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(corpus, name, tmp_path, monkeypatch) in OTHERWISE.get(name, EXPECTED[name])


def test_a_damaged_frame_is_hidden_counted_and_not_looked_at(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames 7 to 11 lean on a broken one; the object is tracked over them."""
    detector = use_detector(monkeypatch, FixedDetector())
    world = World.make(
        tmp_path, "source.on_damage=hide_frame", "detector.face.batch_size=1", "chunk.overlap_frames=1"
    )
    spoiled(corpus.path("ffv1.mkv"), world.root / "in" / "bad.mkv", 7)
    outcome = world.outcome()
    assert (outcome.status, outcome.frames) == (Status.PUBLISHED, 30)
    assert outcome.details["hidden_damaged_frames"] == 5
    assert outcome.details["objects"]["face"] == 1
    assert 30 - 5 <= detector.calls <= 30 - 5 + 2  # and the overlaps
    index = probe(Path(outcome.output_uri))
    luma = [
        plane_set(f).planes[0].max() for _, f in decode_range(Path(outcome.output_uri), index, 0, index.end_pts)
    ]
    assert [number for number, brightest in enumerate(luma) if brightest < 24] == [7, 8, 9, 10, 11]


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in sorted(DAMAGED) if n.startswith(("flipped", "cut"))])
def test_hiding_damage_never_publishes_less(
    corpus: Corpus, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `hide_frame`, a damaged file is refused or comes out with all its frames, some of them black."""
    use_detector(monkeypatch, FixedDetector())
    extension = Path(name).suffix.lstrip(".")
    world = World.make(tmp_path, "source.on_damage=hide_frame", f"source.extensions=[{extension}]")
    outcome = published(world, corpus.path(name))
    if outcome.status is Status.QUARANTINED:
        assert outcome.reason in ("damaged", "timestamps", "unsupported", "no_video_stream")
        return
    assert complaints(Path(outcome.output_uri), "v") == ""  # damaged sound is copied as it is
    names = {check["name"]: check["verdict"] for check in outcome.details["checks"]}
    hides = outcome.details["hidden_damaged_frames"] > 0
    assert names.get("hidden frames") == ("changed by policy" if hides else None)
