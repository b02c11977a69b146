"""Storage that gives out: full, read-only, removed, replaced, while a run is at work."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.bench import Bench, Finding, Trial, names_of
from tests.faults.faults import Fault
from tests.faults.kills import at_work, failed
from tests.media import Clip, make_clip
from tests.runs import wait_until

BEFORE_MASK = "anonflow.pipeline.stages.mask:mask"


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of that size at `folder`. Raises OSError where mounting is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=False).returncode:
        raise OSError("mounting is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def work_full(bench: Bench) -> list[Finding]:
    """A work folder with room for a part only; then with room for all."""
    trial = bench.trial(names_of(5))
    work = trial.root / "work"
    more = (f"runtime.work_dir={work}",)
    with small_disk(work, "160k"):
        first = trial.run(more=more)
        reasons = {row["reason"] for row in trial.ledger().values() if row["status"] == "quarantined"}
        subprocess.run(["mount", "-o", "remount,size=50m", work], check=True)
        code = trial.run(more=more)
        left = [path for path in work.rglob("*") if path.is_file() and path.parent.name != "lease"]
    note = f"exit code {first}, reasons {sorted(reasons)}, then {code}; {len(left)} files left in the work folder"
    found = trial.judge("work folder full", "room for a part; then space is freed and the run repeated", note=note)
    return [found if (first, code) == (3, 0) and reasons == {"no_space"} and not left else failed(found)]


def work_freed(bench: Bench) -> list[Finding]:
    """A full work folder in which space becomes free while the run is at work: nothing ends twice."""
    trial = bench.trial(names_of(8))
    work = trial.root / "work"
    more = (f"runtime.work_dir={work}",)
    with small_disk(work, "20m"):
        ballast = work / "ballast"
        ballast.write_bytes(b"x" * ((20 << 20) - (200 << 10)))
        run = trial.start(Fault(BEFORE_MASK, "wait", times=10**6, more={"file": "go"}), more=more)
        while not trial.struck(0) and run.process.poll() is None:
            time.sleep(0.2)
        ballast.unlink()
        (trial.counts / "go").touch()
        first = trial.finish()
        quarantined = {n: r["reason"] for n, r in trial.ledger().items() if r["status"] == "quarantined"}
        halfway = trial.judge("", "", dict.fromkeys(quarantined, "no_space"))
        code = trial.run(more=more)
    note = f"exit code {first}, {len(quarantined)} quarantined, then {code}"
    found = trial.judge("work folder full for a while", "space is freed during the run; run again", note=note)
    return [found if code == 0 and halfway.is_well else failed(found)]


def output_full(bench: Bench) -> list[Finding]:
    """An output with room for a part; then with room for all."""
    trial = bench.trial(names_of(5))
    more = (f"runtime.work_dir={trial.root / 'work'}",)
    with small_disk(trial.output, "90k"):
        first = trial.run(more=more)
        quarantined = {n: r["reason"] for n, r in trial.ledger().items() if r["status"] == "quarantined"}
        halfway = trial.judge("", "", dict.fromkeys(quarantined, "no_space")) if quarantined else None
        subprocess.run(["mount", "-o", "remount,size=50m", trial.output], check=True)
        code = trial.run(more=more)
        note = f"exit code {first}, {len(quarantined)} quarantined, then {code}"
        found = trial.judge("output full", "room for a part; then space is freed and the run repeated", note=note)
    is_well = code == 0 and (halfway is None or halfway.is_well)
    return [found if is_well else failed(found)]


def inputs(bench: Bench) -> list[Finding]:
    """Inputs that are removed, replaced and cut off between planning and masking."""
    trial = bench.trial([*names_of(3), "removed_1.mp4", "replaced_2.mp4", "cut_3.mp4"])
    run = trial.start(Fault(BEFORE_MASK, "wait", times=10**6, more={"file": "go"}))
    wait_until(lambda: at_work(trial, "plan/*/*.parquet") and trial.struck(0), run, 200)
    (trial.input / "removed_1.mp4").unlink()
    for name in ("replaced_2.mp4", "cut_3.mp4"):
        (trial.input / name).unlink()  # the clips are links to those of the bench
    make_clip(trial.input / "replaced_2.mp4", Clip(n_frames=30, width=128))
    (trial.input / "cut_3.mp4").write_bytes(bench.clip("cut_3.mp4").read_bytes()[:3000])
    (trial.counts / "go").touch()
    code = trial.finish()
    reasons = "missing|unreadable|source_changed|damaged|not_a_video|storage|fidelity|unsupported|timestamps"
    expected = dict.fromkeys(("removed_1.mp4", "replaced_2.mp4", "cut_3.mp4"), reasons)
    said = {n: r["reason"] for n, r in trial.ledger().items() if n in expected}
    found = trial.judge(
        "inputs that change", "one removed, one replaced, one cut off, during the run", expected,
        f"exit code {code}; {said}",
    )  # fmt: skip
    return [found if code == 3 else failed(found)]


def work_removed(bench: Bench) -> list[Finding]:
    """The work folder is removed while the run is at work; then the run is repeated."""
    trial = bench.trial(names_of(5))
    run = trial.start(Fault(BEFORE_MASK, "wait", times=10**6, more={"file": "go"}))
    wait_until(lambda: at_work(trial, "plan/*/*.parquet") and trial.struck(0), run, 200)
    _remove(trial.control / "work", trial)
    (trial.counts / "go").touch()
    first = trial.finish()
    quarantined = {n: r["reason"] for n, r in trial.ledger().items() if r["status"] == "quarantined"}
    halfway = trial.judge("", "", quarantined)
    code = trial.run()
    note = f"exit code {first}, reasons {sorted(set(quarantined.values()))}, then {code}"
    found = trial.judge("work folder removed", "during the run; the run repeated", note=note)
    return [found if (first, code) == (3, 0) and halfway.is_well else failed(found)]


def _remove(folder: Path, trial: Trial) -> None:
    """All at once, as the run goes on writing into it."""
    gone = trial.root / "gone"
    folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def output_removed(bench: Bench) -> list[Finding]:
    """The output folder, control folder included, is removed while the run is at work; the run is repeated."""
    trial = bench.trial(names_of(5))
    run = trial.start(Fault(BEFORE_MASK, "wait", times=10**6, more={"file": "go"}))
    wait_until(lambda: at_work(trial, "plan/*/*.parquet") and trial.struck(0), run, 200)
    _remove(trial.output, trial)
    (trial.counts / "go").touch()
    first = trial.finish()
    silent = "Traceback" not in trial.printed[-1]
    code = trial.run()
    note = f"exit code {first}{'' if silent else ' with a traceback'}, then {code}"
    found = trial.judge("output folder removed", "during the run; the run repeated", note=note)
    return [found if code == 0 and first in (1, 3) else failed(found)]


def read_only(bench: Bench) -> list[Finding]:
    """The output becomes read-only while the run is at work; then writable again, and the run is repeated."""
    trial = bench.trial(names_of(5))
    more = (f"runtime.work_dir={trial.root / 'work'}",)
    with small_disk(trial.output, "50m"):
        run = trial.start(Fault(BEFORE_MASK, "wait", times=10**6, more={"file": "go"}), more=more)
        wait_until(lambda: trial.struck(0), run, 200)
        busy = subprocess.run(
            ["mount", "-o", "remount,ro", trial.output], check=False, capture_output=True
        ).returncode
        if busy:  # a file is open for writing there, as the journal is
            for folder in [trial.output, *trial.output.rglob("*")]:
                if folder.is_dir():
                    subprocess.run(["chattr", "+i", folder], check=False, capture_output=True)
        (trial.counts / "go").touch()
        first = trial.finish()
        if busy:
            for folder in [trial.output, *trial.output.rglob("*")]:
                if folder.is_dir():
                    subprocess.run(["chattr", "-i", folder], check=False, capture_output=True)
        else:
            subprocess.run(["mount", "-o", "remount,rw", trial.output], check=True)
        silent = "Traceback" not in trial.printed[-1]
        code = trial.run(more=more)
        how = "folders immutable" if busy else "remounted"
        note = f"{how}; exit code {first}{'' if silent else ' with a traceback'}, then {code}"
        found = trial.judge("output read-only", "during the run; then writable, and the run repeated", note=note)
    return [found if code == 0 and first in (1, 3) else failed(found)]


def object_store(bench: Bench) -> list[Finding]:
    """Ray's object store filled to the brim by somebody else, and more."""
    trial = bench.trial(names_of(8))
    code = trial.run(
        Fault("anonflow.pipeline.stages.mask:mask", "fill_object_store", more={"mebibytes": 160}),
    )
    found = trial.judge(
        "object store full",
        "160 MiB held in a store of 80",
        note=f"exit code {code}",
    )
    return [found if code == 0 else failed(found)]
