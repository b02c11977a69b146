"""Single seams; that chunking never changes anything is shown in `tests/property/test_seams.py`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from anonflow.track.seam import ChunkTracks, Way, stitch, track_chunk
from anonflow.track.state import Renaming
from anonflow.track.tracker import one_pass
from anonflow.types import Observations
from tests.streams import Scene, detections, even, make_params, seen, still_object

PARAMS = make_params()
CALM = seen(detections(still_object(dict.fromkeys(range(200), 0.9))))
BUSY = seen(Scene(seed=7, n_frames=200, n_objects=12, n_labels=3, clutter=0.3, snap_px=1e-3).detections())
WAY = Way(even(200), PARAMS)


def chunk(stream: Observations, lead: int, start: int, stop: int) -> ChunkTracks:
    return track_chunk(stream.between(lead, stop), lead, start, stop, WAY)


def refuse(position: int) -> Observations:
    raise AssertionError(f"chunk {position} is tracked again without need")


def test_a_chunk_keeps_only_the_points_it_owns() -> None:
    alone = chunk(CALM, 20, 50, 90)
    assert (alone.tracks.frames[0], alone.tracks.frames[-1]) == (50, 89)
    assert len(alone.start_state) == len(alone.end_state) == 1


def test_right_guesses_need_no_detections() -> None:
    chunks = [chunk(CALM, max(0, start - 45), start, start + 50) for start in range(0, 200, 50)]
    tracks, stats = stitch(chunks, refuse, WAY)
    assert tracks.equals(one_pass(CALM, WAY.timeline, PARAMS))
    assert (stats.n_seams, stats.n_right_guesses) == (3, 3)


def test_a_wrong_guess_is_replayed_until_it_is_right() -> None:
    chunks = [chunk(CALM, 0, 0, 50), chunk(CALM, 50, 50, 200)]
    tracks, stats = stitch(chunks, lambda _: CALM, WAY)
    assert tracks.equals(one_pass(CALM, WAY.timeline, PARAMS))
    assert 0 < stats.replayed_frames[0] < 100


def test_a_guess_that_never_becomes_right_is_replayed_whole() -> None:
    chunks = [chunk(CALM, 0, 0, 50), chunk(CALM, 50, 50, 53), chunk(CALM, 53, 53, 200)]
    tracks, stats = stitch(chunks, lambda _: CALM, WAY)
    assert tracks.equals(one_pass(CALM, WAY.timeline, PARAMS))
    assert stats.replayed_frames[0] == 3


def test_chunks_must_tile_the_video() -> None:
    first, second = chunk(CALM, 0, 0, 50), chunk(CALM, 60, 60, 80)
    for wrong in ([first, second], [second], [first, first]):
        with pytest.raises(ValueError, match="tile"):
            stitch(wrong, lambda _: CALM, WAY)


def test_nothing_gives_nothing() -> None:
    tracks, stats = stitch([], refuse, WAY)
    assert (len(tracks), stats.n_seams) == (0, 0)


def test_what_is_written_is_read() -> None:
    before = chunk(BUSY, 30, 60, 150)
    assert len(before.start_state) >= 3
    after = ChunkTracks.from_bytes(before.to_bytes())
    assert (after.start_frame, after.stop_frame) == (60, 150)
    assert after.tracks.equals(before.tracks)
    assert after.start_state.equals(before.start_state)
    assert after.end_state.equals(before.end_state)
    assert after.tracks.xyxy.dtype == np.float32
    assert isinstance(after.end_state.next_id, int)


def test_ids_of_the_parts_do_not_matter() -> None:
    chunks = [chunk(BUSY, 0, 0, 100), chunk(BUSY, 60, 100, 200)]
    assert stitch([chunks[0], _renamed(chunks[1])], lambda _: BUSY, WAY)[0].equals(
        one_pass(BUSY, WAY.timeline, PARAMS)
    )


def _renamed(chunk: ChunkTracks) -> ChunkTracks:
    """The same chunk, tracked by somebody who counts otherwise."""
    start, end, tracks = chunk.start_state, chunk.end_state, chunk.tracks
    to = Renaming(guess=start, true=start.renamed(start.track_ids + 50, 1000))
    return replace(
        chunk,
        start_state=to.state(start),
        end_state=to.state(end),
        tracks=replace(tracks, track_ids=to.ids(tracks.track_ids)),
    )
