"""What of a file besides its picture and its sound is kept: allow-lists, all of them empty by default."""

from __future__ import annotations

from dataclasses import dataclass, fields

from anonflow.config.base import Section, choice, require

CHAPTER_PARTS = ("times", "titles")


@dataclass(frozen=True, kw_only=True)
class KeepConfig(Section):
    """What is taken over, by name. Patterns are as in `fnmatch`, whatever the case; all else is left out."""

    metadata: tuple[str, ...] = ()
    """Keys of the file and of its streams: `title`, `creation_time`, `com.apple.quicktime.*`."""
    chapters: tuple[str, ...] = ()
    """`times`, or `times` and `titles`."""
    subtitles: tuple[str, ...] = ()
    """Languages; `und` for those without one."""
    data: tuple[str, ...] = ()
    """Codecs or handler names of data streams: `tmcd`, `bin_data`, `GoPro MET`."""
    attachments: tuple[str, ...] = ()
    """MIME types of attached files: `font/*`."""
    cover: tuple[str, ...] = ()
    """Codecs of attached pictures: `mjpeg`. They are copied as they are, with every face in them."""

    def __post_init__(self) -> None:
        """Check the values."""
        for field in fields(KeepConfig):
            for pattern in getattr(self, field.name):
                require(bool(pattern), f"video.{field.name} holds an empty pattern; use '*' for everything")
        for part in self.chapters:
            choice("video.chapters", part, CHAPTER_PARTS)
        has_times = not self.chapters or "times" in self.chapters
        require(has_times, "video.chapters=[titles] needs the times, too: use [times,titles]")
