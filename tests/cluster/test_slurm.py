"""The Slurm script, run: `srun` and `scontrol` are stand-ins, the two nodes and the run are real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from tests.cluster.files import CLUSTER
from tests.clusters import free_port
from tests.media import make_clip
from tests.runs import MARK, files_below, marked

pytestmark = pytest.mark.slow

# Runs what comes after its own options here; each node has a temporary folder of its own, as machines have.
SRUN = """#!/bin/bash
node=all
while [[ $1 == --* ]]; do [[ $1 == --nodelist=* ]] && node=${1#*=}; shift; done
printf '%s\\n' "$node: $*" >> "$CALLS"
if [[ $1 == rm ]]; then exec rm -rf "$3"-one "$3"-two; fi
for word; do
  [[ $word == --temp-dir=* ]] && word=$word-$node
  words+=("$word")
done
exec "${words[@]}"
"""
PROGRAMS = {
    "srun": SRUN,
    "scontrol": "#!/bin/bash\nprintf 'one\\ntwo\\n'\n",
    "hostname": "#!/bin/bash\necho '127.0.0.1 '\n",
    "ray": f"#!/bin/bash\nexec {sys.executable} -c 'from ray.scripts.scripts import main; main()' \"$@\"\n",
    "anonflow": f'#!/bin/bash\nexec {sys.executable} -m anonflow.cli "$@"\n',
}
ARGUMENTS = ["detector=faces", "detector.face.long_side_px=128", "video.preset=ultrafast", "video.crf=20"]


class Job:
    """The script as Slurm runs it: in the folder that it was submitted from, with Slurm's variables."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        programs = folder / "venv" / "bin"
        programs.mkdir(parents=True)
        for name, text in PROGRAMS.items():
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        self.folder, self.mark, self.number = folder, uuid.uuid4().hex, str(free_port() * 1000 + os.getpid() % 1000)
        self.calls = folder / "calls"
        environment = {
            "SLURM_JOB_NODELIST": "node[1-2]",
            "SLURM_JOB_ID": self.number,
            "SLURM_CPUS_PER_TASK": "2",
            "ANONFLOW_VENV": str(folder / "venv"),
            "CALLS": str(self.calls),
            "XDG_CACHE_HOME": str(Path.home() / ".cache"),
            "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
            MARK: self.mark,
        }
        self.process = subprocess.Popen(
            ["bash", CLUSTER / "slurm.sbatch", *arguments],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | environment,
            start_new_session=True,
        )

    def end(self, timeout_s: float = 240) -> tuple[int, str]:
        printed, _ = self.process.communicate(timeout=timeout_s)
        return self.process.returncode, printed

    def left_over(self, timeout_s: float = 60) -> list[str]:
        """Processes and files of the job that are still there after some time for them to go."""
        until = time.monotonic() + timeout_s
        while marked(self.mark) and time.monotonic() < until:
            time.sleep(0.2)
        processes = [Path(f"/proc/{pid}/cmdline").read_text() for pid in marked(self.mark)]
        files = [*self.folder.glob(".anonflow-*"), *Path("/tmp").glob(f"ray-{self.number}*")]
        return processes + [str(path) for path in files]


def submit(folder: Path, clips: int = 1) -> Job:
    (folder / "in").mkdir()
    for number in range(clips):
        make_clip(folder / "in" / f"{number}.mp4")
    return Job(folder, f"input={folder / 'in'}", f"output={folder / 'out'}", "chunk.length_s=0.4", *ARGUMENTS)


def test_two_nodes_do_the_run_and_nothing_is_left_of_them(tmp_path: Path) -> None:
    job = submit(tmp_path)
    code, printed = job.end()
    assert code == 0, printed
    assert (tmp_path / "out" / "0.mp4").exists()
    calls = job.calls.read_text()
    assert "one: ray start --block" in calls and "two: ray start --block" in calls
    assert "--num-cpus=2" in calls and "ray stop" not in calls
    assert job.left_over() == []


def test_a_job_that_is_cancelled_ends_cleanly(tmp_path: Path) -> None:
    job = submit(tmp_path, clips=4)
    until = time.monotonic() + 150
    while not list(tmp_path.glob("out/_anonflow/work/tracks/*/*/*.npz")):
        assert job.process.poll() is None, job.end()
        assert time.monotonic() < until
        time.sleep(0.1)
    job.process.send_signal(signal.SIGTERM)
    code, printed = job.end()
    assert code == 143, printed
    assert not {name for name in files_below(tmp_path / "out") if not name.startswith("_anonflow/")}
    assert job.left_over() == []


def test_a_slip_in_the_configuration_is_told_before_a_node_is_started(tmp_path: Path) -> None:
    job = Job(tmp_path, f"input={tmp_path}", f"output={tmp_path / 'out'}", "nonsense=1")
    code, printed = job.end()
    assert code == 2 and "nonsense" in printed and not job.calls.exists(), printed
    assert job.left_over() == []
