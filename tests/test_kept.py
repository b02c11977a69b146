from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anonflow import kept
from anonflow.kept import Labels, Shown, read_kept, read_video
from anonflow.types import Detections, FrameFacts, Origin, Tracks

LABELS = Labels(("face", "plate"), ("one+two", "three"), (0.02, 0.05))
SHOWN = Shown(np.array([100, 140, 200, 240]), Fraction(1, 1000), 280, 64, 48, 90)


def rows(seed: int, n: int) -> tuple[Detections, FrameFacts, Tracks]:
    rng = np.random.default_rng(seed)
    frames = np.sort(rng.integers(0, 4, n))
    boxes = rng.random((n, 4), np.float32) * 50
    labels, scores = rng.integers(0, 2, n).astype(np.int16), rng.random(n, np.float32)
    facts = FrameFacts(np.arange(4), rng.random(4, np.float32), rng.random(4) < 0.5)
    origins = rng.integers(0, 6, n).astype(np.uint8)
    tracks = Tracks(frames, np.arange(n), boxes, scores, labels, origins)
    return Detections(frames, boxes, scores, labels), facts, tracks


def keep(folder: Path, name: str, *parts: tuple[str, Detections, FrameFacts, Tracks]) -> None:
    note = {"labels": LABELS.names, **SHOWN.to_json()}
    with kept.written(folder, "detections", name, note) as out:
        for video_id, found, _, _ in parts:
            out.write_table(kept.detections_table(video_id, found, SHOWN, LABELS))
    with kept.written(folder, "frames", name, note) as out:
        for video_id, _, facts, _ in parts:
            out.write_table(kept.frames_table(video_id, facts, SHOWN))
    with kept.written(folder, "tracks", name, note) as out:
        for video_id, _, _, tracks in parts:
            out.write_table(kept.tracks_table(video_id, tracks, SHOWN, LABELS))


@given(st.integers(0, 1000), st.integers(0, 9))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_everything_comes_back_to_the_bit(tmp_path: Path, seed: int, n: int) -> None:
    found, facts, tracks = rows(seed, n)
    keep(tmp_path, "v", ("v", found, facts, tracks))
    back = read_video(tmp_path, "v")
    assert back.detections.equals(found) and back.facts.equals(facts) and back.tracks.equals(tracks)
    assert back.labels == LABELS.names and np.array_equal(back.shown.pts, SHOWN.pts)
    assert vars(back.shown) | {"pts": 0} == vars(SHOWN) | {"pts": 0}


def test_an_album_has_many_ids_in_one_file(tmp_path: Path) -> None:
    parts: list[Any] = [(f"p{n}", *rows(n, n)) for n in range(3)]
    keep(tmp_path, "album", *parts)
    assert [(one.video_id, len(one.detections)) for one in read_kept(tmp_path)] == [("p0", 0), ("p1", 1), ("p2", 2)]


def test_a_video_that_was_not_kept(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_video(tmp_path, "v")
    assert list(read_kept(tmp_path)) == []


def test_the_tables_are_flat_and_say_their_words(tmp_path: Path) -> None:
    found, facts, tracks = rows(1, 5)
    keep(tmp_path, "v", ("v", found, facts, tracks))
    row = pq.read_table(tmp_path / "detections" / "v.parquet").to_pylist()[0]
    code = found.labels[0]
    assert (row["video_id"], row["label"], row["model"]) == ("v", LABELS.names[code], LABELS.models[code])
    assert row["floor"] == pytest.approx(LABELS.floors[code]) and row["x2"] == found.xyxy[0, 2]
    assert row["time_s"] == pytest.approx((SHOWN.pts[row["frame"]] - 100) / 1000)
    assert pq.read_table(tmp_path / "tracks" / "v.parquet")["origin"][0].as_py() in [o.name.lower() for o in Origin]


def test_files_are_for_their_owner(tmp_path: Path) -> None:
    keep(tmp_path, "v", ("v", *rows(1, 2)))
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*.parquet")} == {0o600}
