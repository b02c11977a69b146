"""Options of object stores, as commands take them: an endpoint, a project; never credentials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from anonflow.config.base import require
from anonflow.errors import ConfigError
from anonflow.remote.access import STORES

StorageOptions: TypeAlias = dict[str, dict[str, Any] | None]
"""Arguments of fsspec's file systems by its name of them: `s3`, `gs`, `abfs`, `http`."""
_SECRETS = {"key", "username", "connection_string", "account_key", "aws_access_key_id"}
_SECRET_WORDS = ("secret", "password", "token", "credential")


def given_options(options: StorageOptions) -> dict[str, dict[str, Any]]:
    """Those of the stores that have any."""
    return {name: given for name, given in options.items() if given}


def check_options(key: str, options: StorageOptions) -> None:
    """Raise ConfigError for an unknown store, and for credentials. `key`: where they stand in the configuration."""
    known = sorted({store.protocol for store in STORES.values()})
    for name, given in options.items():
        require(name in known, f"{key}.{name} is unknown; choose one of: {', '.join(known)}")
        for secret in _secrets_in(given or {}):
            raise ConfigError(
                f"{key}.{name}: {secret}: credentials do not belong into a configuration, which is logged. Put "
                "them into the environment or a profile, or give the machine a role."
            )


def _secrets_in(options: Mapping[str, Any]) -> Iterator[str]:
    """Names that hold credentials, at any depth."""
    for name, value in options.items():
        if name in _SECRETS or any(word in name for word in _SECRET_WORDS):
            yield name
        elif isinstance(value, Mapping):
            yield from _secrets_in(value)
