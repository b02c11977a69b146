"""Against the library `trackers` 2.6.1 (its evaluation is a port of TrackEval), and by hand.

The library needs the `opencv-python` wheel, which overwrites the headless one: where it is not installed, the figures that
it gave stand for it. Its reader takes class 1 only, which these files do not name; they were given it.
"""  # noqa: E501

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from anonflow.evaluate.tracking import Boxes, Tracking, pool, tracking, without_ignored
from tests.streams import SHARED

SEQUENCES = ("TUD-Campus", "TUD-Stadtmitte")
THEIRS = {
    "TUD-Campus": {
        "hota": 0.3913974378451139,
        "det_a": 0.418047030142763,
        "ass_a": 0.36912068120832836,
        "loc_a": 0.770052227022172,
        "mota": 0.5264623955431755,
        "idf1": 0.5576592082616179,
        "switches": 7,
        "fragments": 7,
    },
    "TUD-Stadtmitte": {
        "hota": 0.3978490169927877,
        "det_a": 0.3922675723693166,
        "ass_a": 0.4088407518112996,
        "loc_a": 0.737521177178062,
        "mota": 0.5640138408304498,
        "idf1": 0.6446194225721785,
        "switches": 7,
        "fragments": 6,
    },
}


def load(path: Path) -> Boxes:
    rows = np.array([[float(v) for v in line.split(",")[:6]] for line in path.read_text().splitlines() if line])
    return boxes(rows)


def boxes(rows: object) -> Boxes:
    """From rows of frame, id, x, y, w, h."""
    table = np.array(rows, np.float64).reshape(-1, 6)
    xyxy = np.concatenate((table[:, 2:4], table[:, 2:4] + table[:, 4:6]), axis=1)
    return Boxes(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), xyxy)


def figures(of: Tracking) -> dict[str, float]:
    return {name: getattr(of, name) for name in THEIRS["TUD-Campus"]}


@pytest.mark.skipif(not (SHARED / "mot").exists(), reason="needs ../shared/data/mot")
@pytest.mark.parametrize("sequence", SEQUENCES)
def test_agrees_with_the_reference_on_real_tracks(sequence: str) -> None:
    folder = SHARED / "mot" / sequence
    ours = figures(tracking(load(folder / "gt.txt"), load(folder / "test.txt")))
    assert ours == pytest.approx(THEIRS[sequence], abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_the_reference_live(seed: int) -> None:
    theirs = pytest.importorskip(
        "trackers.eval", reason="needs the library `trackers` in an environment of its own"
    )
    truth, tracks = wandering(seed)
    frames = sorted({*truth.frames.tolist(), *tracks.frames.tolist()})
    there, here = ([np.flatnonzero(b.frames == f) for f in frames] for b in (truth, tracks))
    overlaps = [theirs.box_iou(truth.xyxy[a], tracks.xyxy[b]) for a, b in zip(there, here, strict=True)]
    ids = [truth.ids[a] for a in there], [tracks.ids[b] for b in here]
    ours = tracking(truth, tracks)
    hota, clear, identity = (
        getattr(theirs, f"compute_{name}_metrics")(*ids, overlaps) for name in ("hota", "clear", "identity")
    )
    assert (ours.hota, ours.det_a, ours.ass_a, ours.loc_a) == pytest.approx(
        (hota["HOTA"], hota["DetA"], hota["AssA"], hota["LocA"]), abs=1e-9
    )
    assert (ours.mota, ours.switches, ours.fragments) == pytest.approx(
        (clear["MOTA"], clear["IDSW"], clear["Frag"])
    )
    assert ours.idf1 == pytest.approx(identity["IDF1"])


def wandering(seed: int) -> tuple[Boxes, Boxes]:
    """Objects, and tracks that lose them, take others over, and are false."""
    rng = np.random.default_rng(seed)
    truth, tracks = [], []
    for name in range(6):
        x, y = rng.uniform(0, 200, 2)
        for frame in range(int(rng.integers(0, 10)), 40):
            x, y = x + rng.normal(0, 3), y + rng.normal(0, 3)
            truth.append((frame, name, x, y, 40, 50))
            if rng.random() < 0.8:
                tracks.append((frame, 10 * name + frame // 15, x + rng.normal(0, 6), y + rng.normal(0, 6), 40, 50))
    tracks += [(frame, 99, 400, 400, 30, 30) for frame in range(5)]
    return boxes(truth), boxes(tracks)


ONE = [(f, 1, 0, 0, 10, 10) for f in range(4)]


def test_perfect_tracks() -> None:
    got = tracking(boxes(ONE), boxes(ONE))
    assert (got.hota, got.mota, got.idf1, got.switches, got.fragments) == (1, 1, 1, 0, 0)


def test_a_switch_and_a_break_by_hand() -> None:
    tracks = boxes([(0, 5, 0, 0, 10, 10), (2, 6, 0, 0, 10, 10), (3, 6, 0, 0, 10, 10)])
    got = tracking(boxes(ONE), tracks)
    # The frame without any track goes by without a break, as in the reference: there is nothing to compare with.
    assert (got.hits, got.missed, got.false, got.switches) == (3, 1, 0, 1)
    assert got.mota == pytest.approx((3 - 0 - 1) / 4) and got.idf1 == pytest.approx(2 * 2 / (4 + 3))


def test_nothing_tracked_and_nothing_there() -> None:
    none = boxes([])
    assert tracking(boxes(ONE), none).mota == 0 and tracking(boxes(ONE), none).missed == 4
    assert tracking(none, boxes(ONE)).false == 4 and tracking(none, none).hota == 0


def test_videos_are_pooled_by_their_counts() -> None:
    parts = [tracking(*wandering(seed)) for seed in range(2)]
    whole = pool(parts)
    assert whole.switches == sum(p.switches for p in parts)
    assert min(p.hota for p in parts) < whole.hota < max(p.hota for p in parts)
    assert pool([]).hota == 0


def test_tracks_of_ignored_objects_count_neither_way() -> None:
    truth = boxes([*ONE, *((f, 2, 50, 50, 10, 10) for f in range(4))])
    tracks = boxes([*ONE, *((f, 2, 51, 50, 10, 10) for f in range(4)), (0, 3, 90, 90, 5, 5)])
    ignored = truth.ids == 2
    there, here = without_ignored(truth, ignored, tracks)
    got = tracking(there, here)
    assert (got.hits, got.missed, got.false) == (4, 0, 1)
