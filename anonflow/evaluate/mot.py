"""Ground truth in the text format of the MOT Challenge (https://motchallenge.net)."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from anonflow.errors import TruthError
from anonflow.evaluate.truth import Times, Truth, clipped

N_WITH_VISIBILITY = 9
"""frame, id, x, y, w, h, conf, class, visibility; with ten values, the last three are places in the world."""


def read_mot(path: Path, times_s: Times, end_s: float, width: int, height: int, label: int = 0) -> Truth:
    """The truth of a video with those frame times (n_frames,) and that picture, all objects with that label code.

    A line is `frame, id, x, y, w, h[, conf[, class[, visibility]]]`: frames count from 1, `x, y` is the upper left
    corner in px. Lines with a conf of 0 mark what is not to be judged and are left out, as are boxes outside of
    the picture. Raises TruthError, which names file and line, for a file that cannot be read, is not this format,
    or does not fit the video.
    """
    rows: list[tuple[float, ...]] = []
    places: dict[tuple[int, int], int] = {}
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        frame, object_id, x, y, w, h, visible = line_values(line, where, len(times_s))
        if (frame, object_id) in places:
            earlier = places[frame, object_id]
            raise TruthError(f"{where}: object {object_id} has a box in frame {frame} already, in line {earlier}.")
        places[frame, object_id] = number
        if visible is not None:
            rows.append((frame - 1, object_id, x, y, x + w, y + h, visible))
    table = np.array(rows, np.float64).reshape(-1, 7)
    table[:, 2:6] = clipped(table[:, 2:6], width, height).astype(np.float32)
    table = table[((table[:, 4:6] - table[:, 2:4]) > 0).all(axis=1)]
    table = table[np.argsort(table[:, 0], kind="stable")]
    return Truth(
        frames=table[:, 0].astype(np.int64),
        object_ids=table[:, 1].astype(np.int64),
        xyxy=table[:, 2:6].astype(np.float32),
        labels=np.full(len(table), label, np.int16),
        visible=table[:, 6].astype(np.float32),
        times_s=times_s,
        end_s=end_s,
        width=width,
        height=height,
    )


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TruthError(f"{path}: cannot be read as text ({error}). Give a MOT Challenge text file.") from error


def line_values(line: str, where: str, n_frames: int) -> tuple[int, int, float, float, float, float, float | None]:
    """Frame, id, x, y, w, h and visible share of a line; None for the last if the line is not to be judged."""
    try:
        values = [float(word) for word in line.split(",")]
    except ValueError as error:
        raise TruthError(f"{where}: not numbers with commas between them.") from error
    if not 6 <= len(values) <= 10:
        raise TruthError(f"{where}: {len(values)} values; there must be 6 to 10: frame, id, x, y, w, h, ...")
    if not all(math.isfinite(value) for value in values):
        raise TruthError(f"{where}: a value is not finite.")
    frame, object_id, x, y, w, h = values[:6]
    if not (frame.is_integer() and object_id.is_integer()):
        raise TruthError(f"{where}: frame and id must be whole numbers.")
    if not 1 <= frame <= n_frames:
        raise TruthError(f"{where}: frame {frame:g} is not in the video, whose frames are 1 to {n_frames}.")
    if w <= 0 or h <= 0:
        raise TruthError(f"{where}: width and height must be above 0.")
    visible = values[8] if len(values) == N_WITH_VISIBILITY else 1.0
    if not 0 <= visible <= 1:
        raise TruthError(f"{where}: visibility {visible:g} must lie between 0 and 1.")
    ignored = len(values) > 6 and values[6] == 0
    return int(frame), int(object_id), x, y, w, h, None if ignored else visible
