"""Plots as SVG that takes the colour of the page's text, drawn without a display and without global state."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999933", "#882255")
"""After Okabe and Ito (2008), told apart whatever the eye's colour vision; a ninth series begins anew, dashed."""
_INK = "#010203"
"""Stands for the colour of the page's text."""
_STYLE: Any = {
    "svg.fonttype": "none",  # text stays text: small, searchable, in the page's own font
    "svg.hashsalt": "anonflow",  # equal plots give equal files
    "font.family": "sans-serif",
    "font.size": 10,
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _INK),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#888888",
    "grid.alpha": 0.25,
    "legend.frameon": False,
}
_WIDTH_IN, _HEIGHT_IN = 7.2, 3.4
_BAR_IN = 0.28

# Fonts serve to estimate widths only; what a machine lacks would be told in twenty warnings amid a run's own.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Line:
    """A named series; `low` and `high` are the ends of an interval around `y`, all (n,)."""

    name: str
    x: ArrayLike
    y: ArrayLike
    low: ArrayLike | None = None
    high: ArrayLike | None = None
    steps: bool = False
    """Whether a value holds until the next, as counts do."""


@dataclass(frozen=True)
class Point:
    """A named point; `low` and `high` are the ends of an interval of `y`."""

    name: str
    x: float
    y: float
    low: float | None = None
    high: float | None = None


def lines(
    series: Sequence[Line],
    x_label: str,
    y_label: str,
    *,
    log_x: bool = False,
    log_y: bool = False,
    y_limits: tuple[float, float] | None = None,
    at_x: Mapping[str, float] | None = None,
) -> str:
    """Series over a common axis; `at_x` are named vertical lines."""
    with rc_context(_STYLE):
        figure, axes = _axes(x_label, y_label)
        for number, line in enumerate(series):
            colour, dash = COLOURS[number % len(COLOURS)], "-" if number < len(COLOURS) else "--"
            style = "steps-post" if line.steps else "default"
            axes.plot(line.x, line.y, dash, color=colour, label=line.name, drawstyle=style, linewidth=1.6)
            if line.low is not None and line.high is not None:
                axes.fill_between(line.x, line.low, line.high, color=colour, alpha=0.2, linewidth=0)
        for number, (name, x) in enumerate((at_x or {}).items()):
            axes.axvline(x, color=_INK, linewidth=1, linestyle=(0, (2, 2 + number)), label=name)
        axes.set_xscale("log" if log_x else "linear")
        axes.set_yscale("log" if log_y else "linear")
        if y_limits is not None:
            axes.set_ylim(*y_limits)
        if len(series) > 1 or at_x:
            _legend(axes)
        return figure_svg(figure)


def bars(
    values: Mapping[str, float],
    x_label: str,
    *,
    intervals: Mapping[str, tuple[float, float]] | None = None,
    log_x: bool = False,
) -> str:
    """Horizontal bars from top to bottom; `intervals` are ends of an interval around a value."""
    with rc_context(_STYLE):
        figure, axes = _axes(x_label, "", height_in=0.9 + _BAR_IN * max(1, len(values)))
        places = np.arange(len(values))
        axes.barh(places, list(values.values()), color=COLOURS[0], height=0.7)
        for place, (name, value) in zip(places, values.items(), strict=True):
            if intervals and name in intervals:
                low, high = intervals[name]
                axes.errorbar(value, place, xerr=[[value - low], [high - value]], color=_INK, capsize=3)
        axes.set_yticks(places, list(values))
        axes.set_xscale("log" if log_x else "linear")
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        return figure_svg(figure)


def histogram(values: ArrayLike, x_label: str, y_label: str, *, bins: int = 30) -> str:
    """How many of the `values` (n,) lie where."""
    with rc_context(_STYLE):
        figure, axes = _axes(x_label, y_label)
        axes.hist(np.asarray(values), bins=bins, color=COLOURS[0])
        return figure_svg(figure)


def scatter(points: Sequence[Point], x_label: str, y_label: str, *, marked: Sequence[str] = ()) -> str:
    """Points with their names beside them; those named in `marked` are full and of another colour."""
    with rc_context(_STYLE):
        figure, axes = _axes(x_label, y_label)
        for point in points:
            is_marked = point.name in marked
            colour = COLOURS[1] if is_marked else COLOURS[0]
            if point.low is not None and point.high is not None:
                spread = [[point.y - point.low], [point.high - point.y]]
                axes.errorbar(point.x, point.y, yerr=spread, color=colour, capsize=3, linewidth=1)
            filling = "full" if is_marked else "none"
            axes.plot(point.x, point.y, "o", color=colour, markersize=6, fillstyle=filling)
            axes.annotate(point.name, (point.x, point.y), xytext=(6, 4), textcoords="offset points", fontsize=9)
        return figure_svg(figure)


def figure_svg(figure: Figure) -> str:
    """The figure as an SVG element: no XML prologue, no date, no background, ink in the colour of the text."""
    out = io.StringIO()
    with rc_context(_STYLE):
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = out.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    return svg.replace(_INK, "currentColor")


def _axes(x_label: str, y_label: str, height_in: float = _HEIGHT_IN) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH_IN, height_in), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    return figure, axes


def _legend(axes: Axes) -> None:
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.0)
