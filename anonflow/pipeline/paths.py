"""Names of everything that a run writes. They follow from content and configuration, so equal work is found again.

WORK/index/<plan key>/<video>.parquet                        frames and chunks of a source
WORK/detections/<detection key>/<video>/00012.parquet        boxes of a chunk, its overlap included
WORK/detections/<detection key>/<video>/00012.frames.parquet brightness and cuts of its frames
                                                             (in runtime.detections_dir, if that is set)
WORK/tracks/<track key>/<video>/00012.npz                    the tracks of that chunk alone
WORK/plan/<mask key>/<video>.parquet                         what to hide, from the stitched tracks
WORK/segments/<mask key>/<video>/00012.nut                   masked frames
WORK/segments/<mask key>/<album>/00012.picture               a masked picture; its boxes lie where a chunk's do
WORK/runs/<run id>/<video>.*.json                            fan-in decisions and ends of sources in this run
WORK/runs/<run id>/<album>.album.json                        the pictures of an album
OUT/<tree>                                                   the results
OUT/_anonflow/done/<mask key>/<video>.json                   written last: this source is published
OUT/_anonflow/<run id>/                                      ledger and report
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from anonflow.storage import naming_storage_errors, remove_tree

CONTROL_FOLDER = "_anonflow"


@dataclass(frozen=True)
class Keys:
    """Fingerprints of what each kind of result depends on; each includes the one before it."""

    plan: str
    detections: str
    tracks: str
    masks: str


@dataclass(frozen=True)
class Paths:
    """All paths of one run."""

    output: Path
    work: Path
    run_id: str
    keys: Keys
    shared: Path | None = None
    """Where detections stay for other runs."""

    @property
    def control(self) -> Path:
        """Folder of everything in the output that is no result."""
        return self.output / CONTROL_FOLDER

    @property
    def run(self) -> Path:
        """Ledger and report of this run."""
        return self.control / self.run_id

    @property
    def partial(self) -> Path:
        """Unfinished files, in the file system of the output."""
        return self.control / "partial"

    def index(self, video_id: str) -> Path:
        """Frame index and chunks of a source."""
        return self.work / "index" / self.keys.plan / f"{video_id}.parquet"

    def detections(self, video_id: str, chunk: int) -> Path:
        """Boxes of a chunk."""
        return (self.shared or self.work) / "detections" / self.keys.detections / video_id / f"{chunk:05d}.parquet"

    def facts(self, video_id: str, chunk: int) -> Path:
        """Brightness and cuts of a chunk's frames."""
        return self.detections(video_id, chunk).with_suffix(".frames.parquet")

    def tracks(self, video_id: str, chunk: int) -> Path:
        """Tracks of a chunk alone."""
        return self.work / "tracks" / self.keys.tracks / video_id / f"{chunk:05d}.npz"

    def mask_plan(self, video_id: str) -> Path:
        """What to hide in a video."""
        return self.work / "plan" / self.keys.masks / f"{video_id}.parquet"

    def segment(self, video_id: str, chunk: int) -> Path:
        """Masked, encoded frames of a chunk."""
        return self.work / "segments" / self.keys.masks / video_id / f"{chunk:05d}.nut"

    def album(self, album_id: str) -> Path:
        """The pictures of an album."""
        return self.work / "runs" / self.run_id / f"{album_id}.album.json"

    def album_marker(self, album_id: str, stage: str, name: str) -> Path:
        """Attempts at a stage of an album or of a picture in it are noted beside it, and the latter's failures."""
        return self.work / "runs" / self.run_id / f"{album_id}.{stage}" / f"{name}.mark"

    def masked_picture(self, album_id: str, position: int) -> Path:
        """A masked picture of an album."""
        return self.segment(album_id, position).with_suffix(".picture")

    def whole_segment(self, video_id: str, chunk: int) -> Path:
        """All frames of a chunk of which some were to be copied."""
        return self.segment(video_id, chunk).with_suffix(".whole.nut")

    def digests(self, video_id: str, chunk: int) -> Path:
        """Mask digests of a chunk, when asked for."""
        return self.segment(video_id, chunk).with_suffix(".digests.parquet")

    def copies_refused(self, plan: Path) -> Path:
        """That a video is encoded whole although its plan has copies."""
        return plan.with_suffix(".copies.json")

    def published(self, video_id: str) -> Path:
        """The outcome of a source that this run published."""
        return self.work / "runs" / self.run_id / f"{video_id}.published.json"

    def video_digests(self, video_id: str) -> Path:
        """Mask digests of a video, when asked for."""
        return self.work / "runs" / self.run_id / f"{video_id}.digests.parquet"

    def note(self, result: Path) -> Path:
        """Times and counts of a result that has no place for them inside."""
        return result.with_suffix(".json")

    def failure(self, result: Path) -> Path:
        """Why a result could not be made in this run; a later run tries again."""
        return result.with_name(f"{result.stem}.failed.{self.run_id}.json")

    def attempts(self, result: Path) -> Path:
        """One byte for each time this run began to make a result."""
        return result.with_name(f"{result.stem}.attempts.{self.run_id}")

    def closed(self, stage: str, video_id: str) -> Path:
        """Which chunk completed a video at the fan-in before `stage`, in this run."""
        return self.work / "runs" / self.run_id / f"{video_id}.{stage}.json"

    def done(self, video_id: str) -> Path:
        """Marker of a published source."""
        return self.control / "done" / self.keys.masks / f"{video_id}.json"

    def ended(self, video_id: str) -> Path:
        """How a source ended in this run; written before its row goes on."""
        return self.work / "runs" / self.run_id / f"{video_id}.ended.json"

    def remove_work(self, video_id: str) -> None:
        """Remove everything that was made on the way to a video's end."""
        own = () if self.shared else (self.detections(video_id, 0),)
        for result in (*own, self.tracks(video_id, 0), self.segment(video_id, 0)):
            remove_tree(result.parent)
        for folder in (self.mask_plan(video_id).parent, self.index(video_id).parent):
            with naming_storage_errors(folder):
                for leftover in folder.glob(f"{video_id}.*"):
                    leftover.unlink(missing_ok=True)
