from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.evaluate.exposure import Exposure, exposure, leaks, over_mask_areas, pool
from anonflow.types import MaskPlan
from tests.evaluate.rectangles import SIDE, boxes, drawn, make_plan, make_truth

calmly = settings(deadline=None, max_examples=50)

BOX = (10, 10, 20, 20)


def film(pattern: str, times_s: Any = None, end_s: float | None = None, **options: Any) -> Exposure:
    """What leaks of one object: covered (c), leaking (L), there but not to be seen (h), not there (.) by frame."""
    times = np.arange(len(pattern)) / 10 if times_s is None else times_s
    end = len(pattern) / 10 if end_s is None else end_s
    rows = [(n, 7, *BOX, 0.0 if mood == "h" else 1.0) for n, mood in enumerate(pattern) if mood != "."]
    plan = make_plan([(n, *BOX) for n, mood in enumerate(pattern) if mood == "c"])
    return exposure(make_truth(rows, times, end), plan, **options)


def test_nothing_leaks_where_all_is_covered() -> None:
    result = film("cccc")
    assert (result.leaking_frames, result.leaked_objects, result.longest_s, result.changes) == (0, 0, 0.0, 0)
    assert (result.leak_share, result.leaked_object_share, result.flicker_per_min) == (0, 0, 0)


@pytest.mark.parametrize(
    ("pattern", "longest_s"),
    [
        ("cLcc", 0.1),
        ("LLLc", 0.3),
        ("ccLL", 0.2),
        ("LcLL", 0.2),
        ("LLLL", 0.4),
        ("LL.LLL", 0.3),
        ("LhLL", 0.2),
        ("hhhh", 0.0),
        ("....", 0.0),
    ],
)
def test_the_longest_exposure_is_the_longest_run_of_leaking_frames(pattern: str, longest_s: Any) -> None:
    assert film(pattern).longest_s == pytest.approx(longest_s)


def test_time_is_counted_in_seconds_not_in_frames() -> None:
    times_s = [0.0, 0.1, 0.2, 1.0, 3.0]
    assert film("LLccc", times_s, 3.5).longest_s == pytest.approx(0.2)
    long = film("LLcLL", times_s, 3.5)
    assert long.longest_s == pytest.approx(2.5) and long.leaking_s == pytest.approx(2.7)
    assert long.presence_s == pytest.approx(3.5)


@pytest.mark.parametrize(
    ("pattern", "changes"), [("ccLLcc", 2), ("cLcLcL", 5), ("LLLL", 0), ("cc.LL", 0), ("chL", 0), ("ccL.Lc", 2)]
)
def test_flicker_counts_changes_between_neighbouring_frames(pattern: str, changes: int) -> None:
    result = film(pattern)
    assert result.changes == changes
    present_min = sum(mood in "cL" for mood in pattern) / 10 / 60
    assert result.flicker_per_min == pytest.approx(changes / present_min)


def test_objects_that_cannot_be_seen_do_not_leak() -> None:
    result = film("cLhh")
    assert (result.object_frames, result.leaking_frames, result.leak_share) == (2, 1, 0.5)
    assert film("LL", min_visible=1.0).object_frames == 0


def test_runs_of_different_objects_are_not_one() -> None:
    """One object ends with a leak where the next by number begins with one."""
    rows = [(0, 1, *BOX, 1.0), (1, 1, *BOX, 1.0), (2, 2, *BOX, 1.0), (3, 2, *BOX, 1.0)]
    result = exposure(make_truth(rows, [0, 1, 2, 3], 4), make_plan([(0, *BOX), (3, *BOX)]))
    assert (result.longest_s, result.leaked_objects, result.changes) == (1.0, 2, 2)


def test_leaked_objects_are_counted_once() -> None:
    rows = [(n, k, 10 * k, 0, 10 * k + 10, 10, 1.0) for n in range(4) for k in range(4)]
    result = exposure(make_truth(rows, range(4), 4), make_plan([(n, 0, 0, 20, 10) for n in range(4)]))
    assert (result.objects, result.leaked_objects, result.leaked_object_share) == (4, 2, 0.5)
    assert result.leak_share == 0.5


@pytest.mark.parametrize(("right", "leaking"), [(19.0, 0), (18.99, 1), (20.0, 0), (10.0, 1)])
def test_a_frame_leaks_below_the_covered_share(right: Any, leaking: int) -> None:
    truth = make_truth([(0, 1, *BOX, 1.0)], [0.0], 1.0)
    assert exposure(truth, make_plan([(0, 10, 10, right, 20)])).leaking_frames == leaking
    assert exposure(truth, make_plan([(0, 10, 10, right, 20)]), covered_share=1.0).leaking_frames == (right < 20)


def test_masks_cover_together() -> None:
    truth = make_truth([(0, 1, *BOX, 1.0)], [0.0], 1.0)
    halves = [(0, 0, 0, 15, 30), (0, 14, 0, 30, 30)]
    assert exposure(truth, make_plan(halves)).leaking_frames == 0
    assert exposure(truth, make_plan(halves[:1] * 2)).leaking_frames == 1, "the same half twice is a half"


def test_over_mask_is_what_covers_no_true_box() -> None:
    truth = make_truth([(0, 1, *BOX, 1.0), (1, 1, *BOX, 0.0)], [0, 1, 2], 3)
    plan = make_plan([(0, 10, 10, 30, 20), (0, 20, 10, 30, 20), (1, *BOX), (2, -50, 90, 10, 150)])
    assert over_mask_areas(truth, plan).tolist() == [100, 0, 100]
    assert exposure(truth, plan).over_mask_share == pytest.approx(200 / 10_000 / 3)


def test_no_plan_and_no_objects() -> None:
    result = exposure(make_truth([], [0.0, 1.0], 2.0), MaskPlan.empty())
    assert (result.object_frames, result.leak_share, result.over_mask_share, result.frames) == (0, 0, 0, 2)


@pytest.mark.parametrize("frame", [-1, 2])
def test_a_plan_of_another_video_is_refused(frame: int) -> None:
    with pytest.raises(ValueError, match="outside of the video"):
        exposure(make_truth([], [0.0, 1.0], 2.0), make_plan([(frame, *BOX)]))


N_FRAMES = 5
truths = st.dictionaries(
    st.tuples(st.integers(0, N_FRAMES - 1), st.integers(0, 3)),
    st.tuples(boxes(min_side=1, low=0, high=SIDE), st.sampled_from([0.0, 0.3, 1.0])),
    max_size=14,
).map(lambda found: [(*key, *box, visible) for key, (box, visible) in found.items()])
plans = st.lists(st.tuples(st.integers(0, N_FRAMES - 1), boxes()), max_size=20).map(
    lambda found: [(frame, *box) for frame, box in found]
)


def judged(truth_rows: Any, plan_rows: Any) -> tuple[Any, Any]:
    return make_truth(truth_rows, range(N_FRAMES), N_FRAMES, side=SIDE), make_plan(plan_rows)


@calmly
@given(truths, plans)
def test_leaks_and_over_mask_are_what_would_be_drawn(truth_rows: Any, plan_rows: Any) -> None:
    truth, plan = judged(truth_rows, plan_rows)
    masks = [drawn([row[1:] for row in plan_rows if row[0] == n]) for n in range(N_FRAMES)]
    true = [drawn([row[2:6] for row in truth_rows if row[0] == n]) for n in range(N_FRAMES)]
    assert over_mask_areas(truth, plan).tolist() == [(m & ~t).sum() for m, t in zip(masks, true, strict=True)]
    expected = [
        10 * (masks[n] & drawn([box])).sum() < 9 * drawn([box]).sum()
        for n, box in zip(truth.frames.tolist(), truth.xyxy.tolist(), strict=True)
    ]
    assert leaks(truth, plan).tolist() == expected


@calmly
@given(truths, plans, st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_names_count(truth_rows: Any, plan_rows: Any, random: Any) -> None:
    truth, plan = judged(truth_rows, plan_rows)
    result = exposure(truth, plan)
    order = np.lexsort(([random.random() for _ in range(len(truth))], truth.frames))
    columns = ("frames", "object_ids", "xyxy", "labels", "visible")
    shuffled = replace(truth, **{name: getattr(truth, name)[order] for name in columns})
    renamed = replace(shuffled, object_ids=(-7 * shuffled.object_ids + 3))
    random.shuffle(plan_rows)
    assert equal(exposure(renamed, make_plan(plan_rows)), result)


@calmly
@given(truths, plans, plans)
def test_more_masks_never_leak_more(truth_rows: Any, plan_rows: Any, more: Any) -> None:
    truth, plan = judged(truth_rows, plan_rows)
    less, result = exposure(truth, plan), exposure(truth, make_plan(plan_rows + more))
    assert result.leaking_frames <= less.leaking_frames and result.longest_s <= less.longest_s
    assert result.leaked_objects <= less.leaked_objects and result.over_mask_frames >= less.over_mask_frames


@calmly
@given(truths, plans)
def test_the_longest_exposure_lies_within_the_leaking_time(truth_rows: Any, plan_rows: Any) -> None:
    result = exposure(*judged(truth_rows, plan_rows))
    assert result.longest_s <= result.leaking_s <= result.presence_s
    assert (result.longest_s > 0) == (result.leaking_frames > 0) == (result.leaked_objects > 0)


def equal(one: Exposure, other: Exposure) -> bool:
    """All counts the same; sums of times and areas but for rounding."""
    return all(getattr(one, name) == pytest.approx(getattr(other, name)) for name in one.__dataclass_fields__)


@calmly
@given(truths, plans, truths, plans)
def test_pooling_is_judging_one_video_after_the_other(rows: Any, plan: Any, more: Any, more_plan: Any) -> None:
    parts = [exposure(*judged(rows, plan)), exposure(*judged(more, more_plan))]
    # Other objects, a frame apart.
    later = [(frame + N_FRAMES + 1, key + 10, *rest) for frame, key, *rest in more]
    later_plan = [(frame + N_FRAMES + 1, *rest) for frame, *rest in more_plan]
    n = 2 * N_FRAMES + 1
    whole = exposure(make_truth(rows + later, range(n), n, side=SIDE), make_plan(plan + later_plan))
    assert equal(replace(whole, frames=2 * N_FRAMES), pool(parts))


def test_pooling_nothing_gives_nothing() -> None:
    assert pool([]).leak_share == 0 and pool([]).longest_s == 0
