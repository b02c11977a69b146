"""Folders of pictures through all stages, in the order of the graph."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anonflow.config import RegionConfig, TimeSpan, VideoRegions
from anonflow.pipeline.rows import Outcome
from anonflow.pipeline.stages import detect as detect_stage
from anonflow.types import Status
from tests.media import Clip
from tests.pictures import camera, encoded, files, scene, shown, stored
from tests.pipeline.album.gallery import SizeDetector, add, run, with_config
from tests.pipeline.worlds import FixedDetector, World, published_files, use_detector

HIDDEN = (slice(4, 20), slice(5, 20))
"""What the fixed detector's box becomes in a picture of 101x63 that was enlarged to twice its size."""


def reasons(outcomes: dict[str, Outcome]) -> dict[str, tuple[str, str]]:
    return {name: (str(outcome.status), outcome.reason) for name, outcome in outcomes.items()}


def test_a_folder_of_everything(world: World, detector: FixedDetector) -> None:
    """Each ends by itself: published under its own name, or quarantined with its reason."""
    good = dict(list(files())[::4])  # every kind is tried in tests/picture/test_still.py
    for name, data in good.items():
        add(world, f"album/{name}", data)
    whole = encoded(scene(), "JPEG", exif=camera(6))
    broken = camera(6).tobytes()
    bad = {
        "empty.jpg": (b"", "empty"),
        "text.png": (b"no picture\n" * 50, "not_a_picture"),
        "cut.jpg": (whole[:-300], "damaged_picture"),
        "film.jpg": (b"\0\0\0\x18ftypmp42" + b"\0" * 99, "not_a_picture"),
        "exif.jpg": (whole.replace(broken[6:16], b"II*\0\xff\xff\xff\x7f\0\0"), "broken_metadata"),
        "cmyk.jpg": (encoded(scene().convert("CMYK"), "JPEG"), "unsupported"),
        "moving.png": (encoded(scene(), "PNG", save_all=True, append_images=[scene().rotate(90)]), "unsupported"),
    }
    for name, (data, _) in bad.items():
        add(world, name, data)
    add(world, "jpeg inside.bmp", whole)
    (world.root / "in" / "gone.jpg").symlink_to(world.root / "nowhere")
    world.clip("clip.mp4", Clip(n_frames=10))
    outcomes = run(world)
    expected = {name: ("quarantined", reason) for name, (_, reason) in bad.items()}
    expected |= dict.fromkeys([*good, "jpeg inside.bmp", "clip.mp4"], ("published", ""))
    assert reasons(outcomes) == expected | {"gone.jpg": ("quarantined", "missing")}
    assert published_files(world.output) == sorted(
        ["clip.mp4", "jpeg inside.bmp", *(f"album/{name}" for name in good)]
    )
    for name in good:
        assert b"SECRET" not in (world.output / "album" / name).read_bytes()
    assert outcomes["clip.mp4"].kind == "video" and outcomes["cut.jpg"].kind == "picture"


def test_what_was_found_is_hidden_and_the_rest_is_the_source(world: World, detector: FixedDetector) -> None:
    path = add(world, "a.png", encoded(scene(), "PNG"))
    outcome = run(world)["a.png"]
    before, after = stored(path.read_bytes()), stored((world.output / "a.png").read_bytes())
    assert (after[HIDDEN] == 0).all()
    hidden = (after != before).any(axis=2)
    rows, columns = np.nonzero(hidden)
    assert 0 < hidden.sum() <= 35 * 35 and rows.max() < 30 and columns.max() < 30, "the box and its margin"
    content = (world.output / "a.png").read_bytes()
    assert outcome.output_sha256 == hashlib.sha256(content).hexdigest() and outcome.output_bytes == len(content)
    assert outcome.details["objects"] == {"face": 1} and outcome.frames == 0


def test_what_is_found_upright_is_hidden_where_viewers_show_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_detector(monkeypatch, SizeDetector())
    pictures = {
        f"{n}.jpg": encoded(scene(), "JPEG", exif=camera(n), quality=95, subsampling=0) for n in range(1, 9)
    }
    pictures["a.png"] = encoded(scene(), "PNG", exif=camera(7))
    pictures["a.tif"] = encoded(scene(), "TIFF", exif=camera(6))
    pictures["a.webp"] = encoded(scene(), "WEBP", exif=camera(5), lossless=True)
    for name, data in pictures.items():
        add(world, name, data)
    assert {o.status for o in run(world).values()} == {Status.PUBLISHED}
    for name, data in pictures.items():
        before, after = shown(data), shown((world.output / name).read_bytes())
        assert before.shape == after.shape
        height, width = before.shape[0] // 2, before.shape[1] // 2
        assert after[: height - 1, : width - 1].max() < 30, f"{name}: the upper left quarter, as it is shown"
        np.testing.assert_array_equal(after[height + 24 :], before[height + 24 :])


def test_regions_are_drawn_on_the_shown_picture_at_its_first_moment(world: World, detector: FixedDetector) -> None:
    detector.boxes = ()
    corner = VideoRegions("a.*", hide=(RegionConfig(box=(0.5, 0.5, 1.0, 1.0)),))
    later = VideoRegions("*", hide=(RegionConfig(1.0, None, box=(0.0, 0.0, 1.0, 1.0)),))
    idle = VideoRegions("b.*", process=(TimeSpan(5.0, 9.0),))
    world = with_config(world, regions=[corner, later, idle])
    for orientation in (5, 6):
        add(world, f"a.{orientation}.png", encoded(scene(), "PNG", exif=camera(orientation)))
    add(world, "b.png", encoded(scene(), "PNG"))
    run(world)
    for orientation in (5, 6):
        before = shown((world.root / "in" / f"a.{orientation}.png").read_bytes())
        after = shown((world.output / f"a.{orientation}.png").read_bytes())
        height, width = before.shape[0] // 2 + 1, before.shape[1] // 2 + 1
        assert (after[height:, width:] == 0).all()
        np.testing.assert_array_equal(after[: height - 2], before[: height - 2])
    np.testing.assert_array_equal(stored((world.output / "b.png").read_bytes()), np.asarray(scene()))


def test_a_second_run_finds_everything_done(world: World, detector: FixedDetector) -> None:
    for name in ("a.JPG", "b.png", "no_suffix"):
        add(world, name, encoded(scene(), "PNG"))
    world = with_config(world, input=str(world.root / "in" / "*"))
    assert {o.status for o in run(world).values()} == {Status.PUBLISHED}
    calls, stamps = detector.calls, {p: p.stat().st_mtime_ns for p in world.output.iterdir()}
    assert {name: str(o.status) for name, o in run(world, "run2").items()} == dict.fromkeys(
        ("a.JPG", "b.png", "no_suffix"), "unchanged"
    )
    assert detector.calls == calls and stamps == {p: p.stat().st_mtime_ns for p in world.output.iterdir()}
    add(world, "a.JPG", encoded(scene(60, 40), "PNG"))
    assert {name: str(o.status) for name, o in run(world, "run3").items()}["a.JPG"] == "published"


def test_a_policy_keeps_metadata_and_another_run_does_not(world: World, detector: FixedDetector) -> None:
    add(world, "a.jpg", encoded(scene(), "JPEG", exif=camera(6)))
    kept = with_config(world, picture=replace(world.config.picture, metadata=["exif.*"]))
    run(kept)
    found = Image.open(io.BytesIO((world.output / "a.jpg").read_bytes())).getexif()
    assert found[271] == "SECRETMAKE" and found[274] == 6 and not found.get_ifd(0x8825)
    assert run(world, "run2")["a.jpg"].status is Status.PUBLISHED, "another policy is another result"
    assert b"SECRET" not in (world.output / "a.jpg").read_bytes()


def test_albums_of_any_size_give_the_same_files(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_detector(monkeypatch, SizeDetector())
    for number in range(4):
        add(world, f"{number}.jpg", encoded(scene(60 + 10 * (number % 3), 50), "JPEG"))
    contents = []
    for size in (1, 3):
        other = with_config(world, picture=replace(world.config.picture, album_size=size))
        run(other, f"run{size}")
        contents.append({p.name: p.read_bytes() for p in world.output.glob("*.jpg")})
        for path in world.output.glob("*.jpg"):
            path.unlink()
    assert len(contents[0]) == 4 and contents[0] == contents[1]


def test_models_that_are_not_there_end_every_picture(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from anonflow.errors import ModelError

    def missing(*_: object) -> None:
        raise ModelError("no such weights")

    monkeypatch.setattr(detect_stage, "open_detector", missing)
    monkeypatch.setattr(detect_stage.ModelStore, "load", lambda *_: b"")
    add(world, "a.jpg")
    add(world, "b.jpg")
    assert reasons(run(world)) == dict.fromkeys(("a.jpg", "b.jpg"), ("quarantined", "model"))


def test_nothing_is_left_of_the_work(world: World, detector: FixedDetector) -> None:
    add(world, "a.jpg")
    run(world)
    work = world.output / "_anonflow" / "work"
    left = [p for p in work.rglob("*") if p.is_file() and "runs" not in p.parts]
    assert left == []


def test_a_file_of_too_many_bytes_is_quarantined(world: World, detector: FixedDetector) -> None:
    data = encoded(scene(), "JPEG")
    add(world, "a.jpg", data)
    add(world, "b.jpg", data + b"x")
    small = with_config(world, picture=replace(world.config.picture, max_bytes=len(data)))
    outcomes = run(small)
    assert outcomes["a.jpg"].status is Status.PUBLISHED
    assert outcomes["b.jpg"].reason == "too_large" and "max_bytes" in outcomes["b.jpg"].message
