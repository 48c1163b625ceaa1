"""Seeds or latent vectors → layouts, and layouts like what is painted. Numpy in, numpy out."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from terrainpaint.core.dream_controls import DreamControls, measures, shifted_to
from terrainpaint.errors import OptionError
from terrainpaint.generation.dreams import FIT_STEPS, STEPS_AT_ONCE, Dreams, FitState
from terrainpaint.models.layout import latents_of, noise_of
from terrainpaint.models.layout_weights import LayoutHeader, Layouts, load_layouts

_FREE = DreamControls()
_MOST_AT_ONCE = 16
_CONTROL_STEPS = 4
"""How often layouts are drawn again to come nearer to what is asked for along the directions."""
_RATE, _MEAN_DECAY, _SQUARE_DECAY = 0.08, 0.9, 0.99
_RISE, _FALL = 0.1, 0.3
"""Parts of a fit in which the rate rises and falls."""
_PRIOR = 0.02
"""Weight of the distance from the mean latent vector: far away, layouts become scraps."""
_COARSE = (1, 4, 8)
"""The reductions at which a layout is compared with what is painted."""
_START = 0.7
"""A fit begins between the mean and a random layout."""


class Dreamer:
    """The network of one file, on the processor. For one thread at a time."""

    def __init__(self, layouts: Layouts) -> None:
        self._layouts, self._networks = layouts, layouts.networks

    @classmethod
    def load(cls, path: Path) -> Dreamer:
        """Load a file. Raises WeightsError, or DeviceError when it does not fit into memory."""
        return cls(load_layouts(path, torch.device("cpu")))

    @property
    def path(self) -> Path:
        """The file."""
        return self._layouts.path

    @property
    def header(self) -> LayoutHeader:
        """The description of the file."""
        return self._layouts.header

    def latents(self, seeds: tuple[int, ...]) -> NDArray[np.float32]:
        """(N, latent) float32: those of seeds."""
        with torch.no_grad():
            w: Tensor = self._networks.generator.w(latents_of(seeds, self.header.shape))
        return w.numpy()

    def draw(
        self,
        seeds: tuple[int, ...],
        latents: NDArray[np.float32] | None = None,
        variety: tuple[float, ...] = (),
        controls: DreamControls = _FREE,
    ) -> Dreams:
        """Layouts of seeds, or of latent vectors with the noise of the seeds; the arguments are those of
        `DreamRequest`. The same arguments give the same layouts.

        Raises OptionError for latent vectors of another network.
        """
        if latents is None:
            latents = self.latents(seeds)
        elif latents.shape != (len(seeds), self.header.shape.latent):
            raise OptionError(f"The layouts are of another network than {self.path.name}; dream new ones.")
        elif variety:
            amounts = np.array(variety, np.float32)[:, None]
            latents = np.asarray(latents + amounts * (self.latents(seeds) - latents), np.float32)
        parts = [slice(start, start + _MOST_AT_ONCE) for start in range(0, len(seeds), _MOST_AT_ONCE)]
        logits = np.concatenate([self._drawn(seeds[part], latents[part], controls) for part in parts])
        return Dreams(logits, latents, seeds)

    def fit(
        self, seeds: tuple[int, ...], shares: NDArray[np.float32], weights: NDArray[np.float32], state: FitState | None
    ) -> FitState:
        """Go on towards layouts like `shares` (7, S, S) where `weights` (S, S) are not 0; see `FitRequest`."""
        networks = self._networks
        if state is None:
            start = networks.mean_w.numpy() * (1 - _START) + self.latents(seeds) * _START
            zeros = np.zeros_like(start)
            state = FitState(0, start.astype(np.float32), np.zeros(len(seeds), np.float32), zeros, zeros.copy())
        latents, mean, square = (torch.from_numpy(each.copy()) for each in (state.latents, state.mean, state.square))
        target = torch.from_numpy(shares)[None].expand(len(seeds), -1, -1, -1)
        weight = torch.from_numpy(_balanced(shares, weights))[None, None].expand(len(seeds), -1, -1, -1)
        noise = self._noise(seeds)
        deviation = networks.deviation_w.clamp(min=1e-6)
        steps = range(state.steps, min(state.steps + STEPS_AT_ONCE, FIT_STEPS))
        for step in steps:
            latents.requires_grad_()
            with torch.enable_grad():
                misfit = _misfit(networks.generator(latents, noise), target, weight)
                prior = _PRIOR * ((latents - networks.mean_w) / deviation).square().mean(dim=1)
            (slope,) = torch.autograd.grad((misfit + prior).sum(), latents)
            latents = latents.detach()
            slope = slope * deviation
            mean.lerp_(slope, 1 - _MEAN_DECAY)
            square.lerp_(slope.square(), 1 - _SQUARE_DECAY)
            rise, fall = (step + 1) / FIT_STEPS / _RISE, (1 - step / FIT_STEPS) / _FALL
            rate = _RATE * min(1.0, rise) * (0.5 - 0.5 * math.cos(math.pi * min(1.0, fall)))
            towards = mean / (1 - _MEAN_DECAY ** (step + 1))
            size = (square / (1 - _SQUARE_DECAY ** (step + 1))).sqrt() + 1e-8
            latents -= rate * deviation * towards / size
        return FitState(steps.stop, latents.numpy(), misfit.detach().numpy(), mean.numpy(), square.numpy())

    @torch.no_grad()
    def _drawn(
        self, seeds: tuple[int, ...], latents: NDArray[np.float32], controls: DreamControls
    ) -> NDArray[np.float32]:
        networks = self._networks
        noise = self._noise(seeds)
        w = torch.from_numpy(latents.copy())
        logits: Tensor = networks.generator(w, noise)
        if controls.is_free:
            return logits.numpy()
        moved = torch.zeros(len(seeds), len(controls.wanted))
        for _ in range(_CONTROL_STEPS):
            shares = F.one_hot(logits.argmax(dim=1), logits.shape[1]).float().mean(dim=(1, 2))
            now = torch.from_numpy(measures(shares.double().numpy())).float()
            for column, wanted in enumerate(controls.wanted):
                if wanted is not None:
                    moved[:, column] += wanted - now[:, column]
            moved = torch.minimum(torch.maximum(moved, -networks.reach), networks.reach)
            logits = networks.generator(w + moved @ networks.directions, noise)
        return np.stack([shifted_to(each, controls) for each in logits.numpy()])

    def _noise(self, seeds: tuple[int, ...]) -> list[Tensor]:
        return noise_of(seeds, self.header.shape)


def _balanced(shares: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weights (S, S) where rare classes count more: without them a small island is best met by a map that is all
    sea."""
    areas = (shares * weights).sum(axis=(1, 2)) / max(float(weights.sum()), 1e-6)
    rarity = 1 / np.sqrt(np.maximum(areas, 1e-3))
    return np.asarray(weights * np.tensordot(rarity, shares, 1), np.float32)


def _misfit(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """(N,) the mean cross-entropy of each layout where the weight is not 0, coarse structures included."""
    loss = torch.zeros(len(logits))
    probabilities = logits.softmax(dim=1)
    for factor in _COARSE:
        here = F.avg_pool2d(weight, factor)
        wanted = F.avg_pool2d(target * weight, factor) / here.clamp(min=1e-6)
        found = F.avg_pool2d(probabilities * weight, factor) / here.clamp(min=1e-6)
        entropy = -(wanted * (found + 1e-4).log()).sum(dim=1, keepdim=True)
        loss = loss + (entropy * here).sum(dim=(1, 2, 3)) / here.sum(dim=(1, 2, 3)).clamp(min=1e-6)
    return loss
