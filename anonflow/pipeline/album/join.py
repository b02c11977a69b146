"""join for an album: each masked picture is checked against its source, and gets its name only after that."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from anonflow.picture.contract import inspect
from anonflow.picture.still import open_picture, read_picture
from anonflow.pipeline.album.album import Album
from anonflow.pipeline.album.detect import Found, read_found
from anonflow.pipeline.album.hiding import AlbumPlan
from anonflow.pipeline.album.members import Member
from anonflow.pipeline.chains import published_chain
from anonflow.pipeline.collisions import require_inside
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.keeping import keep_pictures
from anonflow.pipeline.outcomes import read_done, write_done
from anonflow.pipeline.provenance import made_with, picture_facts
from anonflow.pipeline.rows import Outcome, Row
from anonflow.pipeline.stages.join import require_fidelity, require_other_file
from anonflow.pipeline.stages.plan import check_source
from anonflow.pipeline.timing import Stopwatch
from anonflow.storage import move_into_place, naming_storage_errors
from anonflow.tables import read_note
from anonflow.types import Check, Status, Verdict


def join_album(row: Row, context: RunContext) -> list[Row]:
    """A row with the outcome of every picture that is left; the album has ended then."""
    album = Album(row, "join", context)
    with album.together():
        if any(album.left()):
            work = _Work.read(row, context)
            keep_pictures(row, context, work.found, list(album.left()))
            for member in album.left():
                album.attempt(member, partial(_publish, album, member, work))
        context.paths.remove_work(row.video_id)
    return [made for made in album.leave() if made.outcome]


@dataclass(frozen=True)
class _Work:
    """What the stages before left for the album, and a picture's share of their times."""

    plan: AlbumPlan
    providers: list[str]
    stage_seconds: dict[str, dict[str, float]]
    found: Found
    made_with: dict[str, Any]

    @classmethod
    def read(cls, row: Row, context: RunContext) -> _Work:
        paths, plan = context.paths, AlbumPlan.read(row, context)
        detected = read_note(paths.detections(row.video_id, 0))
        masked = json.loads(paths.note(paths.segment(row.video_id, 0)).read_text())
        times = {"detect": detected, "stitch": plan.times, "mask": masked}
        shares = {stage: _share(note, row.pictures) for stage, note in times.items()}
        return cls(plan, detected["providers"], shares, read_found(row, context), made_with(context))

    def facts(self, member: Member, checks: tuple[Check, ...]) -> dict[str, dict[str, Any]]:
        """What the chain of a picture says was made of it."""
        position = member.position
        found = self.found.detections.between(position, position + 1)
        plan = self.plan.plan.between(position, position + 1)
        return picture_facts(self.made_with, found, plan, self.plan.objects[str(position)], checks)


def _share(times: dict[str, Any], n_pictures: int) -> dict[str, float]:
    return {key: round(times[key] / n_pictures, 5) for key in ("wall_s", "cpu_s")}


def _publish(album: Album, member: Member, work: _Work) -> None:
    """Check, rename, mark as done. A task that was killed after marking finds the mark."""
    context = album.context
    done = read_done(member.row, context)
    if done is not None and done.run_id == context.paths.run_id:
        album.end(member, done.outcome)
        return
    watch = Stopwatch()
    source, target = Path(member.source.uri), context.paths.output / member.source.relative_path
    given = read_picture(source, context.config.picture.max_bytes)
    content = context.paths.masked_picture(album.row.video_id, member.position).read_bytes()
    checks, kind = _checks(given, content, member, work, context)
    require_fidelity(member.row, checks)
    _move(content, source, target, member, context)
    source_sha256, sha256 = (hashlib.sha256(data).hexdigest() for data in (given, content))
    read = {"bytes": member.source.size_bytes, "sha256": source_sha256}
    made = {**work.facts(member, checks), "output": {"bytes": len(content), "sha256": sha256}}
    outcome = Outcome(
        uri=member.source.uri,
        relative_path=member.source.relative_path,
        video_id=member.source.video_id,
        status=Status.PUBLISHED,
        source_bytes=member.source.size_bytes,
        fingerprint=context.paths.keys.masks,
        output_uri=str(target),
        output_bytes=len(content),
        output_sha256=sha256,
        source_sha256=source_sha256,
        kind="picture",
        details={
            "format": kind,
            "objects": work.plan.objects[str(member.position)],
            "checks": _told(checks),
            "providers": work.providers,
            "stage_seconds": {**work.stage_seconds, "join": watch.read()},
        },
        chain=published_chain(member.source.video_id, read, made, context.paths.run_id),
    )
    write_done(member.row, outcome, target.stat().st_mtime_ns, context)
    album.end(member, outcome)


def _checks(
    given: bytes, content: bytes, member: Member, work: _Work, context: RunContext
) -> tuple[tuple[Check, ...], str]:
    config = context.config.picture
    still = open_picture(given, config.max_pixels)
    hiding = work.plan.hiding(member, still.info, context)
    return inspect(still, content, hiding.hidden, config.keeps), still.info.format


def _move(content: bytes, source: Path, target: Path, member: Member, context: RunContext) -> None:
    partial_path = context.paths.partial / f"{member.source.video_id}.{secrets.token_hex(4)}"
    require_inside(target, context.paths.output, member.source.uri)
    with naming_storage_errors(target):
        partial_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial_path.write_bytes(content)
            check_source(member.source)
            require_other_file(source, target)
            move_into_place(partial_path, target)
        finally:
            partial_path.unlink(missing_ok=True)


def _told(checks: tuple[Check, ...]) -> dict[str, Any]:
    """In short, as there may be a million: how many points are equal, and which were changed by policy."""
    counts = Counter(str(check.verdict) for check in checks)
    changed = {check.name: check.detail for check in checks if check.verdict is Verdict.CHANGED_BY_POLICY}
    return {"equal": counts[Verdict.EQUAL], "changed by policy": changed}
