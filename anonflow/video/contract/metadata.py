"""Metadata and chapters: the keys that are allowed, with their values, and no other. Only names are reported."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from anonflow.types import Check, Verdict
from anonflow.video.carry import Selection
from anonflow.video.contract.check import TICK_S, check
from anonflow.video.inventory import TIMECODE, Inventory
from anonflow.video.keys import content

_DATE = "creation_time"
_DATE_LENGTH = len("2026-01-31T12:00:00")
"""MP4 counts seconds."""
_FREE_ANYWHERE = {_DATE}
"""MP4 gives the date of the file to each of its streams."""


def compare_metadata(selection: Selection, result: Inventory) -> Check:
    """Keys of the file and of each stream, by their canonical names."""
    everywhere = {name: value for name, value in selection.keys.items() if name in _FREE_ANYWHERE}
    pairs = [(selection.keys, content(result.keys))]
    pairs += [
        (everywhere | selection.stream_keys.get(source, {}), content(keys))
        for source, keys in _streams(selection, result)
    ]
    missing, extra, wrong = set(), set(), set()
    for expected, found in pairs:
        required = expected.keys() - (everywhere.keys() if expected is not selection.keys else ())
        missing |= required - found.keys()
        extra |= found.keys() - expected.keys()
        wrong |= {name for name in expected.keys() & found.keys() if not _equal(name, expected, found)}
    if missing or extra or wrong:
        groups = (("missing", missing), ("not allowed", extra), ("another value", wrong))
        return check("metadata", False, "; ".join(f"{w}: {', '.join(sorted(n))}" for w, n in groups if n))
    return _kept(selection)


def compare_chapters(selection: Selection, result: Inventory, shift_s: Fraction = Fraction(0)) -> Check:
    """Starts to a millisecond, `shift_s` later, and titles. Ends follow from the next chapter's start."""
    expected, found = selection.chapters, result.chapters
    same_starts = len(expected) == len(found) and all(
        abs(a.start_s + shift_s - b.start_s) <= TICK_S for a, b in zip(expected, found, strict=True)
    )
    same_titles = [chapter.title for chapter in expected] == [chapter.title for chapter in found]
    detail = f"{len(found)} chapters"
    if not (same_starts and same_titles):
        wrong = "titles" if same_starts else "times"
        return check("chapters", False, f"{detail} instead of {len(expected)}, other {wrong}")
    if removed := ", ".join(selection.removed_chapters):
        return Check("chapters", Verdict.CHANGED_BY_POLICY, f"{detail}; removed: {removed}")
    return check("chapters", True, detail)


def _streams(selection: Selection, result: Inventory) -> list[tuple[int, Mapping[str, str]]]:
    """Source index and output keys of each stream that both have; attached files carry none."""
    pairs: list[tuple[int, Mapping[str, str]]] = [(selection.picture.index, result.picture.keys)]
    for kind in ("audio", "subtitle", "data"):
        # A timecode track is made by the muxer, with the handler's name of the picture.
        ours = [part for part in selection.streams if part.kind == kind and part.codec != TIMECODE]
        theirs = [part for part in result.parts if part.kind == kind and part.codec != TIMECODE]
        pairs += [(part.index, other.keys) for part, other in zip(ours, theirs, strict=False)]
    # A stream that nobody selected must not bring keys along either.
    pairs += [(-1, part.keys) for part in result.parts if part.kind in ("cover", "attachment", "chapter track")]
    return pairs


def _equal(name: str, expected: Mapping[str, str], found: Mapping[str, str]) -> bool:
    if name == _DATE:
        return expected[name][:_DATE_LENGTH] == found[name][:_DATE_LENGTH]
    return expected[name] == found[name]


def _kept(selection: Selection) -> Check:
    kept = set(selection.keys).union(*selection.stream_keys.values())
    groups = (("kept", sorted(kept)), ("removed", selection.removed_keys))
    detail = "; ".join(f"{word}: {', '.join(names)}" for word, names in groups if names)
    verdict = Verdict.CHANGED_BY_POLICY if selection.removed_keys else Verdict.EQUAL
    return Check("metadata", verdict, detail or "none")
