"""The pictures of the sample video: a photographed person and a car with a licence plate pass each other.

The portrait is NASA's photograph of Eileen Collins (public domain), as scikit-image carries it; road, car and the
plate (an invented number) are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from anonflow.detect.fetch import fetch
from anonflow.types import Picture

PORTRAIT_URI = "pypi:scikit-image==0.25.2/skimage/data/astronaut.png"
WIDTH, HEIGHT, FRAME_RATE, N_FRAMES = 1280, 720, 25, 200

_HORIZON = 300
_PLATE_TEXT = "B A74C29"
_PLATE_BLUE, _WHITE, _GREY = (160, 60, 20), (255, 255, 255), (70, 70, 70)


def portrait() -> Picture:
    """The photograph (512, 512, 3) BGR, from the package index. Raises `ModelError` when it cannot be had."""
    photograph = np.asarray(cv2.imdecode(np.frombuffer(fetch(PORTRAIT_URI), np.uint8), cv2.IMREAD_COLOR))
    return np.asarray(np.maximum(photograph, 1), np.uint8)  # black is see-through in this scene


def frames(person: Picture) -> Iterator[Picture]:
    """All frames of the sample, (HEIGHT, WIDTH, 3) BGR."""
    road, car = _road(), _car()
    for number in range(N_FRAMES):
        share = number / (N_FRAMES - 1)
        picture = np.roll(road, -4 * number, axis=1)
        _paste(picture, _scaled(person, 0.55 + 0.2 * share), 60 + int(360 * share), 90)
        _paste(picture, _scaled(car, 0.9 + 0.3 * share), 1000 - int(480 * share), 380)
        _lamp_post(picture, number)
        yield picture


def _road() -> Picture:
    """A street that can be rolled sideways without a seam."""
    picture = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    picture[:_HORIZON] = np.linspace((200, 150, 90), (225, 210, 190), _HORIZON)[:, None]
    picture[_HORIZON:] = np.linspace((95, 95, 95), (60, 60, 60), HEIGHT - _HORIZON)[:, None]
    for left in range(0, WIDTH, 160):
        top = 90 + 25 * (left // 160 * 5 % 4)
        cv2.rectangle(picture, (left + 68, top + 50), (left + 82, _HORIZON), (50, 70, 90), cv2.FILLED)
        cv2.ellipse(picture, (left + 75, top + 50), (56, 64), 0, 0, 360, (70, 120, 80), cv2.FILLED)
        cv2.rectangle(picture, (left + 20, 600), (left + 100, 612), (200, 200, 200), cv2.FILLED)
    texture = np.random.default_rng(7).normal(0, 4, picture.shape)
    return np.clip(picture + texture, 0, 255).astype(np.uint8)


def _car() -> Picture:
    """The back of a car, (270, 430, 3); black around it is see-through."""
    car = np.zeros((270, 430, 3), np.uint8)
    for left in (40, 320):
        cv2.rectangle(car, (left, 200), (left + 70, 268), (25, 25, 25), cv2.FILLED)
    cv2.rectangle(car, (10, 90), (420, 240), (45, 40, 130), cv2.FILLED)
    cv2.fillPoly(car, [np.array([(70, 90), (110, 10), (320, 10), (360, 90)], np.int32)], (45, 40, 130))
    cv2.fillPoly(car, [np.array([(95, 84), (125, 24), (305, 24), (335, 84)], np.int32)], (90, 80, 70))
    for left in (20, 350):
        cv2.rectangle(car, (left, 110), (left + 60, 150), (40, 40, 220), cv2.FILLED)
    plate = _plate()
    car[140 : 140 + plate.shape[0], 145 : 145 + plate.shape[1]] = plate
    return car


def _plate() -> Picture:
    """A licence plate, (60, 140, 3), drawn four times as large for clean edges."""
    plate = np.full((240, 560, 3), _PLATE_BLUE, np.uint8)
    cv2.rectangle(plate, (12, 12), (548, 228), _WHITE, 4)
    for position, character in enumerate(_PLATE_TEXT):
        where = (26 + 64 * position, 168)
        cv2.putText(plate, character, where, cv2.FONT_HERSHEY_SIMPLEX, 3, _WHITE, 10, cv2.LINE_AA)
    return np.asarray(cv2.resize(plate, (140, 60), interpolation=cv2.INTER_AREA), np.uint8)


def _lamp_post(picture: Picture, number: int) -> None:
    """Something that passes before the person, so that the face is hidden for some frames."""
    left = WIDTH - 12 * number
    cv2.rectangle(picture, (left, 0), (left + 26, 640), _GREY, cv2.FILLED)


def _scaled(picture: Picture, scale: float) -> Picture:
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _paste(picture: Picture, part: Picture, left: int, top: int) -> None:
    """Lay `part` over `picture` where it is not black."""
    place = picture[top : top + part.shape[0], left : left + part.shape[1]]
    part = part[: place.shape[0], : place.shape[1]]
    np.copyto(place, part, where=part.any(axis=2, keepdims=True))
