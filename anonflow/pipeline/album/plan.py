"""plan of an album: which of its pictures are to be worked on. They are opened later, once."""

from __future__ import annotations

from functools import partial

from anonflow.errors import NotAPictureError
from anonflow.picture.still import HEAD_BYTES, kind_of
from anonflow.pipeline.album.album import Album
from anonflow.pipeline.album.members import Member
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.outcomes import unchanged
from anonflow.pipeline.rows import Row
from anonflow.pipeline.stages.plan import check_source, published_before
from anonflow.storage import naming_source_errors


def plan_album(row: Row, context: RunContext) -> list[Row]:
    """The album, and a row for each of its pictures that ends here."""
    album = Album(row, "plan", context)
    for member in album.left():
        album.attempt(member, partial(_plan, album, member))
    n_left = sum(1 for _ in album.left())
    context.progress.planned(n_left, n_left)
    return album.leave()


def _plan(album: Album, member: Member) -> None:
    if (earlier := published_before(member.row, album.context)) is not None:
        album.end(member, unchanged(earlier, member.row))
        return
    check_source(member.source, album.context.config.runtime.access)
    path = album.context.source(member.source.uri)
    with naming_source_errors(path), path.open("rb") as file:
        if kind_of(file.read(HEAD_BYTES)) is None:
            raise NotAPictureError(
                f"{member.source.uri}: its content is no JPEG, PNG, WebP, TIFF or BMP. Convert it; if it is "
                "something else, give it the extension of what it is."
            )
