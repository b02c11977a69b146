"""The name of something in an object store or behind HTTP: its parts, and others made of it. Nobody is asked.

Keys are taken to the letter: nothing in them is a wildcard, a version or a chain of addresses, and no slash is
folded. (universal-pathlib, which does this for all of fsspec, reads `s3://b/x::y` as `s3://b/x`.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Self
from urllib.parse import unquote, urlsplit

from anonflow.errors import ConfigError
from anonflow.remote.access import Access, store_of

HTTP = ("http", "https")
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)/?(.*)", re.DOTALL)


def is_remote(uri: str) -> bool:
    """Whether this is an address and not a local path or `file:` URI."""
    found = _ADDRESS.fullmatch(uri)
    return found is not None and found[1].lower() != "file"


@dataclass(frozen=True, eq=False)
class Address:
    """Where something is: `root` is scheme and bucket (or server), `key` the rest, without slashes at its ends."""

    root: str
    key: str
    access: Access
    query: str = ""
    """Of an HTTP address, with its `?`; never in messages, as it may hold a signature."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Address):
            return NotImplemented
        return (self.root, self.key, self.query) == (other.root, other.key, other.query)

    def __hash__(self) -> int:
        return hash((self.root, self.key, self.query))

    def __lt__(self, other: Address) -> bool:
        return str(self) < str(other)

    @classmethod
    def of(cls, uri: str, access: Access) -> Self:
        """Take an address apart.

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
        if scheme in HTTP:
            if "@" in host:
                raise ConfigError("Leave name and password out of the address; put them into ~/.netrc.")
            parts = urlsplit(f"//{host}/{rest}")
            return cls(
                f"{scheme}://{host}", parts.path.strip("/"), access, f"?{parts.query}" if parts.query else ""
            )
        return cls(f"{scheme}://{host}", rest.strip("/"), access)

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
        return unquote(self.key) if self.scheme in HTTP else self.key

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
    def parent(self) -> Self:
        """The folder; of the root, itself."""
        return self._at(self.key.rpartition("/")[0])

    def __truediv__(self, name: str | PurePosixPath) -> Self:
        return self._at(f"{self.key}/{str(name).strip('/')}" if self.key else str(name).strip("/"))

    def joinpath(self, *names: str) -> Self:
        """As `/`, several times."""
        return self / "/".join(names)

    def with_name(self, name: str) -> Self:
        """Another name in the same folder."""
        return self.parent / name

    def with_suffix(self, suffix: str) -> Self:
        """The name with another suffix."""
        return self.with_name(PurePosixPath(self.name).with_suffix(suffix).name)

    def relative_to(self, folder: Address) -> PurePosixPath:
        """The path below `folder`; ValueError if it is not there."""
        if not self.is_relative_to(folder):
            raise ValueError(f"{self} is not below {folder}")
        return PurePosixPath(self.key[len(folder.key) :].lstrip("/"))

    def is_relative_to(self, folder: object) -> bool:
        """Whether this is `folder` or lies below it."""
        if not isinstance(folder, Address) or self.root != folder.root:
            return False
        return not folder.key or self.key == folder.key or self.key.startswith(f"{folder.key}/")

    def absolute(self) -> Self:
        """Itself."""
        return self

    def _at(self, key: str) -> Self:
        return type(self)(self.root, key, self.access)

    @property
    def place(self) -> str:
        """As the file system takes it."""
        if self.scheme in HTTP:
            return self.uri
        bucket = self.root.partition("://")[2].partition("@")[0]
        return f"{bucket}/{self.key}" if self.key else bucket

    @property
    def account(self) -> dict[str, str]:
        """Of Azure's `abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/KEY`."""
        host = self.root.partition("@")[2]
        return {"account_name": host.partition(".")[0]} if host else {}
