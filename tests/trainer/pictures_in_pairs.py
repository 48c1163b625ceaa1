"""Small sets of pairs: smooth colours, and the same in grey."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.data.pair_set import PairSet


def make_picture(side: int, seed: int) -> NDArray[np.uint8]:
    """(S, S, 3) uint8: smooth random colours."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)


def make_pairs(count: int = 4, side: int = 64, held_out: int = 1) -> PairSet:
    """Pairs whose target is the source in grey; the last ones are held out."""
    source = np.stack([make_picture(side, seed) for seed in range(count)])
    target = np.repeat(source.mean(axis=3, keepdims=True).astype(np.uint8), 3, axis=3)
    split = np.zeros(count, np.uint8)
    split[count - held_out :] = 1
    return PairSet(
        source=source,
        target=target,
        split=split,
        names=tuple(f"übung/{number}.png" for number in range(count)),
        centre_deg=np.stack([np.linspace(-40, 60, count), np.linspace(-170, 170, count)], axis=1).astype(np.float32),
        source_style="colour",
        target_style="grey",
        credits="nobody",
        pixel_size_m=2000.0,
        left_out=(("bad.png", "is cut short"),),
        notes=(("0.png", "It has 2 pictures."),),
    )
