"""One picture or video as it is judged: what is there, what was found, and what would be hidden.

All boxes are px of the picture as it is stored. A picture is a video of one frame that has no time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from anonflow.errors import TruthError
from anonflow.evaluate.areas import Reals
from anonflow.evaluate.ground import Item, Names, Objects
from anonflow.evaluate.match import Flags
from anonflow.evaluate.sight import Sight
from anonflow.evaluate.truth import Scene, Truth, clipped
from anonflow.types import IntArray, MaskPlan, Tracks

_NO_TIME_S = 1.0
"""How long a picture counts as shown; only sums over videos are reported in seconds."""


@dataclass(frozen=True, eq=False)
class Case:
    """An item, judged by rows of `scene.truth`: `ignored`, `crowd`, `areas` and each of `attributes` are (n,)."""

    item: Item
    item_id: str
    is_video: bool
    scene: Scene
    ignored: Flags
    crowd: Flags
    areas: Reals
    attributes: Mapping[str, Names]
    tracks: Tracks
    plan: MaskPlan

    @property
    def duration_s(self) -> float:
        """Of a video; a picture has none."""
        return self.scene.truth.end_s - float(self.scene.times_s[0]) if self.is_video else 0.0


def make_case(item: Item, objects: Objects, sight: Sight, labels: tuple[str, ...], min_visible: float) -> Case:
    """The case of an item with its `objects`; those of which at most `min_visible` can be seen are ignored.

    Raises TruthError if the annotation does not fit the file: another size, or frames that it does not have.
    """
    _check_frames(item, objects, sight)
    xyxy = _stored_boxes(item, objects, sight)
    kept = np.flatnonzero(((xyxy[:, 2:] - xyxy[:, :2]) > 0).all(axis=1))
    objects, xyxy = objects[kept], xyxy[kept]
    ignored = objects.ignored | objects.crowd | (objects.visible <= min_visible)
    times_s = sight.times_s if sight.is_video else np.zeros(1)
    truth = Truth(
        frames=objects.frames,
        object_ids=_object_ids(objects),
        xyxy=xyxy.astype(np.float32),
        labels=objects.labels,
        visible=np.where(ignored, 0, objects.visible).astype(np.float32),
        times_s=times_s,
        end_s=sight.end_s if sight.is_video else _NO_TIME_S,
        width=sight.width,
        height=sight.height,
    )
    shots = np.cumsum(sight.facts.cuts).astype(np.int32)
    scene = Scene(sight.item_id, truth, sight.detections, shots, sight.facts.luma, labels, sight.clock)
    return Case(
        item,
        sight.item_id,
        sight.is_video,
        scene,
        ignored,
        objects.crowd,
        np.where(np.isnan(objects.areas), np.prod(xyxy[:, 2:] - xyxy[:, :2], axis=1), objects.areas),
        objects.attributes,
        sight.tracks,
        sight.plan,
    )


def _check_frames(item: Item, objects: Objects, sight: Sight) -> None:
    n_frames = len(sight.times_s) if sight.is_video else 1
    beyond = np.flatnonzero(objects.frames >= n_frames)
    if len(beyond):
        row = int(beyond[0])
        raise TruthError(
            f"{item.annotation}, {objects.places[row]}: frame {objects.frames[row]} (counted from 0) is not in "
            f"{item.path}, which has {n_frames}. Annotate this version of the file, or evaluate the one annotated."
        )


def _stored_boxes(item: Item, objects: Objects, sight: Sight) -> Reals:
    """Boxes (n, 4) in px of the stored picture, cut off at its borders."""
    shown, stored = sight.shown, (sight.width, sight.height)
    size = (item.width, item.height)
    if item.width and item.height and size not in (shown, stored):
        raise TruthError(
            f"{item.annotation}: the boxes of {item.path} are for a picture of {size[0]}x{size[1]} px, but it has "
            f"{shown[0]}x{shown[1]}. Scale the boxes, or evaluate the file that was annotated."
        )
    if size == stored != shown:  # annotated as it is stored, by a tool that does not turn pictures
        return clipped(objects.xyxy, *stored)
    xyxy = objects.xyxy * (*shown, *shown) if item.in_shares else objects.xyxy
    return clipped(sight.to_stored(xyxy.astype(np.float32)).astype(np.float64), *stored)


def _object_ids(objects: Objects) -> IntArray:
    """Track ids; boxes without one are objects of their own."""
    nameless = objects.track_ids < 0
    first = objects.track_ids.max(initial=-1) + 1
    ids: IntArray = np.where(nameless, first + np.cumsum(nameless) - 1, objects.track_ids)
    return ids
