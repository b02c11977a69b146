"""Named errors. Each message says what happened, to which file, and what to do about it.

Messages name the input by the path its user gave; they never carry pixels, boxes, plate text or positions.
"""

from __future__ import annotations


def one_line(message: str) -> str:
    """`message` without line breaks and control characters, which a file's name may hold."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in message
    )


class AnonflowError(Exception):
    """Base of all errors that `anonflow` raises on purpose.

    `reason` is the stable word that the ledger records. `transient` says that the same input may succeed
    in a later run (a full disk, a killed worker), so the chunks that are done are kept for it. `names_files` says
    that a message may name files, so that logs that are to name none give the reason only.
    """

    reason: str = "error"
    transient: bool = False
    names_files: bool = True


class ConfigError(AnonflowError):
    """The configuration or the command line is wrong; nothing was started."""

    reason = "config"


class TruthError(ConfigError):
    """A ground truth to measure against is not in its format, or not of the video."""

    reason = "truth"


# --- sources ---------------------------------------------------------------------------------------------


class SourceError(AnonflowError):
    """An input cannot be used as it is."""

    reason = "source"


class SourceMissingError(SourceError):
    """The input does not exist."""

    reason = "missing"
    transient = True


class SourceUnreadableError(SourceError):
    """The input exists but may not be read."""

    reason = "unreadable"
    transient = True


class SourceEmptyError(SourceError):
    """The input has no bytes."""

    reason = "empty"


class SourceChangedError(SourceError):
    """The input changed while it was being worked on."""

    reason = "source_changed"
    transient = True


class NotAVideoError(SourceError):
    """The input is no video that the demuxer knows."""

    reason = "not_a_video"


class NoVideoStreamError(SourceError):
    """The input is a media file without a video stream."""

    reason = "no_video_stream"


class TimestampError(SourceError):
    """The video's timestamps do not put its frames in one order."""

    reason = "timestamps"


class DamagedVideoError(SourceError):
    """The video is truncated or corrupt: not every frame that it announces can be decoded."""

    reason = "damaged"


class UnsupportedFormatError(SourceError):
    """The video is sound, but something about it (pixel format, changing size) is not supported."""

    reason = "unsupported"


class NotAPictureError(SourceError):
    """The input is named like a picture, and is none of a known format."""

    reason = "not_a_picture"


class DamagedPictureError(SourceError):
    """The picture is truncated or corrupt: not all of it can be decoded."""

    reason = "damaged_picture"


class PictureTooLargeError(SourceError):
    """The picture has more pixels than may be decoded, or its file more bytes than may be read."""

    reason = "too_large"


class BrokenMetadataError(SourceError):
    """The picture's metadata cannot be read, so that it is unknown how the picture is turned."""

    reason = "broken_metadata"


class LimitError(SourceError):
    """The input asks for more (pixels, streams, frames, time) than a limit allows."""

    reason = "limit"


# --- work ------------------------------------------------------------------------------------------------


class StorageError(AnonflowError):
    """A file could not be written, or the storage not be read."""

    reason = "storage"
    transient = True


class NoSpaceError(StorageError):
    """The file system is full."""

    reason = "no_space"


class WritePermissionError(StorageError):
    """The place may not be written."""

    reason = "no_write_permission"


class StorageMissingError(StorageError):
    """There is no such bucket or folder."""

    reason = "storage_missing"


class StorageUnavailableError(StorageError):
    """The storage kept failing, or was silent, for as long as it is waited for."""

    reason = "storage_unavailable"


class ModelError(AnonflowError):
    """A model cannot be found, fetched or used."""

    reason = "model"


class ModelHashError(ModelError):
    """A model file is not the one that the configuration names."""

    reason = "model_hash"


class ProviderError(ModelError):
    """A configured execution provider cannot be used on this machine."""

    reason = "provider"


class RayStartError(AnonflowError):
    """Ray, which runs the stages, did not start."""

    reason = "ray_start"
    names_files = False


class StalledError(AnonflowError):
    """Nothing happened in a run for longer than it is to wait."""

    reason = "stalled"
    names_files = False
    transient = True


class DeviceLostError(ModelError):
    """A device failed while a network ran on it; nothing more can be run on it from this process."""

    reason = "device"
    transient = True


class DetectorOutputError(AnonflowError):
    """A detector returned something that is not a detection (NaN, infinite, wrong shape)."""

    reason = "detector_output"


class EncodeError(AnonflowError):
    """The encoder refused the frames or its settings."""

    reason = "encode"


class FidelityError(AnonflowError):
    """The finished file is not the source with masks in it; it is not published."""

    reason = "fidelity"


class WorkerCrashError(AnonflowError):
    """A chunk took its worker down repeatedly."""

    reason = "worker_crash"
    transient = True


class OutOfMemoryError(AnonflowError):
    """There was not enough memory, of the machine or of a GPU."""

    reason = "out_of_memory"
    transient = True


class WorkLostError(AnonflowError):
    """What had been made of a source on the way to its end disappeared while the run went on."""

    reason = "work_lost"
    transient = True


class ChunkTimeoutError(AnonflowError):
    """A chunk did not finish within its deadline."""

    reason = "chunk_timeout"
    transient = True


class ReconcileError(AnonflowError):
    """The outcomes do not add up to the sources."""

    reason = "reconcile"


class LeaseLostError(AnonflowError):
    """Another run took over this run's output or work folder, since this one gave no sign of life."""

    reason = "lease_lost"
    transient = True


class InternalError(AnonflowError):
    """A defect of this program."""

    reason = "internal"


class RecordedError(AnonflowError):
    """A failure that another attempt, worker or stage wrote down."""

    def __init__(self, reason: str, message: str, *, transient: bool) -> None:
        """Bring back the error with that reason and message."""
        super().__init__(message)
        self.reason = reason
        self.transient = transient
