from __future__ import annotations

import inspect
import pickle
from typing import Any

import pytest

from anonflow import errors
from anonflow.errors import AnonflowError, RecordedError

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, AnonflowError)]
PLAIN = [kind for kind in KINDS if kind is not RecordedError]


def test_every_error_has_a_reason_of_its_own() -> None:
    """The ledger counts by it."""
    reasons = [kind.reason for kind in PLAIN]
    assert len(set(reasons)) == len(reasons)
    assert all(reason.isidentifier() and reason.islower() for reason in reasons)


def test_every_error_says_what_it_is() -> None:
    assert all(inspect.getdoc(kind) for kind in KINDS)


@pytest.mark.parametrize("kind", PLAIN)
def test_errors_travel_between_processes(kind: Any) -> None:
    error = pickle.loads(pickle.dumps(kind("what happened")))
    assert type(error) is kind and str(error) == "what happened"


def test_a_recorded_error_is_what_was_recorded() -> None:
    error = RecordedError("no_space", "the disk is full", transient=True)
    assert (error.reason, str(error), error.transient) == ("no_space", "the disk is full", True)
    assert RecordedError.transient is False, "of this one, not of all"


def test_what_lies_in_the_video_is_not_tried_again_and_what_lies_around_it_is() -> None:
    lasting = {kind.reason for kind in PLAIN if not kind.transient}
    assert {"damaged", "empty", "not_a_video", "fidelity", "encode", "unsupported"} <= lasting
    assert {"no_space", "missing", "source_changed", "worker_crash", "chunk_timeout"}.isdisjoint(lasting)
