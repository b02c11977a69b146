"""Chunking changes nothing: the same masks on the same frames at the same times, whatever the cuts."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from anonflow.video.probe import probe
from tests.inline import anonymized
from tests.runs import SMALL, anonflow

ARGUMENTS = ("debug.mask_digests=true", *SMALL)


def test_chunks_in_ray_and_one_pass_here_give_the_same_masks_and_timestamps(sample: Path, tmp_path: Path) -> None:
    anonymized(sample, tmp_path / "whole", *ARGUMENTS, "chunk.length_s=100")
    chunks = ("chunk.length_s=0.5", "chunk.overlap_frames=3")
    code, printed = anonflow("anonymize", f"input={sample}", f"output={tmp_path / 'cut'}", *ARGUMENTS, *chunks)
    assert code == 0, printed
    whole, cut = (_digests(tmp_path / name) for name in ("whole", "cut"))
    assert whole.num_rows == cut.num_rows == probe(sample).n_frames
    assert len(set(whole["digest"].to_pylist())) == whole.num_rows
    assert whole.equals(cut)
    pts = [probe(tmp_path / name / sample.name).pts.tolist() for name in ("whole", "cut")]
    assert pts[0] == pts[1]


def _digests(output: Path) -> pa.Table:
    return pq.read_table(next(output.glob("_anonflow/*/mask_digests.parquet")))
