"""What each family of networks makes, and how it is judged: the only file of the training that tells them apart."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.models.encoding import lab_from_srgb, srgb_from_lab
from terrainpaint.models.networks import NETWORKS, GeneratorConfig
from terrainpaint.models.noise import seeded
from terrainpaint.models.shadow import ShadowConfig, shaded
from trainer.config import TrainConfig
from trainer.crops import Crops, CropSource
from trainer.discriminator import INPUT_CHANNELS, Discriminator, Norm, judged, no_norm
from trainer.losses.perceptual import PerceptualNetwork
from trainer.projected_discriminator import ProjectedDiscriminator
from trainer.reference_discriminator import INPUT_CHANNELS as REFERENCE_CHANNELS
from trainer.reference_discriminator import ReferenceDiscriminator, ReferenceDiscriminatorConfig, judged_reference
from trainer.segmentation_discriminator import SegmentationDiscriminator
from trainer.styles import Styles

INNER = slice(1, -2)
"""Of a crop with the extra pixels around, the crop itself."""


@dataclass(frozen=True)
class Networks:
    """A generator and its shadow generator: those that are trained, or their averages."""

    generator: Any
    shadow: Any


@dataclass(frozen=True)
class Seen:
    """Made land: `shown` (N, K, C, C) what the discriminator sees, of which the first three channels are the shaded
    picture and the fourth the elevation code; `albedo` (N, 3, C, C) in the same colour space and range as the picture;
    `height` (N, 1, C, C) metres."""

    shown: Tensor
    albedo: Tensor
    height: Tensor


class System(ABC):
    """The networks of a run, in the colour space that they are trained in."""

    colour_space: str

    def __init__(self, networks: Networks, discriminator: nn.Module, pixel_size_m: float) -> None:
        self.networks, self.discriminator, self.pixel_size_m = networks, discriminator, pixel_size_m

    @abstractmethod
    def learn_styles(self, source: CropSource, random: torch.Generator) -> None:
        """Find out what styles real land has, if the generator is told them."""

    @abstractmethod
    def style(self, crops: Crops, noise: float, random: torch.Generator, count: int, share: slice) -> Tensor:
        """(N, S, r, c): what the generator is told beside the map at its knots, for crops which are `share` of the
        `count` of a step."""

    @abstractmethod
    def make(self, networks: Networks, crops: Crops, seeds: list[int], style: Tensor) -> Tensor:
        """(N, 4, C + 3, C + 3): colour and elevation as the generator paints them, not yet shaded."""

    @abstractmethod
    def seen(self, networks: Networks, made: Tensor, shares: Tensor) -> Seen:
        """Shade what was made; `shares` (N, 7, C + 3, C + 3) is the one-hot map. Both may have been flipped."""

    @abstractmethod
    def real(self, crops: Crops, height: Tensor, shares: Tensor) -> Tensor:
        """What the discriminator sees of real land, (N, K, C, C); `height` (N, 1, C + 3, C + 3) metres."""

    @abstractmethod
    def picture(self, shown: Tensor) -> Tensor:
        """(N, 3, C, C) sRGB in 0..1 of what is shown."""

    @abstractmethod
    def lightness(self, albedo: Tensor) -> Tensor:
        """(N, 1, C, C) in 0..1."""

    @abstractmethod
    def grey(self, shown: Tensor) -> Tensor:
        """(N, 1, C, C): the height of what is shown as grey in 0..1."""


class LocalSystem(System):
    """The default network: sRGB, slopes in true units, the style of real crops."""

    def learn_styles(self, source: CropSource, random: torch.Generator) -> None:
        """Measure them on crops, and tell the generator how they go together."""
        self._styles = Styles(source, self.networks.generator, random)
        self.networks.generator.style_mix.copy_(self._styles.mix)
        self.networks.generator.local_style_mix.copy_(self._styles.local_mix)

    def style(self, crops: Crops, noise: float, random: torch.Generator, count: int, share: slice) -> Tensor:
        """The styles of the crops themselves, with noise."""
        return self._styles.of(crops, noise, torch.randn((count, len(self._styles.mix)), generator=random)[share])

    def make(self, networks: Networks, crops: Crops, seeds: list[int], style: Tensor) -> Tensor:
        """Albedo in 0..1 and elevation code."""
        return torch.cat(networks.generator(crops.ids, crops.window, seeded(seeds), style), dim=1)

    def seen(self, networks: Networks, made: Tensor, shares: Tensor) -> Seen:
        """See `System`."""
        albedo, code = made[:, :3], made[:, 3:]
        height = networks.generator.height(code)
        terrain = shaded(albedo[:, :, INNER, INNER], networks.shadow(height, self.pixel_size_m))
        shown = judged(terrain, code[:, :, INNER, INNER], height[:, :, 1:-1, 1:-1],
                       shares[:, :, INNER, INNER], self.pixel_size_m)  # fmt: skip
        return Seen(shown, albedo[:, :, INNER, INNER] * 2 - 1, height[:, :, INNER, INNER])

    def real(self, crops: Crops, height: Tensor, shares: Tensor) -> Tensor:
        """See `System`."""
        code = self.networks.generator.code(crops.height)
        return judged(crops.texture[:, :, INNER, INNER], code[:, :, INNER, INNER], height[:, :, 1:-1, 1:-1],
                      shares[:, :, INNER, INNER], self.pixel_size_m)  # fmt: skip

    def picture(self, shown: Tensor) -> Tensor:
        """See `System`."""
        return shown[:, :3] / 2 + 0.5

    def lightness(self, albedo: Tensor) -> Tensor:
        """The mean of the three colours."""
        return albedo.mean(dim=1, keepdim=True) / 2 + 0.5

    def grey(self, shown: Tensor) -> Tensor:
        """White at 7,400 m."""
        return ((shown[:, 3:4] + 0.6) / 2).clamp(0, 1)


class ReferenceSystem(System):
    """The networks after SPADE-Terrain-GAN: CIELAB, differences of the elevation code, latent numbers at random."""

    def learn_styles(self, source: CropSource, random: torch.Generator) -> None:
        """There are none."""

    def style(self, crops: Crops, noise: float, random: torch.Generator, count: int, share: slice) -> Tensor:
        """Normal numbers, whatever the crops are."""
        latents = self.networks.generator.config.latents
        drawn = torch.randn((count, latents), generator=random)[share].to(crops.texture.device)
        return drawn[:, :, None, None]

    def make(self, networks: Networks, crops: Crops, seeds: list[int], style: Tensor) -> Tensor:
        """Lab and elevation code before tanh."""
        painted: Tensor = networks.generator.painted(crops.ids, crops.window, seeded(seeds), style)
        return painted

    def seen(self, networks: Networks, made: Tensor, shares: Tensor) -> Seen:
        """See `System`."""
        code = torch.tanh(made[:, 3:])
        shown = _shown(networks.shadow.lit(made), code, shares)
        height = networks.generator.height(code)
        return Seen(shown, torch.tanh(made[:, :3, INNER, INNER]), height[:, :, INNER, INNER])

    def real(self, crops: Crops, height: Tensor, shares: Tensor) -> Tensor:
        """See `System`."""
        code = self.networks.generator.code(height)
        return _shown(lab_from_srgb(crops.texture[:, :, INNER, INNER]), code, shares)

    def picture(self, shown: Tensor) -> Tensor:
        """See `System`."""
        return srgb_from_lab(shown[:, :3])

    def lightness(self, albedo: Tensor) -> Tensor:
        """L."""
        return albedo[:, :1] / 2 + 0.5

    def grey(self, shown: Tensor) -> Tensor:
        """White at the highest height there is."""
        return shown[:, 3:4] / 2 + 0.5


def _shown(lab: Tensor, code: Tensor, shares: Tensor) -> Tensor:
    return judged_reference(lab, code[:, :, 1:-1, 1:-1], shares[:, :, INNER, INNER])


def build_system(
    config: TrainConfig,
    shape: GeneratorConfig | None,
    perceptual: PerceptualNetwork | None,
    pixel_size_m: float,
    device: torch.device,
) -> System:
    """New networks with first values drawn from torch's own random state; `shape` None: as published."""
    network = NETWORKS[config.network]
    generator = network.generator_of(shape or network.config()).to(device)
    shadow = network.shadow(ShadowConfig()).to(device)
    kind = LocalSystem if config.network == "spade-local" else ReferenceSystem
    discriminator = _discriminator(config)
    if config.projected and perceptual is not None:
        discriminator = ProjectedDiscriminator(discriminator, perceptual, _norm(config))
    discriminator.to(device)
    for module in (generator, discriminator):
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return kind(Networks(generator, shadow), discriminator, pixel_size_m)


def _discriminator(config: TrainConfig) -> nn.Module:
    widths, norm = config.discriminator_widths, _norm(config)
    is_local = config.network == "spade-local"
    if config.adversarial == "segmentation":
        return SegmentationDiscriminator(widths, norm, INPUT_CHANNELS if is_local else REFERENCE_CHANNELS)
    if is_local:
        return Discriminator(widths, config.discriminator_scales, norm)
    scales = tuple(4**index for index in range(config.discriminator_scales))
    found = ReferenceDiscriminator(ReferenceDiscriminatorConfig(widths, scales))
    for each in list(found.modules()):
        if isinstance(each, nn.Conv2d):
            norm(each)
    return found


def _norm(config: TrainConfig) -> Norm:
    return spectral_norm if config.spectral_norm else no_norm


def one_hot(labels: Tensor) -> Tensor:
    """(N, H, W) int64 → (N, 7, H, W) float32."""
    return F.one_hot(labels, CLASS_COUNT).movedim(-1, 1).float()
