"""Archives of several sizes, and clusters of several sizes, through the real graph with stages that only wait.

pytest -n 0 -s -m benchmark tests/benchmark/test_scale.py
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmark.simulation import PROCESSES, Work, scaled, simulate


@pytest.mark.benchmark
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("n_sources", [1000, 10_000, 100_000])
def test_sources(tmp_path: Path, n_sources: int) -> None:
    measured, summary = simulate(tmp_path, n_sources, Work())
    print(f"\n{measured}")
    assert summary.totals.published == n_sources


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("n_nodes", [1, 4, 16, 64])
def test_nodes(tmp_path: Path, n_nodes: int) -> None:
    n_sources, work, ideal_s = scaled(n_nodes)
    limits = [f"runtime.{stage}.max_workers={PROCESSES}" for stage in ("detect", "mask")]
    measured, summary = simulate(tmp_path, n_sources, work, "runtime.logical_cpus_per_core=8", *limits)
    took_s = measured.last_s - measured.rows_s
    print(f"\n{n_nodes:>3} nodes: {took_s:.1f} s, ideal {ideal_s:.1f} s\n{measured}")
    assert summary.totals.published == n_sources


@pytest.mark.slow
def test_a_thousand_sources_through_the_real_graph(tmp_path: Path) -> None:
    """Several to a block: each comes out once."""
    _, summary = simulate(tmp_path, 1100, Work(n_chunks=2))
    assert summary.totals.published == 1100 and summary.totals.frames == 1100 * 500
