"""CCPD's file names (Xu et al., ECCV 2018): everything about the plate is in the name of its picture.

`AREA-TILT-BOX-CORNERS-TEXT-BRIGHTNESS-BLUR.jpg`, with the box as `x1&y1_x2&y2`. The plate's text is not read.
"""

from __future__ import annotations

import re
from pathlib import Path

from anonflow.evaluate.formats.reading import failure, files_below, group_of, is_picture, solid_box
from anonflow.evaluate.ground import Annotated, Annotations, Item

NAME = "ccpd"
LABEL = "plate"
_FIELDS = 7
_BOX = re.compile(r"(\d+)&(\d+)_(\d+)&(\d+)")
_BANDS = 64
"""Width of a band of brightness."""


def is_ccpd(name: str) -> bool:
    """Whether a picture's name is built as CCPD's."""
    fields = Path(name).stem.split("-")
    return len(fields) == _FIELDS and _BOX.fullmatch(fields[2]) is not None


def read_ccpd(folder: Path) -> Annotations:
    """The pictures below a folder. CCPD's `ccpd_np` holds cars without a plate; its names have no box."""
    items: list[Item] = []
    objects: list[Annotated] = []
    for path in files_below(folder):
        if not is_picture(path) or not _claims(path.name):
            continue
        objects.append(_plate(path, len(items)))
        items.append(Item(path, path, group_of(path, folder)))
    return Annotations(NAME, tuple(items), tuple(objects), (LABEL,))


def _claims(name: str) -> bool:
    return len(Path(name).stem.split("-")) == _FIELDS


def _plate(path: Path, item: int) -> Annotated:
    fields = path.stem.split("-")
    found = _BOX.fullmatch(fields[2])
    if found is None:
        raise failure(
            path, "third field of its name", "it is no box x1&y1_x2&y2", "Restore the name that CCPD gave it"
        )
    x1, y1, x2, y2 = (float(word) for word in found.groups())
    attributes = {}
    if fields[5].isdigit():
        low = int(fields[5]) // _BANDS * _BANDS
        attributes["brightness"] = f"{low:03d}-{low + _BANDS - 1:03d}"
    box = solid_box((x1, y1, x2, y2), path, "third field of its name")
    return Annotated(item, box, LABEL, "its name", attributes=attributes)
