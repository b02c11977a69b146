from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from anonflow.types import Status, Verdict
from anonflow.video.aperture import read_aperture
from anonflow.video.contract.aperture import compare_aperture
from anonflow.video.probe import probe
from tests.media import Clip, make_clip
from tests.pipeline.worlds import FixedDetector, World, use_detector
from tests.video.apertures import with_aperture

SHOWN = (64, 1, 48, 1, -16, 1, 0, 1)


def test_none_gone_the_same_and_another(tmp_path: Path) -> None:
    plain = make_clip(tmp_path / "plain.mp4", Clip(n_frames=5))
    some = with_aperture(shutil.copy(plain, tmp_path / "some.mp4"), *SHOWN)
    other = with_aperture(shutil.copy(plain, tmp_path / "other.mp4"), 32, *SHOWN[1:])
    index = probe(plain)

    def point(source: Path, output: Path) -> tuple[Verdict, str]:
        found = compare_aperture(source, index, output, index)
        assert found.name == "clean aperture"
        return found.verdict, found.detail

    assert point(plain, plain) == (Verdict.EQUAL, "none")
    assert point(some, plain) == (Verdict.CHANGED_BY_POLICY, "removed: 64x48 was shown")
    assert point(some, some) == (Verdict.EQUAL, "64x48")
    assert point(plain, some)[0] is point(other, some)[0] is Verdict.BROKEN


def test_it_goes_whether_the_video_is_copied_or_encoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_detector(monkeypatch, FixedDetector(boxes=()))
    for name, copied in (("copied", 40), ("encoded", 0)):
        (tmp_path / name).mkdir()
        world = World.make(tmp_path / name, f"video.copy_clean={'true' if copied else 'false'}")
        with_aperture(world.clip(), *SHOWN)
        outcome = world.outcome()
        assert outcome.status is Status.PUBLISHED and outcome.details["video"]["copied_frames"] == copied
        points = {c["name"]: (c["verdict"], c["detail"]) for c in outcome.details["checks"]}
        assert points["clean aperture"] == ("changed by policy", "removed: 64x48 was shown")
        assert read_aperture(Path(outcome.output_uri)) is None
