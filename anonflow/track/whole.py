"""The mask plan of a whole video from its detections alone, as chunked work makes it from the video."""

from __future__ import annotations

from anonflow.config import HidingConfig
from anonflow.errors import ConfigError
from anonflow.track.configured import grading, margins, operators, tracker_params
from anonflow.track.grade import grade
from anonflow.track.operators import TrackFacts, View
from anonflow.track.reverse import prolong_backwards, unclaimed_by
from anonflow.track.stabilise import mask_plan, stabilise
from anonflow.track.timeline import Timeline
from anonflow.track.tracker import one_pass
from anonflow.types import Detections, FrameFacts, MaskPlan, Tracks


def track_whole(
    found: Detections, facts: FrameFacts, timeline: Timeline, config: HidingConfig, width: int, height: int
) -> Tracks:
    """The tracks of a video of `width` x `height` px, weak beginnings included.

    Raises ConfigError for a tracker that compares looks: it needs the video.
    """
    if config.tracker.appearance:
        raise ConfigError("tracker.appearance needs the videos, not only their detections; choose another tracker")
    seen = grade(found, facts, grading(config), width, height)
    tracks = one_pass(seen, timeline, tracker_params(config.tracker))
    reverse = config.stabilise.reverse
    if not reverse.enabled:
        return tracks
    return prolong_backwards(tracks, unclaimed_by(tracks, seen), timeline, reverse.buffer_s, reverse.match_iou)


def plan_whole(tracks: Tracks, timeline: Timeline, config: HidingConfig, width: int, height: int) -> MaskPlan:
    """What to hide of a video of `width` x `height` px whose tracks `track_whole` gave."""
    view = View(timeline, width, height, TrackFacts.of(tracks, timeline))
    hidden = stabilise(tracks, operators(config), view, 0, timeline.n_frames)
    return mask_plan(hidden, margins(config), width, height)
