"""Folders as `anonflow evaluate` writes them, with made-up counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from anonflow.evaluate.results import ITEMS


def written(folder: Path, found: Any, masked: Any = None, frames_per_cpu_s: float | None = 10.0) -> Path:
    """One label; videos of 100 object-frames and 100 frames."""
    folder.mkdir(parents=True)
    rows = [
        dict.fromkeys(ITEMS.names, 0)
        | {"item_id": f"v{n}", "name": None, "group": None, "kind": "video", "label": "face", "frames": 100}
        | {"object_frames": 100, "found": int(hit), "leaking_frames": 100 - int(hit), "objects": 2}
        | {"over_mask_frames": float(0 if masked is None else masked[n])}
        for n, hit in enumerate(found)
    ]
    pq.write_table(pa.Table.from_pylist(rows, ITEMS), folder / "items.parquet")
    (folder / "metrics.json").write_text(json.dumps({"speed": {"frames_per_cpu_s": frames_per_cpu_s}}))
    return folder
