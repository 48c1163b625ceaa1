"""Learning rates as a share of the configured ones, by the clock of images: nothing to remember, nothing to resume."""

from __future__ import annotations

import math

from trainer.config import TrainConfig


def rate_share(images: int, config: TrainConfig) -> float:
    """The share, in 0..1, of the learning rates after so many images: warm-up, then the schedule."""
    warm = min(1.0, (images + config.batch) / config.warmup_images) if config.warmup_images else 1.0
    return warm * _scheduled(images, config)


def _scheduled(images: int, config: TrainConfig) -> float:
    start = config.decay_from * config.images
    done = min(1.0, max(0.0, (images - start) / max(1.0, config.images - start)))
    if config.schedule == "linear":
        return 1 - done * (1 - config.final_rate)
    if config.schedule == "cosine":
        return config.final_rate + (1 - config.final_rate) * (1 + math.cos(math.pi * done)) / 2
    return 1.0
