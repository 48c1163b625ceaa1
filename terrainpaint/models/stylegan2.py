"""The generator of StyleGAN2 (Karras and others 2020, "Analyzing and Improving the Image Quality of StyleGAN").

A mapping network turns a latent z into a style vector w. The synthesis network starts from a learned constant of 4 px;
each of its layers is modulated by a style of its own, and the pictures of all resolutions are added up (skip
architecture). Pictures have any number of channels and are not bounded: colours are trained to be in -1..1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.models.equalised import EqualisedLinear, activated, blurred, upsample

COARSEST_PX = 4
SIZES_PX = (16, 32, 64, 128, 256, 512, 1024)
_MOST_BASE, _MOST_CHANNELS, _MOST_LATENT, _MOST_LAYERS, _MOST_OUTPUTS = 1 << 17, 1024, 4096, 32, 64
"""A file may not ask for networks that no computer could hold."""
_EPSILON = 1e-8
_MAPPING_RATE = 0.01
_MEAN_DECAY = 0.995


@dataclass(frozen=True)
class StyleGan2Shape:
    """The size of the networks. Raises ValueError for values out of range.

    `size_px` side of the pictures, a power of two from 16 to 1024; `channels` of a picture; at r px there are
    `base_channels` / r channels, at most `most_channels`; `latent` numbers of z, and of w; `mapping_layers` between
    them.
    """

    size_px: int = 256
    channels: int = 3
    base_channels: int = 16384
    most_channels: int = 512
    latent: int = 512
    mapping_layers: int = 8

    def __post_init__(self) -> None:
        if self.size_px not in SIZES_PX:
            raise ValueError(f"size_px must be a power of two from {SIZES_PX[0]} to {SIZES_PX[-1]}, not "
                             f"{self.size_px!r}")  # fmt: skip
        bounds = {
            "channels": (1, _MOST_OUTPUTS), "base_channels": (self.size_px, _MOST_BASE),
            "most_channels": (1, _MOST_CHANNELS), "latent": (1, _MOST_LATENT), "mapping_layers": (1, _MOST_LAYERS),
        }  # fmt: skip
        for name, (least, most) in bounds.items():
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                raise ValueError(f"{name} must be a whole number from {least} to {most}, not {value!r}")

    @property
    def sizes_px(self) -> tuple[int, ...]:
        """The sides of all resolutions, from 4 px."""
        return tuple(COARSEST_PX << level for level in range(int(math.log2(self.size_px // COARSEST_PX)) + 1))

    @property
    def style_count(self) -> int:
        """How many styles a picture has: two for each resolution."""
        return 2 * len(self.sizes_px)

    def channels_at(self, side_px: int) -> int:
        """Channels of the features at a resolution."""
        return min(self.base_channels // side_px, self.most_channels)


class Noise(Enum):
    """The noise that is added to the features of each layer: RANDOM from the global generator of torch, CONST always
    the same maps, which are part of the network, NONE nothing."""

    RANDOM = auto()
    CONST = auto()
    NONE = auto()


def latents_of(seeds: Sequence[int], size: int) -> Tensor:
    """(N, `size`) float32: the latent of each seed, as the published generators draw it with numpy."""
    return torch.from_numpy(np.stack([np.random.RandomState(seed).randn(size) for seed in seeds])).float()


class MappingNetwork(nn.Module):
    """Latent z → style vector w. `mean`, a buffer (W,), is the moving mean of w in training."""

    mean: Tensor

    def __init__(self, shape: StyleGan2Shape) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            EqualisedLinear(shape.latent, shape.latent, rate=_MAPPING_RATE, activate=True)
            for _ in range(shape.mapping_layers)
        )
        self.register_buffer("mean", torch.zeros(shape.latent))

    def forward(self, z: Tensor) -> Tensor:
        """(N, Z) → (N, W), in float32."""
        with torch.autocast(z.device.type, enabled=False):
            x = z.float()
            x = x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + _EPSILON)
            for layer in self.layers:
                x = layer(x)
            return x

    @torch.no_grad()
    def track_mean(self, w: Tensor) -> None:
        """Move the mean towards those of a batch (N, W)."""
        self.mean.copy_(w.mean(dim=0).lerp(self.mean, _MEAN_DECAY))

    def truncate(self, w: Tensor, truncation: float) -> Tensor:
        """(…, W) moved towards the mean: 1 leaves it, 0 is the mean itself."""
        return w if truncation == 1 else self.mean.lerp(w, truncation)


class ModulatedConv(nn.Module):
    """Convolution whose inputs are scaled by a style; `demodulate` brings the outputs back to variance 1, `up` doubles
    the size."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, latent: int, up: bool = False, demodulate: bool = True
    ) -> None:
        super().__init__()
        self.style = EqualisedLinear(latent, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self._gain, self._up, self._demodulate = 1 / math.sqrt(inputs * kernel**2), up, demodulate

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """(N, inputs, H, W) and a style vector (N, W) → (N, outputs, H, W), or twice both sides."""
        with torch.autocast(x.device.type, enabled=False):
            scale = self.style(w.float())
        # Scaling inputs and outputs is the same as scaling the weights, and needs no convolution for each picture.
        x = x * scale[:, :, None, None].to(x.dtype)
        weight = self.weight * self._gain
        if self._up:
            x = blurred(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2), 1, gain=4.0)
        else:
            x = F.conv2d(x, weight, padding=weight.shape[-1] // 2)
        if self._demodulate:
            with torch.autocast(x.device.type, enabled=False):
                squares = scale.square() @ self.weight.float().square().sum(dim=(2, 3)).T
                norm = torch.rsqrt(squares + _EPSILON) / self._gain
            x = x * norm[:, :, None, None].to(x.dtype)
        return x


class SynthesisLayer(nn.Module):
    """Modulated convolution, noise, bias and leaky ReLU."""

    noise: Tensor

    def __init__(self, inputs: int, outputs: int, latent: int, side_px: int, up: bool) -> None:
        super().__init__()
        self.conv = ModulatedConv(inputs, outputs, 3, latent, up)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("noise", torch.randn(1, 1, side_px, side_px))

    def forward(self, x: Tensor, w: Tensor, noise: Noise | Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, outputs, H, W), or twice both sides."""
        x = self.conv(x, w)
        match noise:
            case Noise.NONE:
                drawn = None
            case Noise.CONST:
                drawn = self.noise
            case Noise.RANDOM:
                # On the processor, so that a run is the same on every device.
                drawn = torch.randn((len(x), 1, *x.shape[2:])).to(x.device)
            case maps:
                drawn = maps
        if drawn is not None:
            x = x + (drawn * self.strength).to(x.dtype)
        return activated(x + self.bias[:, None, None].to(x.dtype))


class ToPicture(nn.Module):
    """Features → channels of the picture: a modulated 1x1 convolution without demodulation."""

    def __init__(self, inputs: int, channels: int, latent: int) -> None:
        super().__init__()
        self.conv = ModulatedConv(inputs, channels, 1, latent, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, channels, H, W) float32."""
        picture: Tensor = self.conv(x, w).float()
        return picture + self.bias[:, None, None]


class SynthesisNetwork(nn.Module):
    """Styles → picture."""

    def __init__(self, shape: StyleGan2Shape) -> None:
        super().__init__()
        self.constant = nn.Parameter(torch.randn(shape.channels_at(COARSEST_PX), COARSEST_PX, COARSEST_PX))
        self.layers, self.to_picture = nn.ModuleList(), nn.ModuleList()
        before = shape.channels_at(COARSEST_PX)
        for side_px in shape.sizes_px:
            width = shape.channels_at(side_px)
            if side_px > COARSEST_PX:
                self.layers.append(SynthesisLayer(before, width, shape.latent, side_px, up=True))
            self.layers.append(SynthesisLayer(width, width, shape.latent, side_px, up=False))
            self.to_picture.append(ToPicture(width, shape.channels, shape.latent))
            before = width

    def forward(self, styles: Tensor, noise: Noise | Sequence[Tensor] = Noise.CONST) -> Tensor:
        """(N, L, W), a style vector for each layer → (N, channels, S, S) float32.

        `noise` may be maps for all layers, as `noise_maps` has them, with 1 or N maps each.
        """
        maps: Sequence[Noise | Tensor] = [noise] * len(self.layers) if isinstance(noise, Noise) else noise
        x = self.constant.expand(len(styles), -1, -1, -1)
        picture: Tensor | None = None
        for index, (layer, layer_noise) in enumerate(zip(self.layers, maps, strict=True)):
            x = layer(x, styles[:, index], layer_noise)
            if index % 2 == 0:
                # The picture of a resolution has the style of the layer that comes next.
                shown = self.to_picture[index // 2](x, styles[:, index + 1])
                picture = shown if picture is None else _enlarged(picture) + shown
        assert picture is not None
        return picture

    def noise_maps(self) -> list[Tensor]:
        """Copies of the constant noise of all layers, (1, 1, r, r) each."""
        return [layer.noise.detach().clone() for layer in self._synthesis_layers()]

    def style_weights(self) -> list[Tensor]:
        """L matrices (K, W): for each style, the weights by which w scales the inputs of the layers that use it."""
        rows: list[list[Tensor]] = [[each.conv.style.weight] for each in self._synthesis_layers()]
        rows.append([])
        for level, shown in enumerate(self.to_picture):
            assert isinstance(shown, ToPicture)
            rows[2 * level + 1].append(shown.conv.style.weight)
        return [torch.cat(weights).detach() for weights in rows]

    def _synthesis_layers(self) -> list[SynthesisLayer]:
        return [layer for layer in self.layers if isinstance(layer, SynthesisLayer)]


class StyleGan2Generator(nn.Module):
    """Latent → picture. It computes the same in training and after it."""

    def __init__(self, shape: StyleGan2Shape) -> None:
        super().__init__()
        self.shape = shape
        self.mapping, self.synthesis = MappingNetwork(shape), SynthesisNetwork(shape)

    def forward(
        self, z: Tensor, truncation: float = 1.0, cutoff: int | None = None, noise: Noise = Noise.CONST
    ) -> Tensor:
        """(N, Z) → (N, channels, S, S) float32, not bounded. `truncation` and `cutoff` as for `styles`."""
        pictures: Tensor = self.synthesis(self.styles(z, truncation, cutoff), noise)
        return pictures

    def styles(self, z: Tensor, truncation: float = 1.0, cutoff: int | None = None) -> Tensor:
        """(N, Z) → (N, L, W): the style vector of each latent, for all layers.

        `truncation` below 1 moves them towards the mean: fewer varieties, fewer faults. `cutoff` limits that to the
        first layers.
        """
        w = self.mapping(z)[:, None].expand(-1, self.shape.style_count, -1)
        count = self.shape.style_count if cutoff is None else cutoff
        return torch.cat([self.mapping.truncate(w[:, :count], truncation), w[:, count:]], dim=1)


def _enlarged(picture: Tensor) -> Tensor:
    # In float32: bfloat16 has fewer steps than the 8 bits of a picture.
    with torch.autocast(picture.device.type, enabled=False):
        return upsample(picture)
