"""What the encoders keep of the picture outside the masks, at which rate and speed. Run by hand:

    ANONFLOW_BENCHMARK_VIDEO=street.mp4 pytest -n 0 -s -m benchmark tests/benchmark/test_encoders.py

Without the variable a generated clip is used: noise and texture that move. PSNR and SSIM are of luma, over all
frames, outside of a box that is painted black as a mask would be. SSIM: Wang et al., 2004, window of 11, sigma 1.5.
Rate is against the source's video packets; times are of one thread; the search is for the whole video.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from anonflow.config import VideoConfig
from anonflow.types import FrameIndex
from anonflow.video.decode import decode_range
from anonflow.video.encode import SegmentWriter
from anonflow.video.encoders import choose_encoding
from anonflow.video.planes import plane_set
from anonflow.video.probe import probe
from anonflow.video.psnr import psnr_db, relative_error
from anonflow.video.quality import choose_crf
from anonflow.video.segment import decode_segment

MAX_FRAMES = 150
MATCH = VideoConfig("match", False, None, None, 42.0)
CASES = {
    "match (42 dB)": MATCH,
    **{f"{codec} (42 dB)": replace(MATCH, codec=codec) for codec in ("hevc", "av1", "vp9")},
    **{
        f"{codec} (42 dB) {preset}": replace(MATCH, codec=codec, preset=preset)
        for codec in ("h264", "hevc", "av1", "vp9")
        for preset in ("ultrafast", "medium")
    },
    "h264 crf 18": replace(MATCH, codec="h264", crf=18),
    "lossless": VideoConfig("match", True, None, None, None),
    "ffv1": VideoConfig("ffv1", True, None, None, None),
}


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    named = os.environ.get("ANONFLOW_BENCHMARK_VIDEO")
    return Path(named) if named else _generated(tmp_path_factory.mktemp("benchmark") / "generated.mp4")


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_encoders(video: Path, tmp_path: Path) -> None:
    index = probe(video)
    n = min(MAX_FRAMES, index.n_frames)
    source_rate = _video_bytes(video, n)
    print(f"\n{video.name}, {index.stream.codec} {index.stream.width}x{index.stream.height}, {n} frames")
    print(
        "| video | crf | PSNR mean, min (dB) | SSIM | rate | encode fps | search s |\n|---|---|---|---|---|---|---|"
    )
    for name, config in CASES.items():
        print(_row(name, config, video, index, n, source_rate, tmp_path / "segment"), flush=True)


def _row(
    name: str, config: VideoConfig, video: Path, index: FrameIndex, n: int, source_rate: int, segment: Path
) -> str:
    begin = time.process_time()
    crf = choose_crf(video, index, config)
    searched = time.process_time()
    masked, encode_s = [], 0.0
    with SegmentWriter(segment, index, config, crf) as writer:
        end_pts = int(index.pts[n]) if n < index.n_frames else index.end_pts
        for pts, frame in decode_range(video, index, int(index.pts[0]), end_pts):
            planes = plane_set(frame, writable=True)
            planes.planes[0][_box(planes.planes[0])] = 16
            masked.append(planes.planes[0].copy())
            started = time.process_time()
            writer.write(pts, frame)
            encode_s += time.process_time() - started
        started = time.process_time()
    encode_s += time.process_time() - started  # what the encoder held back
    bits = plane_set(frame).bit_depth
    errors, alike = [], []
    for luma, made in zip(masked, decode_segment(segment), strict=True):
        outside = np.ones(luma.shape, bool)
        outside[_box(luma)] = False
        decoded = plane_set(made).planes[0]
        errors.append(relative_error(luma, decoded, bits, outside))
        alike.append(_ssim(luma, decoded, bits)[outside].mean())
    encoding = choose_encoding(index.stream, config)
    assert max(errors) == 0 or not encoding.lossless
    return (
        f"| {name} | {'-' if crf is None else f'{crf:g}'} | {psnr_db(float(np.mean(errors))):.1f}, "
        f"{psnr_db(max(errors)):.1f} | {np.mean(alike):.4f} | {segment.stat().st_size / source_rate:.2f} | "
        f"{n / encode_s:.0f} | {searched - begin:.1f} |"
    )


def _box(luma: NDArray[np.generic]) -> tuple[slice, slice]:
    height, width = luma.shape
    return slice(height // 3, height // 2), slice(width // 3, width // 2)


def _ssim(a: NDArray[np.generic], b: NDArray[np.generic], bits: int) -> NDArray[np.float64]:
    """Structural similarity of each place, (h, w)."""
    peak = (1 << bits) - 1
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    x, y = a.astype(np.float64), b.astype(np.float64)
    mean_x, mean_y, xx, yy, xy = (cv2.GaussianBlur(v, (11, 11), 1.5) for v in (x, y, x * x, y * y, x * y))
    variance = xx - mean_x**2 + yy - mean_y**2
    covariance = xy - mean_x * mean_y
    found = (2 * mean_x * mean_y + c1) * (2 * covariance + c2) / ((mean_x**2 + mean_y**2 + c1) * (variance + c2))
    return np.asarray(found, np.float64)


def _video_bytes(path: Path, n_frames: int) -> int:
    """Bytes of the first packets of the video."""
    with av.open(str(path)) as container:
        sizes = [packet.size for packet in container.demux(video=0) if packet.size]
    return sum(sizes[:n_frames])


def _generated(path: Path) -> Path:
    rng = np.random.default_rng(5)
    still = cv2.GaussianBlur(rng.normal(128, 90, (720, 2200)), (0, 0), 2)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "20", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for number in range(100):
            picture = still[:, number * 6 : number * 6 + 1280] + rng.normal(0, 1.5, (720, 1280))
            planes = np.full((1080, 1280), 128, np.uint8)
            planes[:720] = picture.clip(16, 235)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        out.mux(stream.encode(None))
    return path
