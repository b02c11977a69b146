from __future__ import annotations

import zlib

import numpy as np
import pytest

from anonflow.picture.contract import inspect
from anonflow.picture.icc import BROKEN, cleaned, inflated
from anonflow.picture.still import open_picture
from anonflow.types import Verdict
from tests.pictures import encoded, everything, profile, scene, solid

MANY = 10**6
FALSE = b"SECRET" * 50
LONG = profile() + FALSE
OPTIONS = {"JPEG": {}, "WEBP": {"lossless": True}, "TIFF": {"compression": "tiff_lzw"}, "PNG": {}}


def test_a_profile_ends_where_it_says() -> None:
    assert cleaned(profile()) == cleaned(LONG) == inflated(zlib.compress(LONG)) == profile()
    assert cleaned(profile()[:-1]) == cleaned(FALSE) == cleaned(b"") == inflated(FALSE) == b""


@pytest.mark.parametrize("kind", OPTIONS)
def test_nothing_is_copied_in_the_name_of_a_profile(kind: str) -> None:
    for given, kept in ((FALSE, b""), (LONG, profile()), (profile() * 1, profile())):
        still = open_picture(encoded(scene(), kind, icc_profile=given, **OPTIONS[kind]), MANY)
        hiding = solid(still.info.grid, None)
        out = still.masked(hiding, everything)
        result = open_picture(out, MANY)
        assert b"SECRET" not in out and result.info.colour_profile == still.info.colour_profile
        assert bool(kept) == bool(result.info.colour_profile)
        broken = [c for c in inspect(still, out, hiding.hidden, everything) if c.verdict is Verdict.BROKEN]
        assert broken == []
        assert (BROKEN in still.info.metadata or "png.iCCP" in still.info.metadata) == (not kept)


def test_a_profile_of_many_segments_survives() -> None:
    long = bytearray(profile() + np.random.default_rng(1).bytes(150_000))
    long[:4] = len(long).to_bytes(4, "big")
    still = open_picture(encoded(scene(), "JPEG", icc_profile=bytes(long)), MANY)
    out = still.masked(solid(still.info.grid, None), everything)
    assert open_picture(out, MANY).info.colour_profile == bytes(long)
