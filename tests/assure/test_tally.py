from __future__ import annotations

import json
from pathlib import Path

import pytest

from anonflow.assure import tally as module
from anonflow.assure.tally import tallied
from anonflow.assure.verify import Verified
from anonflow.types import Check, Verdict

GOOD = Verified("good", (Check("frames", Verdict.EQUAL),))
LEFT = Verified("left", (Check("source", Verdict.NOT_COMPARED),))
BAD = Verified("bad", (Check("output as published", Verdict.BROKEN, "SHA-256"),), "f" * 64)


@pytest.mark.parametrize("given", [[], [GOOD], [GOOD, BAD, LEFT]])
def test_every_point_is_in_the_file(tmp_path: Path, given: list[Verified]) -> None:
    with tallied(tmp_path / "points.json") as tally:
        for verified in given:
            tally.add(verified)
    assert [entry["name"] for entry in json.loads((tmp_path / "points.json").read_text())] == [
        v.name for v in given
    ]
    assert (tally.n_holding + tally.n_broken, tally.n_broken) == (len(given), given.count(BAD))
    assert tally.n_not_compared == given.count(LEFT) and tally.wrong == [v for v in given if v is BAD]


def test_an_output_that_holds_anothers_content_is_told_with_its_name() -> None:
    with tallied(None) as tally:
        tally.add(BAD)
    assert tally.strange_hashes == {"f" * 64}
    tally.tell_of_swaps({"f" * 64: "other.mp4"})
    assert tally.wrong[0].checks[0].detail == "SHA-256; it holds the output of other.mp4"


def test_no_more_than_a_number_of_files_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_KEPT", 3)
    with tallied(None) as tally:
        for _ in range(10):
            tally.add(BAD)
    assert (tally.n_broken, len(tally.wrong)) == (10, 3)
