"""The metrics of a run: what each is called, counts and may be split by.

Names follow Prometheus' conventions (units, `_total`). Ray puts `ray_` before them when it exports them. Labels
have few values each, all fixed in this program: stages, states, reasons of errors. None names a file or a person.
"""

from __future__ import annotations

from dataclasses import dataclass

STAGES = ("plan", "detect", "stitch", "mask", "join")
FRAME_STAGES = ("detect", "mask")
MADE, REUSED, FAILED = "made", "reused", "failed"
"""What became of a task: its result was made, was there from before, or could not be made."""

_SECONDS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
"""Ends of the buckets: a factor of about three, from a picture to a chunk of a large video on a slow machine."""


@dataclass(frozen=True)
class Metric:
    """A metric's name, its kind (`counter`, `gauge`, `histogram`), its help text and its labels."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ()
    boundaries: tuple[float, ...] = ()
    """Upper ends of a histogram's buckets."""

    @property
    def exported_name(self) -> str:
        """What a query asks for."""
        return f"ray_{self.name}"


OUTCOMES = Metric(
    "anonflow_outcomes_total",
    "counter",
    "Sources that ended, by kind (video, picture), status and reason of quarantine (none otherwise)",
    ("kind", "status", "reason"),
)
FRAMES = Metric(
    "anonflow_frames_total", "counter", "Frames that went through a stage; a picture is a frame", ("stage",)
)
PLANNED_CHUNKS = Metric(
    "anonflow_planned_chunks_total", "counter", "Chunks of planned videos, and albums of pictures"
)
TASKS = Metric(
    "anonflow_tasks_total",
    "counter",
    "Tasks that ended: a chunk in detect and mask, a video in plan, stitch and join, or an album of pictures",
    ("stage", "state"),
)
RETRIES = Metric("anonflow_retries_total", "counter", "Tasks begun again after their worker had died", ("stage",))
ERRORS = Metric(
    "anonflow_errors_total",
    "counter",
    "Tasks, and pictures of albums, that failed, by stage and reason",
    ("stage", "reason"),
)
STAGE_SECONDS = Metric(
    "anonflow_stage_seconds", "histogram", "Duration of tasks that made their result", ("stage",), _SECONDS
)
BUSY_SECONDS = Metric(
    "anonflow_busy_seconds_total",
    "counter",
    "Sum of the durations of tasks. Exact, unlike the histogram's sum, which Ray makes up from its buckets",
    ("stage",),
)
SOURCE_BYTES = Metric("anonflow_source_bytes_total", "counter", "Size of the sources of published outputs")
OUTPUT_BYTES = Metric("anonflow_output_bytes_total", "counter", "Size of published outputs")
SOURCES = Metric("anonflow_sources", "gauge", "Sources of the run")
QUEUE_SOURCES = Metric("anonflow_queue_sources", "gauge", "Sources that have not ended")
QUEUE_FRAMES = Metric("anonflow_queue_frames", "gauge", "Frames planned and not yet through a stage", ("stage",))
QUEUE_CHUNKS = Metric("anonflow_queue_chunks", "gauge", "Chunks planned and not yet through a stage", ("stage",))
LAST_PROGRESS = Metric(
    "anonflow_last_progress_timestamp_seconds", "gauge", "When anything was last done, in seconds since 1970"
)
RUN = Metric("anonflow_run_info", "gauge", "1 while a run is going on; the version of anonflow", ("version",))

METRICS = (
    OUTCOMES,
    FRAMES,
    PLANNED_CHUNKS,
    TASKS,
    RETRIES,
    ERRORS,
    STAGE_SECONDS,
    BUSY_SECONDS,
    SOURCE_BYTES,
    OUTPUT_BYTES,
    SOURCES,
    QUEUE_SOURCES,
    QUEUE_FRAMES,
    QUEUE_CHUNKS,
    LAST_PROGRESS,
    RUN,
)
