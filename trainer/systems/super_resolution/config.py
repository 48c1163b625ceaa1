"""Configuration of the super-resolution system."""

from __future__ import annotations

from dataclasses import dataclass

from terrainpaint.errors import TrainingError
from terrainpaint.models.fine_land import FINE_LAND_LIMITS
from trainer.loop.config import Config, setting

FACTORS = (2, 4)


@dataclass(frozen=True)
class SuperResolutionConfig(Config):
    """Networks, losses and crops. Raises TrainingError for values out of range."""

    width: int = setting(64, "channels of the network at the coarse grid", least=1)
    blocks: int = setting(6, "its residual blocks", least=0)
    fine_widths: tuple[int, ...] = setting((24, 8), "its channels at two and four times the resolution", least=1)
    colour_width: int = setting(32, "channels of the network for colours at the coarse grid", least=1)
    colour_blocks: int = setting(2, "its residual blocks", least=0)
    colour_fine_widths: tuple[int, ...] = setting((16, 8), "its channels at two and four times the resolution", least=1)
    discriminator_widths: tuple[int, ...] = setting((32, 64, 96), "channels of the discriminators", least=1)
    factor: int = setting(4, "how many times finer pictures become: 2 or 4; land always four times", least=2)
    crop_px: int = setting(192, "side of a crop of heights, or of a picture, in fine pixels", least=32)
    colour_crop_px: int = setting(96, "side of a crop of colours in fine pixels", least=32)
    adversarial: str = setting("hinge", "adversarial loss", ("hinge", "non-saturating", "relativistic"))
    adversarial_weight: float = setting(0.3, "weight of the adversarial loss", least=0)
    colour_adversarial: bool = setting(False, "adversarial losses for the colours of land too")
    matching_weight: float = setting(3.0, "weight of the means and deviations of features", least=0)
    slope_weight: float = setting(3.0, "weight of the difference of slopes", least=0)
    mean_weight: float = setting(0.5, "weight of the area means of the detail, which are taken away", least=0)
    repetition_weight: float = setting(6.0, "weight of detail that repeats from cell to cell of smooth land", least=0)
    colour_weight: float = setting(12.0, "weight of the difference of colours", least=0)
    leak_weight: float = setting(20.0, "weight of the light in the colours of land", least=0)
    plain_images: int = setting(2000, "images at the start without the adversarial losses", least=0)
    first_share: float = setting(0.5, "fraction of the crops of heights for the first step", least=0)
    far_share: float = setting(0.25, "fraction of those of the first step that are four times coarser", least=0)
    disturbed_share: float = setting(0.3, "fraction of the crops of heights with a disturbed input", least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.factor not in FACTORS:
            raise TrainingError(f"factor must be 2 or 4, not {self.factor}.")
        for name in ("crop_px", "colour_crop_px"):
            if getattr(self, name) % 8 or getattr(self, name) > 1024:
                raise TrainingError(f"{name} must be a multiple of 8 up to 1024, not {getattr(self, name)}.")
        for name in ("fine_widths", "colour_fine_widths"):
            if len(getattr(self, name)) != 2:
                raise TrainingError(f"{name} must be two numbers, not {len(getattr(self, name))}.")
        for name in ("width", "blocks", "fine_widths", "colour_width", "colour_blocks", "colour_fine_widths"):
            value = getattr(self, name)
            most = FINE_LAND_LIMITS[name][1]
            if max(value if isinstance(value, tuple) else (value,)) > most:
                raise TrainingError(f"{name} must be at most {most:g}.")
        for name in ("first_share", "far_share", "disturbed_share"):
            if getattr(self, name) > 1:
                raise TrainingError(f"{name} must be at most 1, not {getattr(self, name)}.")
