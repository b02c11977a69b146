from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
    SSLError,
)

from anonflow.errors import StorageUnavailableError
from anonflow.remote import retry
from anonflow.remote.retry import is_passing, lasting, steadily


def said(status: Any, code: Any = "") -> Any:
    return ClientError(
        {"Error": {"Code": code or str(status)}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Put"
    )


def caused(error: Any, cause: Any) -> Any:
    error.__cause__ = cause
    return error


def answered(status: Any) -> Any:
    return aiohttp.ClientResponseError(None, (), status=status)  # type: ignore[arg-type]


PASSING = [
    said(503, "SlowDown"),
    said(500),
    said(429),
    said(400, "RequestTimeout"),
    said(409, "ConditionalRequestConflict"),
    caused(OSError(errno.EBUSY, "x"), said(503)),
    caused(FileNotFoundError("http://h/x"), answered(503)),
    EndpointConnectionError(endpoint_url="x"),
    ReadTimeoutError(endpoint_url="x"),
    aiohttp.ServerDisconnectedError(),
    aiohttp.ClientPayloadError(),
    TimeoutError(),
    TimeoutError(),
    ConnectionResetError(),
    OSError(errno.EREMOTEIO, "x"),
]
LASTING = [
    said(403, "AccessDenied"),
    said(404, "NoSuchBucket"),
    said(412, "PreconditionFailed"),
    caused(FileNotFoundError("http://h/x"), answered(404)),
    SSLError(endpoint_url="x", error="expired"),
    NoCredentialsError(),
    FileNotFoundError("x"),
    OSError(errno.EINVAL, "x"),
    ValueError("x"),
]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Time passes only in pauses."""
    now, pauses = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        now[0] += seconds
        pauses.append(seconds)

    monkeypatch.setattr(retry.time, "sleep", sleep)
    monkeypatch.setattr(retry.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(retry, "_patience", retry._Patience())
    yield pauses


def failing(error: Any, times: Any) -> Any:
    left = [times]

    def call() -> str:
        left[0] -= 1
        if left[0] >= 0:
            raise error
        return "done"

    return call


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_what_passes_is_tried_again(error: Any) -> None:
    assert is_passing(error)
    assert steadily(failing(error, 4), "s3://b/k", 300) == "done"


@pytest.mark.parametrize("error", LASTING, ids=repr)
def test_what_lasts_is_told_at_once(error: Any, no_pauses: list[float]) -> None:
    assert not is_passing(error)
    with pytest.raises(OSError):
        steadily(failing(error, 1), "s3://b/k", 300)
    assert no_pauses == []


def test_pauses_grow_and_differ_and_end(no_pauses: list[float]) -> None:
    with pytest.raises(StorageUnavailableError) as raised:
        steadily(failing(said(503, "SlowDown"), 10_000), "s3://b/k", 300)
    assert "s3://b/k" in str(raised.value) and "SlowDown" in str(raised.value)
    assert 200 < sum(no_pauses) <= 300 and 10 < len(no_pauses) < 60
    assert no_pauses[0] <= 0.2 and max(no_pauses) <= 20 and len(set(no_pauses)) == len(no_pauses)


def test_a_store_that_was_lost_is_not_waited_for_as_long_again(no_pauses: list[float]) -> None:
    with pytest.raises(StorageUnavailableError):
        steadily(failing(said(503), 10_000), "s3://b/k", 300)
    no_pauses.clear()
    with pytest.raises(StorageUnavailableError):
        steadily(failing(said(503), 10_000), "s3://b/other", 300)
    assert sum(no_pauses) <= 5
    assert steadily(failing(said(503), 1), "s3://b/k", 300) == "done"
    with pytest.raises(StorageUnavailableError):
        steadily(failing(said(503), 10_000), "s3://b/k", 300)
    assert sum(no_pauses) > 100, "and once it is back, it is"


def test_lasting_errors_are_those_of_local_files() -> None:
    assert isinstance(lasting(said(403), "p"), PermissionError)
    assert isinstance(lasting(NoCredentialsError(), "p"), PermissionError)
    assert isinstance(lasting(caused(FileNotFoundError("u"), answered(403)), "p"), PermissionError)
    assert isinstance(lasting(FileNotFoundError("x"), "p"), FileNotFoundError)
    assert isinstance(lasting(caused(OSError(errno.EINVAL, "x"), said(412)), "p"), FileExistsError)
    # Azure's file system raises what its library does when a container is missing.
    assert isinstance(lasting(caused(OSError("x"), said(404)), "p"), FileNotFoundError)
    assert isinstance(lasting(ValueError("x"), "p"), OSError)


def test_a_store_s_own_words_are_not_repeated() -> None:
    """They may hold an address with a signature, or who somebody is."""
    error = ClientError(
        {
            "Error": {"Code": "Odd", "Message": "user arn:aws:iam::1:user/me"},
            "ResponseMetadata": {"HTTPStatusCode": 418},
        },
        "Put",
    )
    assert "arn" not in str(lasting(error, "p")) and "Odd" in str(lasting(error, "p"))
