"""Ground truth in one vocabulary, whatever format it came in: items (pictures, videos) and the objects in them.

Boxes are `x1, y1, x2, y2` of the picture as it is shown, frames are counted from 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from anonflow.errors import TruthError
from anonflow.evaluate.areas import Reals
from anonflow.types import FloatArray, IntArray

Names = NDArray[np.object_]
Flags = NDArray[np.bool_]

UNNAMED = ""
"""The value of an attribute that an object does not have."""
ANY_LABEL = "*"
"""In a mapping of labels: all that are not named."""


@dataclass(frozen=True)
class Item:
    """One picture or video with annotations."""

    path: Path
    annotation: Path
    """The file that holds its objects."""
    group: str = ""
    """Folder below the data's: the camera, the event, whatever they were sorted by."""
    width: int = 0
    height: int = 0
    """Size that the boxes refer to; 0 where the format does not say."""
    in_shares: bool = False
    """Boxes are shares of the picture's width and height, not px."""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Annotated:
    """One object in one frame, as its format has it."""

    item: int
    xyxy: tuple[float, float, float, float]
    label: str
    place: str
    """Where in the annotation file: `line 7`, `annotation 12`."""
    frame: int = 0
    track_id: int = -1
    ignored: bool = False
    """Not to be judged: neither finding it nor missing it counts."""
    crowd: bool = False
    """A region that holds many: any number of detections in it do not count."""
    visible: float = 1.0
    area: float | None = None
    """px; of the object's outline, where the format has it."""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Annotations:
    """What a reader found: labels as they are in the data."""

    format: str
    items: tuple[Item, ...]
    objects: tuple[Annotated, ...]
    declared: tuple[str, ...] = ()
    """Labels that the data says it annotates, with or without objects."""
    notes: tuple[str, ...] = ()
    """What the report must say about this data."""


@dataclass(frozen=True, eq=False)
class Objects:
    """All objects, a row per object and frame: n rows, sorted by item, then frame.

    `items` (n,) positions in the items; `frames` (n,) from 0; `xyxy` (n, 4); `labels` (n,) codes; `track_ids` (n,)
    -1 for none; `ignored`, `crowd` (n,) bool; `visible` (n,) share; `areas` (n,) px, NaN where the box's counts;
    `places` (n,) words; each of `attributes` (n,) words.
    """

    items: IntArray
    frames: IntArray
    xyxy: Reals
    labels: NDArray[np.int16]
    track_ids: IntArray
    ignored: Flags
    crowd: Flags
    visible: FloatArray
    areas: Reals
    places: Names
    attributes: Mapping[str, Names]

    def __len__(self) -> int:
        return len(self.items)

    def of_item(self, item: int) -> Objects:
        """The rows of one item."""
        return self[slice(*np.searchsorted(self.items, [item, item + 1]))]

    def __getitem__(self, rows: slice | IntArray | Flags) -> Objects:
        columns = {name: column[rows] for name, column in vars(self).items() if name != "attributes"}
        return Objects(**columns, attributes={name: words[rows] for name, words in self.attributes.items()})


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """Annotated items, labelled as the run labels."""

    format: str
    items: tuple[Item, ...]
    objects: Objects
    labels: tuple[str, ...]
    """Names of the label codes: those of the run."""
    judged: tuple[str, ...]
    """Labels that the data annotates; about others it says nothing."""
    excluded: int = 0
    """Pictures and videos beside them that have no annotation, and were left out."""
    notes: tuple[str, ...] = ()


def ground_truth(
    found: Annotations, labels: tuple[str, ...], mapping: Mapping[str, str | None], data: Path, excluded: int = 0
) -> GroundTruth:
    """The annotations with the run's `labels`, by `mapping` (label of the data to one of the run, None: left out).

    Raises TruthError for a label that is neither mapped nor one of the run's, naming all that are there.
    """
    counts = Counter(row.label for row in found.objects)
    names = sorted({*counts, *found.declared})
    to = {name: _mapped(name, mapping, labels, counts, names, data) for name in names}
    if unused := sorted(set(mapping) - set(names) - {ANY_LABEL}):
        raise TruthError(
            f"{data}: data.labels names '{unused[0]}', which is not there. There are: {_told(names, counts)}."
        )
    judged = tuple(label for label in labels if label in to.values())
    if not judged:
        raise TruthError(f"{data}: nothing is left to judge. Map a label of the data: {_told(names, counts)}.")
    rows = [row for row in found.objects if to[row.label] is not None]
    codes = [labels.index(str(to[row.label])) for row in rows]
    objects = _table(rows, codes)
    return GroundTruth(found.format, found.items, objects, labels, judged, excluded, found.notes)


def _mapped(
    name: str,
    mapping: Mapping[str, str | None],
    labels: tuple[str, ...],
    counts: Counter[str],
    names: Sequence[str],
    data: Path,
) -> str | None:
    if name in mapping:
        to = mapping[name]
    elif ANY_LABEL in mapping and name not in labels:
        to = mapping[ANY_LABEL]
    else:
        to = name
    if to is not None and to not in labels:
        raise TruthError(
            f"{data}: label '{to}' is none that this run looks for ({', '.join(labels)}). The data has: "
            f"{_told(names, counts)}. Say what it is with data.labels={{{name}: {labels[0]}}}, leave it out with "
            f"data.labels={{{name}: null}}, or add a detector for it."
        )
    return to


def _told(names: Sequence[str], counts: Counter[str]) -> str:
    return ", ".join(f"'{name}' ({counts[name]})" for name in names) or "no labels"


def _table(rows: Sequence[Annotated], codes: Sequence[int]) -> Objects:
    n = len(rows)
    names = sorted({name for row in rows for name in row.attributes})
    table = Objects(
        items=np.array([row.item for row in rows], np.int64),
        frames=np.array([row.frame for row in rows], np.int64),
        xyxy=np.array([row.xyxy for row in rows], np.float64).reshape(n, 4),
        labels=np.array(codes, np.int16),
        track_ids=np.array([row.track_id for row in rows], np.int64),
        ignored=np.array([row.ignored for row in rows], np.bool_),
        crowd=np.array([row.crowd for row in rows], np.bool_),
        visible=np.array([row.visible for row in rows], np.float32),
        areas=np.array([np.nan if row.area is None else row.area for row in rows], np.float64),
        places=_words(row.place for row in rows),
        attributes={name: _words(row.attributes.get(name, UNNAMED) for row in rows) for name in names},
    )
    return table[np.lexsort((table.frames, table.items))]


def _words(values: object) -> Names:
    words = list(values)  # type: ignore[call-overload]
    column = np.empty(len(words), np.object_)
    column[:] = words
    return column
