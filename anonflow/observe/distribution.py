"""A distribution of which the values are not kept: how many lie in which bin, exact ends, sum and count."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass
class Distribution:
    """Counts by bin. `edges` (n,) rise; the bins are below the first, between two each, and from the last on."""

    edges: Sequence[float]
    counts: list[int] = field(default_factory=list)
    n: int = 0
    total: float = 0.0
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        """All bins are empty."""
        self.counts = self.counts or [0] * (len(self.edges) + 1)

    @classmethod
    def log(cls, low: float, high: float, per_decade: int = 20) -> Self:
        """Bins of equal ratio: quantiles are right to a factor of 10^(1 / per_decade)."""
        n, edge, edges = 0, low, []
        while edge < high * (1 + 1e-9):
            edges.append(edge)
            n += 1
            edge = low * float(10 ** (n / per_decade))
        return cls(edges)

    @classmethod
    def linear(cls, low: float, high: float, n_bins: int) -> Self:
        """Bins of equal width."""
        return cls([low + (high - low) * number / n_bins for number in range(n_bins + 1)])

    def add(self, value: float) -> None:
        """One value more."""
        self.counts[bisect_right(self.edges, value)] += 1
        self.n += 1
        self.total += value
        self.low = value if self.low is None else min(self.low, value)
        self.high = value if self.high is None else max(self.high, value)

    @property
    def mean(self) -> float | None:
        """Exact; None of nothing."""
        return self.total / self.n if self.n else None

    def quantile(self, share: float) -> float | None:
        """The value below which a share of the values lies, right to its bin; None of nothing."""
        if self.low is None or self.high is None:
            return None
        wanted, below = share * self.n, 0
        for place, count in enumerate(self.counts):
            if count and below + count >= wanted:
                left = max(self.low, self.edges[place - 1]) if place else self.low
                right = min(self.high, self.edges[place]) if place < len(self.edges) else self.high
                within = left + (right - left) * max(0.0, wanted - below) / count
                return min(max(within, self.low), self.high)  # but for rounding it lies there
            below += count
        return self.high

    def to_json(self) -> dict[str, Any]:
        """Summary, and the bins that are not empty as (lower end, upper end, count); ends are None where open."""
        ends = [None, *self.edges, None]
        bins = [
            [left if left is None else round(left, 6), right if right is None else round(right, 6), count]
            for left, right, count in zip(ends[:-1], ends[1:], self.counts, strict=True)
            if count
        ]
        shown = {"min": self.low, "mean": self.mean, "max": self.high}
        quantiles = {f"p{round(100 * share)}": self.quantile(share) for share in (0.05, 0.5, 0.9, 0.99)}
        return {
            "n": self.n,
            **{name: None if value is None else round(value, 6) for name, value in (shown | quantiles).items()},
            "bins": bins,
        }
