"""The model store: weights by configuration, never used before their SHA-256 is checked.

Looked for in this order: the user's model folders (by the URI's file name, `<id>.onnx` or `<sha256>.onnx`, so
that a copied cache serves an air-gapped site), the cache (by hash, so that versions cannot be mixed up), the URI.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from anonflow.config import ModelConfig
from anonflow.detect.fetch import fetch
from anonflow.errors import ModelError, ModelHashError
from anonflow.storage import write_bytes


@dataclass(frozen=True)
class ModelStore:
    """Finds models in `model_dirs`, keeps what it fetches in `cache_dir`. Several processes may share both."""

    cache_dir: Path
    model_dirs: Sequence[Path] = ()

    def load(self, model: ModelConfig) -> bytes:
        """The verified weights of `model`.

        Raises `ModelHashError` when a file is not the configured one, `ModelError` when none can be had, and
        `StorageError` when the cache cannot be written.
        """
        path = self.resolve(model)
        if path is not None:
            return _verified(model, _read(path, model), f"the file {path}", "replace or remove that file")
        content = _verified(model, self._fetch(model), model.uri, "correct model.uri or model.sha256")
        if not model.uri.startswith("file:"):
            write_bytes(self._cached(model), content)
        return content

    def resolve(self, model: ModelConfig) -> Path | None:
        """The local file that `load` reads, or None when it would go to the URI."""
        names = (file_name(model), f"{model.id}.onnx", f"{model.sha256}.onnx")
        candidates = [folder / name for folder in self.model_dirs for name in dict.fromkeys(names)]
        return next((path for path in [*candidates, self._cached(model)] if path.is_file()), None)

    def _cached(self, model: ModelConfig) -> Path:
        return self.cache_dir / f"{model.sha256}.onnx"

    def _fetch(self, model: ModelConfig) -> bytes:
        try:
            return fetch(model.uri)
        except ModelError as error:
            raise ModelError(
                f"Model {model.id} could not be fetched from {model.uri}: {error}. Without a network, put "
                f"the file {file_name(model)} (SHA-256 {model.sha256}) into a folder and name that folder in "
                "runtime.model_dirs."
            ) from error


def default_cache_dir() -> Path:
    """Where models are kept unless the configuration names a place."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "anonflow" / "models"


def file_name(model: ModelConfig) -> str:
    """Name under which a model folder holds the model: the URI's, or `<id>.onnx` where that is no weights file."""
    name = PurePosixPath(model.uri.partition(":")[2]).name
    return f"{model.id}.onnx" if "#" in name or not name else name


def _read(path: Path, model: ModelConfig) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"Model {model.id}: {path} cannot be read ({error.strerror}); make it readable."
        ) from error


def _verified(model: ModelConfig, content: bytes, where: str, remedy: str) -> bytes:
    found = hashlib.sha256(content).hexdigest()
    if found != model.sha256.lower():
        raise ModelHashError(
            f"Model {model.id}: {where} is not the configured model (SHA-256 {found}, expected {model.sha256}). "
            f"Nothing was run with it; {remedy}."
        )
    return content
