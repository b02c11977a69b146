"""A digest of a table's content: of its values, not of the file that holds them."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from typing import Any

import numpy as np

from anonflow.evidence.canonical import canonical_bytes
from anonflow.types import Detections, MaskPlan, Tracks


def rows_digest(rows: Detections | Tracks | MaskPlan) -> dict[str, Any]:
    """Number of rows and SHA-256 over all columns: name, type and shape, then the values, little-endian."""
    digest = hashlib.sha256()
    for field in fields(rows):
        column = np.ascontiguousarray(getattr(rows, field.name))
        column = column.astype(column.dtype.newbyteorder("<"), copy=False)
        digest.update(canonical_bytes([field.name, column.dtype.str, list(column.shape)]))
        digest.update(column.tobytes())
    return {"n": len(rows), "sha256": digest.hexdigest()}
