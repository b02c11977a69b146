from __future__ import annotations

from anonflow.observe.course import Course


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def course_of(seconds: float, step_s: float) -> dict[str, list[float]]:
    clock = Clock()
    course = Course(clock)
    for number in range(1, int(seconds / step_s)):
        clock.now_s = 100.0 + number * step_s
        course.add({"ended": number})
    return course.to_json()


def test_a_short_run_is_kept_point_by_point() -> None:
    assert course_of(5, 0.5) == {"seconds": [n / 2 for n in range(10)], "ended": list(range(10))}


def test_however_long_a_run_lasts_the_points_stay_few_and_even() -> None:
    made = course_of(200_000, 5)
    assert 100 <= len(made["seconds"]) <= 401 and len(made["ended"]) == len(made["seconds"])
    gaps = [b - a for a, b in zip(made["seconds"], made["seconds"][1:], strict=False)][:-1]
    assert max(gaps) <= 2 * min(gaps) and made["seconds"][0] == 0


def test_the_last_point_is_where_the_run_ended() -> None:
    made = course_of(777.7, 0.1)
    assert made["ended"][-1] == 7776 and made["seconds"][-1] == 777.6


def test_a_run_that_was_not_looked_at_has_no_course() -> None:
    assert Course().to_json() == {"seconds": [0.0]}
