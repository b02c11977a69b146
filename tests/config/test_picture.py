from __future__ import annotations

import pytest

from anonflow.config import PictureConfig
from anonflow.errors import ConfigError


def keeping(*patterns: str) -> PictureConfig:
    return PictureConfig(64, 10**8, 10**9, list(patterns))


@pytest.mark.parametrize(
    ("patterns", "name", "kept"),
    [
        ((), "exif.Make", False),
        (("exif.Make",), "exif.Make", True),
        (("exif.Make",), "exif.MakerNote", False),
        (("exif.Date*", "gps.*"), "gps.GPSLatitude", True),
        (("exif.date*",), "exif.DateTime", False),
        (("*",), "text.Author", True),
        (("comment",), "comment", True),
    ],
)
def test_names_are_kept_by_pattern(patterns: tuple[str, ...], name: str, kept: bool) -> None:
    assert keeping(*patterns).keeps(name) is kept


@pytest.mark.parametrize("pattern", ["xmp", "iptc", "makernote", "thumbnail", "Make", "EXIF.Make", ""])
def test_a_pattern_that_can_keep_nothing_is_an_error(pattern: str) -> None:
    with pytest.raises(ConfigError, match="can keep nothing"):
        keeping(pattern)


@pytest.mark.parametrize(("size", "pixels", "n_bytes"), [(0, 1, 1), (10_001, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_limits(size: int, pixels: int, n_bytes: int) -> None:
    with pytest.raises(ConfigError):
        PictureConfig(size, pixels, n_bytes, [])
