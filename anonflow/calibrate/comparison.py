"""The page of a comparison: who is better, how sure that is, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence

from anonflow.calibrate.compare import Difference, Evaluated, Standing, differences, standings
from anonflow.page.page import Page, Part, Plot, Table
from anonflow.page.plots import Point, scatter

_STANDING = ("evaluation", "recall", "leak rate", "hidden in vain", "frames per CPU second", "on the front")
_DIFFERENCE = ("evaluation", "label", "metric", "first", "this", "difference", "from", "to", "p", "p (Holm)")


def comparison(evaluations: Sequence[Evaluated], confidence: float, samples: int, seed: int) -> Page:
    """Differences to the first evaluation, and for each label who is on the Pareto front."""
    first = evaluations[0]
    found = differences(evaluations, confidence, samples, seed)
    parts: list[Part] = []
    for label in first.labels:
        rows = standings(evaluations, label)
        parts += [_table(label, rows), *_plots(label, rows)]
    parts.append(
        Table(
            f"Differences to {first.name}",
            _DIFFERENCE,
            [_row(d) for d in found],
            f"{confidence:.0%} intervals by bootstrap over {len(first.videos)} videos or pictures, drawn in pairs. "
            "p: swapping the two one by one; p (Holm): corrected for all rows of this table.",
        )
    )
    sure = sum(d.p_adjusted <= 1 - confidence for d in found)
    lead = (
        f"{len(evaluations)} evaluations of {len(first.videos)} videos or pictures; "
        f"{sure} of {len(found)} differences are sure."
    )
    return Page("Comparison", lead, parts)


def _table(label: str, rows: Sequence[Standing]) -> Part:
    values = [(r.name, r.recall, r.leak_rate, r.over_mask_share, r.frames_per_cpu_s, r.is_on_front) for r in rows]
    note = "On the front: no other is as good in recall, hidden area and speed, and better in one of them."
    return Table(f"Recall, masked area, speed: {label}", _STANDING, values, note)


def _plots(label: str, rows: Sequence[Standing]) -> list[Part]:
    front = [r.name for r in rows if r.is_on_front]
    area = scatter(
        [Point(r.name, r.over_mask_share, r.recall) for r in rows], "hidden in vain", "recall", marked=front
    )
    speed = scatter(
        [Point(r.name, r.frames_per_cpu_s, r.recall) for r in rows], "frames per CPU second", "recall", marked=front
    )
    # No line joins them: the front has three dimensions, and a plot shows two.
    note = "Full: on the front."
    return [Plot(f"Recall over masked area: {label}", area, note), Plot(f"Recall over speed: {label}", speed, note)]


def _row(d: Difference) -> tuple[object, ...]:
    return (d.name, d.label, d.metric, d.first, d.other, d.difference, d.low, d.high, d.p_value, d.p_adjusted)
