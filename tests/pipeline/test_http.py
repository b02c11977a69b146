"""Whole runs over HTTP servers of all kinds: what they can serve is published, and what not has its reason."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.inline import anonymized
from tests.media import Clip, make_clip

ARGUMENTS = (
    "detector=faces",
    "detector.face.long_side_px=128",
    "video.preset=ultrafast",
    "video.crf=20",
    "runtime.provider=cpu",
)
REFUSALS = {"unauthorized": 401, "denied": 403, "gone": 404}
IN_RANGES = ("ranged", "unannounced", "without_head")


class _Server(BaseHTTPRequestHandler):
    """Its manner is the first part of the address."""

    protocol_version = "HTTP/1.1"
    content: bytes

    def do_HEAD(self) -> None:
        if self._manner == "without_head":
            self._answer(405)
        else:
            self.do_GET()

    def do_GET(self) -> None:
        manner, asked = self._manner, re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if manner in REFUSALS:
            self._answer(REFUSALS[manner])
        elif manner == "moved":
            self._answer(302, [("Location", "/ranged/clip.mp4")])
        elif manner == "page":
            self._answer(200, content=b"<html>Sign in</html>")
        elif manner == "unsized":
            self._answer(200, [("Connection", "close")], self.content, is_sized=False)
        elif asked and manner in IN_RANGES:
            start, stop = int(asked[1]), min(int(asked[2] or len(self.content)) + 1, len(self.content))
            place = f"bytes {start}-{stop - 1}/{len(self.content)}"
            self._answer(206, [("Content-Range", place)], self.content[start:stop])
        else:
            announced = {"ranged": "bytes", "liar": "bytes", "whole": "none"}.get(manner)
            self._answer(200, [("Accept-Ranges", announced)] if announced else [], self.content)

    @property
    def _manner(self) -> str:
        return self.path.split("/")[1]

    def _answer(
        self, status: int, headers: list[tuple[str, str]] | None = None, content: bytes = b"", is_sized: bool = True
    ) -> None:
        self.send_response(status)
        for name, value in headers or []:
            self.send_header(name, value)
        if is_sized:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        self.close_connection = self.close_connection or not is_sized

    def log_message(self, *_: object) -> None:
        """Nothing."""


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that has enough closes the connection."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of many blocks of 16 KiB."""
    of = Clip(n_frames=60, width=320, height=240, options={"preset": "ultrafast", "qp": "12", "g": "12"})
    path = make_clip(tmp_path_factory.mktemp("web") / "clip.mp4", of)
    assert path.stat().st_size > 10 * 16384
    return path


@pytest.fixture(scope="module")
def expected(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """SHA-256 of what the same file in a folder becomes."""
    output = tmp_path_factory.mktemp("expected")
    assert anonymized(clip, output, *ARGUMENTS).totals.published == 1
    return hashlib.sha256((output / "clip.mp4").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def web(clip: Path) -> Iterator[str]:
    server = _Quiet(("127.0.0.1", 0), type("Server", (_Server,), {"content": clip.read_bytes()}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def outcome(address: str, output: Path, block_kb: int) -> dict[str, Any]:
    """The ledger's row after a run."""
    anonymized(address, output, *ARGUMENTS, f"runtime.storage_block_kb={block_kb}", "runtime.storage_retry_s=2")
    (ledger,) = output.glob("_anonflow/*/ledger.parquet")
    (row,) = pq.read_table(ledger).to_pylist()
    return dict(row)


@pytest.mark.parametrize(
    ("manner", "block_kb"),
    [
        *((manner, 16) for manner in (*IN_RANGES, "moved")),
        *((manner, 1024) for manner in ("whole", "liar", "plain")),
    ],
)
def test_what_can_be_read_is_published_as_from_a_folder(
    web: str, tmp_path: Path, expected: str, manner: str, block_kb: int
) -> None:
    """In ranges, or, where there are none, files that are no larger than a block."""
    row = outcome(f"{web}/{manner}/clip.mp4", tmp_path, block_kb)
    assert (row["status"], row["message"]) == ("published", "")
    assert hashlib.sha256((tmp_path / "clip.mp4").read_bytes()).hexdigest() == expected


@pytest.mark.parametrize(
    ("manner", "reason", "said"),
    [
        *((manner, "unreadable", "sends files only whole") for manner in ("whole", "liar", "plain", "unsized")),
        *((manner, "unreadable", "access denied") for manner in ("unauthorized", "denied")),
        ("gone", "missing", "no such file"),
        ("page", "not_a_video", "not a video"),
    ],
)
def test_what_cannot_has_its_reason(web: str, tmp_path: Path, manner: str, reason: str, said: str) -> None:
    row = outcome(f"{web}/{manner}/clip.mp4", tmp_path, 16)
    assert (row["status"], row["reason"]) == ("quarantined", reason)
    assert said in row["message"]
    assert not (tmp_path / "clip.mp4").exists()
