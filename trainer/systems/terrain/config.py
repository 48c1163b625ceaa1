"""Configuration of the terrain system."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from terrainpaint.errors import TrainingError
from trainer.loop.config import Config, setting

LEVELS = 4
"""Of the generators spade-local and spade-guided."""
_LEAST_PROJECTED_PX = 48
POWER_TILE_PX = 64
"""Side of the squares of land whose power at each frequency is compared."""


@dataclass(frozen=True)
class TerrainConfig(Config):
    """Network, crops, losses and discriminator. Raises TrainingError for values that exclude each other."""

    network: str = setting("spade-local", "the network to train",
                           ("spade-local", "spade-guided", "spade-terrain-1.0",
                            "spade-terrain-1.1", "spade-terrain-1.2"))  # fmt: skip
    widths: tuple[int, ...] = setting(
        (), "channels of the generator's levels, coarse to fine; those of its weights (160 112 64 32)", least=1
    )
    snow: bool = setting(False, "a further style number of the generator: how much of the ground is white")
    crop_px: int = setting(128, "side of a crop in pixels", least=1)
    rescale: float = setting(1.0, "largest factor to enlarge or reduce crops by at random, heights too", least=1)
    simple_maps: float = setting(
        0.0, "fraction of crops whose land is painted in larger areas, as people paint", least=0
    )
    free_fraction: float = setting(
        0.0, "fraction of crops with a random style and guide, as in the program; at most 0.5", least=0
    )
    turn: bool = setting(False, "turn and mirror crops at random; for textures without light in them")

    adversarial: str = setting("hinge", "adversarial loss",
                               ("hinge", "non-saturating", "relativistic", "lsgan", "segmentation"))  # fmt: skip
    flip_route: bool = setting(True, "show the discriminator each fake a second time, flipped before it is shaded")
    r1_weight: float = setting(0.0, "weight of the gradient penalty at real pictures", least=0)
    r2_weight: float = setting(0.0, "weight of the gradient penalty at fake pictures", least=0)
    penalty_steps: int = setting(1, "steps between gradient penalties, whose weight is multiplied by it", least=1)
    feature_weight: float = setting(30.0, "weight of feature matching", least=0)
    mean_weight: float = setting(
        20.0, "weight of L1 on means: of colour over 16 x 16 px, of elevation over 64", least=0
    )
    relief_weight: float = setting(0.0, "weight of the difference in relief strength of each scale", least=0)
    basin_weight: float = setting(0.0, "weight of land in closed depressions, beyond that of real land", least=0)
    guide_weight: float = setting(0.0, "weight of the difference from the guide, where there is one", least=0)
    sea_weight: float = setting(0.0, "weight of L1 on the elevation of the sea", least=0)
    perceptual: str = setting("", "state dict of VGG19 or SqueezeNet 1.1 with torchvision's names")
    perceptual_weight: float = setting(0.0, "weight of the perceptual loss on terrain and on height as grey", least=0)
    projected: bool = setting(
        False, "discriminate the features of --perceptual too, of terrain and relief (Projected GAN)"
    )
    projected_scales: int = setting(1, "sizes that --projected discriminates, each half of the one before", least=1)
    leak_weight: float = setting(0.0, "weight of the correlation of albedo and slopes", least=0)
    power_weight: float = setting(
        0.0, "weight of the difference in power of colours and heights at each frequency, in squares of 64 px", least=0
    )
    relief: str = setting("", "weights whose heights the generator keeps, to learn colours only; start from the same")
    held_weight: float = setting(8.0, "weight of the difference from the heights of --relief", least=0)
    hold_detail: bool = setting(False, "keep the last two layers of the generator as they start")
    align_phases: bool = setting(False, "keep the mesh of 2 px out of the last layer in every step")

    discriminator_widths: tuple[int, ...] = setting(
        (48, 96, 192, 256), "channels of each stride-2 convolution", least=1
    )
    discriminator_scales: int = setting(
        2, "scales, each half the size of the one before; a quarter for the reference networks", least=1
    )
    spectral_norm: bool = setting(True, "limit the discriminator's weights by their spectral norm")
    augment: tuple[str, ...] = setting((), "differentiable augmentation of the discriminator's input",
                                       ("colour", "translation", "cutout"))  # fmt: skip
    style_noise: float = setting(0.3, "standard deviation of the noise added to real styles", least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.crop_px % 16:
            raise TrainingError(f"crop_px must be a multiple of 16, not {self.crop_px}.")
        if self.widths and self.network not in ("spade-local", "spade-guided"):
            raise TrainingError(f"widths is for spade-local and spade-guided, not for {self.network}.")
        if self.snow and self.network not in ("spade-local", "spade-guided"):
            raise TrainingError(f"snow is for spade-local and spade-guided, not for {self.network}.")
        if self.widths and len(self.widths) != LEVELS:
            raise TrainingError(f"widths must be {LEVELS} numbers, one for each level of the generator, not "
                                f"{len(self.widths)}.")  # fmt: skip
        if self.needs_perceptual and not self.perceptual:
            from trainer.losses.perceptual import HOW_TO_GET

            user = "The projected discriminator" if self.projected else "The perceptual loss"
            raise TrainingError(f"{user} needs a network, as --perceptual FILE; {HOW_TO_GET}.")
        if self.projected and self.network not in ("spade-local", "spade-guided"):
            raise TrainingError(f"projected is for spade-local and spade-guided, not for {self.network}.")
        if self.power_weight and self.crop_px < POWER_TILE_PX:
            raise TrainingError(f"power_weight needs a crop_px of at least {POWER_TILE_PX}, not {self.crop_px}.")
        if self.align_phases and self.network not in ("spade-local", "spade-guided"):
            raise TrainingError(f"align_phases is for spade-local and spade-guided, not for {self.network}.")
        if self.relief and self.network not in ("spade-local", "spade-guided"):
            raise TrainingError(f"relief is for spade-local and spade-guided, not for {self.network}.")
        if self.align_phases and self.hold_detail:
            raise TrainingError("align_phases changes the last layer, which hold_detail keeps: choose one of them.")
        if self.free_fraction > 0.5:
            raise TrainingError(f"free_fraction must be at most 0.5, not {self.free_fraction}.")
        if self.free_fraction and self.network != "spade-guided":
            raise TrainingError(f"free_fraction is for the network spade-guided, not for {self.network}.")
        if self.guide_weight and self.network != "spade-guided":
            raise TrainingError(f"guide_weight is for the network spade-guided, not for {self.network}.")
        least_px = _LEAST_PROJECTED_PX << self.projected_scales - 1
        if self.projected and self.crop_px < least_px:
            raise TrainingError(
                f"projected with projected_scales {self.projected_scales} needs a crop_px of at least {least_px}, not "
                f"{self.crop_px}."
            )
        if self.projected and (self.adversarial == "segmentation" or self.r1_weight or self.r2_weight):
            raise TrainingError("projected supports neither the segmentation loss nor gradient penalties.")

    @property
    def loss_network(self) -> Path | None:
        """The network of `perceptual`, where it is used."""
        return Path(self.perceptual) if self.needs_perceptual else None

    @property
    def needs_perceptual(self) -> bool:
        """Whether the network of `perceptual` is used."""
        return bool(self.perceptual_weight) or self.projected
