"""Make a sample video and anonymise it: `anonflow demo [folder=FOLDER] [KEY=VALUE ...]`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
from rich.console import Console
from rich.text import Text

from anonflow.config import AnonymizeConfig
from anonflow.demo.scene import FRAME_RATE, HEIGHT, N_FRAMES, WIDTH, frames, portrait
from anonflow.jobs.launch import DONE, QUARANTINED, launch
from anonflow.pipeline.interrupts import leave
from anonflow.pipeline.run import anonymize
from anonflow.storage import written_whole
from anonflow.summary import print_summary
from anonflow.video.clip import picture_at, write_clip, write_side_by_side
from anonflow.video.probe import probe

_SHOWN_FRAME = N_FRAMES // 3


@dataclass(frozen=True)
class DemoConfig(AnonymizeConfig):
    """A run on the sample."""

    folder: str


def main() -> int:
    """Run the job on the command line's overrides; give the exit code."""
    return int(launch("demo", DemoConfig, _run))


def _run(config: DemoConfig, console: Console) -> int:
    sample, out = Path(config.input), Console()
    if not sample.exists():
        with written_whole(sample) as partial:
            write_clip(partial, frames(portrait()), (WIDTH, HEIGHT), FRAME_RATE)
    summary = anonymize(config, console)
    print_summary(summary, out)
    if summary.totals.quarantined:
        return int(QUARANTINED)
    result = Path(pq.read_table(summary.ledger)["output_uri"][0].as_py())
    picture = Path(config.folder) / "before_after.png"
    write_side_by_side(picture, *(picture_at(path, probe(path), _SHOWN_FRAME) for path in (sample, result)))
    for name, path in (("sample", sample), ("result", result), ("before/after", picture)):
        out.print(Text(f"{name:<14}{path.absolute()}"), soft_wrap=True)
    return int(DONE)


if __name__ == "__main__":
    leave(main())
