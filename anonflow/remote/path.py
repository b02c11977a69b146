"""A path in an object store or behind HTTP, used like `pathlib.Path`.

Every request is repeated while its failure is one that passes; what lasts is an OSError as of a local file.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO, Any, TypeVar

from anonflow.remote.access import store_of
from anonflow.remote.address import HTTP, Address
from anonflow.remote.patterns import fixed_start, matcher
from anonflow.remote.ranged import RangedFile
from anonflow.remote.retry import steadily
from anonflow.remote.stat import RemoteStat, stat_of

_UPLOAD_BYTES = 16 * 2**20
_MAX_UPLOADS = 9_000

_T = TypeVar("_T")


class RemotePath(Address):
    """Something in a store, under an address."""

    # --- what is there ---------------------------------------------------------------------------------------

    def stat(self) -> RemoteStat:
        """Size and version; FileNotFoundError if there is nothing."""
        return stat_of(self._request(lambda fs: fs.info(self.place)))

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
        return self.scheme not in HTTP and bool(self._request(lambda fs: fs.isdir(self.place)))

    def found_below(self, prefix: str = "") -> dict[RemotePath, RemoteStat]:
        """All objects below this folder, by path, sorted; those whose key goes on with `prefix`."""
        listed = self._request(
            lambda fs: fs.find(self.place, detail=True, **({"prefix": prefix} if prefix else {}))
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
        content: bytes = self._request(lambda fs: fs.cat_file(self.place))
        return content

    def read_text(self, encoding: str = "utf-8") -> str:
        """All of it, as text."""
        return self.read_bytes().decode(encoding)

    def _range(self, start: int, stop: int) -> bytes:
        def ask(filesystem: Any) -> Any:
            if self.scheme not in HTTP:
                return filesystem.cat_file(self.place, start=start, end=stop)
            # The only way that gives up on a server that sends all of the file instead.
            with filesystem.open(self.place, "rb", cache_type="none", size=stop) as file:
                file.seek(start)
                return file.read(stop - start)

        try:
            content: bytes = self._request(ask)
        except OSError as error:
            if self.scheme in HTTP and isinstance(error.__cause__, ValueError):  # as fsspec says it
                raise self._no_ranges() from error
            raise
        return content

    def _no_ranges(self) -> PermissionError:
        return PermissionError(13, "its server sends files only whole; use a copy elsewhere", str(self))

    # --- writing ---------------------------------------------------------------------------------------------

    def write_bytes(self, content: bytes) -> int:
        """Write it whole: who reads meanwhile sees all of it, or what was there before."""
        self._request(lambda fs: fs.pipe_file(self.place, content))
        return len(content)

    def write_text(self, content: str, encoding: str = "utf-8") -> int:
        """Write text whole."""
        return self.write_bytes(content.encode(encoding))

    def create(self, content: bytes) -> None:
        """Write it whole if nothing is there, else raise FileExistsError; of many at once, one succeeds.

        A request that is repeated because its answer was lost can find its own object; compare the contents.
        """
        self._request(lambda fs: fs.pipe_file(self.place, content, mode="create"))

    def upload(self, file: str | os.PathLike[str]) -> None:
        """Put a local file here, whole."""
        size = os.stat(file).st_size  # noqa: PTH116  # any local path
        chunk = max(_UPLOAD_BYTES, -(-size // _MAX_UPLOADS // 2**18) * 2**18)
        options = {"chunksize": chunk} if store_of(self.scheme).protocol in ("s3", "gs") else {}
        self._request(lambda fs: fs.put_file(os.fspath(file), self.place, **options))
        if (arrived := self.stat().st_size) != size:
            raise OSError(5, f"{arrived} bytes of {size} arrived", str(self))

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove the object. Most stores do not say whether there was one."""
        try:
            self._request(lambda fs: fs.rm_file(self.place))
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
        filesystem = self.access.filesystem(self.scheme, self.account)
        return steadily(partial(ask, filesystem), str(self), self.access.retry_s)


def _key(place: str) -> str:
    """The key of a place as file systems give it: `bucket/key`."""
    return place.lstrip("/").partition("/")[2]


def _below(path: RemotePath, folder: RemotePath) -> str:
    return path.key[len(folder.key) :].lstrip("/") if folder.key else path.key
