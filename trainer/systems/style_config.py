"""Configuration of the systems that train the networks of StyleGAN2, and the shape that it asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from terrainpaint.errors import TrainingError
from trainer.loop.config import Config, setting

if TYPE_CHECKING:
    from terrainpaint.models.stylegan2 import StyleGan2Shape

AUTO_GAMMA = 0.0002
"""R1 weighs so much times the pixels of a picture, divided by the batch, where it is not given."""


@dataclass(frozen=True)
class StyleConfig(Config):
    """Networks, losses and augmentation. Raises TrainingError for values out of range."""

    size_px: int = setting(256, "side of the pictures in pixels, a power of two from 16 to 1024", least=16)
    base_channels: int = setting(16384, "channels at r px are this divided by r, and at most most_channels", least=1)
    most_channels: int = setting(512, "most channels of a resolution", least=1)
    latent: int = setting(512, "numbers of a latent, and of a style", least=1)
    mapping_layers: int = setting(2, "layers from latent to style", least=1)
    minibatch_group: int = setting(4, "images whose variety the discriminator sees together", least=1)

    adversarial: str = setting("non-saturating", "adversarial loss; relativistic: that of R3GAN",
                               ("non-saturating", "relativistic", "hinge"))  # fmt: skip
    r1_gamma: float = setting(-1.0, "weight of the gradient penalty of real pictures; below 0: 0.0002 size² / batch")
    r1_interval: int = setting(16, "steps between gradient penalties; 1: in every step", least=1)
    r2_gamma: float = setting(0.0, "weight of the gradient penalty of fake pictures", least=0)
    path_weight: float = setting(2.0, "weight of the path length regularisation; 0: none", least=0)
    path_interval: int = setting(4, "steps between path length regularisations", least=1)
    mixing: float = setting(0.9, "probability that a picture has styles of two latents", least=0)

    mirror: bool = setting(False, "mirror pictures at random; not for pictures with letters")
    augment: str = setting("none", "augmentation of what the discriminator sees: ada, with a probability that adapts, "
                           "or diff, always", ("none", "ada", "diff"))  # fmt: skip
    ada_kinds: tuple[str, ...] = setting(("blit", "geometry", "colour"), "transformations of ada",
                                         ("blit", "geometry", "colour"))  # fmt: skip
    ada_target: float = setting(0.6, "mean sign of the logits of real pictures that ada keeps")
    ada_images: float = setting(500_000.0, "images in which its probability goes from 0 to 1, at most", least=1)
    diff_kinds: tuple[str, ...] = setting(("colour", "translation", "cutout"), "transformations of diff",
                                          ("colour", "translation", "cutout"))  # fmt: skip
    freeze: int = setting(0, "finest resolutions of the discriminator that are not trained", least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mixing > 1:
            raise TrainingError(f"mixing must be at most 1, not {self.mixing}.")
        if (self.augment == "ada" and not self.ada_kinds) or (self.augment == "diff" and not self.diff_kinds):
            raise TrainingError(f"{self.augment}_kinds must name a transformation; without any, leave augment out.")

    def shape(self, channels: int) -> StyleGan2Shape:
        """The shape of the networks. Raises TrainingError for values out of range."""
        from terrainpaint.models.stylegan2 import StyleGan2Shape

        try:
            return StyleGan2Shape(
                self.size_px, channels, self.base_channels, self.most_channels, self.latent, self.mapping_layers
            )
        except ValueError as error:
            raise TrainingError(f"{error}.") from error

    def gamma(self, batch: int) -> float:
        """The weight of R1 for a batch."""
        return self.r1_gamma if self.r1_gamma >= 0 else AUTO_GAMMA * self.size_px**2 / batch
