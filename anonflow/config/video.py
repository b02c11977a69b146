"""How the masked frames are encoded."""

from __future__ import annotations

from dataclasses import dataclass

from anonflow.config.base import choice, require
from anonflow.config.keep import KeepConfig

CODECS = ("match", "h264", "hevc", "av1", "vp9", "ffv1")
"""Families of codecs, not names of encoders; `match` is the source's own."""
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
"""One scale for all encoders: slower is smaller at the same quality."""
_MAX_CRF = {"av1": 63, "vp9": 63}


@dataclass(frozen=True)
class VideoConfig(KeepConfig):
    """Codec, how much of the picture outside the masks it keeps, and what else of the file is kept."""

    codec: str
    lossless: bool
    """Bit for bit outside the masks."""
    crf: int | None
    """The encoder's own constant quality, lower is better; None: chosen for each video by `target_psnr_db`."""
    preset: str | None
    """None: a default for each codec."""
    target_psnr_db: float | None
    """Luma PSNR outside the masks that is kept, if `crf` is None and the encoding is lossy."""
    copy_clean: bool = True
    """Groups of pictures without a mask are copied packet by packet, where that is possible."""

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        choice("video.codec", self.codec, CODECS)
        require(self.lossless or self.codec != "ffv1", "video.lossless=false: ffv1 is always lossless")
        if self.preset is not None:
            choice("video.preset", self.preset, PRESETS)
        require(self.preset is None or self.codec != "ffv1", f"video.preset={self.preset}: ffv1 has no presets")
        largest = _MAX_CRF.get(self.codec, 51)
        require(
            self.crf is None or (0 <= self.crf <= largest and not self.lossless),
            f"video.crf={self.crf} must lie between 0 and {largest}, and be null if video.lossless=true",
        )
        target = self.target_psnr_db
        require(
            target is None or 20 <= target <= 60, f"video.target_psnr_db={target} must lie between 20 and 60 dB"
        )
        require(
            self.lossless or self.crf is not None or target is not None,
            "video.target_psnr_db=null: give it, or video.crf, or video.lossless=true",
        )
