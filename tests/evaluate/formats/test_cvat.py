from __future__ import annotations

from pathlib import Path

import pytest

from anonflow.errors import TruthError
from anonflow.evaluate.formats.cvat import is_cvat, read_cvat
from tests.evaluate.formats.files import CVAT, cvat, picture, voc, write


def test_tracks_occlusion_and_attributes(tmp_path: Path) -> None:
    got = read_cvat([cvat(tmp_path)], tmp_path, None)
    first, second = got.objects
    assert first.xyxy == (1, 2, 11, 12) and (first.frame, first.track_id, first.label) == (0, 3, "face")
    assert first.attributes == {"occluded": "yes", "hat": "yes"} and second.attributes == {"occluded": "no"}
    assert second.frame == 1, "what is outside is not there"
    (item,) = got.items
    assert item.path == tmp_path / "street.mp4" and (item.width, item.height) == (64, 48)
    assert got.declared == ("face", "plate")


def test_pictures(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    text = '<annotations><image id="0" name="a.png" width="9" height="8"><box label="face" occluded="0" '
    path = write(tmp_path / "i.xml", text + 'xtl="1" ytl="1" xbr="3" ybr="4"/></image></annotations>')
    got = read_cvat([path], tmp_path, None)
    assert got.items[0].path == tmp_path / "a.png" and got.objects[0].track_id == -1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('xtl="1"', 'xtl="z"', r"line 6 \(<box>\): a value is no number"),
        (' xtl="1"', "", "line 6 .*lacks xtl"),
        ('xtl="1"', 'xtl="50"', "line 6 .*no area"),
        ('<track id="3"', "<track", "line 5 .*no id"),
        ('<box frame="1"', '<box frame="0"', "line 5 .*two boxes in one frame"),
        ('<box frame="1"', "<box", "line 7 .*no frame"),
        ("<name>street</name>", "<frame_filter>step=5</frame_filter>", "only some of the video's"),
        ("<name>street</name>", "<start_frame>10</start_frame>", "does not begin with the first frame"),
    ],
)
def test_malformed_elements_are_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(TruthError, match=said):
        read_cvat([cvat(tmp_path, CVAT.replace(old, new, 1))], tmp_path, None)


def test_a_lost_video_is_named(tmp_path: Path) -> None:
    path = cvat(tmp_path)
    (tmp_path / "street.mp4").unlink()
    with pytest.raises(TruthError, match=r"street\.mp4.*data\.media"):
        read_cvat([path], tmp_path, None)


def test_recognised_by_its_root(tmp_path: Path) -> None:
    assert is_cvat(cvat(tmp_path)) and not is_cvat(voc(tmp_path / "v"))
