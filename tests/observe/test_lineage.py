from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from anonflow.errors import StorageError
from anonflow.observe.lineage import API_KEY, config_hash, dataset_name, lineage
from anonflow.observe.statistics import RunStatistics
from tests.observe.test_statistics import published, quarantined
from tests.pipeline.worlds import configuration

SECRET = "anna-schmidt"


class Service:
    """A lineage service that notes what it is sent, and answers as told."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.headers: list[Any] = []
        self.status = 201
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/api/v1/lineage"
                service.events.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                service.headers.append(self.headers)
                self.send_response(service.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.server.shutdown()
    made.server.server_close()


def config(folder: Path, **values: Any) -> Any:
    made = configuration()
    told = replace(made.runtime.lineage, **values)
    return replace(made, input=f"{folder}/in", output=f"{folder}/out", runtime=replace(made.runtime, lineage=told))


def ran(configured: Any, *, failure: BaseException | None = None) -> None:
    statistics = RunStatistics()
    with lineage(configured, "20260101T000000Z-abc", statistics):
        statistics.add(published(1))
        statistics.add(quarantined(2))
        if failure:
            raise failure


def test_a_run_is_told_at_its_start_and_its_end(service: Service, tmp_path: Path) -> None:
    ran(config(tmp_path, url=service.url))
    start, complete = service.events
    assert (start["eventType"], complete["eventType"]) == ("START", "COMPLETE")
    assert start["run"]["runId"] == complete["run"]["runId"] and UUID(start["run"]["runId"])
    assert start["job"]["namespace"] == "anonflow" and start["job"]["name"] == "anonymize"
    facet = complete["run"]["facets"]["anonflow"]
    assert (facet["published"], facet["quarantined"], facet["unchanged"], facet["frames"]) == (1, 1, 0, 100)
    assert facet["configHash"] and facet["version"] and "published" not in start["run"]["facets"]["anonflow"]
    (given,), (made,) = complete["inputs"], complete["outputs"]
    assert (given["namespace"], given["name"]) == ("file", f"{tmp_path}/in")
    assert (made["namespace"], made["name"]) == ("file", f"{tmp_path}/out")
    assert given["inputFacets"]["inputStatistics"]["size"] == 10
    assert made["outputFacets"]["outputStatistics"]["fileCount"] == 1


def test_events_have_what_the_specification_requires(service: Service, tmp_path: Path) -> None:
    ran(config(tmp_path, url=service.url))
    for event in service.events:
        assert {"eventTime", "producer", "schemaURL", "run", "job"} <= set(event)
        assert event["schemaURL"].endswith("OpenLineage.json#/$defs/RunEvent")
        facets = [
            *event["run"]["facets"].values(),
            *event["job"]["facets"].values(),
            *(f for d in event["inputs"] for f in d["inputFacets"].values()),
            *(f for d in event["outputs"] for f in d["outputFacets"].values()),
        ]
        assert len(facets) >= 3 and all(f["_producer"] == event["producer"] and f["_schemaURL"] for f in facets)


@pytest.mark.parametrize(
    ("failure", "state"), [(StorageError(f"/{SECRET}/full"), "FAIL"), (KeyboardInterrupt(), "ABORT")]
)
def test_a_run_that_fails_is_told_by_the_class_of_its_error(
    service: Service, tmp_path: Path, failure: BaseException, state: str
) -> None:
    with pytest.raises(type(failure)):
        ran(config(tmp_path, url=service.url), failure=failure)
    end = service.events[-1]
    assert end["eventType"] == state
    assert end["run"]["facets"]["errorMessage"]["message"] == type(failure).__name__
    assert SECRET not in json.dumps(service.events)


@pytest.mark.parametrize("status", [400, 500])
def test_a_service_that_refuses_does_not_fail_the_run(
    service: Service, tmp_path: Path, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    service.status = status
    ran(config(tmp_path, url=service.url, timeout_s=2))
    assert [record.event for record in caplog.records] == ["lineage", "lineage"]
    assert "The run goes on" in caplog.text


def test_a_service_that_is_down_does_not_fail_the_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "events.jsonl"
    ran(config(tmp_path, url="http://127.0.0.1:9", file=str(file), timeout_s=1))
    assert "The run goes on" in caplog.text
    assert [json.loads(line)["eventType"] for line in file.read_text().splitlines()] == ["START", "COMPLETE"]


def test_a_file_that_cannot_be_written_does_not_fail_the_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ran(config(tmp_path, file=str(tmp_path / "no" / "such" / "folder")))
    assert "The run goes on" in caplog.text


def test_nothing_of_the_environment_and_no_file_is_told(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENLINEAGE__FACETS__ENVIRONMENT_VARIABLES", '["HOME"]')
    monkeypatch.setenv(API_KEY, "key-of-the-service")
    ran(config(tmp_path, url=service.url))
    said = json.dumps(service.events)
    assert SECRET not in said and "environmentVariables" not in said and "key-of-the-service" not in said
    assert service.headers[0]["Authorization"] == "Bearer key-of-the-service"


def test_nobody_is_told_unless_somebody_is_named(tmp_path: Path) -> None:
    ran(config(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "is_file", "named"),
    [
        ("/data/in", False, ("file", "/data/in")),
        ("/data/in/anna.mp4", True, ("file", "/data/in")),
        ("/data/*/a?.mp4", False, ("file", "/data")),
        ("file:///data/in", False, ("file", "/data/in")),
        ("s3://bucket/a/b", False, ("s3://bucket", "a/b")),
        ("s3://bucket", False, ("s3://bucket", "/")),
        ("https://user:secret@host:8443/a/b.mp4?token=secret", True, ("https://host:8443", "a")),
    ],
)
def test_a_data_set_is_a_folder_or_a_prefix(given: str, is_file: bool, named: tuple[str, str]) -> None:
    assert dataset_name(given, is_file=is_file) == named


@pytest.mark.parametrize("given", ["s3://bucket/cam/anna.mp4", "s3://bucket/cam/list.parquet"])
def test_an_input_that_is_a_file_elsewhere_is_not_named(service: Service, tmp_path: Path, given: str) -> None:
    ran(replace(config(tmp_path, url=service.url), input=given))
    assert service.events[0]["inputs"][0]["name"] == "cam"


def test_the_hash_is_that_of_what_a_result_depends_on(tmp_path: Path) -> None:
    here = config(tmp_path)
    assert config_hash(here) == config_hash(replace(here, input="/elsewhere", output="/there"))
    assert config_hash(here) != config_hash(replace(here, chunk=replace(here.chunk, length_s=7.0)))
