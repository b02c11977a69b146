"""Whom to tell what a run read and wrote."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from anonflow.config.base import Section, positive, require


@dataclass(frozen=True)
class LineageConfig(Section):
    """An OpenLineage service or file; neither: nobody is told."""

    url: str | None
    """Of the service, without the path of its API. Its key comes from the environment: OPENLINEAGE_API_KEY."""
    file: str | None
    """A local file; an event a line is added to it."""
    namespace: str
    """Of the job, which tells installations apart."""
    job: str
    timeout_s: float

    def __post_init__(self) -> None:
        """Check the values."""
        is_url = self.url is None or urlsplit(self.url).scheme in ("http", "https")
        require(is_url, f"runtime.lineage.url={self.url} must begin with http:// or https://")
        require(
            bool(self.namespace and self.job), "runtime.lineage.namespace and runtime.lineage.job must not be empty"
        )
        positive("runtime.lineage.timeout_s", self.timeout_s)

    @property
    def is_on(self) -> bool:
        """Whether anybody is told."""
        return bool(self.url or self.file)
