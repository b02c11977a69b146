"""How object stores are reached: which file system a scheme has, and how patient and how greedy its use is.

Credentials are found the way each store's own tools find them: environment, profile, role of the machine.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import fsspec

from anonflow.errors import ConfigError

_MEBIBYTE = 2**20


@dataclass(frozen=True)
class Store:
    """What a scheme stands for."""

    protocol: str
    """fsspec's name."""
    module: str
    """Has the file system."""
    extra: str
    """Of this package, which brings the module; empty: it is there."""
    is_writable: bool = True


_S3 = Store("s3", "s3fs", "s3")
_GS = Store("gs", "gcsfs", "gs")
_AZ = Store("abfs", "adlfs", "az")
_HTTP = Store("http", "aiohttp", "", is_writable=False)
STORES: dict[str, Store] = {
    **dict.fromkeys(("s3", "s3a"), _S3),
    **dict.fromkeys(("gs", "gcs"), _GS),
    **dict.fromkeys(("az", "abfs", "abfss"), _AZ),
    **dict.fromkeys(("http", "https"), _HTTP),
}


@dataclass(frozen=True)
class Access:
    """How all remote files of a run are read and written."""

    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    """Arguments of the file systems by fsspec's name (`s3`, `gs`, `abfs`, `http`): an endpoint, a project."""
    retry_s: float = 300.0
    """Time after which a store that fails again and again counts as unavailable."""
    block_bytes: int = _MEBIBYTE
    """What is read at once, at least."""
    cache_bytes: int = 16 * _MEBIBYTE
    """Of an open file, in memory."""
    scratch_dir: str | None = None
    """Where files are made before they are uploaded; None: the system's temporary folder."""
    scratch_max_bytes: int | None = None
    """How much of it may be in use before another file is begun; None: no bound but the file system's."""

    def filesystem(self, scheme: str, more: Mapping[str, Any] | None = None) -> Any:
        """The fsspec file system of a scheme; one a process and configuration. `more`: what the address says.

        Raises:
            ConfigError: the scheme is unknown, or its package is not installed.
        """
        store = store_of(scheme)
        options = {**_defaults(store), **(more or {})}
        for name, value in self.options.get(store.protocol, {}).items():
            both_nested = isinstance(value, Mapping) and isinstance(options.get(name), Mapping)
            options[name] = {**options[name], **value} if both_nested else value
        return _filesystem(store, json.dumps(options, sort_keys=True, default=str), os.getpid())


def store_of(scheme: str) -> Store:
    """What the scheme stands for; ConfigError if it is unknown."""
    if scheme not in STORES:
        known = ", ".join(f"{name}:" for name in ("s3", "gs", "az", "abfs", "http", "https", "file"))
        raise ConfigError(f"'{scheme}:' addresses are not supported; give a path or one of {known}")
    return STORES[scheme]


def _defaults(store: Store) -> dict[str, Any]:
    """Never a remembered listing: other processes write. Short tries, because they are repeated here."""
    if store is _S3:
        config = {
            "connect_timeout": 10,
            "read_timeout": 60,
            "retries": {"mode": "standard", "max_attempts": 4},
        }
        # One transfer at a time: a run has many tasks, and each part of an upload is held in memory.
        return {"use_listings_cache": False, "max_concurrency": 1, "config_kwargs": config}
    if store is _HTTP:
        return {"client_kwargs": {"trust_env": True}}
    return {"use_listings_cache": False}


@lru_cache(maxsize=32)
def _filesystem(store: Store, options: str, _process: int) -> Any:
    """By process: the connections of a file system do not survive a fork."""
    try:
        importlib.import_module(store.module)
    except ImportError as error:
        raise ConfigError(
            f"'{store.protocol}:' needs a package that is not installed: pip install 'anonflow[{store.extra}]'"
        ) from error
    try:
        made = fsspec.filesystem(store.protocol, skip_instance_cache=True, **json.loads(options))
    except Exception as error:  # each has its own for an account that is not named and for unknown options
        raise ConfigError(
            f"'{store.protocol}:' cannot be set up ({type(error).__name__}): name its account and credentials as "
            "its own tools take them (environment, profile, role), and see that storage_options has only what it "
            "knows."
        ) from error
    if store is _S3:
        made.retries = 1  # botocore has its own, and so have we
    return made
