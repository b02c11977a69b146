from __future__ import annotations

from pathlib import Path

import av
import pytest

from anonflow.video.fields import field_order
from tests.rare import write_clip


@pytest.mark.parametrize("first_field", ["top", "bottom", None])
@pytest.mark.parametrize(("codec", "pixel_format"), [("libx264", "yuv420p"), ("prores_ks", "yuv422p10le")])
def test_field_order(tmp_path: Path, codec: str, pixel_format: str, first_field: str | None) -> None:
    path = write_clip(tmp_path / "a.mov", codec, pixel_format=pixel_format, first_field=first_field, n_frames=3)
    with av.open(str(path)) as container:
        orders = {field_order(frame) for frame in container.decode(video=0)}
    assert orders == {first_field or "progressive"}


def test_a_picture_without_any_motion_still_tells(tmp_path: Path) -> None:
    """The order is a mark, not a guess from the picture."""
    path = write_clip(tmp_path / "a.mp4", "libx264", size=(16, 16), first_field="bottom", n_frames=1)
    with av.open(str(path)) as container:
        assert field_order(next(container.decode(video=0))) == "bottom"
