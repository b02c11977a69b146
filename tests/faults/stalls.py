"""Time that goes wrong: processes that stop, libraries that hang, clocks that jump."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tests.faults.bench import Bench, Finding, names_of
from tests.faults.faults import Fault
from tests.faults.kills import at_work, failed
from tests.runs import wait_until

CLOCK = Path(__file__).parent / "plug" / "jumping_clock.c"


def hangs(bench: Bench) -> list[Finding]:
    """A chunk that is asleep, one that keeps the interpreter in C, one whose process is stopped."""
    names = {"asleep_1.mp4": "hang", "in_c_2.mp4": "hang_in_c", "stopped_3.mp4": "stop"}
    trial = bench.trial([*names_of(4), *names], "runtime.chunk_timeout_s=15")
    code = trial.run(
        *(Fault("anonflow.pipeline.stages.mask:mask_chunk", do, name, times=10**6) for name, do in names.items())
    )
    expected = dict.fromkeys(names, "chunk_timeout")
    found = trial.judge(
        "a chunk that hangs", "asleep; in C with the interpreter kept; its process stopped", expected,
        f"exit code {code}; time limit 15 s",
    )  # fmt: skip
    return [found if code == 3 else failed(found)]


def stopped_driver(bench: Bench, seconds: float = 60) -> list[Finding]:
    """The driver stands still for a minute."""
    trial = bench.trial(names_of(6))
    run = trial.start()
    wait_until(lambda: at_work(trial), run, 200)
    run.process.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    run.process.send_signal(signal.SIGCONT)
    code = trial.finish()
    found = trial.judge("the driver stopped", f"for {seconds:g} s", note=f"exit code {code}")
    return [found if code == 0 else failed(found)]


def stopped_for_a_while(bench: Bench, seconds: float = 30) -> list[Finding]:
    """All processes of the run stand still, as on a machine that is moved."""
    trial = bench.trial(names_of(6))
    run = trial.start()
    wait_until(lambda: at_work(trial), run, 200)
    everybody = [run.process.pid, *run.descendants()]
    for number in (signal.SIGSTOP, signal.SIGCONT):
        for pid in everybody:
            if Path(f"/proc/{pid}").exists():
                os.kill(pid, number)
        time.sleep(seconds if number == signal.SIGSTOP else 0)
    code = trial.finish()
    found = trial.judge("the whole run stopped", f"for {seconds:g} s", note=f"exit code {code}")
    return [found if code == 0 else failed(found)]


def clock(bench: Bench) -> list[Finding]:
    """The wall clock of every process of the run jumps a day ahead, then two days back."""
    compiler = shutil.which("cc")
    if compiler is None:
        return []
    trial = bench.trial(names_of(8))
    library, offset = trial.root / "clock.so", trial.root / "offset"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, CLOCK, "-ldl"], check=True)
    offset.write_text("0")
    run = trial.start(environment={"LD_PRELOAD": str(library), "JUMPING_CLOCK": str(offset)})
    wait_until(lambda: at_work(trial), run, 200)
    offset.write_text("86400")
    time.sleep(2)
    offset.write_text("-86400")
    code = trial.finish()
    again = trial.run()
    unchanged = sum(row["status"] == "unchanged" for row in trial.ledger().values())
    found = trial.judge(
        "the clock jumps", "a day ahead, two days back, in all processes; run again with the clock right",
        note=f"exit code {code}, then {again} with {unchanged} of 8 unchanged",
    )  # fmt: skip
    return [found if (code, again, unchanged) == (0, 0, 8) else failed(found)]


def starved(bench: Bench, limit_s: float = 20) -> list[Finding]:
    """Workers are killed whenever they begin, as where memory is so short that none gets as far as its task."""
    trial = bench.trial(names_of(6))
    begins = Fault("anonflow.pipeline.graph:_set_up_logs", "kill", times=10**6)
    code = trial.run(begins, more=(f"runtime.stall_timeout_s={limit_s:g}",))
    printed = trial.printed[-1]
    said = "Nothing has happened for" in printed and "same command again" in printed and "raylet" not in printed
    killed, again = trial.struck(0), trial.run()
    found = trial.judge(
        "workers that never begin", f"killed before their tasks, {killed} of them; then let live",
        note=f"exit code {code} after {limit_s:g} s in which nothing happened, then {again}",
    )  # fmt: skip
    return [found if (code, said, again) == (1, True, 0) and killed > 1 else failed(found)]
