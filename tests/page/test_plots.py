from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from matplotlib.figure import Figure

from anonflow.page.plots import Line, Point, bars, figure_svg, histogram, lines, scatter

X = np.arange(5)
PLOTS = {
    "lines": lambda: lines(
        [Line("first <b>", X, X**2, X**2 - 1, X**2 + 1), Line("second", X, X, steps=True)],
        "time",
        "frames",
        at_x={"now": 2},
    ),
    "bars": lambda: bars({"first <b>": 1.0, "second": 2.0}, "time", intervals={"second": (1.5, 3.0)}),
    "histogram": lambda: histogram([1.0, 2.0, 2.0], "time", "frames"),
    "scatter": lambda: scatter(
        [Point("first <b>", 1, 2, 1, 3), Point("second", 2, 1)], "time", "frames", marked=["second"]
    ),
}


def texts(svg: str) -> set[str]:
    return {
        "".join(element.itertext()).strip()
        for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    }


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_is_one_element_with_its_words_as_text(name: str) -> None:
    svg = PLOTS[name]()
    assert svg.startswith("<svg")
    assert "time" in texts(svg)
    if name != "histogram":
        assert {"first <b>", "second"} <= texts(svg)


@pytest.mark.parametrize("name", PLOTS)
def test_equal_plots_are_equal_files_in_the_colour_of_the_page(name: str) -> None:
    svg = PLOTS[name]()
    assert svg == PLOTS[name]()
    assert "currentColor" in svg and "#010203" not in svg and "#000000" not in svg


def test_a_figure_of_ones_own() -> None:
    figure = Figure()
    figure.add_subplot().set_title("own")
    assert "own" in texts(figure_svg(figure))


def test_no_lines_are_a_plot_of_nothing() -> None:
    assert "time" in texts(lines([], "time", "n"))
