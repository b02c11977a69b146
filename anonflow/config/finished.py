"""What commands on the output of a run have in common: which output, and how it is reached."""

from __future__ import annotations

from dataclasses import dataclass

from anonflow.config.base import Section
from anonflow.config.stores import StorageOptions, check_options, given_options
from anonflow.remote.access import Access
from anonflow.storage import StoragePath, located


@dataclass(frozen=True)
class FinishedConfig(Section):
    """The output folder of a run, local or in an object store."""

    output: str
    storage_options: StorageOptions

    def __post_init__(self) -> None:
        """Check the values."""
        check_options("storage_options", self.storage_options)

    @property
    def access(self) -> Access:
        """How files in object stores are read."""
        return Access(given_options(self.storage_options))

    @property
    def folder(self) -> StoragePath:
        """Where `output` is."""
        return located(self.output, self.access)
