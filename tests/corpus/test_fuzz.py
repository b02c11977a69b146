from __future__ import annotations

import pytest

from tests.corpus.fuzz import NAMES, Tally, Worker, fuzz
from tests.corpus.make import Corpus
from tests.corpus.mutate import mutated


def test_a_case_follows_from_its_seed() -> None:
    contents = [bytes(range(256)) * 9, b"splice" * 99, b"other" * 77]
    made = [mutated(contents, seed) for seed in range(60)]
    assert made == [mutated(contents, seed) for seed in range(60)]
    assert len(set(made)) > 50 and contents[0] == bytes(range(256)) * 9


def test_a_worker_that_dies_or_hangs_is_told_of_and_replaced(corpus: Corpus) -> None:
    worker, whole = Worker(), corpus.path("h264.mp4")
    question = {"path": str(whole), "whole": str(whole), "seed": 1}
    try:
        assert worker.ask(question) == {"strict": "same", "hiding": "same"}
        assert "no answer" in worker.ask(question, limit_s=0)["failure"]
        assert "crash" in worker.ask({"path": 1})["failure"]
        assert worker.ask(question)["strict"] == "same"
    finally:
        worker.close()


def test_failures_are_counted_with_their_seed() -> None:
    tally = Tally()
    tally.add("a.mp4", 7, {"strict": "damaged", "hiding": "fewer"})
    tally.add("a.mp4", 8, {"failure": "crash"})
    assert tally.failures == [{"name": "a.mp4", "seed": 8, "failure": "crash"}]
    assert tally.summary().startswith("2 cases, 1 failures")


@pytest.mark.slow
def test_half_a_minute_of_mutated_files(corpus: Corpus) -> None:
    tally = fuzz(corpus, 30, first_seed=5_000_000)
    assert tally.n_cases > 50 and len(NAMES) > 60
    assert tally.failures == []
