"""Taking out the sources that an earlier run published, before anything is planned.

An archive that is looked at every night is done but for what is new. For what is done, a listing of the markers,
and reading them side by side, is all that happens; Ray never hears of it. The plan stage looks again at the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from anonflow.errors import AnonflowError
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.outcomes import unchanged
from anonflow.pipeline.rows import Outcome, Row
from anonflow.pipeline.stages.plan import published_before
from anonflow.storage import StoragePath, naming_storage_errors
from anonflow.types import Source

log = logging.getLogger(__name__)

_READERS = 32
"""Reading a marker is waiting: for a disk, or for an object store."""
_AT_ONCE = 4096
"""So many outcomes are held at a time."""

Unit = tuple[Source, ...]
"""Sources that go together: a video alone, or the pictures of an album."""


def settle(units: Iterable[Unit], context: RunContext) -> Iterator[tuple[Unit, list[Outcome]]]:
    """Each unit with its sources' outcomes if all of them are settled, else with none; in order.

    An album stays whole, so that the work on one that was begun is found again.
    """
    marked = _marked(context.paths.done("any").parent)
    if not marked:
        yield from ((unit, []) for unit in units)
        return
    rest = iter(units)
    with ThreadPoolExecutor(_READERS, thread_name_prefix="settled") as readers:
        while some := list(islice(rest, _AT_ONCE)):
            yield from zip(some, readers.map(lambda unit: _outcomes(unit, marked, context), some), strict=True)


def _marked(folder: StoragePath) -> set[str]:
    """Ids of all sources with a marker of this configuration."""
    with naming_storage_errors(folder):
        return {path.stem for path in folder.iterdir()} if folder.exists() else set()


def _outcomes(unit: Unit, marked: set[str], context: RunContext) -> list[Outcome]:
    if any(source.video_id not in marked for source in unit):
        return []
    found = []
    for source in unit:
        row = Row.of(source)
        try:
            earlier = published_before(row, context)
        except (OSError, ValueError, KeyError, AnonflowError) as error:
            log.debug("A marker cannot be read: %s", type(error).__name__)  # the plan stage says what is wrong
            return []
        if earlier is None:
            return []
        found.append(unchanged(earlier, row))
    return found
