"""Groups of objects (small, dark, hidden in part, of one camera, of any attribute) and the worst of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anonflow.evaluate.areas import Reals
from anonflow.evaluate.case import Case
from anonflow.evaluate.ground import UNNAMED, Names
from anonflow.evaluate.intervals import Bootstrap
from anonflow.evaluate.masks import counted_rows
from anonflow.evaluate.match import Flags
from anonflow.types import IntArray

HEIGHTS_PX = (16, 32, 64, 128)
LUMAS = (0.15, 0.35, 0.65)
VISIBLE = (0.35, 0.75)
_MOST_WORDS = 50
"""An attribute with more values than this is no group (a name, a number)."""


@dataclass(frozen=True, eq=False)
class Members:
    """Object-frames of one label: in which case each is, whether it was found, and whether it leaks (n,)."""

    cases: IntArray
    found: Flags
    leaking: Flags
    groups: Mapping[str, Names]
    """By what they can be grouped: a word each (n,), `UNNAMED` for none."""


@dataclass(frozen=True)
class Slice:
    """One group of objects."""

    label: str
    by: str
    group: str
    object_frames: int
    items: int
    recall: float
    recall_interval: tuple[float, float] | None
    leak_rate: float
    leak_interval: tuple[float, float] | None


def members(cases: Sequence[Case], code: int, found: Sequence[Flags], leaking: Sequence[Flags]) -> Members:
    """The object-frames of a label in all cases; `found` and `leaking` by row of each case's truth."""
    rows = [counted_rows(case, [code]) for case in cases]
    names = sorted({name for case in cases for name in (*case.attributes, *case.item.attributes)})
    by: dict[str, Callable[[Case, IntArray], Names]] = {
        "height": _height,
        "light": lambda case, there: _banded(
            case.scene.luma[case.scene.truth.frames[there]], LUMAS, ("dark", "dim", "middle", "bright")
        ),
        "visible": lambda case, there: _banded(
            case.scene.truth.visible[there], VISIBLE, ("hardly", "in part", "mostly")
        ),
        "folder": lambda case, there: _same(case.item.group, len(there)),
        **{name: _reader(name) for name in names},
    }
    columns = {
        name: np.concatenate([np.zeros(0, np.object_), *map(read, cases, rows)]) for name, read in by.items()
    }
    return Members(
        cases=np.repeat(np.arange(len(cases)), [len(there) for there in rows]),
        found=_joined(found, rows),
        leaking=_joined(leaking, rows),
        groups={name: words for name, words in columns.items() if 1 < len(set(words)) <= _MOST_WORDS},
    )


def slices(label: str, of: Members, n_cases: int, bootstrap: Bootstrap, min_count: int) -> list[Slice]:
    """All groups with at least `min_count` object-frames."""
    made = []
    for by, words in of.groups.items():
        for group in sorted(set(words) - {UNNAMED}):
            rows = np.flatnonzero(words == group)
            if len(rows) >= min_count:
                made.append(_slice(label, by, group, of, rows, n_cases, bootstrap))
    return made


def worst(of: Sequence[Slice]) -> Slice | None:
    """The group that leaks most, or of equal ones the one that is found least."""
    return max(of, key=lambda s: (s.leak_rate, -s.recall, s.by, s.group), default=None)


def _slice(
    label: str, by: str, group: str, of: Members, rows: IntArray, n_cases: int, bootstrap: Bootstrap
) -> Slice:
    cases = of.cases[rows]
    wholes = np.bincount(cases, minlength=n_cases).astype(np.float64)
    there = wholes > 0
    found: Reals = np.bincount(cases, of.found[rows], n_cases).astype(np.float64)
    leaking: Reals = np.bincount(cases, of.leaking[rows], n_cases).astype(np.float64)
    return Slice(
        label,
        by,
        group,
        len(rows),
        int(there.sum()),
        float(found.sum() / len(rows)),
        bootstrap.of_ratio(found[there], wholes[there]),
        float(leaking.sum() / len(rows)),
        bootstrap.of_ratio(leaking[there], wholes[there]),
    )


def _height(case: Case, rows: IntArray) -> Names:
    xyxy = case.scene.truth.xyxy[rows]
    ends = [*(f"{low}-{high} px" for low, high in zip((0, *HEIGHTS_PX), HEIGHTS_PX, strict=False))]
    return _banded(xyxy[:, 3] - xyxy[:, 1], HEIGHTS_PX, (*ends, f"{HEIGHTS_PX[-1]} px and more"))


def _banded(values: NDArray[Any], limits: Sequence[float], words: Sequence[str]) -> Names:
    """The word of the band that each value (n,) lies in; a limit belongs to the band above it."""
    named: Names = np.array(words, np.object_)[np.searchsorted(limits, values, side="right")]
    return named


def _reader(name: str) -> Callable[[Case, IntArray], Names]:
    def read(case: Case, rows: IntArray) -> Names:
        if name in case.attributes:
            return case.attributes[name][rows]
        return _same(case.item.attributes.get(name, UNNAMED), len(rows))

    return read


def _same(word: str, n: int) -> Names:
    column = np.empty(n, np.object_)
    column[:] = word
    return column


def _joined(by_case: Sequence[Flags], rows: Sequence[IntArray]) -> Flags:
    parts = [flags[there] for flags, there in zip(by_case, rows, strict=True)]
    return np.concatenate([np.zeros(0, np.bool_), *parts])
