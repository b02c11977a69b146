"""Machines are told apart by what their processes say of themselves, so one process can play several."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from anonflow.claims import create_exclusive
from anonflow.errors import ConfigError, LeaseLostError
from anonflow.pipeline import lease as lease_module
from anonflow.pipeline.lease import Holder, Lease, current_claim, held, live_holder, output_lease, work_lease
from anonflow.pipeline.process import Process

FAST_S = 0.6


def written_by(folder: Path, holder: Holder, number: int = 7) -> None:
    """A lease file that somebody left."""
    assert create_exclusive(folder / f"{number:06d}.json", holder.to_bytes())


def elsewhere(**values: Any) -> Holder:
    """Somebody on another machine."""
    process = Process("other-host", 4711, "another boot pid:[1]", 99)
    return Holder("run-there", process, "2026-01-01T00:00:00+00:00", **values)


def here_but_gone() -> Holder:
    own = Holder.own("run-killed")
    return replace(own, process=replace(own.process, started_ticks=own.process.started_ticks - 1))


def numbers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def in_thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_a_folder_that_nobody_held_is_taken_and_given_back(tmp_path: Path) -> None:
    with held([tmp_path], "run1", 30) as hold:
        hold.check()
        hold.confirm()
        claim = current_claim(tmp_path)
        assert claim and claim.number == 1 and claim.holder and claim.holder.run_id == "run1" and not claim.is_free
    claim = current_claim(tmp_path)
    assert claim and claim.is_free
    with held([tmp_path], "run2", 30):
        assert numbers(tmp_path) == ["000002.json"], "the number before is not needed any more"


def test_a_run_of_this_machine_is_refused_at_once_and_named(tmp_path: Path) -> None:
    with held([tmp_path], "run1", 3600), pytest.raises(ConfigError) as refused, held([tmp_path], "run2", 3600):
        raise AssertionError
    assert all(word in str(refused.value) for word in ("Another run is using", "run1", str(os.getpid()), "since"))


def test_a_killed_process_of_this_machine_holds_nothing(tmp_path: Path) -> None:
    written_by(tmp_path, here_but_gone())
    with held([tmp_path], "run2", 3600):
        assert numbers(tmp_path) == ["000008.json"]


def test_another_machine_that_stands_still_is_dead_after_the_lease_and_not_before(tmp_path: Path) -> None:
    written_by(tmp_path, elsewhere())
    begun = time.monotonic()
    with held([tmp_path], "run2", FAST_S):
        assert time.monotonic() - begun >= FAST_S
        assert numbers(tmp_path) == ["000008.json"]


def test_another_machine_that_counts_is_alive(tmp_path: Path) -> None:
    written_by(tmp_path, elsewhere())
    path = tmp_path / "000007.json"
    in_thread(lambda: (time.sleep(0.1), path.write_bytes(elsewhere(beat=1).to_bytes()), None)[-1])
    with pytest.raises(ConfigError, match="run-there on other-host, process 4711"), held([tmp_path], "run2", 5):
        raise AssertionError


def test_times_of_day_decide_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a clock that jumps nor one that is years off makes a run dead, or alive."""
    jumps = iter(range(10**9, 10**12, 10**7))
    monkeypatch.setattr(time, "time", lambda: float(next(jumps)))
    written_by(tmp_path, elsewhere())
    os.utime(tmp_path / "000007.json", (0, 0))
    assert live_holder(tmp_path, FAST_S) is None
    with held([tmp_path], "run1", FAST_S):
        os.utime(tmp_path / "000008.json", (0, 0))
        holder = live_holder(tmp_path, FAST_S)
        assert holder and holder.run_id == "run1"


def test_the_owner_counts(tmp_path: Path) -> None:
    with held([tmp_path], "run1", FAST_S):
        seen = set()
        until = time.monotonic() + 20
        while len(seen) < 3 and time.monotonic() < until:
            claim = current_claim(tmp_path)
            if claim and claim.holder:
                seen.add(claim.holder.beat)
            time.sleep(0.05)
    assert len(seen) == 3


def test_an_owner_that_was_taken_for_dead_is_stopped_wherever_it_is(tmp_path: Path) -> None:
    with pytest.raises(LeaseLostError, match="took over"), held([tmp_path], "run1", FAST_S):
        written_by(tmp_path, elsewhere(), number=2)
        time.sleep(60)
    assert numbers(tmp_path) == ["000001.json", "000002.json"]
    claim = current_claim(tmp_path)
    assert claim and claim.holder == elsewhere(), "what is another's is not released"


def test_the_check_tells_of_the_loss_too(tmp_path: Path) -> None:
    """Outside of the main thread, nobody can be interrupted."""
    told: list[BaseException] = []

    def run() -> None:
        try:
            with held([tmp_path], "run1", FAST_S) as hold:
                written_by(tmp_path, elsewhere(), number=2)
                while True:
                    hold.check()
                    time.sleep(0.02)
        except LeaseLostError as error:
            told.append(error)

    in_thread(run).join(timeout=20)
    assert len(told) == 1


def test_signals_are_as_they_were(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGUSR2)
    with held([tmp_path], "run1", 30):
        assert signal.getsignal(signal.SIGUSR2) is not before
    assert signal.getsignal(signal.SIGUSR2) is before


def test_all_folders_or_none(tmp_path: Path) -> None:
    output, work = tmp_path / "a", tmp_path / "b"
    with held([work], "run1", 30), pytest.raises(ConfigError), held([output, work], "run2", 30):
        raise AssertionError
    claim = current_claim(output)
    assert claim and claim.is_free


def test_of_many_who_take_over_one_succeeds(tmp_path: Path) -> None:
    """Each in a process of its own, all at once, over a lease that a dead process left."""
    written_by(tmp_path, here_but_gone())
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom anonflow.errors import ConfigError\n"
        "from anonflow.pipeline.lease import held\nprint('ready', flush=True); sys.stdin.readline()\n"
        "try:\n with held([Path(sys.argv[1])], sys.argv[2], 30):\n"
        "  print('held', flush=True); sys.stdin.readline()\n"
        "except ConfigError:\n print('refused', flush=True)\n"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path), f"run{n}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(4)
    ]
    streams = [(run.stdin, run.stdout) for run in runs if run.stdin and run.stdout]
    assert all(out.readline() == "ready\n" for _, out in streams)
    for given, _ in streams:
        given.write("\n")
        given.flush()
    said = sorted(out.readline() for _, out in streams)
    for run in runs:
        run.communicate("\n", timeout=30)
    assert said == ["held\n", "refused\n", "refused\n", "refused\n"]


def test_one_that_came_late_does_not_take_a_number_that_has_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looked before another took the lease, gave it back, and a third took it and removed the numbers before."""
    written_by(tmp_path, replace(elsewhere(), is_released=True))
    real, done = create_exclusive, []

    def late(path: Path, content: bytes) -> bool:
        if not done:
            done.append(path)
            (tmp_path / "000007.json").unlink()
            written_by(tmp_path, Holder.own("third"), number=9)
        return real(path, content)

    monkeypatch.setattr(lease_module, "create_exclusive", late)
    with pytest.raises(ConfigError, match="third"):
        Lease.take(tmp_path, "late", 30)


def test_storage_that_stands_still_for_a_while_costs_no_lease(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = []

    def fails(path: Path, content: bytes) -> None:
        failures.append(path)
        raise OSError("gone for a moment")

    with held([tmp_path], "run1", FAST_S) as hold:
        monkeypatch.setattr(lease_module, "write_bytes", fails)
        while len(failures) < 2:
            time.sleep(0.02)
        hold.check()
        monkeypatch.undo()
    claim = current_claim(tmp_path)
    assert claim and claim.is_free


def test_a_file_that_cannot_be_read_is_waited_for(tmp_path: Path) -> None:
    tmp_path.joinpath("000003.json").write_text("{")
    assert current_claim(tmp_path) and live_holder(tmp_path, FAST_S) is None
    with held([tmp_path], "run1", FAST_S):
        assert numbers(tmp_path) == ["000004.json"]


def test_a_lease_file_holds_no_paths(tmp_path: Path) -> None:
    with held([tmp_path], "run1", 30):
        value = json.loads((tmp_path / "000001.json").read_bytes())
    assert set(value) == {"run_id", "process", "since", "beat", "is_released"}
    assert str(tmp_path) not in json.dumps(value)


def test_a_work_folder_inside_of_an_output_shares_its_lease(tmp_path: Path) -> None:
    control = tmp_path / "out" / "_anonflow"
    control.mkdir(parents=True)
    assert output_lease(tmp_path / "out") == work_lease(control / "work") == control / "lease"
    assert work_lease(tmp_path / "out") == control / "lease", "another run's output"
    assert work_lease(tmp_path / "work") == tmp_path / "work" / "lease"


def test_a_loss_is_found_by_looking_before_the_next_beat(tmp_path: Path) -> None:
    with held([tmp_path], "run1", 3600) as hold:
        written_by(tmp_path, elsewhere(), number=2)
        hold.check()
        with pytest.raises(LeaseLostError):
            hold.confirm()
