"""What a source is to become: its encoding, what is kept besides the picture, and the container for both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from anonflow.config import AnonymizeConfig
from anonflow.pipeline.carried import carry_policy
from anonflow.pipeline.rows import Row
from anonflow.storage import located
from anonflow.types import FrameIndex
from anonflow.video.carry import CarryPolicy, Selection, select
from anonflow.video.encoders import Encoding, choose_encoding
from anonflow.video.target import choose_container


@dataclass(frozen=True)
class Destination:
    """Follows from the configuration and the source alone."""

    encoding: Encoding
    policy: CarryPolicy
    selection: Selection
    container: str
    """File name extension."""

    @classmethod
    def of(cls, config: AnonymizeConfig, row: Row, index: FrameIndex) -> Self:
        """That of the row's source.

        Raises:
            UnsupportedFormatError: there is no encoder or no container for it.
        """
        source = located(row.uri, config.runtime.access)
        encoding = choose_encoding(index.stream, config.video)
        policy = carry_policy(config, row.relative_path)
        selection = select(source, index, policy)
        return cls(encoding, policy, selection, choose_container(index, source.suffix, encoding.family, selection))
