"""Configuration of the DCGAN system."""

from __future__ import annotations

from dataclasses import dataclass

from terrainpaint.errors import TrainingError
from trainer.loop.config import Config, listed, setting

SIZES_PX = (16, 32, 64, 128, 256)
LARGEST_WIDTH, LARGEST_NOISE = 256, 4096
"""A file may not ask for networks that no computer could hold."""


@dataclass(frozen=True)
class DcganConfig(Config):
    """Networks, loss and augmentation. Raises TrainingError for values out of range."""

    size_px: int = setting(64, "side of the pictures in pixels: 16, 32, 64, 128 or 256", least=16)
    width: int = setting(64, "channels at half of that side; they double at each halving", least=1)
    noise: int = setting(100, "numbers that a picture is generated from", least=1)
    adversarial: str = setting("non-saturating", "adversarial loss",
                               ("non-saturating", "hinge", "relativistic", "lsgan"))  # fmt: skip
    mirror: bool = setting(False, "mirror pictures at random")
    augment: tuple[str, ...] = setting((), "differentiable augmentation of the discriminator's input",
                                       ("colour", "translation", "cutout"))  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size_px not in SIZES_PX:
            raise TrainingError(f"size_px must be {listed([str(size) for size in SIZES_PX])}, not {self.size_px}.")
        if self.width > LARGEST_WIDTH or self.noise > LARGEST_NOISE:
            raise TrainingError(f"width must be at most {LARGEST_WIDTH} and noise at most {LARGEST_NOISE}, not "
                                f"{self.width} and {self.noise}.")  # fmt: skip
