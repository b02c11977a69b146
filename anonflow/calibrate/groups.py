"""Splits that keep together what belongs together: the frames of a video always, the videos of a group, too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anonflow.errors import ConfigError
from anonflow.types import IntArray


def split(groups: Sequence[str], test_share: float, seed: int) -> tuple[IntArray, IntArray]:
    """Positions for calibration and for the test: whole groups, about `test_share` of all positions in the test.

    Raises ConfigError if there are too few groups for two parts.
    """
    names, codes = np.unique(np.asarray(groups, np.str_), return_inverse=True)
    if not test_share:
        return np.arange(len(codes)), np.zeros(0, np.int64)
    if len(names) < 2:
        raise ConfigError(f"split.test_share={test_share} needs two groups at least, and here is one: {names[:1]}")
    order = np.random.default_rng(seed).permutation(len(names))
    sizes = np.cumsum(np.bincount(codes)[order])
    n_test = int(np.clip(np.searchsorted(sizes, test_share * len(codes)) + 1, 1, len(names) - 1))
    in_test = np.isin(codes, order[:n_test])
    return np.flatnonzero(~in_test), np.flatnonzero(in_test)


def folds(groups: Sequence[str], n_folds: int, seed: int) -> list[tuple[IntArray, IntArray]]:
    """Pairs of positions, for calibration and for the test; each group is in one test and never in both parts.

    Raises ConfigError if there are fewer groups than folds.
    """
    names, codes = np.unique(np.asarray(groups, np.str_), return_inverse=True)
    if len(names) < n_folds:
        raise ConfigError(f"split.folds={n_folds} needs as many groups, and here are {len(names)}")
    order = np.random.default_rng(seed).permutation(len(names))
    counts, fold_of, sizes = np.bincount(codes), np.zeros(len(names), np.int64), np.zeros(n_folds)
    for group in order[np.argsort(-counts[order], kind="stable")].tolist():
        fold_of[group] = int(np.argmin(sizes))
        sizes[fold_of[group]] += counts[group]
    tested = fold_of[codes]
    return [(np.flatnonzero(tested != n), np.flatnonzero(tested == n)) for n in range(n_folds)]
