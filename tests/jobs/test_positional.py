from __future__ import annotations

from pathlib import Path

import pytest

from anonflow.jobs.positional import quoted, with_output


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["out"], ["output='out'"]),
        (["dry_run=true", "s3://bucket/out"], ["dry_run=true", "output='s3://bucket/out'"]),
        (["output=out", "--cfg", "job"], ["output=out", "--cfg", "job"]),
        (["--help"], ["--help"]),
        (["one", "two"], ["one", "two"]),
        ([], []),
    ],
)
def test_the_argument_without_a_key_is_the_output(given: list[str], expected: list[str]) -> None:
    assert with_output(given) == expected


def test_a_folder_that_looks_like_an_override_is_the_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a=b").mkdir()
    assert with_output(["a=b", "x=y"]) == ["output='a=b'", "x=y"]


def test_any_path_can_be_quoted() -> None:
    assert quoted("it's\\here") == "'it\\'s\\\\here'"
