"""An S3-compatible server for tests, and a proxy before it that counts, delays, fails and stops."""

from __future__ import annotations

import http.client
import os
import random
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
from botocore.config import Config

from anonflow.remote.access import Access
from anonflow.remote.path import RemotePath

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
SLOW_DOWN = (
    b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)
DENIED = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
_SERVER = """
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
server._thread.join()
"""


@dataclass(frozen=True)
class Bucket:
    """A bucket of its own on a server."""

    name: str
    endpoint: str

    @property
    def client(self) -> Any:
        """boto3's, which is none of ours."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(retries={"mode": "standard", "max_attempts": 10}),
        )

    def access(self, **changes: Any) -> Access:
        """How to reach it; one try a request unless told otherwise."""
        options = {"s3": {"endpoint_url": self.endpoint, "config_kwargs": {"retries": {"max_attempts": 1}}}}
        return Access(**{"options": options, "retry_s": 0.0, **changes})

    def path(self, key: str = "", **changes: Any) -> RemotePath:
        """A path in it."""
        return RemotePath.of(f"s3://{self.name}/{key}", self.access(**changes))

    def put(self, key: str, content: bytes | Path) -> str:
        """Store an object; its URI."""
        body = content.read_bytes() if isinstance(content, Path) else content
        self.client.put_object(Bucket=self.name, Key=key, Body=body)
        return f"s3://{self.name}/{key}"

    def get(self, key: str) -> bytes:
        """The content of an object."""
        content: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return content

    def keys(self, prefix: str = "") -> list[str]:
        """All keys, sorted."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return sorted(item["Key"] for page in pages for item in page.get("Contents", []))

    def arguments(self) -> list[str]:
        """For the command line."""
        return [f"runtime.storage_options.s3={{endpoint_url:'{self.endpoint}'}}"]


@contextmanager
def s3_server() -> Iterator[str]:
    """The address of a server in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()


def make_bucket(endpoint: str) -> Bucket:
    """A new bucket."""
    os.environ.update(CREDENTIALS)
    bucket = Bucket(f"bucket-{uuid.uuid4().hex[:12]}", endpoint)
    bucket.client.create_bucket(Bucket=bucket.name)
    return bucket


@dataclass
class Proxy:
    """What goes to the server through here, and what goes wrong on the way."""

    upstream: str
    latency_s: float = 0.0
    error_share: float = 0.0
    """Of requests, answered with 503 SlowDown."""
    reset_share: float = 0.0
    """Of requests, whose connection is closed in the middle of the answer."""
    lost_answers: int = 0
    """So many writes are done, and their answers lost."""
    requests: Counter[str] = field(default_factory=Counter)
    """By method."""
    read_bytes: Counter[str] = field(default_factory=Counter)
    """By key: what was sent of the objects' contents."""
    denied: tuple[str, ...] = ()
    """Methods and beginnings of keys, as `GET in/a`, that nobody may have."""
    faults: int = 0
    endpoint: str = ""

    def __post_init__(self) -> None:
        self._chance, self._lock, self._runs = random.Random(7), threading.Lock(), threading.Event()
        self._runs.set()

    def stop(self) -> None:
        """Every connection is closed from now on."""
        self._runs.clear()

    def go_on(self) -> None:
        """Answer again."""
        self._runs.set()

    def fate(self, method: str, path: str) -> str:
        """What becomes of a request."""
        with self._lock:
            self.requests[method] += 1
            draw = self._chance.random()
            if not self._runs.is_set():
                fate = "closed"
            elif draw < self.error_share:
                fate = "slow down"
            elif draw < self.error_share + self.reset_share:
                fate = "cut"
            elif f"{method} {_key(path)}".startswith(self.denied):
                fate = "denied"
            elif method in ("PUT", "POST") and self.lost_answers > 0:
                self.lost_answers -= 1
                fate = "lost"
            else:
                fate = "answered"
            self.faults += fate != "answered"
            return fate

    def count(self, path: str, size: int) -> None:
        """Note that so much of an object was sent."""
        with self._lock:
            self.read_bytes[_key(path)] += size


def _key(path: str) -> str:
    """What a request to `/bucket/key` is about."""
    return unquote(urlsplit(path).path).lstrip("/").partition("/")[2]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: Proxy

    def _pass(self) -> None:
        body, proxy = self._body(), self.proxy
        fate = proxy.fate(self.command, self.path)
        if fate == "closed":
            self.close_connection = True
            return
        time.sleep(proxy.latency_s)
        if fate == "slow down":
            self._answer(503, [("Content-Type", "application/xml")], SLOW_DOWN)
            return
        if fate == "denied":
            self._answer(403, [("Content-Type", "application/xml")], DENIED)
            return
        to = urlsplit(proxy.upstream)
        connection = http.client.HTTPConnection(to.hostname or "", to.port, timeout=60)
        hop = {"connection", "transfer-encoding"}
        headers = {k: v for k, v in self.headers.items() if k.lower() not in {*hop, "content-length"}}
        connection.request(self.command, self.path, body=body, headers=headers)
        answer = connection.getresponse()
        content = answer.read()
        given = [(k, v) for k, v in answer.getheaders() if k.lower() not in {*hop, "content-length"}]
        if self.command == "GET" and answer.status in (200, 206) and "?" not in self.path:
            proxy.count(self.path, len(content))
        length = answer.getheader("Content-Length") if self.command == "HEAD" else None
        connection.close()
        if fate == "lost":
            self.close_connection = True
            return
        self._answer(answer.status, given, content, length, is_cut=fate == "cut")

    def _answer(
        self,
        status: int,
        headers: list[tuple[str, str]],
        content: bytes,
        length: str | None = None,
        *,
        is_cut: bool = False,
    ) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        if is_cut:
            self.close_connection = True
            content = content[: len(content) // 2]
            if not content and self.command != "HEAD":
                return
        if self.command != "HEAD":
            self.wfile.write(content)

    def _body(self) -> bytes:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass  # noqa: N815  # names of http.server

    def handle_expect_100(self) -> bool:
        return True

    def log_message(self, *_: object) -> None:
        """Nothing."""


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """A client that went away is what a test may want."""


@contextmanager
def proxied(upstream: str, **faults: Any) -> Iterator[Proxy]:
    """A proxy before a server."""
    proxy = Proxy(upstream, **faults)
    server = _Quiet(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": proxy}))
    proxy.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
