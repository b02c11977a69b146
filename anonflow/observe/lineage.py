"""Telling an OpenLineage service, or a file, which run read from where and wrote to where.

An event at the start and one at the end (https://openlineage.io/spec/2-0-2/OpenLineage.json). Data sets are the
folders or prefixes of input and output, never single files. Events are handed to the client's transports as they
are: its client object would add what it finds in the environment and in the repository of the current folder. A
service that is down costs a warning, not the run.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

import attr
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    RunFacet,
    error_message_run,
    input_statistics_input_dataset,
    job_type_job,
    output_statistics_output_dataset,
    processing_engine_run,
)
from openlineage.client.transport.file import FileConfig, FileTransport
from openlineage.client.transport.http import ApiKeyTokenProvider, HttpConfig, HttpTransport, TokenProvider
from openlineage.client.transport.transport import Transport

from anonflow import __version__
from anonflow.config import AnonymizeConfig, LineageConfig, SourceConfig
from anonflow.observe.logs import told
from anonflow.observe.statistics import RunStatistics
from anonflow.storage import fingerprint

log = logging.getLogger(__name__)

PRODUCER = "https://pypi.org/project/anonflow/"
API_KEY = "OPENLINEAGE_API_KEY"
_RETRIES = {"total": 2, "read": 1, "connect": 2}
_WILDCARDS = "*?["
_LIST_SUFFIXES = {".txt", ".lst", ".parquet"}


@attr.define
class AnonflowRunFacet(RunFacet):
    """What the run was and came to: in numbers, without names."""

    version: str
    configHash: str  # noqa: N815  # named as in the specification
    """Equal for equal configurations, paths aside."""
    runId: str  # noqa: N815
    """Name of the run's folder below `_anonflow/`."""
    published: int | None = None
    unchanged: int | None = None
    quarantined: int | None = None
    frames: int | None = None

    @staticmethod
    def _get_schema() -> str:
        return "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunFacet"


@dataclass
class LineageRun:
    """A run as its lineage is told."""

    config: AnonymizeConfig
    run_id: str
    transports: list[Transport]
    statistics: RunStatistics = field(default_factory=RunStatistics)
    """Filled by the run; what is in it when the run ends is told."""

    def tell(self, state: RunState, error: BaseException | None = None) -> None:
        """Send an event to everybody."""
        event = self._event(state, error)
        for transport in self.transports:
            try:
                transport.emit(event)
            except Exception as failure:  # noqa: BLE001  # whatever a service does, the run goes on
                log.warning(
                    "Lineage: the event %s was not taken (%s). The run goes on; check runtime.lineage.",
                    state.value,
                    type(failure).__name__,
                    extra=told("lineage", state=state.value, error=type(failure).__name__),
                )

    def _event(self, state: RunState, error: BaseException | None) -> RunEvent:
        lineage = self.config.runtime.lineage
        job_type = job_type_job.JobTypeJobFacet("BATCH", "ANONFLOW", "JOB", producer=PRODUCER)
        return RunEvent(
            eventType=state,
            eventTime=datetime.now(UTC).isoformat(timespec="milliseconds"),
            run=Run(run_uuid(self.run_id), self._run_facets(state, error)),
            job=Job(lineage.namespace, lineage.job, {"jobType": job_type}),
            inputs=[self._input(state)],
            outputs=[self._output(state)],
            producer=PRODUCER,
        )

    def _run_facets(self, state: RunState, error: BaseException | None) -> dict[str, RunFacet]:
        counts: Mapping[str, Any] = {}
        if state is not RunState.START:
            by_status = self.statistics.statuses
            counts = {name: by_status[name] for name in ("published", "unchanged", "quarantined")}
            counts = {**counts, "frames": self.statistics.frames}
        engine = processing_engine_run.ProcessingEngineRunFacet(__version__, "anonflow", producer=PRODUCER)
        own = AnonflowRunFacet(
            __version__,
            config_hash(self.config),
            self.run_id,
            **counts,
            producer=PRODUCER,
        )
        facets: dict[str, RunFacet] = {"processing_engine": engine, "anonflow": own}
        if error is not None:  # its class only: its text may name files
            facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(
                type(error).__name__, "PYTHON", producer=PRODUCER
            )
        return facets

    def _input(self, state: RunState) -> InputDataset:
        facet = input_statistics_input_dataset.InputStatisticsInputDatasetFacet(
            size=self.statistics.source_bytes, fileCount=self.statistics.statuses["published"], producer=PRODUCER
        )
        given = self.config.input
        name = dataset_name(given, is_file=_is_file(given, self.config.source))
        return InputDataset(*name, inputFacets={} if state is RunState.START else {"inputStatistics": facet})

    def _output(self, state: RunState) -> OutputDataset:
        facet = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
            size=self.statistics.output_bytes, fileCount=self.statistics.statuses["published"], producer=PRODUCER
        )
        name = dataset_name(self.config.output)
        return OutputDataset(*name, outputFacets={} if state is RunState.START else {"outputStatistics": facet})


@contextmanager
def lineage(config: AnonymizeConfig, run_id: str, statistics: RunStatistics) -> Iterator[None]:
    """Tell of the block's start and end: COMPLETE, FAIL on an error, ABORT on an interruption."""
    run = LineageRun(config, run_id, list(_transports(config.runtime.lineage)), statistics)
    run.tell(RunState.START)
    try:
        yield
    except Exception as error:
        run.tell(RunState.FAIL, error)
        raise
    except BaseException as interrupt:
        run.tell(RunState.ABORT, interrupt)
        raise
    run.tell(RunState.COMPLETE)


def run_uuid(run_id: str) -> str:
    """OpenLineage wants UUIDs: the one that belongs to a run id."""
    return str(uuid5(NAMESPACE_URL, f"{PRODUCER}{run_id}"))


def config_hash(config: AnonymizeConfig) -> str:
    """Of all that a result depends on: equal whatever the paths and the machine."""
    values = asdict(config)
    for name in ("input", "output", "runtime"):
        values.pop(name)
    return fingerprint(values)


def dataset_name(given: str, *, is_file: bool = False) -> tuple[str, str]:
    """Namespace and name of the folder or prefix of an input or output, as OpenLineage's naming wants them.

    Of a file, a list or a pattern: the folder that it lies in. Passwords and queries in a URI are left out.
    """
    parts = urlsplit(given) if "://" in given or given.startswith("file:") else None
    path = PurePosixPath(parts.path if parts else os.path.abspath(os.path.expanduser(given)))  # noqa: PTH111
    kept = list(path.parts[:-1] if is_file else path.parts)
    wild = next((place for place, part in enumerate(kept) if any(sign in part for sign in _WILDCARDS)), len(kept))
    folder = str(PurePosixPath("/", *kept[:wild]))
    if parts is None or parts.scheme == "file":
        return "file", folder
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}", folder.lstrip("/") or "/"


def _is_file(given: str, source: SourceConfig) -> bool:
    """Whether an input is a single file: as the disk says, or of other storage, its name."""
    if "://" not in given:
        return Path(given).expanduser().is_file()
    known = {f".{suffix.lstrip('.').lower()}" for suffix in (*source.extensions, *source.picture_extensions)}
    return PurePosixPath(urlsplit(given).path).suffix.lower() in known | _LIST_SUFFIXES


def _transports(config: LineageConfig) -> Iterator[Transport]:
    if config.url:
        key = os.environ.get(API_KEY)
        auth = ApiKeyTokenProvider({"api_key": key}) if key else TokenProvider({})
        retry = {**HttpConfig(config.url).retry, **_RETRIES}
        yield HttpTransport(HttpConfig(config.url, timeout=config.timeout_s, auth=auth, retry=retry))
    if config.file:
        yield FileTransport(FileConfig(os.path.expanduser(config.file), append=True))  # noqa: PTH111
