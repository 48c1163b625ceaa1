"""The smallest run that still has everything: a network of a few thousand numbers on crops of 32 px."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from terrainpaint.models.spade_local import SpadeLocalConfig
from trainer.config import TrainConfig

NETWORK = SpadeLocalConfig(widths=(16, 16, 16, 16), blocks=(1, 1, 1, 1), hidden=8)
CONFIG = TrainConfig(
    images=8,
    batch=2,
    crop_px=32,
    discriminator_widths=(8, 8, 8),
    precision="fp32",
    device="cpu",
    log_images=2,
    save_images=4,
    sheet_images=8,
)


def changed(**values: Any) -> TrainConfig:
    """The config with other values."""
    return replace(CONFIG, **values)


def quiet(images: int, losses: dict[str, float]) -> None:
    """A report that nobody reads."""
    assert images > 0 and losses["images_per_s"] > 0


SHARED = changed(batch=4, images=4, augment=("colour", "translation"), adversarial="relativistic", r1_weight=1.0)
"""One step whose images may be shared by processes."""
