"""How long a piece of work took, and how much processor time it used."""

from __future__ import annotations

import time
from collections.abc import Iterable


class Stopwatch:
    """Runs from its creation. Processor time is that of the whole process, native threads included."""

    def __init__(self) -> None:
        """Start."""
        self._wall_s, self._cpu_s = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        """Seconds so far."""
        return {
            "wall_s": round(time.perf_counter() - self._wall_s, 4),
            "cpu_s": round(time.process_time() - self._cpu_s, 4),
        }


def total(times: Iterable[dict[str, float]]) -> dict[str, float]:
    """The sum of several readings."""
    times = list(times)
    return {key: round(sum(t[key] for t in times), 4) for key in ("wall_s", "cpu_s")}
