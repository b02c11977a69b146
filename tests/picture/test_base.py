from __future__ import annotations

from anonflow.picture.base import PictureInfo
from anonflow.picture.hiding import Grid


def test_a_turned_picture_is_shown_the_other_way_round() -> None:
    info = PictureInfo("JPEG", Grid(30, 20), 6, "", "", b"", "", ())
    assert info.shown_size == (20, 30) and info.turn.rotation_deg == 270
