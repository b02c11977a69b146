"""Processes that are killed, at points that matter and at random ones; the driver, too."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from dataclasses import replace

from tests.faults.bench import Bench, Finding, Trial, names_of
from tests.faults.faults import Fault
from tests.runs import Run, wait_until

POINTS = {
    "a plan task, before its result": Fault("anonflow.pipeline.stages.plan:_write_index", "kill"),
    "a detector actor, at work": Fault("anonflow.pipeline.stages.detect:detect_chunk", "kill", when="after"),
    "the fan-in to stitch, after its claim": Fault("anonflow.pipeline.stages.stitch:_write_plan", "kill"),
    "a mask task, before its segment has its name": Fault(
        "anonflow.pipeline.stages.mask:mask_chunk", "kill", when="after"
    ),
    "the fan-in to join, after its claim": Fault("anonflow.pipeline.stages.join:_publish", "kill"),
    "join, before the output has its name": Fault("anonflow.pipeline.stages.join:require_fidelity", "kill"),
    "join, between the output's name and its marker": Fault("anonflow.pipeline.stages.join:write_done", "kill"),
    "join, after the marker": Fault("anonflow.pipeline.stages.join:end_source", "kill"),
}
DRIVER_POINTS = {
    "the driver, at its first outcome": Fault("anonflow.pipeline.ledger:Ledger.add", "kill"),
    "the driver, at its third": Fault("anonflow.pipeline.ledger:Ledger.add", "kill", skip=2),
    "the driver, between the last outcome and the ledger": Fault("anonflow.pipeline.ledger:Ledger.write", "kill"),
    "the driver, between the ledger and its seal": Fault("anonflow.pipeline.finish:seal", "kill"),
    "the driver, after the seal": Fault("anonflow.pipeline.finish:_clean_up", "kill"),
}


def workers(bench: Bench) -> list[Finding]:
    """A worker is killed at every point, each at another file of one run."""
    trial = bench.trial(names_of(len(POINTS)))
    faults = [
        Fault(p.at, p.do, match=f"{name}", when=p.when)
        for p, name in zip(POINTS.values(), trial.names, strict=True)
    ]
    code = trial.run(*faults)
    told = "Workers died at work" in trial.printed[-1] and "raylet" not in trial.printed[-1]
    missed = [point for number, point in enumerate(POINTS) if not trial.struck(number)]
    note = f"exit code {code}" + (f", never struck: {missed}" if missed else "")
    found = trial.judge("SIGKILL of a worker, once at each point", "; ".join(POINTS), note=note)
    return [found if code == 0 and told and not missed else failed(found)]


def driver(bench: Bench) -> list[Finding]:
    """The driver is killed at every point in turn, and run again; at last it may finish."""
    trial = bench.trial(names_of(5))
    codes = [trial.run(*_at_place(position, point)) for position, point in enumerate(DRIVER_POINTS.values())]
    code = trial.run()
    note = f"exit codes {codes}, then {code}"
    found = trial.judge("SIGKILL of the driver, then run again", "; ".join(DRIVER_POINTS), note=note)
    return [found if code == 0 and set(codes) == {-signal.SIGKILL} else failed(found)]


def at_random(bench: Bench, kills: int = 12, seed: int = 7) -> list[Finding]:
    """Any process of the run, the driver among them, again and again; then it may finish."""
    chance = random.Random(seed)
    trial, done, code = bench.trial(names_of(16)), 0, -1
    while done < kills and code != 0:
        run = trial.start()
        while done < kills and run.process.poll() is None:
            time.sleep(chance.uniform(0.5, 4))
            done += _kill_one(run, chance)
        code = trial.finish()
    n_runs = len(trial.runs)
    if code != 0:  # the driver was killed, or whoever was at work in too many killed workers
        code = trial.run()
    found = trial.judge(
        "SIGKILL of any process, at random",
        f"{done} kills, in {n_runs} runs",
        note=f"exit {code}",
    )
    return [found if code == 0 else failed(found)]


def signals(bench: Bench, numbers: tuple[signal.Signals, ...], seed: int = 3, rounds: int = 3) -> list[Finding]:
    """These signals one right after the other, at a random time of a run; then it is run again."""
    chance, trial, codes = random.Random(seed), bench.trial(names_of(6)), []
    for _ in range(rounds):
        before = len(trial.journals())
        run = trial.start()
        # All may be done by the rounds before, and the run over at once.
        wait_until(lambda: run.process.poll() is not None or len(trial.journals()) > before, run, 200)  # noqa: B023
        time.sleep(chance.uniform(0, 0.8 * bench.undisturbed_s(6)))
        if run.process.poll() is None:
            for number in numbers:
                run.process.send_signal(number)
                time.sleep(chance.uniform(0, 0.5))
        codes.append(trial.finish(60))
    # By the signal itself only if it came when all was done and the handlers were gone.
    clean = all(code in (0, 128 + numbers[0], -numbers[0]) for code in codes)
    loud = [printed for printed in trial.printed if "Traceback" in printed]
    sys.stderr.write("\n".join(loud))
    code = trial.run()
    names = " and ".join(number.name for number in numbers)
    note = f"exit codes {codes}, then {code}" + (", with a traceback" if loud else "")
    found = trial.judge(names, f"at {rounds} random times, then run again", note=note)
    return [found if clean and not loud and code == 0 else failed(found)]


def failed(found: Finding) -> Finding:
    """The finding, which is not well for a reason that its note says."""
    return replace(found, equal=False)


def _at_place(position: int, fault: Fault) -> list[Fault]:
    """The fault at that position of its run, so that it is counted apart from those of the runs before."""
    quiet = Fault("anonflow.pipeline.ledger:Ledger.reconcile", "kill", times=0)
    return [*[quiet] * position, fault]


def _kill_one(run: Run, chance: random.Random) -> int:
    """Once there are workers, kill one of them, or one time of ten the driver; how many were killed."""
    alive = [pid for pid in run.descendants("ray::") if pid != os.getpid()]
    if not alive:
        return 0
    victim = run.process.pid if chance.random() < 0.1 else chance.choice(sorted(alive))
    if victim == run.process.pid and run.process.poll() is not None:
        return 0
    try:
        os.kill(victim, signal.SIGKILL)
    except ProcessLookupError:
        return 0
    return 1


def at_work(trial: Trial, pattern: str = "tracks/*/*/*.npz") -> bool:
    """Whether the run has written results of that kind."""
    return bool(list((trial.control / "work").glob(pattern)))
