"""Configuration of the pix2pix system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from terrainpaint.errors import TrainingError
from trainer.loop.config import Config, listed, setting
from trainer.networks.pix2pix_shapes import FIELDS, NORMS, PADDINGS, PatchShape, UNetShape

if TYPE_CHECKING:
    from terrainpaint.models.look import LookConfig

SIZES_PX = (32, 64, 128, 256, 512, 1024)
LARGEST_WIDTH = 256
LARGEST_LOOK = 512
"""A file may not ask for networks that no computer could hold."""
GENERATORS = ("unet", "local")


@dataclass(frozen=True)
class Pix2pixConfig(Config):
    """Networks, losses and crops. Raises TrainingError for values out of range."""

    reverse: bool = setting(False, "learn to make the source pictures of the set from its target pictures")
    size_px: int = setting(256, f"side of the crops in pixels: {listed([str(size) for size in SIZES_PX])}", least=1)
    cut: str = setting(
        "patches", "crops of a pair: a grid of patches, the whole picture reduced, or places at random",
        ("patches", "resize", "crops"),
    )  # fmt: skip
    jitter_px: int = setting(30, "enlarge patches and whole pictures by so many pixels and cut them at random", least=0)
    mirror: bool = setting(True, "mirror crops left to right at random")

    generator: str = setting("unet", "unet, or a local network that the program can use as a look", GENERATORS)
    width: int = setting(64, "channels of the U-Net at half of the size; they double down to 8 times", least=1)
    norm: str = setting(
        "batch", "norm of the U-Net; local: over the channels of each pixel, not over the picture", NORMS
    )
    dropout: float = setting(0.5, "probability of a feature to be left out in the first levels of the decoder", least=0)
    look_widths: tuple[int, ...] = setting((128, 64, 32), "channels of the local network at 1/8, 1/4 and 1/2", least=1)
    look_blocks: tuple[int, ...] = setting(
        (2, 1, 1), "residual blocks of the local network at 1/8, 1/4 and 1/2", least=0
    )

    field: int = setting(
        70, f"pixels of what a logit of the discriminator sees: {listed([str(px) for px in sorted(FIELDS)])}"
    )
    discriminator_width: int = setting(64, "channels of the first layer of the discriminator", least=1)
    discriminator_norm: str = setting("batch", "norm of the discriminator", NORMS)
    padding: str = setting(
        "same", "of the discriminator: same keeps the size at stride 1, one pads by a pixel as the paper's code",
        PADDINGS,
    )  # fmt: skip

    adversarial: str = setting("bce", "adversarial loss: binary cross-entropy, or least squares", ("bce", "lsgan"))
    adversarial_weight: float = setting(1.0, "weight of the adversarial loss in the generator's; 0: L1 alone", least=0)
    l1_weight: float = setting(100.0, "weight of the mean absolute difference from the target", least=0)
    halve: bool = setting(False, "halve the discriminator's loss, as the paper does")
    order: str = setting(
        "together", "together: both gradients are those before the step; in-turn: the generator's follows the "
        "discriminator's step", ("together", "in-turn"),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, possible in (("size_px", SIZES_PX), ("field", sorted(FIELDS))):
            if getattr(self, name) not in possible:
                raise TrainingError(
                    f"{name} must be {listed([str(number) for number in possible])}, not {getattr(self, name)}."
                )
        for name in ("width", "discriminator_width"):
            if getattr(self, name) > LARGEST_WIDTH:
                raise TrainingError(f"{name} must be at most {LARGEST_WIDTH}, not {getattr(self, name)}.")
        if not self.dropout < 1:
            raise TrainingError(f"dropout must be below 1, not {self.dropout}.")
        if self.jitter_px > self.size_px:
            raise TrainingError(f"jitter_px must be at most size_px, {self.size_px}, not {self.jitter_px}.")
        for name, most in (("look_widths", LARGEST_LOOK), ("look_blocks", 16)):
            values = getattr(self, name)
            if len(values) != 3 or max(values) > most:
                given = " ".join(map(str, values))
                raise TrainingError(f"{name} must be three numbers of at most {most}, not {given}.")
        # A norm over space needs more than one place.
        least = 2 if self.discriminator_norm in ("batch", "instance") else 1
        if self.patch_shape.logits_px(self.size_px) < least:
            raise TrainingError(f"A field of {self.field} px is too large for crops of {self.size_px} px; choose a "
                                "smaller field or a larger size_px.")  # fmt: skip

    @property
    def unet_shape(self) -> UNetShape:
        """The shape of the U-Net."""
        return UNetShape(self.size_px, self.width, self.norm, self.dropout)

    @property
    def look_config(self) -> LookConfig:
        """The configuration of the local network. Raises TrainingError when it would read too far."""
        from terrainpaint.models.look import LookConfig

        (a, b, c), (d, e, f) = self.look_widths, self.look_blocks
        try:
            return LookConfig((a, b, c), (d, e, f))
        except ValueError as error:
            raise TrainingError(f"look_blocks are out of range: {error}.") from error

    @property
    def patch_shape(self) -> PatchShape:
        """The shape of the discriminator."""
        return PatchShape(self.field, self.discriminator_width, self.discriminator_norm, self.padding)
