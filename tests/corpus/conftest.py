"""The corpus: made once a session, file by file as tests ask for them, and never written to."""

from __future__ import annotations

import os

import pytest

from tests.corpus.make import Corpus


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Shared by all workers of a session."""
    base = tmp_path_factory.getbasetemp()
    return Corpus((base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "corpus")
