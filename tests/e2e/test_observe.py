"""A run as those see it who watch it: metrics, log lines, report page, lineage."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.media import Clip, make_clip
from tests.observe.scrapes import Scrape, free_port, scrape
from tests.runs import SMALL, start

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
    output: Path
    lineage: Path

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.printed.splitlines()]

    @property
    def folder(self) -> Path:
        (report,) = self.output.glob("_anonflow/*/report.json")
        return report.parent


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """A run over two videos and two files that are none."""
    root = tmp_path_factory.mktemp(SECRET)
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
    return Seen(code, printed, watcher, root / "out", root / "events.jsonl")


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
    start_event, complete = (json.loads(line) for line in seen.lineage.read_text().splitlines())
    assert (start_event["eventType"], complete["eventType"]) == ("START", "COMPLETE")
    facet = complete["run"]["facets"]["anonflow"]
    assert (facet["published"], facet["quarantined"], facet["runId"]) == (2, 2, seen.folder.name)
