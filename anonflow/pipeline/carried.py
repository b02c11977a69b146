"""What is kept of a video besides its picture: its policy, from configuration and regions, and the record of it."""

from __future__ import annotations

from typing import Any

from anonflow.config import AnonymizeConfig
from anonflow.mask.regions import regions_for
from anonflow.types import FrameIndex
from anonflow.video.carry import CarryPolicy, Selection
from anonflow.video.contract.streams import removed_layers


def carry_policy(config: AnonymizeConfig, relative_path: str) -> CarryPolicy:
    """What of the source with that path below the input is kept, and how its sound is published."""
    mute = [span for entry in regions_for(config.regions, relative_path) for span in entry.mute]
    return CarryPolicy.of(config.video, config.audio, mute)


def carried(index: FrameIndex, selection: Selection) -> dict[str, Any]:
    """For the report: names of streams and keys, never what they hold."""
    kept_keys = set(selection.keys).union(*selection.stream_keys.values())
    removed = (*selection.removed_streams, *removed_layers(index), *selection.removed_chapters)
    return {
        "audio": selection.sound.mode,
        "kept_streams": [part.name for part in selection.streams],
        "removed_streams": list(removed),
        "kept_keys": sorted(kept_keys),
        "removed_keys": list(selection.removed_keys),
    }


def warnings(config: AnonymizeConfig) -> list[str]:
    """What somebody should know before a run that keeps more than its default."""
    said = []
    if config.video.cover:
        said.append(
            f"video.cover={list(config.video.cover)}: covers are copied as they are, with every face in them."
        )
    if config.audio.mode == "pitch":
        said.append("audio=pitch is a weak disguise: it can be undone, and what is said stays audible.")
    return said
