"""Files that spoil a run: one at which a decoder crashes, and those at which a detector misbehaves."""

from __future__ import annotations

from tests.faults.bench import Bench, Finding, names_of
from tests.faults.faults import Fault
from tests.faults.kills import failed

DETECTOR = {
    "raises": "internal",
    "hangs": "chunk_timeout",
    "memory": "out_of_memory",
    "nan_box": "detector_output",
    "inf_box": "detector_output",
    "nan_score": "detector_output",
    "inf_score": "detector_output",
    "outside": "detector_output",
    "inside_out": "detector_output",
    "shape": "detector_output",
    "lengths": "detector_output",
    "label": "detector_output",
    "few": "detector_output",
    "many": "detector_output",
    "none": "detector_output",
}


def poisoned(bench: Bench, n_files: int = 100) -> list[Finding]:
    """One file of many at which the decoder takes its worker down, every time."""
    names = [*names_of(n_files - 1), "poison_3.mp4"]
    trial = bench.trial(names)
    code = trial.run(Fault("anonflow.pipeline.stages.detect:detect_chunk", "crash", "poison", times=10**6))
    found = trial.judge(
        f"one poisoned video among {n_files}", "segmentation fault at its decoding, every time",
        {"poison_3.mp4": "worker_crash"}, f"exit code {code}; crashed {trial.struck(0)} times",
    )  # fmt: skip
    return [found if code == 3 else failed(found)]


def detector(bench: Bench) -> list[Finding]:
    """A detector that misbehaves in every way, at a file each, beside files at which it does not."""
    bad = {f"detector_{kind}.mp4": reason for kind, reason in DETECTOR.items()}
    trial = bench.trial([*bad, *names_of(4)], "runtime.chunk_timeout_s=20")
    code = trial.run()
    found = trial.judge(
        "a detector that misbehaves",
        ", ".join(DETECTOR),
        bad,
        f"exit code {code}",
    )
    return [found if code == 3 else failed(found)]


def memory(bench: Bench) -> list[Finding]:
    """A mask task that needs more memory than its process may have, and one that the system kills for it."""
    names = [*names_of(4), "greedy_1.mp4", "killed_2.mp4"]
    trial = bench.trial(names)
    code = trial.run(
        Fault(
            "anonflow.pipeline.stages.mask:mask_chunk", "fail", "greedy", times=10**6,
            more={"error": ["MemoryError", []]},
        ),
        Fault("anonflow.pipeline.stages.mask:mask_chunk", "kill", "killed", times=10**6),
    )  # fmt: skip
    found = trial.judge(
        "out of memory", "a mask task that gets none, and one that is killed for what it takes",
        {"greedy_1.mp4": "out_of_memory", "killed_2.mp4": "worker_crash"}, f"exit code {code}",
    )  # fmt: skip
    return [found if code == 3 else failed(found)]
