"""Trying again: which failures of a store pass by themselves, and how long they are waited for."""

from __future__ import annotations

import asyncio
import errno
import http.client
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from anonflow.errors import StorageUnavailableError

_T = TypeVar("_T")

_FIRST_WAIT_S = 0.2
_LONGEST_WAIT_S = 20.0
_BRIEF_S = 5.0
_PASSING_STATUS = {408, 429, 500, 502, 503, 504}
_PASSING_CODES = {
    "SlowDown",
    "Throttling",
    "RequestTimeout",
    "InternalError",
    "RequestLimitExceeded",
    "ConditionalRequestConflict",
    "OperationAborted",
}
_PASSING_ERRNOS = {
    errno.EBUSY,
    errno.EREMOTEIO,
    errno.ETIMEDOUT,
    errno.ECONNRESET,
    errno.ECONNREFUSED,
    errno.ECONNABORTED,
    errno.EPIPE,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.EAGAIN,
}
# By name, because the packages that define them may not be installed.
_PASSING_NAMES = {
    "HTTPClientError",  # botocore
    "ConnectionError",  # botocore's own, too
    "ResponseParserError",
    "IncompleteReadError",
    "ClientConnectionError",  # aiohttp
    "ClientPayloadError",
    "ServiceRequestError",  # azure-core
    "ServiceResponseError",
    "TransportError",  # google-auth
    "ChecksumError",  # gcsfs
}
_LASTING_NAMES = {"SSLError", "ClientConnectorCertificateError", "ClientConnectorSSLError"}
_NO_CREDENTIALS = {
    "NoCredentialsError",
    "PartialCredentialsError",
    "CredentialRetrievalError",
    "ProfileNotFound",
    "DefaultCredentialsError",
    "ClientAuthenticationError",
}


def steadily(call: Callable[[], _T], place: str, retry_s: float) -> _T:
    """The result of `call`, tried again with growing, random pauses while it fails in a way that passes.

    The pauses are "full jitter" (Brooker, Exponential Backoff and Jitter, AWS 2015): many workers that meet the
    same failure do not come back all at once. What was unavailable a moment ago is not waited for as long again.

    Raises:
        StorageUnavailableError: it still fails after `retry_s`.
        OSError: it fails in a way that lasts.
    """
    until_s = time.monotonic() + _patience.of(place, retry_s)
    limit_s = _FIRST_WAIT_S
    while True:
        try:
            result = call()
        except Exception as error:
            if not is_passing(error):
                raise lasting(error, place) from error
            wait_s = random.uniform(limit_s / 4, limit_s)
            if time.monotonic() + wait_s > until_s:
                _patience.lost(place)
                raise StorageUnavailableError(
                    f"{place}: the storage did not answer properly for {retry_s:g} s ({_kind(error)}). When it is "
                    "back, run the same command again; what is done is kept."
                ) from error
            time.sleep(wait_s)
            limit_s = min(_LONGEST_WAIT_S, 2 * limit_s)
        else:
            _patience.regained(place)
            return result


class _Patience:
    """Which stores this process last found unavailable: each later failure would cost the whole time again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lost: set[str] = set()

    def of(self, place: str, retry_s: float) -> float:
        with self._lock:
            return min(_BRIEF_S, retry_s) if _store(place) in self._lost else retry_s

    def lost(self, place: str) -> None:
        with self._lock:
            self._lost.add(_store(place))

    def regained(self, place: str) -> None:
        with self._lock:
            self._lost.discard(_store(place))


_patience = _Patience()


def _store(place: str) -> str:
    return "/".join(place.split("/", 3)[:3])


def is_passing(error: BaseException) -> bool:
    """Whether the failure, or what caused it, is one that time heals."""
    for one in _causes(error):
        names = {kind.__name__ for kind in type(one).__mro__}
        if names & _LASTING_NAMES:
            return False
        status, code = _status(one)
        if status is not None:
            return status in _PASSING_STATUS or code in _PASSING_CODES
        if names & _PASSING_NAMES or isinstance(
            one, TimeoutError | asyncio.TimeoutError | http.client.IncompleteRead
        ):
            return True
        if isinstance(one, ConnectionError) or (isinstance(one, OSError) and one.errno in _PASSING_ERRNOS):
            return True
    return False


def lasting(error: Exception, place: str) -> Exception:
    """The error as the standard library would say it, so that one handling serves local files and remote ones."""
    for one in _causes(error):
        status, _ = _status(one)
        names = {kind.__name__ for kind in type(one).__mro__}
        if names & _NO_CREDENTIALS:
            return PermissionError(errno.EACCES, "no valid credentials were found", place)
        if status in (401, 403) or isinstance(one, PermissionError):
            return PermissionError(errno.EACCES, "access denied", place)
    said = {_status(one)[0] for one in _causes(error)}
    if isinstance(error, FileNotFoundError) or http.client.NOT_FOUND in said:
        return FileNotFoundError(errno.ENOENT, "no such object or bucket", place)
    if isinstance(error, FileExistsError) or http.client.PRECONDITION_FAILED in said:
        return FileExistsError(errno.EEXIST, "it is there already", place)
    return OSError(errno.EIO, f"the storage refused it ({_kind(error)})", place)


def _causes(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__


def _status(error: BaseException) -> tuple[int | None, str]:
    """HTTP status and the store's own code, as botocore, aiohttp, gcsfs and azure-core have them."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return status if isinstance(status, int) else None, str(response.get("Error", {}).get("Code", ""))
    for name in ("status", "status_code", "code"):
        value = getattr(error, name, None)
        if isinstance(value, int) and not isinstance(value, bool) and value >= http.client.BAD_REQUEST:
            return value, ""
    return None, ""


def _kind(error: BaseException) -> str:
    """What it was, without the text of the message, which may hold an address with a signature."""
    deepest = list(_causes(error))[-1]
    status, code = _status(deepest)
    words = [type(deepest).__name__, code or (str(status) if status else "")]
    return " ".join(word for word in words if word)
