"""How still pictures are worked on, and what of their metadata is kept."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from anonflow.config.base import Section, require

_KINDS = ("exif.", "gps.", "text.")


@dataclass(frozen=True)
class PictureConfig(Section):
    """Pictures among the inputs."""

    album_size: int
    """Pictures that go through the stages together."""
    max_pixels: int
    """A picture with more is quarantined."""
    max_bytes: int
    """A larger file is quarantined, and never read."""
    metadata: list[str]
    """Patterns of names that are kept, as in `fnmatch`, case-sensitive."""

    def __post_init__(self) -> None:
        """Check the values."""
        require(1 <= self.album_size <= 10_000, f"picture.album_size={self.album_size} must lie in 1..10000")
        require(self.max_pixels >= 1, f"picture.max_pixels={self.max_pixels} must be at least 1")
        require(self.max_bytes >= 1, f"picture.max_bytes={self.max_bytes} must be at least 1")
        for pattern in self.metadata:
            require(
                pattern in ("*", "comment") or pattern.startswith(_KINDS),
                f"picture.metadata: '{pattern}' can keep nothing; write '*', 'comment', or a name or pattern that "
                "begins with exif., gps. or text. (XMP, IPTC, maker notes and thumbnails are never kept)",
            )

    def keeps(self, name: str) -> bool:
        """Whether metadata of that name is kept."""
        return any(fnmatchcase(name, pattern) for pattern in self.metadata)
