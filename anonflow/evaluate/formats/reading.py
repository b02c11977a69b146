"""What readers share: text with line numbers, numbers that are checked, and pictures found by their names."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from anonflow.errors import TruthError

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
VIDEOS = (
    ".mp4",
    ".mov",
    ".mkv",
    ".webm",
    ".avi",
    ".m4v",
    ".mpg",
    ".mpeg",
    ".ts",
    ".mts",
    ".m2ts",
    ".wmv",
    ".flv",
    ".3gp",
)
MEDIA = (*PICTURES, *VIDEOS)
MAX_BYTES = 2**30
"""Of one annotation file."""

Box = tuple[float, float, float, float]


def failure(path: Path, place: str, what: str, remedy: str) -> TruthError:
    """The error for one place of an annotation file."""
    return TruthError(f"{path}{f', {place}' if place else ''}: {what}. {remedy}.")


def read_text(path: Path) -> str:
    """The whole file as UTF-8, with or without a byte order mark."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise failure(path, "", f"more than {MAX_BYTES} bytes", "Split it")
        return content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise failure(path, "", f"cannot be read as UTF-8 text ({error})", "Give an annotation file") from error


def numbers(words: Sequence[str], path: Path, place: str, remedy: str) -> list[float]:
    """All words as finite numbers."""
    try:
        values = [float(word) for word in words]
    except ValueError as error:
        raise failure(path, place, "a value is no number", remedy) from error
    if not all(math.isfinite(value) for value in values):
        raise failure(path, place, "a value is not finite", remedy)
    return values


def solid_box(box: Box, path: Path, place: str, *, may_be_empty: bool = False) -> Box:
    """The box, which has an area unless it `may_be_empty`."""
    if (box[2] > box[0] and box[3] > box[1]) or may_be_empty:
        return box
    raise failure(path, place, "the box has no area", "Correct its corners, mark it as ignored, or take it out")


def is_picture(path: Path) -> bool:
    """By its name."""
    return path.suffix.lower() in PICTURES


def is_media(path: Path) -> bool:
    """A picture or a video, by its name."""
    return path.suffix.lower() in MEDIA


def files_below(folder: Path) -> list[Path]:
    """All files below a folder, sorted; those of hidden folders and of this program's own aside."""
    if not folder.is_dir():
        return []
    found = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path for path in found if not _is_apart(path.relative_to(folder).parts))


def locate(name: str, roots: Iterable[Path], annotation: Path, place: str) -> Path:
    """The picture or video that an annotation file names, below the first of `roots` that has it."""
    tried = list(dict.fromkeys(roots))
    for root in tried:
        path = root / name
        if path.is_file():
            return path
    told = ", ".join(str(root) for root in tried)
    raise failure(
        annotation, place, f"it names {name}, which is not below {told}", "Say where it is with data.media=FOLDER"
    )


def group_of(path: Path, root: Path) -> str:
    """The folder of a file below `root`; empty for `root` itself and for files that are elsewhere."""
    if not path.is_relative_to(root):
        return ""
    group = path.relative_to(root).parent.as_posix()
    return "" if group == "." else group


def one_of_stem(path: Path, media: Sequence[Path]) -> Path | None:
    """The video of an annotation file: in its folder, with the longest name that its own begins with."""
    beside = [m for m in media if m.parent == path.parent and path.stem.startswith(m.stem)]
    return max(beside, key=lambda m: len(m.stem), default=None)


def _is_apart(parts: Sequence[str]) -> bool:
    return any(part.startswith(".") or part == "_anonflow" for part in parts)
