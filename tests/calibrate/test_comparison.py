from __future__ import annotations

from pathlib import Path

import numpy as np

from anonflow.calibrate.compare import paired, read_evaluation
from anonflow.calibrate.comparison import comparison
from anonflow.page.markdown import markdown
from anonflow.page.page import render
from tests.calibrate.evaluations import written


def test_the_page_has_fronts_differences_and_plots(tmp_path: Path) -> None:
    base = np.random.default_rng(0).integers(40, 90, 25)
    runs = [written(tmp_path / "default", base), written(tmp_path / "tiles", base + 5, None, 3.0)]
    page = comparison(paired([read_evaluation(run) for run in runs]), 0.95, 500, 0)
    said = markdown(page)
    assert page.lead == "2 evaluations of 25 videos or pictures; 2 of 4 differences are sure."
    assert "## Differences to default" in said and "| tiles | face | recall |" in said
    assert "| default |" in said and said.count("| yes |") == 2
    assert render(page).count("<svg") == 2
