from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from anonflow.config import AnonymizeConfig
from anonflow.jobs import sweeps
from anonflow.jobs.launch import DONE, launch
from anonflow.jobs.sweeps import Sweep, own_folder, sweeping
from anonflow.pipeline.interrupts import Interrupted
from tests.inline import anonymized
from tests.runs import SMALL, anonflow


class NoConnection:
    def __init__(self) -> None:
        self.wanted: list[Any] = []

    def be(self, runtime: Any) -> None:
        self.wanted.append(runtime.address)

    def end(self) -> None:
        self.wanted.append("ended")


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("cwd"))  # Hydra leaves its record of a sweep where it runs


def swept(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> list[AnonymizeConfig]:
    """The configurations of the runs of a command."""
    monkeypatch.setattr(sys, "argv", ["anonflow anonymize", *arguments])
    monkeypatch.setattr(sweeps, "Connection", NoConnection)
    runs: list[AnonymizeConfig] = []
    with sweeping() as sweep:
        sweep.connection = NoConnection()  # type: ignore[assignment]

        def job(config: AnonymizeConfig, _: object) -> int:
            runs.append(sweep.one_of(config))
            return DONE

        assert launch("anonymize", AnonymizeConfig, job) == DONE
    return runs


def test_each_run_of_a_sweep_has_a_folder_that_says_what_sets_it_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    swept_values = ["detector.face.threshold=0.3,0.5", "mask=solid,blur"]
    given = ["-m", "input=in", f"output={tmp_path}", *swept_values, "chunk.length_s=5"]
    outputs = [config.output for config in swept(monkeypatch, *given)]
    assert [Path(o).relative_to(tmp_path).as_posix() for o in outputs] == [
        "detector.face.threshold=0.3,mask=solid",
        "detector.face.threshold=0.3,mask=blur",
        "detector.face.threshold=0.5,mask=solid",
        "detector.face.threshold=0.5,mask=blur",
    ]


def test_runs_share_one_folder_of_detections(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    runs = swept(monkeypatch, "-m", "input=in", f"output={tmp_path}", "mask=solid,blur")
    (shared,) = {config.runtime.detections_dir for config in runs}
    assert shared is not None
    assert Path(shared).is_relative_to(tmp_path / "_anonflow")
    assert Path(shared).stat().st_mode & 0o777 == 0o700


def test_a_folder_that_the_user_names_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = tmp_path / "own"
    given = ["-m", "input=in", f"output={tmp_path}", "mask=solid,blur", f"runtime.detections_dir={own}"]
    assert {config.runtime.detections_dir for config in swept(monkeypatch, *given)} == {str(own)}


@pytest.mark.parametrize("output", ["{}/a,{}/b", "{}/${{hydra:job.num}}"])
def test_outputs_that_tell_the_runs_apart_are_taken_as_they_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, output: str
) -> None:
    output = output.format(tmp_path, tmp_path)
    more = [] if "," in output else ["mask=solid,blur"]
    outputs = [c.output for c in swept(monkeypatch, "-m", "input=in", f"output={output}", *more)]
    assert len(set(outputs)) == 2
    assert all(Path(o).parent == tmp_path for o in outputs)


def test_without_a_sweep_nothing_changes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (config,) = swept(monkeypatch, "input=in", f"output={tmp_path}")
    assert config.output == str(tmp_path) and config.runtime.detections_dir is None
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_would_be_too_long_ends_in_a_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    pattern = "x" * 200
    monkeypatch.setattr(sys, "argv", ["anonflow", f"input={pattern}1,{pattern}2"])
    names = {own_folder([f"input={pattern}{n}"]).name for n in (1, 2)}
    assert len(names) == 2 and all(len(name.encode()) <= 150 for name in names)


def test_an_interrupted_sweep_goes_no_further(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = ["-m", "input=in", f"output={tmp_path}", "mask=solid,blur,pixelate"]
    monkeypatch.setattr(sys, "argv", ["anonflow", *given])
    begun = []

    def job(*_: object) -> int:
        begun.append(1)
        raise Interrupted(signal.SIGINT)

    assert launch("anonymize", AnonymizeConfig, job) == 130
    assert len(begun) == 1


def test_what_a_sweep_shared_is_removed_at_its_end(tmp_path: Path) -> None:
    sweep = Sweep(NoConnection(), {tmp_path / "shared"})  # type: ignore[arg-type]
    (tmp_path / "shared").mkdir()
    sweep.forget()
    assert list(tmp_path.iterdir()) == []


def test_runs_of_a_sweep_detect_once_and_give_what_single_runs_give(sample: Path, tmp_path: Path) -> None:
    given = [f"input={sample}", *SMALL, "debug.mask_digests=true", "chunk.length_s=1"]
    margins = [f"mask.face.margin={value}" for value in (0.1, 0.4)]
    code, printed = anonflow("anonymize", "-m", *given, f"output={tmp_path}/all", "mask.face.margin=0.1,0.4")
    assert code == 0, printed
    anonymized(sample, tmp_path / "one", *given[1:], margins[1])
    runs = [next((tmp_path / "all" / margin).glob("_anonflow/2*")) for margin in margins]
    assert [report(run)["detected_chunks"] for run in runs] == [3, 0]
    assert digests(runs[1]) == digests(next((tmp_path / "one").glob("_anonflow/2*"))) != digests(runs[0])
    assert not (tmp_path / "all" / "_anonflow" / "sweep").exists(), "boxes outlive the sweep"


def report(run: Path) -> Any:
    (video,) = json.loads((run / "report.json").read_text())["videos"]
    return video


def digests(run: Path) -> list[str]:
    return list(pq.read_table(run / "mask_digests.parquet")["digest"].to_pylist())
