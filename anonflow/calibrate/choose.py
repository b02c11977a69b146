"""Which setting to run with: certified to leak less than the target, or cheapest by costs that somebody states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from anonflow.calibrate.bounds import Reals, method_for, p_value, upper_bound
from anonflow.calibrate.samples import Needed, needed
from anonflow.calibrate.testing import fixed_sequences
from anonflow.calibrate.units import Leaks

Measure = Callable[[float], Sequence[Leaks]]
"""What a threshold leaks, at each margin of the grid in turn."""


@dataclass(frozen=True)
class Targets:
    """What must be below which value, on average over videos with something to hide; None: not asked."""

    leak_rate: float | None = None
    leaked_object_share: float | None = None

    def items(self) -> list[tuple[str, float]]:
        """Names and values of those that are asked for."""
        both = (("leak_rate", self.leak_rate), ("leaked_object_share", self.leaked_object_share))
        return [(name, value) for name, value in both if value is not None]


@dataclass(frozen=True)
class Costs:
    """What errors cost, in one currency."""

    miss_per_s: float
    """A second in which one object is to be seen."""
    false_mask_per_s: float
    """A second in which the whole picture is hidden in vain; half of it costs half."""


@dataclass(frozen=True)
class Tried:
    """A setting, and what was measured of it on the calibration set; means are over videos with objects."""

    threshold: float
    margin: float
    leak_rate: float
    leaked_object_share: float
    over_mask_share: float
    """Mean over all videos."""
    p_value: float | None
    """Of "it leaks as much as the target or more"; None without a target."""
    certified: bool
    cost_per_h: float | None
    """Of video; None without costs."""


@dataclass(frozen=True)
class Answer:
    """What came of a calibration."""

    chosen: Tried | None
    """None: nothing can be certified."""
    tried: tuple[Tried, ...]
    method: str
    n_units: int
    """Videos with something to hide."""
    n_empty: int
    """Videos without; they say nothing about leaks."""
    needed: Needed | None
    """How many videos a certificate would take, where there is none."""
    bounds: dict[str, float]
    """What each kind of leak is below, with the confidence that was asked for."""


@dataclass(frozen=True)
class Grid:
    """What is tried: `thresholds` from permissive (most masked) to strict, `margins` from the widest on."""

    thresholds: tuple[float, ...]
    margins: tuple[float, ...]


def certify(measure: Measure, grid: Grid, targets: Targets, delta: float, costs: Costs | None) -> Answer:
    """The certified setting that hides least in vain, or is cheapest if there are costs.

    With probability `1 - delta` over the draw of the videos, its expected leaks are below all `targets` (Learn then
    Test, a chain of thresholds for each margin). Only the settings that the tests reach are measured.
    """
    found: dict[tuple[int, int], Leaks] = {}
    values: dict[tuple[int, int], float] = {}

    def p_of(chain: int, place: int) -> float:
        if (chain, place) not in found:
            for number, leaks in enumerate(measure(grid.thresholds[place])):
                found[number, place] = leaks
        values[chain, place] = _p_value(found[chain, place], targets, delta)
        return values[chain, place]

    certified = fixed_sequences([len(grid.thresholds)] * len(grid.margins), p_of, delta)
    first = found[0, 0]
    tried = {
        (chain, place): _tried(
            grid, (chain, place), found[chain, place], values[chain, place], (chain, place) in certified, costs
        )
        for chain, place in sorted(values)
    }
    best = min((tried[key] for key in certified), key=_preference, default=None)
    there = first.object_frames > 0
    return Answer(
        chosen=best,
        tried=tuple(tried.values()),
        method=method_for(int(there.sum())),
        n_units=int(there.sum()),
        n_empty=int((~there).sum()),
        needed=None if best else _needed(first, targets, delta / len(grid.margins)),
        bounds=dict(targets.items()) if best else {},
    )


def cheapest(measure: Measure, grid: Grid, costs: Costs, delta: float) -> Answer:
    """The setting of the least mean cost, not certified; its bounds allow for the choice (Bonferroni)."""
    found = {
        (chain, place): leaks
        for place, threshold in enumerate(grid.thresholds)
        for chain, leaks in enumerate(measure(threshold))
    }
    tried = {key: _tried(grid, key, leaks, None, False, costs) for key, leaks in sorted(found.items())}
    best = min(tried, key=lambda key: _preference(tried[key]))
    there = found[best].object_frames > 0
    method = method_for(int(there.sum()))
    bounds = {
        name: upper_bound(getattr(found[best], name)[there], delta / len(found), method)
        for name in ("leak_rate", "leaked_object_share")
    }
    return Answer(tried[best], tuple(tried.values()), method, int(there.sum()), int((~there).sum()), None, bounds)


def bounds_of(leaks: Leaks, delta: float) -> dict[str, float]:
    """Upper bounds, each with confidence `1 - delta`, from videos that no choice was made by."""
    there = leaks.object_frames > 0
    method = method_for(int(there.sum()))
    names = ("leak_rate", "leaked_object_share")
    return {name: upper_bound(getattr(leaks, name)[there], delta, method) for name in names}


def mean_with_objects(leaks: Leaks, name: str) -> float:
    """Mean of a kind of leak over the videos that have objects; NaN without any."""
    values: Reals = getattr(leaks, name)[leaks.object_frames > 0]
    return float(values.mean()) if len(values) else float("nan")


def _p_value(leaks: Leaks, targets: Targets, delta: float) -> float:
    """Of "one of the targets is missed": the largest of theirs."""
    there = leaks.object_frames > 0
    method = method_for(int(there.sum()))
    return max(p_value(getattr(leaks, name)[there], target, delta, method) for name, target in targets.items())


def _tried(
    grid: Grid, key: tuple[int, int], leaks: Leaks, value: float | None, certified: bool, costs: Costs | None
) -> Tried:
    return Tried(
        threshold=grid.thresholds[key[1]],
        margin=grid.margins[key[0]],
        leak_rate=mean_with_objects(leaks, "leak_rate"),
        leaked_object_share=mean_with_objects(leaks, "leaked_object_share"),
        over_mask_share=float(leaks.over_mask_share.mean()),
        p_value=value,
        certified=certified,
        cost_per_h=_cost_per_h(leaks, costs) if costs else None,
    )


def _cost_per_h(leaks: Leaks, costs: Costs) -> float:
    in_vain_s = leaks.over_mask_share * leaks.duration_s
    total = costs.miss_per_s * leaks.leaking_s.sum() + costs.false_mask_per_s * in_vain_s.sum()
    return float(3600 * total / leaks.duration_s.sum())


def _preference(tried: Tried) -> tuple[float, float]:
    """Cheapest, or least hidden in vain; then least leaked."""
    first = tried.over_mask_share if tried.cost_per_h is None else tried.cost_per_h
    return first, tried.leak_rate


def _needed(leaks: Leaks, targets: Targets, delta: float) -> Needed:
    """The most that any target needs at the most permissive setting."""
    there = leaks.object_frames > 0
    each = [needed(getattr(leaks, name)[there], target, delta) for name, target in targets.items()]
    return max(each, key=lambda need: np.inf if need.n is None else need.n)
