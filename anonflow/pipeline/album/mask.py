"""mask for an album: each picture is read again, and a masked file is written to the work folder."""

from __future__ import annotations

from functools import partial

from anonflow.picture.still import open_picture, read_picture
from anonflow.pipeline.album.album import Album
from anonflow.pipeline.album.hiding import AlbumPlan
from anonflow.pipeline.album.members import Member
from anonflow.pipeline.context import FrameMeter, RunContext
from anonflow.pipeline.rows import Row
from anonflow.pipeline.timing import Stopwatch
from anonflow.storage import write_bytes, write_json


def mask_album(row: Row, context: RunContext) -> list[Row]:
    """Make the masked file of every picture that is left."""
    album = Album(row, "mask", context)
    watch = Stopwatch()
    with album.together(), FrameMeter(context.progress, "mask") as meter:
        plan = AlbumPlan.read(row, context)
        for member in album.left():
            if not context.paths.masked_picture(row.video_id, member.position).exists():
                album.attempt(member, partial(_mask, member, plan, row, context))
            meter.tick()
        write_json(context.paths.note(context.paths.segment(row.video_id, 0)), watch.read())
    return album.leave()


def _mask(member: Member, plan: AlbumPlan, row: Row, context: RunContext) -> None:
    target = context.paths.masked_picture(row.video_id, member.position)
    config = context.config.picture
    still = open_picture(read_picture(context.source(member.source.uri), config.max_bytes), config.max_pixels)
    hiding = plan.hiding(member, still.info, context)
    write_bytes(target, still.masked(hiding, config.keeps))
