"""From sources to the first rows of the graph: one for a video, one for an album of pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from anonflow.pipeline.context import RunContext
from anonflow.pipeline.rows import Row
from anonflow.storage import fingerprint, write_json
from anonflow.types import Source


@dataclass(frozen=True)
class Member:
    """A picture of an album, and its position in it, by which its boxes and results are found."""

    position: int
    source: Source

    @property
    def row(self) -> Row:
        """The row that carries its outcome."""
        return Row.of(self.source)


def units(sources: Sequence[Source], context: RunContext) -> Iterator[tuple[Source, ...]]:
    """What a first row is made of: each video alone, and pictures by the album.

    Files named like pictures are taken for them until they are opened.
    """
    config = context.config
    pictures = []
    for source in sources:
        if config.source.is_picture_name(source.relative_path):
            pictures.append(source)
        else:
            yield (source,)
    yield from map(tuple, _parts(pictures, config.picture.album_size))


def first_row(unit: Sequence[Source], context: RunContext) -> Row:
    """The row of a unit."""
    is_album = context.config.source.is_picture_name(unit[0].relative_path)
    return album_row(unit, context) if is_album else Row.of(unit[0])


def album_row(sources: Sequence[Source], context: RunContext) -> Row:
    """The row of an album; which pictures it has is written to the work folder, so that the row stays small."""
    album_id = fingerprint([source.video_id for source in sources])
    write_json(context.paths.album(album_id), [asdict(source) for source in sources])
    more = f" and {len(sources) - 1} more pictures" if len(sources) > 1 else ""
    size = sum(max(0, source.size_bytes) for source in sources)
    return Row(f"{sources[0].uri}{more}", "", album_id, size, 0, chunk=0, n_chunks=1, pictures=len(sources))


def members_of(row: Row, context: RunContext) -> tuple[Member, ...]:
    """The pictures of an album, those that have ended included."""
    given = json.loads(context.paths.album(row.video_id).read_text(encoding="utf-8"))
    return tuple(Member(position, Source(**values)) for position, values in enumerate(given))


def _parts(pictures: Sequence[Source], size: int) -> Iterator[Sequence[Source]]:
    return (pictures[start : start + size] for start in range(0, len(pictures), size))
