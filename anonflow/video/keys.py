"""The keys of metadata: one name for what containers spell differently, and which keys are nobody's content."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

_OWN = {
    *("major_brand", "minor_version", "compatible_brands", "vendor_id", "encoder", "encoder_options", "language"),
    *("duration", "timecode", "number_of_frames", "number_of_bytes", "bps", "filename", "mimetype"),
    *("variant_bitrate", "hw", "is_fmp4"),
}
"""Describe the file itself, so that a copy has its own: brands, encoder, length. `timecode` has its track."""
_OWN_PATTERN = "_statistics_*"
_OWN_HANDLERS = {"videohandler", "soundhandler", "subtitlehandler", "datahandler", "timecodehandler", "clcphandler"}
_OWN_HANDLERS |= {"gopromet"}
"""What MP4's muxer calls a stream's handler when nobody says otherwise; spaces aside."""
_LANGUAGE_SUFFIX = re.compile(r"-[a-z]{3}$")


def canonical(key: str) -> str:
    """The name of a key whatever the container: lower case, without the language that the MP4 demuxer adds.

    Matroska's muxer writes upper case and underscores; the name of an MP4 track is its title.
    """
    name = _LANGUAGE_SUFFIX.sub("", key).lower().replace(" ", "_")
    return "title" if name == "name" else name


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether any of the patterns fits, as in `fnmatch`, whatever the case."""
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


def content(keys: Mapping[str, str]) -> dict[str, str]:
    """The keys that tell of what was recorded, by canonical name, without those that describe the file itself."""
    found = {canonical(key): value for key, value in keys.items() if value}
    return {name: value for name, value in found.items() if not _is_own(name, value)}


def allowed(keys: Mapping[str, str], patterns: Iterable[str]) -> dict[str, str]:
    """Of `content`, what a pattern names; patterns may also be spelt as a container spells the key."""
    patterns = list(patterns)
    spelt = {canonical(key) for key in keys if matches(key, patterns)}
    return {name: value for name, value in content(keys).items() if name in spelt or matches(name, patterns)}


def _is_own(name: str, value: str) -> bool:
    if name == "handler_name":
        return value.replace(" ", "").lower() in _OWN_HANDLERS
    return name in _OWN or fnmatchcase(name, _OWN_PATTERN)
