from __future__ import annotations

from pathlib import Path

import pytest

from anonflow.errors import TruthError
from anonflow.evaluate.formats.ccpd import is_ccpd, read_ccpd
from tests.evaluate.formats.files import CCPD, picture


def test_the_box_is_in_the_name_and_the_text_is_not_read(tmp_path: Path) -> None:
    picture(tmp_path / "ccpd_base" / CCPD)
    got = read_ccpd(tmp_path)
    (plate,), (item,) = got.objects, got.items
    assert plate.xyxy == (154, 383, 386, 473) and plate.label == "plate"
    assert item.group == "ccpd_base" and plate.attributes == {"brightness": "000-063"}
    assert "0_0_22" not in str(plate)


def test_other_pictures_are_none_of_them(tmp_path: Path) -> None:
    picture(tmp_path / "holiday.jpg")
    assert read_ccpd(tmp_path).items == () and is_ccpd(CCPD) and not is_ccpd("a-b.jpg")


def test_a_broken_box_is_named(tmp_path: Path) -> None:
    picture(tmp_path / CCPD.replace("154&383_386&473-", "154_383-"))
    with pytest.raises(TruthError, match="third field of its name: it is no box"):
        read_ccpd(tmp_path)
    (tmp_path / CCPD.replace("154&383_386&473-", "154_383-")).unlink()
    picture(tmp_path / CCPD.replace("154&383_386&473-", "386&383_154&473-"))
    with pytest.raises(TruthError, match="no area"):
        read_ccpd(tmp_path)
