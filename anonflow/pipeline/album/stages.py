"""The stages as the graph calls them: each for chunks of videos and for albums of pictures."""

from __future__ import annotations

import contextlib

from anonflow.errors import AnonflowError, StorageError
from anonflow.picture.still import HEAD_BYTES, kind_of
from anonflow.pipeline.album.detect import detect_album
from anonflow.pipeline.album.join import join_album
from anonflow.pipeline.album.mask import mask_album
from anonflow.pipeline.album.members import album_row, members_of
from anonflow.pipeline.album.plan import plan_album
from anonflow.pipeline.album.stitch import stitch_album
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.guard import internal_error
from anonflow.pipeline.outcomes import quarantine, read_ending
from anonflow.pipeline.rows import Row
from anonflow.pipeline.stages import detect as video_detect
from anonflow.pipeline.stages import join as video_join
from anonflow.pipeline.stages import mask as video_mask
from anonflow.pipeline.stages import plan as video_plan
from anonflow.pipeline.stages import stitch as video_stitch


def plan(row: Row, context: RunContext) -> list[Row]:
    """As `stages.plan`. A picture that is not named like one becomes an album of its own."""
    if row.is_album:
        return plan_album(row, context)
    if _is_picture(row, context):
        return plan_album(album_row([row.source], context), context)
    return video_plan.plan(row, context)


class Detect:
    """As `stages.detect`; the models are the same."""

    def __init__(self, context: RunContext) -> None:
        """Take the run; models are loaded with the first chunk or album."""
        self._context = context
        self._of_videos = video_detect.Detect(context)

    def __call__(self, row: Row) -> list[Row]:
        """Make the row's detections."""
        if row.is_album:
            return detect_album(row, self._context, lambda: self._of_videos.eyes)
        return [self._of_videos(row)]


def stitch(row: Row, context: RunContext) -> list[Row]:
    """As `stages.stitch`. A picture has nobody to be stitched to: its mask plan is made."""
    return stitch_album(row, context) if row.is_album else video_stitch.stitch(row, context)


def mask(row: Row, context: RunContext) -> Row | list[Row]:
    """As `stages.mask`."""
    return mask_album(row, context) if row.is_album else video_mask.mask(row, context)


def join(row: Row, context: RunContext) -> list[Row]:
    """As `stages.join`."""
    return join_album(row, context) if row.is_album else video_join.join(row, context)


def _is_picture(row: Row, context: RunContext) -> bool:
    """By content; of a file that cannot be read, the video's plan says why."""
    if row.outcome or row.uri.startswith("file:"):
        return False
    path = context.source(row.uri)
    try:
        if not path.is_file():  # opening a pipe would wait for somebody to write into it
            return False
        with path.open("rb") as file:
            return kind_of(file.read(HEAD_BYTES)) is not None
    except (OSError, StorageError):
        return False


def ended_by(error: Exception, row: Row, context: RunContext) -> list[Row]:
    """The row's sources, each ended by an error that its stage could not deal with, unless it has ended already."""
    if row.outcome:
        return [row]
    kind, members = ("picture", members_of(row, context)) if row.is_album else ("video", ())
    return [_ended(error, one, context, kind) for one in ([m.row for m in members] or [row])]


def _ended(error: Exception, row: Row, context: RunContext, kind: str) -> Row:
    with contextlib.suppress(OSError):  # what cannot be looked at is what the error may be about
        if ending := read_ending(row, context):
            return row.ended(ending.outcome)
    named = error if isinstance(error, AnonflowError) else internal_error(row.uri, error)
    return quarantine(row, "graph", named, context, kind)
