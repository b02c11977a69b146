"""Chunking changes nothing: the same masks on the same frames at the same times, whatever the cuts."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from anonflow.video.probe import probe
from tests.runs import SMALL, anonflow


def test_one_chunk_and_many_give_the_same_masks_and_timestamps(sample: Path, tmp_path: Path) -> None:
    whole = _run(sample, tmp_path / "whole", "chunk.length_s=100")
    cut = _run(sample, tmp_path / "cut", "chunk.length_s=0.5", "chunk.overlap_frames=3")
    assert whole.num_rows == cut.num_rows == probe(sample).n_frames
    assert len(set(whole["digest"].to_pylist())) == whole.num_rows
    assert whole.equals(cut)
    pts = [probe(tmp_path / name / sample.name).pts.tolist() for name in ("whole", "cut")]
    assert pts[0] == pts[1]


def _run(sample: Path, output: Path, *overrides: str) -> pq.ParquetFile:
    code, printed = anonflow(
        "anonymize", f"input={sample}", f"output={output}", "debug.mask_digests=true", *SMALL, *overrides
    )
    assert code == 0, printed
    return pq.read_table(next(output.glob("_anonflow/*/mask_digests.parquet")))
