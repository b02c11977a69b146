"""A process that dies before any of its steps on storage: the next one goes on, and the result is the same.

Every opening for writing, rename, link, removal and new folder is a step. In a child of its own, the stages run
until the step at which it is killed; then they are run again, by the same run (a task that is tried again) or by
another (the same command given again).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anonflow.types import Status
from tests.media import Clip
from tests.pipeline.worlds import FixedDetector, World, published_files, run_all, use_detector

STEPS = ("open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree")
CLIP = Clip(n_frames=20, audio=("aac",))


class Steps:
    """Counts the steps of this process below a folder, and ends it before one of them."""

    def __init__(self, root: Path, last: int | None) -> None:
        self.n, self._root, self._last = 0, str(root), last
        sys.addaudithook(self._look)

    def _look(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in STEPS or not str(arguments[0]).startswith(self._root):
            return
        if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return
        self.n += 1
        if self.n == self._last:
            os.kill(os.getpid(), signal.SIGKILL)


def in_child(work: Callable[[], int]) -> int:
    """Exit code of `work` in a child process, negative if a signal ended it. An audit hook cannot be taken back."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(min(work(), 250))
        except BaseException:  # noqa: BLE001  # a child must not go on with the tests of its parent
            os._exit(251)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def through_all_stages(world: World, run_id: str, last: int | None = None) -> int:
    """Run the world's source to its end, or to a step; how many steps it took."""

    def work() -> int:
        steps = Steps(world.output, last)
        (outcome,) = run_all(world.rows(), world.context(run_id))
        assert outcome.status in (Status.PUBLISHED, Status.UNCHANGED), outcome
        return steps.n

    return in_child(work)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], int]:
    """What an undisturbed run publishes, and the number of its steps."""
    with pytest.MonkeyPatch.context() as patch:
        use_detector(patch, FixedDetector())
        world = World.make(tmp_path_factory.mktemp("undisturbed"))
        world.clip(clip=CLIP)
        n_steps = through_all_stages(world, "run1")
        return published(world), n_steps


@pytest.fixture
def _detector(monkeypatch: pytest.MonkeyPatch) -> None:
    use_detector(monkeypatch, FixedDetector())


def published(world: World) -> dict[str, bytes]:
    return {name: (world.output / name).read_bytes() for name in published_files(world.output)}


def try_steps(root: Path, undisturbed: tuple[dict[str, bytes], int], every: int, next_run: str) -> None:
    """Die at every so-many-th step, and go on as `next_run`."""
    expected, n_steps = undisturbed
    assert 40 < n_steps < 250
    for last in range(1 + n_steps % every, n_steps + 1, every):
        folder = root / str(last)
        folder.mkdir()
        world = World.make(folder)
        world.clip(clip=CLIP)
        assert through_all_stages(world, "run1", last) == -signal.SIGKILL, f"no step {last}"
        after_death = published(world)
        assert after_death in ({}, expected), f"partial after step {last}"
        assert through_all_stages(world, next_run) < 250, f"not mended after step {last}"
        assert published(world) == expected, f"not the same after step {last}"


@pytest.mark.usefixtures("_detector")
@pytest.mark.parametrize("next_run", ["run1", "run2"])
def test_a_death_before_some_steps(tmp_path: Path, undisturbed: Any, next_run: str) -> None:
    try_steps(tmp_path, undisturbed, 37, next_run)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("_detector")
@pytest.mark.parametrize("next_run", ["run1", "run2"])
def test_a_death_before_every_step(tmp_path: Path, undisturbed: Any, next_run: str) -> None:
    try_steps(tmp_path, undisturbed, 1, next_run)


def test_the_steps_are_all_there_are(undisturbed: Any) -> None:
    """If a stage wrote in another way, its steps would not be counted, and nothing would be tried there."""
    files, n_steps = undisturbed
    assert list(files) == ["clip.mp4"] and n_steps > 40
