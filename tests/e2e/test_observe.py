"""A run as those see it who watch it, and what it leaves: metrics, log lines, page, lineage; no picture."""

from __future__ import annotations

import json
import re
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from anonflow.video.decode import decode_range
from anonflow.video.planes import plane_set
from anonflow.video.probe import probe
from tests.evidence.keys import key_pair
from tests.leftovers import files_with_picture
from tests.media import Clip, make_clip
from tests.observe.scrapes import Scrape, free_port, scrape
from tests.runs import SMALL, anonflow, files_below, start

SECRET = "anna-schmidt"


@dataclass
class Watcher:
    """Scrapes a port again and again, and keeps the largest value of each series."""

    port: int
    largest: dict[tuple[str, str], float] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        while not self.stop.wait(0.3):
            try:
                self._note(scrape(self.port))
            except OSError:  # not there yet, or no more
                continue

    def _note(self, found: Scrape) -> None:
        for sample in found.samples:
            stage = sample.labels.get("stage", "") or sample.labels.get("status", "")
            key = (sample.name, stage)
            self.largest[key] = max(sample.value, self.largest.get(key, 0.0))


@dataclass(frozen=True)
class Seen:
    code: int
    printed: str
    watcher: Watcher
    root: Path

    @property
    def output(self) -> Path:
        return self.root / "out"

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.printed.splitlines()]

    @property
    def folder(self) -> Path:
        (report,) = self.output.glob("_anonflow/*/report.json")
        return report.parent


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """A signed run over two videos and two files that are none."""
    root = tmp_path_factory.mktemp(SECRET)
    private, _ = key_pair(root)
    (root / "in").mkdir()
    for number in range(2):
        make_clip(root / "in" / f"{SECRET}{number}.mp4", Clip(n_frames=240, width=160, height=96))
    whole = (root / "in" / f"{SECRET}0.mp4").read_bytes()
    (root / "in" / f"{SECRET}-cut.mp4").write_bytes(whole[: len(whole) // 2])
    (root / "in" / f"{SECRET}-empty.mp4").touch()
    watcher = Watcher(free_port())
    run = start(
        "anonymize",
        f"input={root / 'in'}",
        f"output={root / 'out'}",
        f"runtime.work_dir={root / 'work'}",
        f"runtime.signing_key={private}",
        *SMALL,
        "chunk.length_s=1",
        "video.crf=20",
        "runtime.log_format=json",
        f"runtime.metrics_port={watcher.port}",
        f"runtime.lineage.file={root / 'events.jsonl'}",
    )
    thread = threading.Thread(target=watcher.watch, daemon=True)
    thread.start()
    code, printed = run.finish()
    watcher.stop.set()
    thread.join(timeout=20)
    return Seen(code, printed, watcher, root)


def test_metrics_can_be_scraped_while_it_runs(seen: Seen) -> None:
    assert seen.code == 3, seen.printed
    largest = seen.watcher.largest
    assert largest["ray_anonflow_sources", ""] == 4
    assert 0 < largest["ray_anonflow_frames_total", "plan"] <= 480
    assert 0 < largest["ray_anonflow_frames_total", "detect"] <= 480
    assert 0 < largest["ray_anonflow_tasks_total", "detect"] <= 20
    assert largest["ray_anonflow_queue_frames", "mask"] <= 480


def test_every_line_is_json_and_names_no_file(seen: Seen) -> None:
    lines = seen.lines()
    assert SECRET not in seen.printed
    assert all({"ts", "level", "event"} <= set(line) for line in lines)
    ended = [line for line in lines if line["event"] == "quarantined"]
    assert sorted(str(line["reason"]) for line in ended) == ["damaged", "empty"]
    assert all(re.fullmatch(r"[0-9a-f]{16}", str(line["video_id"])) for line in ended)
    assert {line["run_id"] for line in lines} == {seen.folder.name}
    (summary,) = (line for line in lines if line["event"] == "summary")
    assert (summary["published"], summary["quarantined"]) == (2, 2)


def test_the_page_lies_beside_the_report(seen: Seen) -> None:
    page = (seen.folder / "report.html").read_text()
    assert "2 published, 0 unchanged, 2 quarantined" in page and "Frames over time" in page
    assert SECRET not in page and SECRET not in (seen.folder / "report.json").read_text()


def test_the_course_ends_where_the_run_ended(seen: Seen) -> None:
    course = json.loads((seen.folder / "report.json").read_text())["course"]
    assert (course["planned"][-1], course["ended"][-1]) == (4, 4)
    assert course["planned_frames"][-1] == course["masked_frames"][-1] == 480
    assert len({len(values) for values in course.values()}) == 1


def test_lineage_is_told(seen: Seen) -> None:
    start_event, complete = (json.loads(line) for line in (seen.root / "events.jsonl").read_text().splitlines())
    assert (start_event["eventType"], complete["eventType"]) == ("START", "COMPLETE")
    facet = complete["run"]["facets"]["anonflow"]
    assert (facet["published"], facet["quarantined"], facet["runId"]) == (2, 2, seen.folder.name)


def test_no_picture_and_no_key_is_left(seen: Seen, tmp_path: Path) -> None:
    source = seen.root / "in" / f"{SECRET}0.mp4"
    index = probe(source)
    _, frame = next(iter(decode_range(source, index, int(index.pts[0]), int(index.pts[1]))))
    luma = plane_set(frame).planes[0].copy()
    shutil.copytree(seen.output / "_anonflow", tmp_path / "control")
    assert files_with_picture(seen.root / "in", luma), "the search finds the picture where it is"
    assert files_with_picture(tmp_path, luma) == set()
    left = [name for name in files_below(seen.root / "work") if not name.startswith("lease/")]
    assert not left, "work is left"
    secret = (seen.root / "key.pem").read_text().splitlines()[1]
    assert secret not in seen.printed
    assert not [p for p in seen.output.rglob("*") if p.is_file() and secret.encode() in p.read_bytes()]
    assert "key.pem" not in (seen.folder / "report.json").read_text()


def test_what_holds_names_is_for_its_owner_alone(seen: Seen) -> None:
    control, run = seen.output / "_anonflow", seen.folder
    for folder in (control, control / "done", run):
        assert folder.stat().st_mode & 0o777 == 0o700, folder
    for name in ("ledger.parquet", "chains.jsonl"):
        assert (run / name).stat().st_mode & 0o777 == 0o600, name


def test_the_record_holds_and_is_found_out_when_it_does_not(seen: Seen) -> None:
    out, run, key = seen.output, seen.folder, f"public_key={seen.root / 'public.pem'}"
    code, printed = anonflow("verify", str(out), key)
    assert code == 0 and "holds" in printed and "hold    2" in printed, printed
    table = pq.read_table(run / "ledger.parquet")  # broken from here on, and the last test of this run
    assert table.num_rows == json.loads((run / "root.json").read_text())["ledger_rows"] == 4
    pq.write_table(table.slice(0, 3), run / "ledger.parquet")
    code, printed = anonflow("verify", str(out), key, "compare=false")
    assert code == 3 and "the row was removed" in printed and "not compared" in printed, printed
