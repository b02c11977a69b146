"""detect for an album: every picture is decoded once for all detectors, which see pictures of one size together."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from anonflow.detect.base import fit
from anonflow.errors import AnonflowError, InternalError
from anonflow.picture.base import PictureInfo
from anonflow.picture.still import open_picture, read_picture
from anonflow.pipeline.album.album import Album
from anonflow.pipeline.album.members import Member
from anonflow.pipeline.context import FrameMeter, RunContext
from anonflow.pipeline.guard import internal_error
from anonflow.pipeline.rows import Row
from anonflow.pipeline.stages.detect import Eye, latencies
from anonflow.pipeline.timing import Stopwatch
from anonflow.tables import read_note, read_rows, write_rows
from anonflow.types import Boxes, Detections, FrameFacts, Picture

log = logging.getLogger(__name__)


def detect_album(row: Row, context: RunContext, load: Callable[[], Sequence[Eye]]) -> list[Row]:
    """Make the detections of the pictures that have none yet. Their "frames" are positions in the album."""
    album = Album(row, "detect", context)
    with album.together():
        known = read_found(row, context)
        todo = [member for member in album.left() if member.position not in known.facts.frames]
        if todo:
            watch = Stopwatch()
            with FrameMeter(context.progress, "detect") as meter:
                search = _Search(album, load(), meter)
                search.look_at(todo)
            note = {"providers": search.providers, "latency": latencies(search.eyes), **watch.read()}
            _write(row, context, known.joined(search), note)
    return album.leave()


@dataclass(frozen=True, eq=False)
class Found:
    """What is known of an album's pictures, by position: boxes in px as they are stored, brightness, and sizes."""

    detections: Detections
    facts: FrameFacts
    sizes: dict[str, list[int]]

    def joined(self, search: _Search) -> Found:
        """With what a search found, of pictures at which nothing failed."""
        done = search.done()
        lumas = np.array([search.lumas[position] for position in done], np.float32)
        new = FrameFacts(np.array(done, np.int64), lumas, np.zeros(len(done), np.bool_))
        facts = FrameFacts.concat([self.facts, new])
        found = Detections.concat([self.detections, *search.found])
        found = found[np.isin(found.frames, facts.frames)]
        grids = {str(position): search.infos[position].grid for position in done}
        sizes = {position: [form.width, form.height] for position, form in grids.items()}
        return Found(
            found[np.lexsort((found.labels, found.frames))],
            facts[np.argsort(facts.frames)],
            {**self.sizes, **sizes},
        )


def read_found(row: Row, context: RunContext) -> Found:
    """What was found so far. Only pictures that have facts were looked at."""
    path = context.paths.detections(row.video_id, 0)
    if not path.exists():
        return Found(Detections.empty(), FrameFacts.empty(), {})
    facts = read_rows(FrameFacts, context.paths.facts(row.video_id, 0))
    return Found(read_rows(Detections, path), facts, read_note(path)["sizes"])


def _write(row: Row, context: RunContext, found: Found, note: dict[str, Any]) -> None:
    """Boxes last: facts without them say nothing."""
    path = context.paths.detections(row.video_id, 0)
    path.unlink(missing_ok=True)
    write_rows(context.paths.facts(row.video_id, 0), found.facts)
    write_rows(path, found.detections, {"sizes": found.sizes, **note})


@dataclass
class _Search:
    """Pictures that wait for a full batch, by detector and size, and what was found so far."""

    album: Album
    eyes: Sequence[Eye]
    meter: FrameMeter
    found: list[Detections] = field(default_factory=list)
    lumas: dict[int, float] = field(default_factory=dict)
    infos: dict[int, PictureInfo] = field(default_factory=dict)
    n_looks: dict[int, int] = field(default_factory=dict)
    seen_by: Counter[int] = field(default_factory=Counter)
    waiting: dict[tuple[int, tuple[int, int]], list[tuple[Member, Picture]]] = field(default_factory=dict)

    @property
    def providers(self) -> list[str]:
        """What the detectors ran on."""
        return sorted({eye.detector.provider for eye in self.eyes})

    def look_at(self, members: Sequence[Member]) -> None:
        """Search all these pictures."""
        for member in members:
            if member in self.album.left():
                self.album.attempt(member, partial(self.add, member))
        for key, batch in list(self.waiting.items()):
            self.album.attempt(batch[-1][0], partial(self._run, *key))
        for member in list(self.album.left()):
            if member in members and not self._is_seen(member.position):
                self.album.fail(member, InternalError(f"{member.source.uri}: a detector left it out. Run again."))

    def done(self) -> list[int]:
        """Positions of the pictures that every detector has seen."""
        left = {member.position for member in self.album.left()}
        return sorted(position for position in self.seen_by if self._is_seen(position) and position in left)

    def _is_seen(self, position: int) -> bool:
        return self.seen_by[position] == len(self.eyes) * self.n_looks.get(position, 1)

    def add(self, member: Member) -> None:
        """Decode a picture and let every detector have it."""
        config = self.album.context.config.picture
        still = open_picture(read_picture(Path(member.source.uri), config.max_bytes), config.max_pixels)
        info = still.info
        sizes = [fit(*info.shown_size, eye.config.long_side_px, eye.config.max_upscale) for eye in self.eyes]
        looks = still.looks(max(max(size) for size in sizes))
        self.infos[member.position], self.n_looks[member.position] = info, len(looks)
        for look in looks:
            self._wait(member, info.turn.upright(look), sizes)
        self.meter.tick()

    def _wait(self, member: Member, upright: Picture, sizes: Sequence[tuple[int, int]]) -> None:
        """Put one look of a picture into the batches. Its brightness is that of the brightest look."""
        shown = {size: _resized(upright, size) for size in set(sizes)}
        luma = float(cv2.cvtColor(shown[sizes[0]], cv2.COLOR_BGR2GRAY).mean()) / 255
        self.lumas[member.position] = max(luma, self.lumas.get(member.position, 0.0))
        for number, (eye, size) in enumerate(zip(self.eyes, sizes, strict=True)):
            batch = self.waiting.setdefault((number, size), [])
            batch.append((member, shown[size]))
            if len(batch) >= (1 if self.album.is_careful else eye.config.batch_size):
                self._run(number, size)

    def _run(self, number: int, size: tuple[int, int]) -> None:
        batch = self.waiting.pop((number, size), [])
        try:
            boxes = self.eyes[number].detector.detect([picture for _, picture in batch])
        except AnonflowError as error:
            self._run_apart(number, size, batch, error)
            return
        except Exception as error:
            log.exception("A detector failed at %d pictures", len(batch))
            self._run_apart(number, size, batch, error)
            return
        for (member, _), its_boxes in zip(batch, boxes, strict=True):
            self.found.append(self._in_stored_picture(member, size, its_boxes))
            self.seen_by[member.position] += 1

    def _run_apart(
        self, number: int, size: tuple[int, int], batch: list[tuple[Member, Picture]], error: Exception
    ) -> None:
        """Find out which picture of a batch the detector fails at."""
        if len(batch) > 1:
            for one in batch:
                self.waiting[number, size] = [one]
                self._run(number, size)
            return
        for member, _ in batch:
            uri = member.source.uri
            self.album.fail(member, error if isinstance(error, AnonflowError) else internal_error(uri, error))

    def _in_stored_picture(self, member: Member, size: tuple[int, int], boxes: Boxes) -> Detections:
        info = self.infos[member.position]
        xyxy = info.turn.boxes_to_stored(boxes.xyxy, size, (info.grid.width, info.grid.height))
        return Detections(np.full(len(boxes), member.position, np.int64), xyxy, boxes.scores, boxes.classes)


def _resized(picture: Picture, size: tuple[int, int]) -> Picture:
    shrinks = picture.shape[1] > size[0]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)
