from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from anonflow.config import RegionConfig, TimeSpan, VideoRegions
from anonflow.errors import ConfigError
from anonflow.jobs.regions import load_regions

README = Path(__file__).resolve().parents[2] / "README.md"
GOOD = """\
# what we know
- videos: "cam1/*.mp4"
  hide:
    - box: [0.8, 0, 1.0, 0.1]
      units: share
    - polygon: [[10, 10], [200, 30], [90, 140]]
      units: px
      from_s: 2.5
      to_s: 10
  keep:
    - box: [0.1, 0.1, 0.2, 0.2]
  process:
    - {from_s: 0, to_s: 60}
- videos: cam2/*
  keep: [{box: [0, 0, 1, 1]}]
"""


@pytest.fixture
def read(tmp_path: Path) -> Any:
    """Read regions from what the file says."""
    path = tmp_path / "regions.yaml"

    def read(content: Any) -> Any:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load_regions(str(path))

    return read


def test_a_file_becomes_regions(read: Any) -> None:
    logo = RegionConfig(box=(0.8, 0.0, 1.0, 0.1))
    sign = RegionConfig(2.5, 10.0, polygon=((10.0, 10.0), (200.0, 30.0), (90.0, 140.0)), units="px")
    kept, all_of_it = RegionConfig(box=(0.1, 0.1, 0.2, 0.2)), RegionConfig(box=(0.0, 0.0, 1.0, 1.0))
    assert read(GOOD) == [
        VideoRegions("cam1/*.mp4", (logo, sign), (kept,), (TimeSpan(0.0, 60.0),)),
        VideoRegions("cam2/*", keep=(all_of_it,)),
    ]


def test_spans_can_be_mute_and_nothing_else(read: Any) -> None:
    (entry,) = read("- {videos: a, mute: [{from_s: 1, to_s: 2.5}, {from_s: 60}]}")
    assert entry.mute == (TimeSpan(1.0, 2.5), TimeSpan(60.0, None)) and not entry.hide
    with pytest.raises(ConfigError, match=r"line 1: from_s=2\.0 must lie before"):
        read("- {videos: a, mute: [{from_s: 2, to_s: 1}]}")


def test_numbers_are_floats_however_they_are_written(read: Any) -> None:
    """Otherwise the same regions would have two fingerprints."""
    written = read(GOOD.replace("[0.8, 0, 1.0, 0.1]", "[8.0e-1, 0.0, 1, 0.10]"))
    assert repr(written) == repr(read(GOOD))


def test_anchors_may_be_used_again(read: Any) -> None:
    first, second = read("- {videos: a, hide: &logo [{box: [0, 0, 1, 1]}]}\n- {videos: b, hide: *logo}\n")
    assert first.hide == second.hide


def test_a_byte_order_mark_does_no_harm(read: Any) -> None:
    assert read(b"\xef\xbb\xbf" + GOOD.encode()) == read(GOOD)


def test_the_readme_shows_a_file_that_can_be_read(read: Any) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (entry,) = read(example)
    assert entry.hide and entry.keep and entry.process and entry.mute


@pytest.mark.parametrize(
    ("before", "after", "line", "told"),
    [
        ("units: share", "label: logo", 5, "unknown key 'label'"),
        ("keep:\n    -", "kept:\n    -", 10, "unknown key 'kept'"),
        ("- videos: cam2", "- video: cam2", 14, "unknown key 'video'"),
        ("from_s: 0,", "from: 0,", 13, "unknown key 'from'"),
        ("videos: cam2/*", "videos: 3", 14, "must be text, not 3"),
        ("videos: cam2/*", "videos: ''", 14, "pattern"),
        ("to_s: 10", "to_s: ten", 9, 'to_s must be a number, not "ten"'),
        ("to_s: 10", "to_s: '10'", 9, "must be a number"),
        ("to_s: 10", "to_s: yes", 9, "must be a number, not true"),
        ("to_s: 10", "to_s: 2026-01-01", 9, "timestamp"),
        ("to_s: 10", "to_s: 0x_", 9, "0x_ cannot be read"),
        ("to_s: 10", "to_s: !!python/name:os.system 1", 9, "no meaning"),
        ("to_s: 10", "to_s: 2.5", 6, "from_s=2.5 must lie before to_s=2.5"),
        ("to_s: 60", "to_s: -1", 13, "to_s=-1.0"),
        ("from_s: 2.5", "from_s: -2.5", 6, "from_s=-2.5"),
        ("from_s: 2.5", "from_s: .nan", 6, "from_s=nan"),
        ("to_s: 60", "to_s: .inf", 13, "to_s=inf"),
        ("to_s: 10", "from_s: 3", 9, "'from_s' comes twice"),
        ("units: px", "units: cm", 6, "units=cm"),
        ("units: px", "box: [1, 1, 2, 2]", 6, "not both"),
        ("box: [0.1, 0.1, 0.2, 0.2]", "to_s: 1", 11, "needs a box or a polygon"),
        ("[0.8, 0, 1.0, 0.1]", "[0.8, 0, 0.8, 0.1]", 4, "x1 < x2"),
        ("[0.8, 0, 1.0, 0.1]", "[0.8, 0.2, 1.0, 0.1]", 4, "y1 < y2"),
        ("[0.8, 0, 1.0, 0.1]", "[0.8, 0, 1.1, 0.1]", 4, "1.1 is no share"),
        ("[0.8, 0, 1.0, 0.1]", "[-0.8, 0, 1, 0.1]", 4, "-0.8 is no share"),
        ("[0.8, 0, 1.0, 0.1]", "[0.8, 0, 1.0]", 4, "is missing"),
        ("[0.8, 0, 1.0, 0.1]", "[0.8, 0, 1.0, 0.1, 0.2]", 4, "too many"),
        ("[0.8, 0, 1.0, 0.1]", "all", 4, 'must be a list, not "all"'),
        ("[10, 10], ", "", 6, "polygon has 2 different points"),
        ("[10, 10], ", "[200, 30], ", 6, "polygon has 2 different points"),
        ("[10, 10]", "[10, .inf]", 6, "finite"),
        ("[10, 10]", "10", 6, "must be a list, not 10"),
        ("[[10, 10], [200, 30], ", "\n        - [1, 1]\n        - [2, x]\n        - [3, 3]\n     #", 8, "a number"),
        ("  keep: [{box: [0, 0, 1, 1]}]\n", "", 14, "add hide, keep, process or mute"),
        ("keep: [{box: [0, 0, 1, 1]}]", "hide: []", 14, "add hide, keep, process or mute"),
        ("[{box: [0, 0, 1, 1]}]", "{box: [0, 0, 1, 1]}", 15, "keep must be a list"),
        ("[{box: [0, 0, 1, 1]}]", "", 15, "keep must be a list, not null"),
        ("[{box: [0, 0, 1, 1]}]", "[7]", 15, "mapping"),
        ("[{box: [0, 0, 1, 1]}]", "&k [*k]", 15, "cannot hold itself"),
        ("  keep: [", "  ? [1]\n  : [", 15, "a key must be a word"),
        ("- videos: cam2/*\n  keep: [{box: [0, 0, 1, 1]}]", "- all", 14, "mapping"),
        ("- videos: cam2/*", "- videos: 'cam2/*", 16, "no valid YAML"),
        ("  process:", "\tprocess:", 12, "no valid YAML"),
        ("# what we know", "# what we \x07know", 1, "no valid YAML"),
        ("- videos: cam2/*", "---\n- videos: cam2/*", 14, "no valid YAML"),
        (GOOD, "videos: a\nhide: []\n", 1, "must be a list"),
        (GOOD, "# a list\n[]\n", 2, "must be a list"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(
    read: Any, tmp_path: Path, before: Any, after: Any, line: Any, told: Any
) -> None:
    assert GOOD.count(before) == 1
    with pytest.raises(ConfigError) as raised:
        read(GOOD.replace(before, after))
    message = str(raised.value)
    assert message.startswith(f"{tmp_path}/regions.yaml, line {line}: ") and told in message
    assert "\n" not in message and len(message) < 400 + len(str(tmp_path))


def test_of_several_mistakes_the_first_is_told(read: Any) -> None:
    with pytest.raises(ConfigError, match=r"line 4: .* no share"):
        read(GOOD.replace("1.0, 0.1", "1.5, 0.1").replace("cam2/*", "3").replace("to_s: 60", "to_s: x"))


def test_a_file_without_anything_in_it_is_refused(read: Any) -> None:
    for content in ("", "# later\n"):
        with pytest.raises(ConfigError, match="nothing in it"):
            read(content)


def test_a_file_that_is_no_text_is_told_with_its_line(read: Any) -> None:
    with pytest.raises(ConfigError, match="line 2: no UTF-8"):
        read(b"- videos: a\n  hide: \xff\xfe\n")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(ConfigError, match=re.escape(f"regions={path} cannot be read")):
            load_regions(str(path))
