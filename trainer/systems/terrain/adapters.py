"""What the two families of terrain networks generate, and what their discriminators are given.

An adapter is the only place that knows the colour space, the encoding and the random inputs of a family.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.models.encoding import lab_from_srgb, srgb_from_lab
from terrainpaint.models.noise import seeded
from terrainpaint.models.shadow import INNER, shaded
from trainer.networks.multiscale_discriminator import MultiscaleDiscriminator, Norm
from trainer.systems.terrain.crop_guides import guide_of_program
from trainer.systems.terrain.discriminators import (
    LOCAL_CHANNELS,
    REFERENCE_CHANNELS,
    ReferenceDiscriminator,
    ReferenceDiscriminatorConfig,
    local_input,
    reference_input,
)
from trainer.systems.terrain.styles import Styles
from trainer.systems.terrain.terrain_crops import Crops, CropSource


@dataclass(frozen=True)
class TerrainNetworks:
    """A generator and its shadow generator: those that are trained, or their averages."""

    generator: Any
    shadow: Any

    @classmethod
    def of(cls, networks: nn.ModuleDict) -> TerrainNetworks:
        """The two of a system or of its averages."""
        return cls(networks["generator"], networks["shadow"])


@dataclass(frozen=True)
class Fake:
    """Generated land: `picture` (N, K, C, C) the input of the discriminator, of which the first three channels are the
    shaded picture and the fourth the encoded elevation; `albedo` (N, 3, C, C) in the colour space and range of the
    picture; `height` (N, 1, C, C) metres. `held` is the difference of the generator's own elevations from those of the
    held relief, which all of these have then; None without one."""

    picture: Tensor
    albedo: Tensor
    height: Tensor
    held: Tensor | None = None


class Adapter(ABC):
    """Access to the networks of a family, in the colour space that they are trained in.

    C is the side of a crop, C + 3 that of a crop with its border.
    """

    channels: ClassVar[int]
    """Of the discriminator's input."""

    def __init__(self, networks: TerrainNetworks, pixel_size_m: float) -> None:
        self.networks, self.pixel_size_m = networks, pixel_size_m

    @staticmethod
    @abstractmethod
    def new_discriminator(widths: tuple[int, ...], scales: int, norm: Norm) -> nn.Module:
        """A discriminator with random weights; `widths` are the channels of its stride-2 convolutions."""

    @abstractmethod
    def measure_styles(self, source: CropSource, random: torch.Generator) -> None:
        """Measure the styles of real land, if the generator has style inputs."""

    def crops(
        self, source: CropSource, count: int, random: torch.Generator, shard: slice, is_free: NDArray[np.bool_]
    ) -> Crops:
        """The crops `shard` of `count` random ones to train on, with all inputs of the generator.
        `is_free` (`count`,): which of them get a natural guide in any case."""
        return source.draw(count, random, shard)

    @abstractmethod
    def style(self, crops: Crops, noise: float, random: torch.Generator, count: int, shard: slice) -> Tensor:
        """(N, S, r, c): the style inputs at the generator's knots, for the crops `shard` of the `count` of a step."""

    @abstractmethod
    def random_style(self, crops: Crops, random: torch.Generator, count: int, shard: slice) -> Tensor:
        """As `style`, but random ones, as the program draws them."""

    @abstractmethod
    def generate(self, networks: TerrainNetworks, crops: Crops, seeds: list[int], style: Tensor) -> Tensor:
        """(N, 4, C + 3, C + 3): colour and elevation as the generator outputs them, not yet shaded."""

    @abstractmethod
    def shaded(self, networks: TerrainNetworks, generated: Tensor, one_hot: Tensor) -> Fake:
        """Shade the output of `generate`; `one_hot` (N, 7, C + 3, C + 3) is the map. Both may have been flipped."""

    @abstractmethod
    def real(self, crops: Crops, height: Tensor, one_hot: Tensor) -> Tensor:
        """The discriminator's input for real land, (N, K, C, C); `height` (N, 1, C + 3, C + 3) metres."""

    @abstractmethod
    def srgb(self, picture: Tensor) -> Tensor:
        """(N, 3, C, C) sRGB in 0..1 of a discriminator's input."""

    @abstractmethod
    def lightness(self, albedo: Tensor) -> Tensor:
        """(N, 1, C, C) in 0..1."""

    @abstractmethod
    def grey_height(self, picture: Tensor) -> Tensor:
        """(N, 1, C, C): the height in a discriminator's input as grey in 0..1."""


class LocalAdapter(Adapter):
    """The default network: sRGB, slopes in true units, the style of real crops."""

    channels = LOCAL_CHANNELS

    @staticmethod
    def new_discriminator(widths: tuple[int, ...], scales: int, norm: Norm) -> nn.Module:
        """Each scale is half the size of the one before."""
        return MultiscaleDiscriminator(LOCAL_CHANNELS, widths, scales, norm)

    def measure_styles(self, source: CropSource, random: torch.Generator) -> None:
        """Measure them on crops, and store their covariance in the generator."""
        self._styles = Styles(source, self.networks.generator, random)
        self.networks.generator.style_mix.copy_(self._styles.mix)
        self.networks.generator.local_style_mix.copy_(self._styles.local_mix)

    def style(self, crops: Crops, noise: float, random: torch.Generator, count: int, shard: slice) -> Tensor:
        """The styles of the crops themselves, with noise."""
        return self._styles.of(crops, noise, torch.randn((count, len(self._styles.mix)), generator=random)[shard])

    def random_style(self, crops: Crops, random: torch.Generator, count: int, shard: slice) -> Tensor:
        """A mean for each crop, and a difference from it that varies from place to place."""
        return self._styles.random(crops, random, count, shard)

    def generate(self, networks: TerrainNetworks, crops: Crops, seeds: list[int], style: Tensor) -> Tensor:
        """Albedo in 0..1 and encoded elevation."""
        return torch.cat(networks.generator(crops.ids, crops.window, seeded(seeds), style), dim=1)

    def shaded(self, networks: TerrainNetworks, generated: Tensor, one_hot: Tensor) -> Fake:
        """The albedo in the `Fake` is in -1..1."""
        albedo, code = generated[:, :3], generated[:, 3:]
        height = networks.generator.decode_elevation(code)
        terrain = shaded(albedo[:, :, INNER, INNER], networks.shadow(height, self.pixel_size_m))
        picture = local_input(terrain, code[:, :, INNER, INNER], height[:, :, 1:-1, 1:-1],
                              one_hot[:, :, INNER, INNER], self.pixel_size_m)  # fmt: skip
        return Fake(picture, albedo[:, :, INNER, INNER] * 2 - 1, height[:, :, INNER, INNER])

    def real(self, crops: Crops, height: Tensor, one_hot: Tensor) -> Tensor:
        """The elevation is encoded from the heights as they are stored, the slopes are those of `height`."""
        code = self.networks.generator.encode_elevation(crops.height)
        return local_input(crops.texture[:, :, INNER, INNER], code[:, :, INNER, INNER], height[:, :, 1:-1, 1:-1],
                           one_hot[:, :, INNER, INNER], self.pixel_size_m)  # fmt: skip

    def srgb(self, picture: Tensor) -> Tensor:
        """The first three channels."""
        return picture[:, :3] / 2 + 0.5

    def lightness(self, albedo: Tensor) -> Tensor:
        """The mean of the three colours."""
        return albedo.mean(dim=1, keepdim=True) / 2 + 0.5

    def grey_height(self, picture: Tensor) -> Tensor:
        """White at 7,400 m."""
        return ((picture[:, 3:4] + 0.6) / 2).clamp(0, 1)


class GuidedAdapter(LocalAdapter):
    """The network with guides."""

    def crops(
        self, source: CropSource, count: int, random: torch.Generator, shard: slice, is_free: NDArray[np.bool_]
    ) -> Crops:
        """With guides."""
        return source.draw_guided(count, random, shard, is_free)

    def generate(self, networks: TerrainNetworks, crops: Crops, seeds: list[int], style: Tensor) -> Tensor:
        """Albedo in 0..1 and encoded elevation."""
        if crops.guide is None:
            guide = guide_of_program(networks.generator, seeds, crops.ids, crops.window)
        else:
            guide = crops.guide.input
        return torch.cat(networks.generator(crops.ids, crops.window, seeded(seeds), style, guide), dim=1)


class ReferenceAdapter(Adapter):
    """The networks after SPADE-Terrain-GAN: CIELAB, differences of the encoded elevation, random latents."""

    channels = REFERENCE_CHANNELS

    @staticmethod
    def new_discriminator(widths: tuple[int, ...], scales: int, norm: Norm) -> nn.Module:
        """As published; each scale is a quarter of the size of the one before."""
        factors = tuple(4**index for index in range(scales))
        discriminator = ReferenceDiscriminator(ReferenceDiscriminatorConfig(widths, factors))
        for module in list(discriminator.modules()):
            if isinstance(module, nn.Conv2d):
                norm(module)
        return discriminator

    def measure_styles(self, source: CropSource, random: torch.Generator) -> None:
        """These networks have no style inputs."""

    def style(self, crops: Crops, noise: float, random: torch.Generator, count: int, shard: slice) -> Tensor:
        """Normally distributed latents, independent of the crops."""
        latents = self.networks.generator.config.latents
        drawn = torch.randn((count, latents), generator=random)[shard].to(crops.texture.device)
        return drawn[:, :, None, None]

    def random_style(self, crops: Crops, random: torch.Generator, count: int, shard: slice) -> Tensor:
        """The same as `style`, which is random."""
        return self.style(crops, 0.0, random, count, shard)

    def generate(self, networks: TerrainNetworks, crops: Crops, seeds: list[int], style: Tensor) -> Tensor:
        """Lab and encoded elevation before tanh."""
        generated: Tensor = networks.generator.unshaded(crops.ids, crops.window, seeded(seeds), style)
        return generated

    def shaded(self, networks: TerrainNetworks, generated: Tensor, one_hot: Tensor) -> Fake:
        """The albedo in the `Fake` is Lab in -1..1."""
        code = torch.tanh(generated[:, 3:])
        picture = _reference_picture(networks.shadow.lit(generated), code, one_hot)
        height = networks.generator.decode_elevation(code)
        return Fake(picture, torch.tanh(generated[:, :3, INNER, INNER]), height[:, :, INNER, INNER])

    def real(self, crops: Crops, height: Tensor, one_hot: Tensor) -> Tensor:
        """The elevation is encoded from `height`."""
        code = self.networks.generator.encode_elevation(height)
        return _reference_picture(lab_from_srgb(crops.texture[:, :, INNER, INNER]), code, one_hot)

    def srgb(self, picture: Tensor) -> Tensor:
        """Converted from Lab."""
        return srgb_from_lab(picture[:, :3])

    def lightness(self, albedo: Tensor) -> Tensor:
        """L."""
        return albedo[:, :1] / 2 + 0.5

    def grey_height(self, picture: Tensor) -> Tensor:
        """White at the highest height that the encoding has."""
        return picture[:, 3:4] / 2 + 0.5


def measure_known_styles(adapter: Adapter, source: CropSource) -> None:
    """Measure styles as a training does, for a generator that keeps the covariance it was published with."""
    mixes = adapter.networks.generator.style_mixes()
    published = [mix.clone() for mix in mixes]
    adapter.measure_styles(source, torch.Generator().manual_seed(0))
    for mix, before in zip(mixes, published, strict=True):
        mix.copy_(before)


def one_hot_of(labels: Tensor) -> Tensor:
    """(N, H, W) int64 → (N, 7, H, W) float32."""
    return F.one_hot(labels, CLASS_COUNT).movedim(-1, 1).float()


def _reference_picture(lab: Tensor, code: Tensor, one_hot: Tensor) -> Tensor:
    return reference_input(lab, code[:, :, 1:-1, 1:-1], one_hot[:, :, INNER, INNER])
