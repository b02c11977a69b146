from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from anonflow.picture.contract import inspect
from anonflow.picture.still import open_picture
from anonflow.types import Verdict
from tests.pictures import BOX, camera, encoded, everything, nothing, profile, scene, solid

MANY = 10**6
SOURCE = encoded(scene(), "JPEG", exif=camera(6), icc_profile=profile(), dpi=(300, 300), comment=b"x")
PNG = encoded(scene(), "PNG", exif=camera(6))


def verdicts(source: bytes, output: bytes, hidden: np.ndarray | None = None) -> dict[str, Verdict]:
    still = open_picture(source, MANY)
    if hidden is None:
        hidden = np.zeros((still.info.grid.height, still.info.grid.width), np.bool_)
    return {check.name: check.verdict for check in inspect(still, output, hidden, nothing)}


def masked(source: bytes) -> bytes:
    still = open_picture(source, MANY)
    return still.masked(solid(still.info.grid, None), nothing)


def test_an_honest_output_is_equal_but_for_metadata() -> None:
    found = verdicts(SOURCE, masked(SOURCE))
    assert found.pop("metadata") is Verdict.CHANGED_BY_POLICY
    assert set(found.values()) == {Verdict.EQUAL} and len(found) == 9


def again(source: bytes, **options: object) -> bytes:
    image = Image.open(io.BytesIO(masked(source)))
    return encoded(image, image.format, **({"quality": "keep"} if image.format == "JPEG" else {}) | options)


BREAKS: dict[str, Callable[[], tuple[bytes, bytes]]] = {
    "readable": lambda: (SOURCE, masked(SOURCE)[:-200]),
    "format": lambda: (SOURCE, encoded(scene(), "PNG")),
    "size as shown": lambda: (SOURCE, encoded(scene().resize((90, 60)), "JPEG")),
    "orientation": lambda: (SOURCE, encoded(scene(), "JPEG", exif=camera(8))),
    "mode": lambda: (SOURCE, encoded(scene(), "JPEG", subsampling=0)),
    "coding": lambda: (SOURCE, encoded(scene(), "JPEG", quality=91)),
    "colour profile": lambda: (SOURCE, again(SOURCE, icc_profile=None)),
    "resolution": lambda: (SOURCE, again(SOURCE, dpi=(72, 72))),
    "metadata": lambda: (SOURCE, SOURCE),
    "outside the masks": lambda: (PNG, encoded(scene().rotate(1), "PNG")),
}


@pytest.mark.parametrize("point", BREAKS)
def test_every_point_can_break(point: str) -> None:
    assert verdicts(*BREAKS[point]())[point] is Verdict.BROKEN


def test_one_changed_coefficient_outside_of_the_masks_is_found() -> None:
    still = open_picture(SOURCE, MANY)
    wide = solid(still.info.grid, BOX)
    out = still.masked(wide, nothing)
    assert verdicts(SOURCE, out, wide.hidden)["outside the masks"] is Verdict.EQUAL
    x1, y1, x2, y2 = BOX
    narrow = solid(still.info.grid, (x1 + 16, y1, x2, y2))
    assert verdicts(SOURCE, out, narrow.hidden)["outside the masks"] is Verdict.BROKEN


def test_one_changed_pixel_outside_of_the_masks_is_found() -> None:
    changed = scene()
    changed.putpixel((100, 62), (1, 2, 3))
    output = encoded(changed, "PNG", exif=camera(6, inner=False))
    assert verdicts(PNG, output)["outside the masks"] is Verdict.BROKEN
    hidden = np.zeros((63, 101), np.bool_)
    hidden[62, 100] = True
    assert verdicts(PNG, output, hidden)["outside the masks"] is Verdict.EQUAL


def test_kept_metadata_is_no_breach_and_names_are_told_without_values() -> None:
    still = open_picture(SOURCE, MANY)
    out = still.masked(solid(still.info.grid, None), everything)
    hidden = np.zeros((63, 101), np.bool_)
    checks = {check.name: check for check in inspect(still, out, hidden, everything)}
    assert (
        checks["metadata"].verdict is Verdict.CHANGED_BY_POLICY
        and checks["metadata"].detail == "removed: makernote"
    )
    told = {check.name: check.detail for check in inspect(still, masked(SOURCE), hidden, nothing)}["metadata"]
    assert "exif.Make" in told and "SECRET" not in told
