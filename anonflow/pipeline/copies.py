"""Which frames of a video are copied instead of encoded: decided with its mask plan, and taken back if it fails.

A video whose copies do not survive the fidelity contract is encoded whole instead. That is written down before
anything of it is done, so that a task that is run again goes the same way.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from anonflow.pipeline.context import RunContext
from anonflow.pipeline.rows import Row
from anonflow.storage import read_if_there, write_json
from anonflow.tables import read_note
from anonflow.types import FrameIndex
from anonflow.video.copying import Groups, Run, plan_runs


@dataclass(frozen=True)
class Copies:
    """The frames of a video in runs, copied or encoded, and why none is copied, if that was wanted."""

    runs: tuple[Run, ...]
    set_id: int
    """Id of the encoder's parameter sets; 0: nothing is copied."""
    refusal: str
    is_taken_back: bool = False
    """There were to be copies, and segments were made with them; the segments without have names of their own."""

    @classmethod
    def none(cls, index: FrameIndex, refusal: str) -> Self:
        """Everything is encoded."""
        return cls((Run(0, index.n_frames, is_copied=False),), 0, refusal)

    @classmethod
    def of(cls, groups: Groups, is_hidden: Any, index: FrameIndex) -> Self:
        """Groups in which nothing is hidden are copied."""
        runs = plan_runs(groups, is_hidden)
        if not any(run.is_copied for run in runs):
            return cls.none(index, groups.refusal or "something is hidden in every group of pictures")
        return cls(runs, groups.encoder_set_id, "")

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """What `to_json` gave."""
        return cls(**{**value, "runs": tuple(Run(**run) for run in value["runs"])})

    def to_json(self) -> dict[str, Any]:
        """As a value that JSON can hold."""
        return asdict(self)

    @property
    def n_frames(self) -> int:
        """Number of frames that are copied."""
        return sum(run.n_frames for run in self.runs if run.is_copied)


def read_copies(row: Row, context: RunContext) -> Copies:
    """What holds for the row's video now."""
    plan = context.paths.mask_plan(row.video_id)
    refused = read_if_there(context.paths.copies_refused(plan))
    return Copies.from_json(read_note(plan)["copies"] if refused is None else json.loads(refused))


def refuse_copies(row: Row, context: RunContext, index: FrameIndex, refusal: str) -> Copies:
    """Write down that nothing of the row's video is to be copied, and why."""
    copies = replace(Copies.none(index, refusal), is_taken_back=True)
    write_json(context.paths.copies_refused(context.paths.mask_plan(row.video_id)), copies.to_json())
    return copies
