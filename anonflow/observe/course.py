"""The course of a run: where it stood when, as few points as a plot needs, however long it lasts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

_MAX_POINTS = 400
_FIRST_INTERVAL_S = 0.5

Counts = Mapping[str, float]


class Course:
    """Keeps a point now and then; when there are many, every other goes, and points are taken half as often.

    Memory and the report stay as small for a week as for a minute.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start at zero seconds with nothing. `clock` gives seconds that never go back."""
        self._clock, self._started_s = clock, clock()
        self._interval_s = _FIRST_INTERVAL_S
        self._points: list[tuple[float, dict[str, float]]] = [(0.0, {})]
        self._last: tuple[float, dict[str, float]] | None = None

    def add(self, counts: Counts) -> None:
        """Where the run stands now; kept if the last point kept is old enough."""
        now = (self._clock() - self._started_s, dict(counts))
        self._last = now
        if now[0] - self._points[-1][0] < self._interval_s:
            return
        self._points.append(now)
        if len(self._points) > _MAX_POINTS:
            self._points = self._points[::2]
            self._interval_s = (self._points[-1][0] - self._points[0][0]) / (len(self._points) - 1)

    def to_json(self) -> dict[str, Any]:
        """`seconds` since the start, and a list as long for each count. The last point is where the run ended."""
        points = list(self._points)
        if self._last is not None and points[-1][0] < self._last[0]:
            points.append(self._last)
        names = dict.fromkeys(name for _, counts in points for name in counts)
        series = {name: [counts.get(name, 0) for _, counts in points] for name in names}
        return {"seconds": [round(seconds, 2) for seconds, _ in points], **series}
