from __future__ import annotations

import pytest

from anonflow.config import LimitsConfig
from anonflow.errors import AnonflowError
from anonflow.video.logs import captured_warnings
from anonflow.video.probe import probe
from tests.corpus.damaged import DAMAGED
from tests.corpus.frames import cuts, in_range, linear
from tests.corpus.make import EXPECTED, Corpus
from tests.corpus.recipes import EXACT, RECIPES

LIMITS = LimitsConfig(1 << 28, 256, 86_400.0, 100_000, 60.0)
GOOD = sorted(name for name, recipe in RECIPES.items() if recipe.expected == EXACT)


def read(corpus: Corpus, name: str) -> str:
    """What becomes of a file: `exact`, or the reason of the error."""
    try:
        index = probe(corpus.path(name), LIMITS)
        return EXACT if len(in_range(corpus.path(name), index, 0, index.n_frames)) == index.n_frames else "lost"
    except AnonflowError as error:
        assert name.encode("unicode_escape")[:40].decode() in str(error).encode("unicode_escape").decode()
        return error.reason


def test_the_corpus_is_large_enough() -> None:
    assert len(RECIPES) >= 60 and len(DAMAGED) >= 20 and not RECIPES.keys() & DAMAGED.keys()


@pytest.mark.parametrize("name", GOOD, ids=ascii)
def test_chunks_of_any_size_equal_the_linear_decode(corpus: Corpus, name: str) -> None:
    path = corpus.path(name)
    index, whole = probe(path, LIMITS), linear(path)
    assert [pts for pts, _ in whole] == index.pts.tolist()
    for start, stop in cuts(index.n_frames, name):
        assert in_range(path, index, start, stop) == whole[start:stop]


@pytest.mark.parametrize("name", sorted(EXPECTED.keys() - set(GOOD)), ids=ascii)
def test_what_cannot_be_read_is_refused_for_its_reason(corpus: Corpus, name: str) -> None:
    assert read(corpus, name) in EXPECTED[name]


def test_nothing_is_said_of_sound_files(corpus: Corpus) -> None:
    """So a line at error level is evidence of damage."""
    for name in GOOD:
        with captured_warnings() as lines:
            assert read(corpus, name) == EXACT
        assert [line for line in lines if line[0] <= 16] == [], name
