from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av.logging

from anonflow.video.logs import captured_warnings

ClipPath = Callable[[str], Path]


def test_nothing_is_printed_even_for_broken_files(clip: ClipPath, tmp_path: Path) -> None:
    content = bytearray(clip("opengop.ts").read_bytes())
    content[20_000:30_000:111] = b"\x55" * len(content[20_000:30_000:111])
    (tmp_path / "secret-name.ts").write_bytes(content)
    script = (
        "import sys, logging; from pathlib import Path\n"
        "from anonflow.errors import AnonflowError; from anonflow.video.probe import probe\n"
        "from anonflow.video.decode import decode_range\n"
        "logging.basicConfig(level=logging.DEBUG)\n"
        "path = Path(sys.argv[1])\n"
        "try:\n"
        "    index = probe(path); list(decode_range(path, index, int(index.pts[0]), index.end_pts))\n"
        "except AnonflowError: pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "secret-name.ts")],
        cwd=Path(__file__).resolve().parents[2], capture_output=True, check=True, text=True,
    )  # fmt: skip
    assert done.stdout == done.stderr == ""


def test_warnings_are_counted_and_repeated_ones_too() -> None:
    with captured_warnings() as lines:
        for _ in range(3):
            av.logging.log(av.logging.WARNING, "test", "again")
        av.logging.log(av.logging.INFO, "test", "chatter")
    assert [message for _, _, message in lines] == ["again"] * 3


def test_a_block_within_another_tells_it() -> None:
    with captured_warnings() as outer:
        av.logging.log(av.logging.WARNING, "test", "before")
        with captured_warnings() as inner:
            av.logging.log(av.logging.ERROR, "test", "within")
        av.logging.log(av.logging.WARNING, "test", "after")
    assert [message for _, _, message in inner] == ["within"]
    assert [message for _, _, message in outer] == ["before", "within", "after"]
