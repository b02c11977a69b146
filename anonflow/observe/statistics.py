"""What a run came to, added up outcome by outcome: nothing is kept of a source but what is worst."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from anonflow.observe.distribution import Distribution
from anonflow.pipeline.rows import Outcome
from anonflow.types import Status, Verdict

_N_WORST = 10


def _seconds() -> Distribution:
    return Distribution.log(0.001, 100_000)


@dataclass
class Worst:
    """The few values that are largest, with the ids of their sources."""

    kept: list[tuple[float, str]] = field(default_factory=list)

    def add(self, value: float, video_id: str) -> None:
        """One value more."""
        heapq.heappush(self.kept, (value, video_id))
        if len(self.kept) > _N_WORST:
            heapq.heappop(self.kept)

    def to_json(self) -> list[list[Any]]:
        """Pairs of id and value, the largest value first."""
        return [[video_id, round(value, 4)] for value, video_id in sorted(self.kept, reverse=True)]


@dataclass
class RunStatistics:
    """Counts and distributions of a run's outcomes, in a size that does not depend on their number."""

    outcomes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """By kind, status and reason."""
    source_bytes: int = 0
    output_bytes: int = 0
    frames: int = 0
    masked_frames: int = 0
    copied_frames: int = 0
    hidden_damaged_frames: int = 0
    duration_s: float = 0.0
    wall_s: dict[str, Distribution] = field(default_factory=dict)
    """By stage, of a video: the times of its chunks added up."""
    cpu_s: dict[str, Distribution] = field(default_factory=dict)
    checks: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By name and verdict, of published videos."""
    masked_share: Distribution = field(default_factory=lambda: Distribution.linear(0, 1, 20))
    psnr_db: Distribution = field(default_factory=lambda: Distribution.linear(20, 80, 120))
    worst_psnr_db: Distribution = field(default_factory=lambda: Distribution.linear(20, 80, 120))
    rate_ratio: Distribution = field(default_factory=lambda: Distribution.log(0.01, 100))
    slowest: Worst = field(default_factory=Worst)
    poorest: Worst = field(default_factory=Worst)

    def add(self, outcome: Outcome) -> None:
        """One outcome more. Of what an earlier run published only the number counts."""
        self.outcomes[outcome.kind, str(outcome.status), outcome.reason] += 1
        if outcome.status is not Status.PUBLISHED:
            return
        self.source_bytes += max(0, outcome.source_bytes)
        self.output_bytes += outcome.output_bytes
        if outcome.kind == "video":
            self._add_video(outcome)

    def take_back(self, outcome: Outcome) -> None:
        """Forget a quarantine that was added."""
        self.outcomes[outcome.kind, str(outcome.status), outcome.reason] -= 1

    @property
    def statuses(self) -> Counter[str]:
        """Sources by status."""
        return self._by(1)

    @property
    def reasons(self) -> Counter[str]:
        """Quarantined sources by reason."""
        return Counter({reason: count for reason, count in self._by(2).items() if reason})

    def _by(self, place: int) -> Counter[str]:
        counts: Counter[str] = Counter()
        for key, count in self.outcomes.items():
            counts[key[place]] += count
        return counts

    def _add_video(self, outcome: Outcome) -> None:
        details = outcome.details
        self.frames += outcome.frames
        self.duration_s += outcome.duration_s
        self.masked_frames += details.get("masked_frames", 0)
        self.hidden_damaged_frames += details.get("hidden_damaged_frames", 0)
        for stage, times in details.get("stage_seconds", {}).items():
            self.wall_s.setdefault(stage, _seconds()).add(times["wall_s"])
            self.cpu_s.setdefault(stage, _seconds()).add(times["cpu_s"])
        for check in details.get("checks", []):
            self.checks[check["name"], str(check["verdict"])] += 1
        if outcome.frames:
            self.masked_share.add(details.get("masked_frames", 0) / outcome.frames)
            busy_s = sum(times["wall_s"] for times in details.get("stage_seconds", {}).values())
            self.slowest.add(busy_s / outcome.frames, outcome.video_id)
        self._add_encoding(outcome.video_id, details.get("video", {}))

    def _add_encoding(self, video_id: str, video: Mapping[str, Any]) -> None:
        self.copied_frames += video.get("copied_frames", 0)
        if "rate_ratio" in video:
            self.rate_ratio.add(video["rate_ratio"])
        psnr_db = video.get("psnr_db", {})
        if psnr_db.get("mean") is not None:
            self.psnr_db.add(psnr_db["mean"])
            self.poorest.add(-psnr_db["mean"], video_id)
        if psnr_db.get("min") is not None:
            self.worst_psnr_db.add(psnr_db["min"])

    def to_json(self) -> dict[str, Any]:
        """As a value that JSON can hold."""
        return {
            "outcomes": [[*key, count] for key, count in sorted(self.outcomes.items())],
            "source_bytes": self.source_bytes,
            "output_bytes": self.output_bytes,
            "frames": self.frames,
            "masked_frames": self.masked_frames,
            "copied_frames": self.copied_frames,
            "hidden_damaged_frames": self.hidden_damaged_frames,
            "duration_s": round(self.duration_s, 3),
            "wall_s": {stage: times.to_json() for stage, times in self.wall_s.items()},
            "cpu_s": {stage: times.to_json() for stage, times in self.cpu_s.items()},
            "checks": list(self._check_rows()),
            "masked_share": self.masked_share.to_json(),
            "psnr_db": self.psnr_db.to_json(),
            "worst_psnr_db": self.worst_psnr_db.to_json(),
            "rate_ratio": self.rate_ratio.to_json(),
            "slowest_s_per_frame": self.slowest.to_json(),
            "lowest_psnr_db": [[video_id, -value] for video_id, value in self.poorest.to_json()],
        }

    def _check_rows(self) -> Iterator[list[Any]]:
        for name in sorted({name for name, _ in self.checks}):
            yield [name, *(self.checks[name, str(v)] for v in (Verdict.EQUAL, Verdict.CHANGED_BY_POLICY))]
