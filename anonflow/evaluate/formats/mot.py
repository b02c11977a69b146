"""MOT Challenge text (https://motchallenge.net) for videos: see `evaluate.mot` for the lines.

A file belongs to the video in its folder whose name its own begins with (`clip.txt` or `clip_gt.txt`: `clip.mp4`),
or, as `SEQUENCE/gt/gt.txt`, to the one video in the folder of the sequence. A label is the number of its class; -1
without.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from anonflow.errors import TruthError
from anonflow.evaluate.formats.reading import VIDEOS, failure, files_below, group_of, one_of_stem, read_text
from anonflow.evaluate.ground import Annotated, Annotations, Item
from anonflow.evaluate.mot import N_WITH_VISIBILITY, line_values

NAME = "mot"
_ANY_FRAME = 2**31
_CLASS = 7
_NAMES = {"gt", "det"}


def is_mot(path: Path) -> bool:
    """Whether the first line that is not blank is numbers with commas between them."""
    if path.suffix.lower() != ".txt":
        return False
    line = next((line for line in read_text(path).splitlines() if line.strip()), "")
    try:
        line_values(line, "", _ANY_FRAME)
    except TruthError:
        return False
    return True


def read_mot_files(files: Sequence[Path], root: Path, media: Path | None) -> Annotations:
    """One video a file."""
    items: list[Item] = []
    objects: list[Annotated] = []
    for path in files:
        objects += _objects(path, len(items))
        items.append(Item(_video(path, media), path, group_of(path, root)))
    return Annotations(NAME, tuple(items), tuple(objects))


def _objects(path: Path, item: int) -> list[Annotated]:
    objects: list[Annotated] = []
    seen: dict[tuple[int, int], int] = {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        place = f"line {number}"
        frame, object_id, x, y, w, h, visible = line_values(line, f"{path}, {place}", _ANY_FRAME)
        if (frame, object_id) in seen:
            raise failure(
                path, place, f"object {object_id} is in frame {frame} already, in line {seen[frame, object_id]}",
                "Take one of them out",
            )  # fmt: skip
        seen[frame, object_id] = number
        words = line.split(",")
        has_class = len(words) in (_CLASS + 1, N_WITH_VISIBILITY)
        label = f"{float(words[_CLASS]):g}" if has_class else "-1"
        objects.append(
            Annotated(
                item,
                (x, y, x + w, y + h),
                label,
                place,
                frame=frame - 1,
                track_id=object_id,
                ignored=visible is None,
                visible=1.0 if visible is None else visible,
            )
        )
    return objects


def _video(path: Path, media: Path | None) -> Path:
    """The video of a file."""
    folders = [*([media] if media else []), path.parent]
    if path.stem in _NAMES:
        folder = path.parent.parent
        found = [p for p in files_below(folder) if p.suffix.lower() in VIDEOS]
        if len(found) == 1:
            return found[0]
        if (folder / "img1").is_dir() and not found:
            raise failure(
                path, "", f"its pictures are single files in {folder / 'img1'}",
                "Make a lossless video of them beside it (ffmpeg -framerate RATE -i img1/%06d.jpg -crf 0 NAME.mkv)",
            )  # fmt: skip
    for folder in folders:
        videos = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in VIDEOS]
        found_one = one_of_stem(folder / path.name, videos)
        if found_one:
            return found_one
    raise failure(
        path, "", "no video lies beside it whose name its own begins with", "Put it there, or set data.media=FOLDER"
    )
