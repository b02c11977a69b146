from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from anonflow.types import Verdict
from anonflow.video.carry import SOUND_ONLY, Selection, select
from anonflow.video.contract.metadata import compare_chapters, compare_metadata
from anonflow.video.inventory import Chapter, Inventory, take_inventory
from anonflow.video.probe import probe
from tests.carrying import PLACE, SECRET, broken, checks, keeping, rewrite

RichPath = Callable[[str], Path]


@pytest.fixture
def plain(rich: RichPath, tmp_path: Path) -> tuple[Selection, Inventory]:
    """What is selected by default, and a default output's inventory."""
    source = rich(".mp4")
    selection = select(source, probe(source), SOUND_ONLY)
    return selection, take_inventory(rewrite(source, tmp_path, SOUND_ONLY), 0)


def test_removed_keys_are_changed_by_policy_and_named_without_values(rich: RichPath, tmp_path: Path) -> None:
    source = rich(".mp4")
    point = checks(source, rewrite(source, tmp_path, keeping(metadata=["title"])), keeping(metadata=["title"]))[
        "metadata"
    ]
    assert point.verdict is Verdict.CHANGED_BY_POLICY
    assert point.detail == "kept: title; removed: comment, creation_time, handler_name, location"
    assert SECRET not in point.detail and PLACE not in point.detail


@pytest.mark.parametrize("keys", [{"title": "x"}, {"location-eng": PLACE}, {"COMMENT": "x"}])
def test_a_key_that_is_not_allowed_is_broken(plain: tuple[Selection, Inventory], keys: Mapping[str, str]) -> None:
    selection, found = plain
    assert compare_metadata(selection, found).verdict is Verdict.CHANGED_BY_POLICY
    in_file = compare_metadata(selection, replace(found, keys=found.keys | keys))
    picture = replace(found.picture, keys=found.picture.keys | keys)
    in_stream = compare_metadata(selection, replace(found, picture=picture))
    for point in (in_file, in_stream):
        assert point.verdict is Verdict.BROKEN and point.detail.startswith("not allowed: ")
        assert "x" not in point.detail.split() and PLACE not in point.detail


def test_the_whole_source_under_the_output_s_name_is_broken(rich: RichPath) -> None:
    for extension in (".mp4", ".mov", ".mkv"):
        names = {text.partition(":")[0] for text in broken(rich(extension), rich(extension), SOUND_ONLY)}
        assert {"other streams", "metadata", "chapters"} <= names


def test_an_allowed_key_that_is_missing_or_other_is_broken(plain: tuple[Selection, Inventory]) -> None:
    selection, found = plain
    wanted = replace(selection, keys={"title": "x"})
    assert compare_metadata(wanted, found).detail == "missing: title"
    other = replace(found, keys=found.keys | {"title": "y"})
    assert compare_metadata(wanted, other).detail == "another value: title"
    same = replace(found, keys=found.keys | {"title": "x"})
    assert compare_metadata(wanted, same).verdict is not Verdict.BROKEN


def test_dates_are_compared_to_the_second(plain: tuple[Selection, Inventory]) -> None:
    selection, found = plain
    wanted = replace(selection, keys={"creation_time": "2024-05-01T10:20:30Z"})
    dated = replace(found, keys=found.keys | {"creation_time": "2024-05-01T10:20:30.000000Z"})
    assert compare_metadata(wanted, dated).verdict is not Verdict.BROKEN
    dated = replace(found, keys=found.keys | {"creation_time": "2024-05-01T10:20:31.000000Z"})
    assert compare_metadata(wanted, dated).verdict is Verdict.BROKEN


def test_chapters(plain: tuple[Selection, Inventory]) -> None:
    selection, found = plain
    assert compare_chapters(selection, found).verdict is Verdict.CHANGED_BY_POLICY
    marks = (Chapter(Fraction(0), Fraction(1), "a"), Chapter(Fraction(1), Fraction(2), "b"))
    wanted, same = replace(selection, chapters=marks, removed_chapters=()), replace(found, chapters=marks)
    assert compare_chapters(wanted, same).verdict is Verdict.EQUAL
    late = (marks[0], replace(marks[1], start_s=Fraction(1002, 1000)))
    assert compare_chapters(wanted, replace(found, chapters=late)).detail.endswith("other times")
    renamed = (marks[0], replace(marks[1], title="c"))
    assert compare_chapters(wanted, replace(found, chapters=renamed)).detail.endswith("other titles")
    assert compare_chapters(wanted, found).verdict is Verdict.BROKEN
    assert compare_chapters(selection, same).verdict is Verdict.BROKEN
