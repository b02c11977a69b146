from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from anonflow.config import SourceConfig
from anonflow.errors import ConfigError
from anonflow.pipeline.sources import list_sources
from anonflow.pipeline.stages.plan import check_source
from anonflow.remote.access import Access
from anonflow.storage import located
from tests.stores import Bucket

CONFIG = SourceConfig(extensions=["mp4"], picture_extensions=["jpg"])
OUT = Path("/nowhere/out")


def listed(bucket: Bucket, given: str, output: str = "/nowhere/out") -> Any:
    access = bucket.access()
    target = located(output.replace("B", bucket.name), access)
    return list_sources(given.replace("B", bucket.name), target, CONFIG, access)


@pytest.fixture
def full(bucket: Bucket) -> Bucket:
    for key in ("a.mp4", "s/b.MP4", "s/c.jpg", "s/notes.mkv", "s/", "_anonflow/x.mp4"):
        bucket.put(f"in/{key}", key.encode())
    bucket.put("inner.mp4", b"inner")
    return bucket


def test_all_below_a_prefix_with_a_known_extension(full: Bucket) -> None:
    found = listed(full, "s3://B/in")
    assert [s.relative_path for s in found.sources] == ["a.mp4", "s/b.MP4", "s/c.jpg"]
    assert found.sources[0].uri == f"s3://{full.name}/in/a.mp4"
    assert found.passed_over == {".mkv": 1}
    assert len({s.video_id for s in found.sources}) == 3 and all(s.etag and s.size_bytes > 0 for s in found.sources)
    assert listed(full, "s3://B/in/").sources == found.sources


def test_one_object_and_globs(full: Bucket) -> None:
    assert [s.relative_path for s in listed(full, "s3://B/in/s/notes.mkv").sources] == ["notes.mkv"]
    assert [s.relative_path for s in listed(full, "s3://B/in/a.mp4").sources] == ["a.mp4"]
    assert [s.relative_path for s in listed(full, "s3://B/in/**/*.[mM][pP]4").sources] == ["a.mp4", "s/b.MP4"]
    assert [s.relative_path for s in listed(full, "s3://B/i*/s/c.*").sources] == ["in/s/c.jpg"]


def test_lists_may_lie_in_the_store_and_name_what_is_anywhere(full: Bucket, tmp_path: Path) -> None:
    (tmp_path / "local.mp4").write_bytes(b"x")
    full.put("lists/l.txt", f"# mine\n../odd.mp4\ns3://{full.name}/in/a.mp4\n{tmp_path}/local.mp4\n".encode())
    found = listed(full, "s3://B/lists/l.txt").sources
    assert [s.uri for s in found][1:] == [f"s3://{full.name}/in/a.mp4", f"{tmp_path}/local.mp4"]
    assert [s.size_bytes for s in found] == [-1, 5, 1], "what is not there is told of later"
    assert all(".." not in s.relative_path.split("/") for s in found)
    pq.write_table(pa.table({"uri": [f"s3://{full.name}/in/s/c.jpg"]}), tmp_path / "l.parquet")
    full.put("lists/l.parquet", tmp_path / "l.parquet")
    assert [s.relative_path for s in listed(full, "s3://B/lists/l.parquet").sources] == ["c.jpg"]


def test_ids_follow_the_version(full: Bucket) -> None:
    (before,) = listed(full, "s3://B/in/a.mp4").sources
    (again,) = listed(full, "s3://B/in/").sources[:1]
    assert before.video_id == again.video_id, "however it was found"
    full.put("in/a.mp4", b"A.MP4")
    (after,) = listed(full, "s3://B/in/a.mp4").sources
    assert after.video_id != before.video_id
    check_source(after, full.access())
    with pytest.raises(Exception, match="changed"):
        check_source(before, full.access())


def test_results_are_no_sources_and_never_overwrite_one(full: Bucket) -> None:
    full.put("in/out/a.mp4", b"result")
    names = [s.relative_path for s in listed(full, "s3://B/in", "s3://B/in/out").sources]
    assert "out/a.mp4" not in names and "a.mp4" in names
    with pytest.raises(ConfigError, match="would overwrite the input"):
        listed(full, "s3://B/in", "s3://B/in")


@pytest.mark.parametrize(
    "given, said", [("s3://B/none", "no files there"), ("s3://no-such-bkt/x", "no such bucket")]
)
def test_nothing_and_no_bucket_are_told_at_once(full: Bucket, given: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        listed(full, given)


class _Ranges(SimpleHTTPRequestHandler):
    """Python's server, which knows no ranges, taught to."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path.partition("?")[0]))
        if not path.exists():
            self.send_error(404)
            return
        content = path.read_bytes()
        start, stop = 0, len(content)
        if wanted := self.headers.get("Range"):
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, stop = int(first), min(int(last or stop) + 1, stop)
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(stop - start))
        self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(content)}")
        self.end_headers()
        self.wfile.write(content[start:stop])

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "my clip.mp4").write_bytes(bytes(range(250)) * 1000)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Ranges, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_inputs_over_http(web: str, tmp_path: Path) -> None:
    access = Access(block_bytes=16384, retry_s=0)
    given = f"{web}/my%20clip.mp4?signature=secret"
    (found,) = list_sources(given, OUT, CONFIG, access).sources
    assert (found.relative_path, found.size_bytes, found.uri) == ("my clip.mp4", 250_000, given)
    check_source(found, access)
    with located(given, access).open("rb") as file:
        file.seek(100_000)
        assert file.read(10) == (tmp_path / "my clip.mp4").read_bytes()[100_000:100_010]
    (missing,) = list_sources(f"{web}/none.mp4", OUT, CONFIG, access).sources
    assert missing.size_bytes == -1
    with pytest.raises(Exception, match="no such file") as raised:
        check_source(missing, access)
    assert "secret" not in str(raised.value)
