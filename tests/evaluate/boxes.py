"""Random detections and objects, with crowds, ignored ones, ties and empty pictures."""

from __future__ import annotations

import numpy as np

from anonflow.evaluate.match import Found, Wanted


def random_case(seed: int, n_pictures: int = 40) -> tuple[Found, Wanted]:
    rng = np.random.default_rng(seed)
    wanted_in, boxes = [], []
    for picture in range(n_pictures):
        n = rng.integers(0, 9)
        corner, side = rng.uniform(0, 400, (n, 2)), np.exp(rng.uniform(1.5, 5.5, (n, 2)))
        wanted_in += [picture] * n
        boxes.append(np.concatenate((corner, corner + side), axis=1))
    xyxy = np.concatenate(boxes)
    crowd = rng.random(len(xyxy)) < 0.1
    ignored = crowd | (rng.random(len(xyxy)) < 0.1)
    wanted = Wanted(np.array(wanted_in), xyxy, ignored, crowd)
    copies = np.repeat(np.arange(len(xyxy)), rng.integers(0, 4, len(xyxy)))
    near = xyxy[copies] + rng.normal(0, 0.12, (len(copies), 4)) * np.tile(xyxy[copies, 2:] - xyxy[copies, :2], 2)
    near = near[order_is_sound(near)]
    corner = rng.uniform(0, 400, (120, 2))
    apart = np.concatenate((corner, corner + np.exp(rng.uniform(1.5, 5.5, (120, 2)))), axis=1)
    pictures = np.concatenate((wanted.pictures[copies[: len(near)]], rng.integers(0, n_pictures, 120)))
    scores = np.round(rng.random(len(pictures)), 2)  # so that some are equal
    return Found(pictures, np.concatenate((near, apart)), scores), wanted


def order_is_sound(xyxy: np.ndarray) -> np.ndarray:
    return (xyxy[:, 2:] > xyxy[:, :2] + 1).all(axis=1)
