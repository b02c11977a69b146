"""The fidelity contract of pictures: whether an output is the source with masks in it and nothing else changed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anonflow.errors import SourceError
from anonflow.picture.base import IsKept, PictureInfo, StillPicture
from anonflow.picture.icc import BROKEN
from anonflow.picture.png_file import MALFORMED_TEXT, RAW_PROFILE
from anonflow.picture.still import open_picture
from anonflow.picture.webp_still import MIN_PSNR_DB, psnr_db
from anonflow.types import Check, Verdict

_NEVER_KEPT = (
    *("makernote", "thumbnail", "xmp", "iptc", "photoshop", "mpf", "appended data"),
    *(RAW_PROFILE, MALFORMED_TEXT, BROKEN),
)


def inspect(source: StillPicture, output: bytes, hidden: NDArray[np.bool_], is_kept: IsKept) -> tuple[Check, ...]:
    """Compare a file with its source, of which the px `hidden` (h, w) were masked, point by point.

    Nothing is raised for a broken output: a check says so.
    """
    info = source.info
    try:
        result = open_picture(output, info.grid.width * info.grid.height)
        found, samples = result.info, result.samples()
        result.bgr(1)
    except SourceError as error:
        return (Check("readable", Verdict.BROKEN, type(error).__name__),)
    return (
        _check("readable", True),
        _check("format", info.format == found.format, found.format),
        _check("size as shown", info.shown_size == found.shown_size, "{}x{}".format(*found.shown_size)),
        _check("orientation", info.orientation == found.orientation, str(found.orientation)),
        _check("mode", info.mode == found.mode, found.mode),
        _compare_coding(info, found),
        _check("colour profile", info.colour_profile == found.colour_profile),
        _check("resolution", info.resolution == found.resolution),
        _compare_metadata(info, found, is_kept),
        _compare_samples(source, samples, hidden),
    )


def _check(name: str, holds: bool, detail: str = "") -> Check:
    return Check(name, Verdict.EQUAL if holds else Verdict.BROKEN, detail)


def _compare_coding(source: PictureInfo, result: PictureInfo) -> Check:
    """Lossless in place of lossy loses nothing; a lossy TIFF becomes it, and a WebP that would change too much."""
    if source.coding != result.coding and result.coding == "lossless":
        return Check("coding", Verdict.CHANGED_BY_POLICY, f"{source.coding} became lossless")
    return _check("coding", source.coding == result.coding, result.coding)


def _compare_metadata(source: PictureInfo, result: PictureInfo, is_kept: IsKept) -> Check:
    """Names only. What the policy does not keep must not be there, and nothing that was not there before."""
    allowed = {name for name in source.metadata if name not in _NEVER_KEPT and is_kept(name)}
    wrong = sorted(set(result.metadata) - allowed)
    if wrong:
        return Check("metadata", Verdict.BROKEN, "not removed: " + ", ".join(wrong))
    removed = [name for name in source.metadata if name not in result.metadata]
    if removed:
        return Check("metadata", Verdict.CHANGED_BY_POLICY, "removed: " + ", ".join(removed))
    return _check("metadata", True, "none removed")


def _compare_samples(source: StillPicture, samples: tuple[NDArray[Any], ...], hidden: NDArray[np.bool_]) -> Check:
    """Every sample, or coefficient, that no mask touches."""
    name = "outside the masks"
    given = source.samples()
    if [a.shape for a in given] != [b.shape for b in samples]:
        return Check(name, Verdict.BROKEN, "other shapes")
    areas = source.unhidden(hidden)
    if all(np.array_equal(a[area], b[area]) for a, b, area in zip(given, samples, areas, strict=True)):
        return Check(name, Verdict.EQUAL)
    worst = min(psnr_db(a[area], b[area]) for a, b, area in zip(given, samples, areas, strict=True))
    may_differ = (source.info.format, source.info.coding) == ("WEBP", "lossy") and hidden.any()
    if may_differ and worst >= MIN_PSNR_DB:
        return Check(name, Verdict.CHANGED_BY_POLICY, f"encoded again, PSNR {worst:.1f} dB")
    return Check(name, Verdict.BROKEN, f"PSNR {worst:.1f} dB")
