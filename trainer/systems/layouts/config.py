"""Configuration of the layouts system."""

from __future__ import annotations

from dataclasses import dataclass

from terrainpaint.errors import TrainingError
from trainer.loop.config import Config, listed, setting

SIZES_PX = (16, 32, 64, 128)
LARGEST_WIDTH, LARGEST_LATENT = 1024, 1024
"""A file may not ask for networks that no computer could hold."""


@dataclass(frozen=True)
class LayoutsConfig(Config):
    """Networks, loss and crops. Raises TrainingError for values out of range."""

    size_px: int = setting(64, "side of the layouts in pixels: 16, 32, 64 or 128", least=16)
    widths: tuple[int, ...] = setting(
        (128, 128, 96, 48, 24), "channels of the generator from 4 px up to size_px", least=1
    )
    latent: int = setting(128, "numbers that a layout is generated from", least=1)
    mapping: int = setting(3, "layers of the mapping network", least=1)
    discriminator_widths: tuple[int, ...] = setting(
        (48, 96, 128, 128), "channels of the discriminator from size_px / 2 down to 4 px", least=1
    )
    adversarial: str = setting("relativistic", "adversarial loss", ("non-saturating", "hinge", "relativistic"))
    r1: float = setting(0.3, "weight of the penalty of the discriminator's gradient at real layouts", least=0)
    r2: float = setting(0.3, "the same at generated ones", least=0)
    penalty_steps: int = setting(8, "steps between two penalties, which count so many times then", least=1)
    input_noise: float = setting(0.1, "deviation of the noise on what the discriminator sees", least=0)
    smallest_km: float = setting(1000.0, "smallest side of a layout on the Earth in km", least=1)
    largest_km: float = setting(4000.0, "largest side of a layout on the Earth in km", least=1)
    minimum_land: float = setting(0.05, "smallest fraction of land in a layout", least=0)
    landlocked: float = setting(0.4, "fraction of the layouts without sea to keep", least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size_px not in SIZES_PX:
            raise TrainingError(f"size_px must be {listed([str(size) for size in SIZES_PX])}, not {self.size_px}.")
        if 4 << (len(self.widths) - 1) != self.size_px or 4 << len(self.discriminator_widths) != self.size_px:
            raise TrainingError(
                f"{self.size_px} px need one width for each size: {self._levels()} of the generator and "
                f"{self._levels() - 1} of the discriminator, not {len(self.widths)} and "
                f"{len(self.discriminator_widths)}."
            )
        if max(*self.widths, *self.discriminator_widths) > LARGEST_WIDTH or self.latent > LARGEST_LATENT:
            raise TrainingError(f"widths must be at most {LARGEST_WIDTH} and latent at most {LARGEST_LATENT}.")
        if self.smallest_km > self.largest_km:
            raise TrainingError(f"smallest_km must be at most largest_km, not {self.smallest_km:g} and "
                                f"{self.largest_km:g}.")  # fmt: skip

    def _levels(self) -> int:
        return (self.size_px // 4).bit_length()
