"""The process that reads what the fuzzer made: a question a line on its input, an answer a line on its output."""

from __future__ import annotations

import hashlib
import json
import resource
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from anonflow.config import LimitsConfig
from anonflow.errors import AnonflowError
from anonflow.types import FrameIndex
from anonflow.video.damage import mark_damage
from anonflow.video.probe import probe
from tests.corpus.frames import cuts, in_range

MEMORY_LIMIT_BYTES = 4 << 30
LIMITS = LimitsConfig(1 << 24, 256, 2_678_400.0, 20_000, 60.0)

Digests = list[tuple[int, str]]


class ChunksDifferError(Exception):
    """What is read in chunks is not what is read at once."""


def main() -> None:
    """Answer until the input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    for line in sys.stdin:
        question = json.loads(line)
        sys.stdout.write(
            json.dumps(answer(Path(question["path"]), Path(question["whole"]), question["seed"])) + "\n"
        )
        sys.stdout.flush()


def answer(path: Path, whole: Path, seed: int) -> dict[str, Any]:
    """What came of the file under each policy, and whether anything failed that must not."""
    found: dict[str, Any] = {}
    for policy, read in (("strict", _strict), ("hiding", _hiding)):
        try:
            found[policy] = _read(path, read(path), _sound(whole), seed)
        except AnonflowError as error:
            found[policy] = error.reason
        except ChunksDifferError as error:
            found["failure"] = f"{policy}: {error}"
        except Exception as error:  # noqa: BLE001  # to be told, whatever it is
            found["failure"] = f"{policy}: {type(error).__name__}: {error}"[:300]
    return found


def _strict(path: Path) -> FrameIndex:
    return probe(path, LIMITS)


def _hiding(path: Path) -> FrameIndex:
    return mark_damage(path, probe(path, LIMITS, keeps_damaged=True))


def _read(path: Path, index: FrameIndex, sound: Digests, seed: int) -> str:
    """`same`, `fewer` or `differs`, of the frames that are shown.

    `unstable`: chunks differ from the whole, which is wrong itself, of damage that nobody noticed: what it spoils
    depends on where decoding begins. That chunks differ where the whole is right must never be.
    """
    n_frames, shown = index.n_frames, _digests(path, index, 0, index.n_frames)
    for start, stop in list(cuts(n_frames, seed))[:: max(1, n_frames // 24)]:
        if _digests(path, index, start, stop) != shown[start:stop]:
            if set(shown[start:stop]) <= set(sound):
                raise ChunksDifferError(f"frames {start} to {stop} of {n_frames}")
            return "unstable"
    kept = [frame for number, frame in enumerate(shown) if number not in set(index.damaged.tolist())]
    if not set(kept) <= set(sound):
        return "differs"
    return "same" if kept == sound else "fewer"


def _digests(path: Path, index: FrameIndex, start: int, stop: int) -> Digests:
    return [(pts, hashlib.sha256(content).hexdigest()) for pts, content in in_range(path, index, start, stop)]


@lru_cache(maxsize=256)
def _sound(whole: Path) -> Digests:
    index = probe(whole)
    return _digests(whole, index, 0, index.n_frames)


if __name__ == "__main__":
    main()
