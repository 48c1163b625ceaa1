"""Configuration of StyleGAN2 on pictures."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.systems.style_config import StyleConfig

COLOURS = 3
"""Channels of the pictures."""


@dataclass(frozen=True)
class Stylegan2Config(StyleConfig):
    """Networks, losses and augmentation. Raises TrainingError for values out of range."""
