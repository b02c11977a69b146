from __future__ import annotations

from anonflow.types import Verdict
from anonflow.video.contract.quality import compare_quality
from anonflow.video.psnr import Fidelity


def test_what_is_kept_is_told_and_a_missed_target_too() -> None:
    kept = Fidelity(10**-4.3, 10**-4.0, 100)
    held, missed, free = (compare_quality(kept, wanted) for wanted in (42.0, 44.0, None))
    assert {c.verdict for c in (held, missed, free)} == {Verdict.CHANGED_BY_POLICY}
    assert held.detail == free.detail == "luma PSNR 43.0 dB, worst frame 40.0 dB"
    assert missed.detail.endswith("below the target of 44 dB")


def test_lossless_and_nothing_left_are_equal() -> None:
    assert compare_quality(Fidelity(0.0, 0.0, 10), None).verdict is Verdict.EQUAL
    assert compare_quality(Fidelity(None, None, 0), 42.0).verdict is Verdict.EQUAL


def test_what_was_copied_is_told_apart_from_what_was_encoded() -> None:
    whole = compare_quality(Fidelity(None, None, 0), None, 50, 50)
    assert (whole.verdict, whole.detail) == (Verdict.EQUAL, "all 50 frames copied bit for bit")
    part = compare_quality(Fidelity(10**-4.3, 10**-4.0, 20), 42.0, 30, 50)
    assert part.detail == "luma PSNR 43.0 dB, worst frame 40.0 dB; 30 of 50 frames copied bit for bit"
    hidden = compare_quality(Fidelity(None, None, 0), 42.0, 30, 50)
    assert hidden.detail == "nothing is outside; 30 of 50 frames copied bit for bit"
