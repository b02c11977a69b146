"""A path in an object store or behind HTTP, used like `pathlib.Path`.

Keys are taken to the letter: nothing in them is a wildcard, a version or a chain of addresses, and no slash is
folded. (universal-pathlib, which does this for all of fsspec, reads `s3://b/x::y` as `s3://b/x`.) Every request
is repeated while its failure is one that passes; what lasts is an OSError as of a local file.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import IO, Any, TypeVar
from urllib.parse import unquote, urlsplit

from anonflow.errors import ConfigError
from anonflow.remote.access import Access, store_of
from anonflow.remote.patterns import fixed_start, matcher
from anonflow.remote.ranged import RangedFile
from anonflow.remote.retry import steadily
from anonflow.remote.stat import RemoteStat, stat_of

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)/?(.*)", re.DOTALL)
_UPLOAD_BYTES = 16 * 2**20
_MAX_UPLOADS = 9_000
_HTTP = ("http", "https")

_T = TypeVar("_T")


def is_remote(uri: str) -> bool:
    """Whether this is an address and not a local path or `file:` URI."""
    found = _ADDRESS.fullmatch(uri)
    return found is not None and found[1].lower() != "file"


@dataclass(frozen=True, eq=False)
class RemotePath:
    """Where something is: `root` is scheme and bucket (or server), `key` the rest, without slashes at its ends."""

    root: str
    key: str
    access: Access
    query: str = ""
    """Of an HTTP address, with its `?`; never in messages, as it may hold a signature."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RemotePath):
            return NotImplemented
        return (self.root, self.key, self.query) == (other.root, other.key, other.query)

    def __hash__(self) -> int:
        return hash((self.root, self.key, self.query))

    def __lt__(self, other: RemotePath) -> bool:
        return str(self) < str(other)

    @classmethod
    def of(cls, uri: str, access: Access) -> RemotePath:
        """The path of an address.

        Raises:
            ConfigError: it has no bucket, or holds a password, or a name that the file systems take for something
                else.
        """
        found = _ADDRESS.fullmatch(uri)
        if found is None:
            raise ConfigError(f"{uri}: not an address.")
        scheme, host, rest = found[1].lower(), found[2], found[3]
        store_of(scheme)
        if not host:
            raise ConfigError(f"{uri}: the bucket (or server) is missing. Write {scheme}://BUCKET/...")
        if scheme in _HTTP:
            if "@" in host:
                raise ConfigError("Leave name and password out of the address; put them into ~/.netrc.")
            parts = urlsplit(f"//{host}/{rest}")
            return cls(
                f"{scheme}://{host}", parts.path.strip("/"), access, f"?{parts.query}" if parts.query else ""
            )
        return cls(f"{scheme}://{host}", rest.strip("/"), access)

    # --- names -----------------------------------------------------------------------------------------------

    def __str__(self) -> str:
        return f"{self.root}/{self.key}" if self.key else self.root

    @property
    def uri(self) -> str:
        """The whole address; `str` leaves out an HTTP query."""
        return f"{self}{self.query}"

    @property
    def scheme(self) -> str:
        """`s3`, `gs`, ..."""
        return self.root.partition(":")[0]

    @property
    def name(self) -> str:
        """What comes after the last slash, readable."""
        return self.readable_key.rpartition("/")[2]

    @property
    def readable_key(self) -> str:
        """The key; of HTTP, without the percent signs of an address."""
        return unquote(self.key) if self.scheme in _HTTP else self.key

    @property
    def suffix(self) -> str:
        """As of a file name."""
        return PurePosixPath(self.name).suffix

    @property
    def stem(self) -> str:
        """As of a file name."""
        return PurePosixPath(self.name).stem

    @property
    def parts(self) -> tuple[str, ...]:
        """The root, and what lies between the slashes."""
        return (self.root, *self.key.split("/")) if self.key else (self.root,)

    @property
    def parent(self) -> RemotePath:
        """The folder; of the root, itself."""
        return self._at(self.key.rpartition("/")[0])

    def __truediv__(self, name: str | PurePosixPath) -> RemotePath:
        return self._at(f"{self.key}/{str(name).strip('/')}" if self.key else str(name).strip("/"))

    def joinpath(self, *names: str) -> RemotePath:
        """As `/`, several times."""
        return self / "/".join(names)

    def with_name(self, name: str) -> RemotePath:
        """Another name in the same folder."""
        return self.parent / name

    def with_suffix(self, suffix: str) -> RemotePath:
        """The name with another suffix."""
        return self.with_name(PurePosixPath(self.name).with_suffix(suffix).name)

    def relative_to(self, folder: RemotePath) -> PurePosixPath:
        """The path below `folder`; ValueError if it is not there."""
        if not self.is_relative_to(folder):
            raise ValueError(f"{self} is not below {folder}")
        return PurePosixPath(self.key[len(folder.key) :].lstrip("/"))

    def is_relative_to(self, folder: object) -> bool:
        """Whether this is `folder` or lies below it."""
        if not isinstance(folder, RemotePath) or self.root != folder.root:
            return False
        return not folder.key or self.key == folder.key or self.key.startswith(f"{folder.key}/")

    def absolute(self) -> RemotePath:
        """Itself."""
        return self

    def _at(self, key: str) -> RemotePath:
        return RemotePath(self.root, key, self.access)

    # --- what is there ---------------------------------------------------------------------------------------

    def stat(self) -> RemoteStat:
        """Size and version; FileNotFoundError if there is nothing."""
        return stat_of(self._request(lambda fs: fs.info(self._place)))

    def exists(self) -> bool:
        """Whether there is an object of that name, or one below it."""
        try:
            self.stat()
        except FileNotFoundError:
            return False
        return True

    def is_file(self) -> bool:
        """Whether there is an object of that name."""
        try:
            return not self.stat().is_folder
        except FileNotFoundError:
            return False

    def is_dir(self) -> bool:
        """Whether there is an object below that name, or it is a bucket."""
        return self.scheme not in _HTTP and bool(self._request(lambda fs: fs.isdir(self._place)))

    def found_below(self, prefix: str = "") -> dict[RemotePath, RemoteStat]:
        """All objects below this folder, by path, sorted; those whose key goes on with `prefix`."""
        listed = self._request(
            lambda fs: fs.find(self._place, detail=True, **({"prefix": prefix} if prefix else {}))
        )
        found = {}
        start = f"{self.key}/{prefix}" if self.key else prefix
        for place, info in listed.items():
            path = self._at(_key(place))
            if info.get("type") == "file" and path.key.startswith(start) and not str(place).endswith("/"):
                found[path] = stat_of(info)
        return dict(sorted(found.items(), key=lambda item: item[0].key))

    def iterdir(self) -> Iterator[RemotePath]:
        """Objects and folders right below this one, each once."""
        seen: dict[str, None] = {}
        for path in self.found_below():
            seen[str(path.relative_to(self)).partition("/")[0]] = None
        return (self / name for name in seen)

    def glob(self, pattern: str) -> Iterator[RemotePath]:
        """Objects below this folder whose relative path matches; `*` stays within a name, `**` does not."""
        return iter(self.globbed(pattern))

    def globbed(self, pattern: str) -> dict[RemotePath, RemoteStat]:
        """As `glob`, with what the listing says of each."""
        found, matches = self.found_below(fixed_start(pattern)), matcher(pattern)
        return {path: stat for path, stat in found.items() if matches(_below(path, self))}

    def rglob(self, pattern: str) -> Iterator[RemotePath]:
        """As `glob`, at any depth."""
        return self.glob(f"**/{pattern}")

    # --- reading ---------------------------------------------------------------------------------------------

    def open(self, mode: str = "r", encoding: str = "utf-8") -> IO[Any]:
        """Open for reading, in ranges: `rb`, or `r` for text. To write, use the functions of `anonflow.storage`."""
        if mode not in ("r", "rb"):
            raise io.UnsupportedOperation(f"{self}: mode {mode!r}; remote files are written whole")
        found = self.stat()
        if found.is_folder:
            raise IsADirectoryError(21, "a folder, not a file", str(self))
        if found.st_size < 0 or not (found.is_ranged or found.st_size <= self.access.block_bytes):
            raise self._no_ranges()
        access = self.access
        raw = RangedFile(self._range, found.st_size, access.block_bytes, access.cache_bytes, str(self))
        # Small: it is to join the reads of single bytes only.
        buffered = io.BufferedReader(raw, 1 << 16)
        return buffered if mode == "rb" else io.TextIOWrapper(buffered, encoding)

    def read_bytes(self) -> bytes:
        """All of it, in one request."""
        content: bytes = self._request(lambda fs: fs.cat_file(self._place))
        return content

    def read_text(self, encoding: str = "utf-8") -> str:
        """All of it, as text."""
        return self.read_bytes().decode(encoding)

    def _range(self, start: int, stop: int) -> bytes:
        def ask(filesystem: Any) -> Any:
            if self.scheme not in _HTTP:
                return filesystem.cat_file(self._place, start=start, end=stop)
            # The only way that gives up on a server that sends all of the file instead.
            with filesystem.open(self._place, "rb", cache_type="none", size=stop) as file:
                file.seek(start)
                return file.read(stop - start)

        try:
            content: bytes = self._request(ask)
        except OSError as error:
            if self.scheme in _HTTP and isinstance(error.__cause__, ValueError):  # as fsspec says it
                raise self._no_ranges() from error
            raise
        return content

    def _no_ranges(self) -> PermissionError:
        return PermissionError(13, "its server sends files only whole; use a copy elsewhere", str(self))

    # --- writing ---------------------------------------------------------------------------------------------

    def write_bytes(self, content: bytes) -> int:
        """Write it whole: who reads meanwhile sees all of it, or what was there before."""
        self._request(lambda fs: fs.pipe_file(self._place, content))
        return len(content)

    def write_text(self, content: str, encoding: str = "utf-8") -> int:
        """Write text whole."""
        return self.write_bytes(content.encode(encoding))

    def create(self, content: bytes) -> None:
        """Write it whole if nothing is there, else raise FileExistsError; of many at once, one succeeds.

        A request that is repeated because its answer was lost can find its own object; compare the contents.
        """
        self._request(lambda fs: fs.pipe_file(self._place, content, mode="create"))

    def upload(self, file: str | os.PathLike[str]) -> None:
        """Put a local file here, whole."""
        size = os.stat(file).st_size  # noqa: PTH116  # any local path
        chunk = max(_UPLOAD_BYTES, -(-size // _MAX_UPLOADS // 2**18) * 2**18)
        options = {"chunksize": chunk} if store_of(self.scheme).protocol in ("s3", "gs") else {}
        self._request(lambda fs: fs.put_file(os.fspath(file), self._place, **options))
        if (arrived := self.stat().st_size) != size:
            raise OSError(5, f"{arrived} bytes of {size} arrived", str(self))

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove the object. Most stores do not say whether there was one."""
        try:
            self._request(lambda fs: fs.rm_file(self._place))
        except FileNotFoundError:
            if not missing_ok:
                raise

    def touch(self) -> None:
        """Write an empty object."""
        self.write_bytes(b"")

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        """Nothing: a store has no folders."""

    # --- requests --------------------------------------------------------------------------------------------

    def _request(self, ask: Callable[[Any], _T]) -> _T:
        filesystem = self.access.filesystem(self.scheme, self._account)
        return steadily(partial(ask, filesystem), str(self), self.access.retry_s)

    @property
    def _place(self) -> str:
        """As the file system takes it."""
        if self.scheme in _HTTP:
            return self.uri
        bucket = self.root.partition("://")[2].partition("@")[0]
        return f"{bucket}/{self.key}" if self.key else bucket

    @property
    def _account(self) -> dict[str, str]:
        """Of Azure's `abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/KEY`."""
        host = self.root.partition("@")[2]
        return {"account_name": host.partition(".")[0]} if host else {}


def _key(place: str) -> str:
    """The key of a place as file systems give it: `bucket/key`."""
    return place.lstrip("/").partition("/")[2]


def _below(path: RemotePath, folder: RemotePath) -> str:
    return path.key[len(folder.key) :].lstrip("/") if folder.key else path.key
