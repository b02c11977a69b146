"""A folder with good and bad inputs, through the command line and the whole dataflow, twice."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from anonflow.config import DetectorConfig, ModelConfig
from anonflow.detect.base import Detector
from anonflow.detect.families import build_detector
from anonflow.detect.models import ModelStore
from anonflow.types import Picture
from anonflow.video.probe import probe
from tests.media import Clip, make_clip
from tests.runs import SMALL, anonflow, files_below

CONF = Path(__file__).parents[2] / "conf"
ARGUMENTS = [*SMALL, "chunk.length_s=1", "chunk.overlap_frames=10"]


@dataclass(frozen=True)
class Done:
    """A finished run."""

    code: int
    printed: str
    source: Path
    output: Path

    @property
    def folder(self) -> Path:
        """Of the latest run's records."""
        return max(self.output.glob("_anonflow/*/report.json"), key=lambda path: path.stat().st_mtime_ns).parent

    def ledger(self) -> dict[str, dict[str, object]]:
        """Rows by file name."""
        rows = pq.read_table(self.folder / "ledger.parquet").to_pylist()
        return {Path(row["uri"]).name: row for row in rows}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, sample: Path) -> Path:
    """One good video, one of a single frame, and everything that is none."""
    folder = tmp_path_factory.mktemp("archive")
    (folder / "deep").mkdir()
    shutil.copy(sample, folder / "deep" / "person and car.mp4")
    make_clip(folder / "one_frame.mp4", Clip(n_frames=1))
    whole = sample.read_bytes()
    (folder / "truncated.mp4").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("no video, whatever its name says\n" * 100)
    with av.open(str(folder / "sound.mp4"), "w") as out, av.open(str(sample)) as source:
        copied = out.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = copied
                out.mux(packet)
    (folder / "notes.txt").write_text("not even named like a video")
    return folder


@pytest.fixture(scope="module")
def first(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """The first run over the archive."""
    output = tmp_path_factory.mktemp("masked")
    before = _contents(archive)
    code, printed = anonflow("anonymize", f"input={archive}", f"output={output}", *ARGUMENTS)
    assert _contents(archive) == before, "the input was touched"
    return Done(code, printed, archive, output)


def test_every_input_ends_as_published_or_quarantined_with_its_reason(first: Done) -> None:
    reasons = {name: (row["status"], row["reason"]) for name, row in first.ledger().items()}
    assert reasons == {
        "person and car.mp4": ("published", ""),
        "one_frame.mp4": ("published", ""),
        "truncated.mp4": ("quarantined", "damaged"),
        "empty.mp4": ("quarantined", "empty"),
        "text.mp4": ("quarantined", "not_a_video"),
        "sound.mp4": ("quarantined", "no_video_stream"),
    }
    assert first.code == 3, first.printed


def test_each_quarantine_is_one_line_that_names_the_file(first: Done) -> None:
    for name in ("truncated.mp4", "empty.mp4", "text.mp4", "sound.mp4"):
        assert [line for line in first.printed.splitlines() if "Quarantined" in line and name in line], (
            first.printed
        )
    assert "Traceback" not in first.printed


def test_output_mirrors_the_tree_and_holds_nothing_else(first: Done) -> None:
    results = {name for name in files_below(first.output) if not name.startswith("_anonflow/")}
    assert results == {"deep/person and car.mp4", "one_frame.mp4"}
    rest = {name.split("/")[1] for name in files_below(first.output) if name.startswith("_anonflow/")}
    assert rest == {"done", "head.json", "lease", first.folder.name}, "something of the work is left"


def test_no_face_is_left(first: Done) -> None:
    detector = _face_detector()
    source, output = (_pictures(folder / "deep" / "person and car.mp4") for folder in (first.source, first.output))
    seen = [detector.detect([before])[0] for before in source]
    assert sum(len(boxes) > 0 for boxes in seen) > len(seen) * 0.9, "the source shows a face"
    assert not any(len(detector.detect([after])[0]) for after in output)


def test_frames_and_sound_are_the_sources(first: Done) -> None:
    before, after = (probe(folder / "deep" / "person and car.mp4") for folder in (first.source, first.output))
    assert [p * before.time_base for p in before.pts.tolist()] == [p * after.time_base for p in after.pts.tolist()]
    assert _sound(first.source / "deep" / "person and car.mp4") == _sound(
        first.output / "deep" / "person and car.mp4"
    )


def test_report_tells_what_was_done_and_names_nobody(first: Done) -> None:
    text = (first.folder / "report.json").read_text()
    report = json.loads(text)
    assert report["models"][0]["sha256"] and report["models"][0]["licence"] == "MIT"
    assert report["totals"]["published"] == 2 and report["totals"]["quarantined"] == 4
    assert report["files_passed_over"] == {".txt": 1}
    assert report["configuration"]["detector"]["face"]["threshold"]
    assert "person and car" not in text and str(first.source) not in text


@pytest.mark.slow  # test_commands has reruns of either kind, without Ray
def test_a_rerun_does_nothing_and_says_so(first: Done) -> None:
    stamp = (first.output / "one_frame.mp4").stat().st_mtime_ns
    code, printed = anonflow("anonymize", f"input={first.source}", f"output={first.output}", *ARGUMENTS)
    again = Done(code, printed, first.source, first.output)
    statuses = {name: row["status"] for name, row in again.ledger().items()}
    assert statuses["person and car.mp4"] == statuses["one_frame.mp4"] == "unchanged"
    assert code == 3
    assert (first.output / "one_frame.mp4").stat().st_mtime_ns == stamp


def _contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        name: ((folder / name).stat().st_mtime_ns, (folder / name).read_bytes()) for name in files_below(folder)
    }


def _face_detector() -> Detector:
    model = ModelConfig(**yaml.safe_load((CONF / "model" / "retinaface_mnet025.yaml").read_text()))
    config = DetectorConfig(
        model, 1280, 1.0, threshold=0.5, keep_threshold=0.5, floor=0.5, nms_iou=0.4, batch_size=1
    )
    weights = ModelStore(Path.home() / ".cache" / "anonflow" / "models").load(model)
    return build_detector(config, weights, ("face",), "cpu")


def _pictures(path: Path) -> list[Picture]:
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    return [np.ascontiguousarray(frame) for frame in frames[::5]]


def _sound(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]
