"""A folder of photographs and a video through the command line and the whole dataflow, twice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from anonflow.demo.scene import portrait
from tests.pictures import camera, encoded, shown
from tests.runs import SMALL, anonflow, files_below


@pytest.mark.slow
def test_photographs_and_a_video(sample: Path, tmp_path: Path) -> None:
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    photograph = Image.fromarray(np.ascontiguousarray(portrait()[..., ::-1]))
    for number in range(1, 9):
        (folder / f"{number}.jpg").write_bytes(
            encoded(_stored_for(photograph, number), "JPEG", exif=camera(number))
        )
    (folder / "a.png").write_bytes(encoded(photograph, "PNG"))
    (folder / "cut.jpg").write_bytes(encoded(photograph, "JPEG")[:9000])
    shutil.copy(sample, folder / "clip.mp4")
    arguments = (f"input={folder}", f"output={output}", *SMALL, "picture.album_size=4")
    code, printed = anonflow("anonymize", *arguments)
    assert code == 3 and "damaged_picture" in printed and "Traceback" not in printed, printed
    results = {name for name in files_below(output) if not name.startswith("_anonflow/")}
    assert results == {*(f"{n}.jpg" for n in range(1, 9)), "a.png", "clip.mp4"}
    (path,) = output.glob("_anonflow/*/report.json")
    totals = json.loads(path.read_text())["totals"]
    assert totals["pictures"] == 9 and totals["frames"] == 75 and totals["picture_objects"]["face"] >= 9
    face = (slice(100, 150), slice(200, 240))
    for name in sorted(results - {"clip.mp4"}):
        assert shown((output / name).read_bytes())[face].mean() < 10, f"{name}: a face is left"
    code, printed = anonflow("anonymize", *arguments)
    assert code == 3 and "unchanged    10" in printed, printed


def _stored_for(upright: Image.Image, orientation: int) -> Image.Image:
    """The picture that is `upright` when it is shown with this orientation."""
    from anonflow.picture.turn import TURNS

    turn, picture = TURNS[orientation], np.asarray(upright)
    picture = picture[:, ::-1] if turn.is_mirrored else picture
    turns = {0: None, 90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
    how = turns[turn.rotation_deg]
    return Image.fromarray(np.ascontiguousarray(picture if how is None else cv2.rotate(picture, how)))
