"""What a store says about an object, whichever store it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any


@dataclass(frozen=True)
class RemoteStat:
    """What a store says about an object. Names as in `os.stat_result`."""

    st_size: int
    """Bytes; -1 if the server does not say."""
    st_mtime_ns: int
    """0 if the store does not say."""
    etag: str
    """The store's name of this version of the content: a generation, an ETag; empty if it has none."""
    is_folder: bool = False
    is_ranged: bool = True
    """Whether parts can be read."""


def stat_of(info: dict[str, Any]) -> RemoteStat:
    """From what an fsspec file system knows; each calls things by other names."""
    size = info.get("size")
    etag = next((info[name] for name in ("generation", "ETag", "etag") if info.get(name)), "")
    return RemoteStat(
        st_size=-1 if size is None else int(size),
        st_mtime_ns=_modified_ns(info),
        etag=str(etag).strip('"'),
        is_folder=info.get("type") == "directory",
        is_ranged=bool(info.get("partial", True)),
    )


def _modified_ns(info: dict[str, Any]) -> int:
    given = next(
        (info[n] for n in ("LastModified", "last_modified", "mtime", "updated", "created") if info.get(n)), None
    )
    if isinstance(given, str):
        given = datetime.fromisoformat(given) if given[:1].isdigit() else parsedate_to_datetime(given)
    return int(given.timestamp()) * 10**9 + given.microsecond * 1000 if isinstance(given, datetime) else 0
