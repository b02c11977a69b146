"""What a frame carries beside its picture, by name."""

from __future__ import annotations

from typing import Any

import av

_ELSEWHERE = {"DISPLAYMATRIX", "MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"}
"""Kept and compared by name of their own: rotation and HDR10 data."""
_NOTHING_SAID = {"PANSCAN", "VIDEO_ENC_PARAMS", "MOTION_VECTORS", "VIDEO_HINT", "FILM_GRAIN_PARAMS"}
"""Notes of a decoder or an encoder on its own work; film grain is in the decoded picture already."""
_USER_DATA = "SEI_UNREGISTERED"
_OWN_USER_DATA = (
    bytes.fromhex("dc45e9bde6d948b7962cd820d923eeef"),  # x264's note of its settings
    bytes.fromhex("2ca2de09b51747dbbb55a4fe7fc2fc4e"),  # x265's
)


def side_data_names(frame: av.VideoFrame) -> tuple[str, ...]:
    """What travels with the frame, sorted: `a53 cc` (closed captions), `sei unregistered`, `stereo3d`, ...

    Without what is compared elsewhere, and without an encoder's note of its settings.
    """
    found: Any = frame.side_data  # a mapping by its types, but it iterates over values
    names = {data.type.name for data in found if not _is_own_note(data.type.name, bytes(data))}
    return tuple(sorted(name.lower().replace("_", " ") for name in names - _ELSEWHERE - _NOTHING_SAID))


def _is_own_note(name: str, content: bytes) -> bool:
    return name == _USER_DATA and content.startswith(_OWN_USER_DATA)
