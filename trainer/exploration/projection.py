"""Projection: the styles whose picture is most like a given one, found by descent (Karras and others 2020).

The schedule is the published one: 1,000 steps of Adam from the mean style, whose rate rises over the first 5 % and
falls over the last 25 %; noise on the style that vanishes after 75 %; the noise maps of the network are optimised too,
and kept free of structure by a penalty on their autocorrelation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from terrainpaint.core.array_file import ArrayFileError, open_arrays
from terrainpaint.core.files import why_unreadable
from terrainpaint.errors import TrainingError
from trainer.exploration.latent_models import StyleGan2Model, StyleModel
from trainer.losses.feature_distance import feature_distance
from trainer.metrics.feature_pyramid import FeaturePyramid

STEPS = 1000
_RATE, _RAMP_UP, _RAMP_DOWN = 0.1, 0.05, 0.25
_STYLE_NOISE, _STYLE_NOISE_END = 0.05, 0.75
_NOISE_PENALTY, _SMALLEST_NOISE_PX = 1e5, 8
_MOST_BYTES = 1 << 31


@dataclass(frozen=True, eq=False)
class Projection:
    """`styles` (L, W) of a picture, and the `noise` maps of all layers, (1, 1, r, r) each."""

    styles: Tensor
    noise: tuple[Tensor, ...]

    def picture(self, model: StyleModel) -> NDArray[np.uint8]:
        """(S, S, 3) uint8."""
        picture: NDArray[np.uint8] = self.pictures(model, self.styles[None])[0]
        return picture

    def pictures(self, model: StyleModel, styles: Tensor) -> NDArray[np.uint8]:
        """(N, S, S, 3) uint8 of other styles (N, L, W) with the same noise."""
        return np.concatenate([model.draw_styles(each[None], self.noise) for each in styles])


def between(one: Projection, other: Projection, part: float) -> Projection:
    """The projection at a part 0..1 of the way: styles along a straight line, noise with a variance that stays 1."""
    root = math.hypot(1 - part, part)
    noise = tuple(
        ((1 - part) * first + part * second) / root for first, second in zip(one.noise, other.noise, strict=True)
    )
    return Projection(one.styles.lerp(other.styles, part), noise)


@dataclass(frozen=True, eq=False)
class Step:
    """What a step started from: `distance` of the features, `noise_penalty` as it counts, the learning `rate`, and the
    styles and noise maps, which the next step changes."""

    distance: float
    noise_penalty: float
    rate: float
    projection: Projection


def rate_at(step: int, steps: int) -> float:
    """The learning rate of a step."""
    part = step / steps
    down = min(1.0, (1 - part) / _RAMP_DOWN)
    return _RATE * (0.5 - 0.5 * math.cos(down * math.pi)) * min(1.0, part / _RAMP_UP)


def style_noise_at(step: int, steps: int) -> float:
    """The deviation of the noise on the style, as a part of that of all styles."""
    return _STYLE_NOISE * max(0.0, 1 - step / steps / _STYLE_NOISE_END) ** 2


def project(
    model: StyleGan2Model, target: NDArray[np.uint8], features: FeaturePyramid, steps: int, seed: int, each_layer: bool
) -> Iterator[Step]:
    """Project a picture (S, S, 3) uint8: yields each of `steps` steps before it is made, and then the result.

    One style vector serves all layers (W), or with `each_layer` each has its own (W+), which is nearer to the picture
    and farther from what the network has learned.
    """
    random = torch.Generator().manual_seed(seed)
    mean, deviation = model.style_statistics()
    count = model.style_count
    w = mean.expand(count if each_layer else 1, -1).clone().requires_grad_()
    noise = [torch.randn(each.shape, generator=random).to(model.device).requires_grad_()
             for each in model.generator.synthesis.noise_maps()]  # fmt: skip
    optimizer = torch.optim.Adam([w, *noise], betas=(0.9, 0.999))
    pixels = torch.from_numpy(target).to(model.device).movedim(-1, 0)[None].float() / 127.5 - 1
    with torch.no_grad():
        wanted = features(pixels)
    for step in range(steps):
        rate = rate_at(step, steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        shift = torch.randn(w.shape, generator=random).to(model.device) * (deviation * style_noise_at(step, steps))
        picture = model.generate((w + shift).expand(count, -1)[None], noise)
        distance = feature_distance(features(picture), wanted)
        penalty = _NOISE_PENALTY * noise_penalty(noise)
        optimizer.zero_grad(set_to_none=True)
        loss: Tensor = distance + penalty
        loss.backward()  # type: ignore[no-untyped-call]
        yield Step(float(distance.detach()), float(penalty.detach()), rate, _found(w, noise, count))
        optimizer.step()
        _normalise(noise)
    with torch.no_grad():
        found = _found(w, noise, count)
        distance = feature_distance(features(model.generate(found.styles[None], found.noise)), wanted)
        yield Step(float(distance), float(_NOISE_PENALTY * noise_penalty(noise)), 0.0, found)


def noise_penalty(noise: Sequence[Tensor]) -> Tensor:
    """Squared correlation of noise maps with themselves, shifted by a pixel, at all scales down to 8 px; a scalar."""
    parts = []
    for each in noise:
        level = each
        while True:
            parts += [(level * torch.roll(level, 1, dims=axis)).mean().square() for axis in (2, 3)]
            if level.shape[-1] <= _SMALLEST_NOISE_PX:
                break
            level = F.avg_pool2d(level, 2)
    return torch.stack(parts).sum()


@torch.no_grad()
def _normalise(noise: Sequence[Tensor]) -> None:
    for each in noise:
        each -= each.mean()
        each *= torch.rsqrt(each.square().mean())


def _found(w: Tensor, noise: Sequence[Tensor], count: int) -> Projection:
    return Projection(w.detach().expand(count, -1), tuple(each.detach() for each in noise))


def projection_arrays(projection: Projection) -> dict[str, NDArray[np.float32]]:
    """What a file of a projection holds: `w` (1, L, W), as those of the published projectors, and the noise maps (r, r)
    as `noise_0` and so on."""
    noise = {f"noise_{index}": each[0, 0].cpu().numpy() for index, each in enumerate(projection.noise)}
    return {"w": projection.styles[None].cpu().numpy(), **noise}


def load_projection(path: Path, model: StyleModel) -> Projection:
    """Read a projection, for the generator that it was made with; a file of `w` alone gets the constant noise.

    Raises TrainingError when it is none, or of a generator of another shape.
    """
    maps = list(model.noise_of(0))
    try:
        with open_arrays(path, _MOST_BYTES) as stored:
            w = stored.read("w", np.float32, (1, None, None))
            if w.shape[1:] != (model.style_count, model.style_length):
                raise TrainingError(f"{path} has {w.shape[1]} styles of {w.shape[2]} numbers, and the generator "
                                    f"{model.style_count} of {model.style_length}; use the weights that it was made "
                                    "with.")  # fmt: skip
            if "noise_0" in stored.names:
                read = [stored.read(f"noise_{index}", np.float32, tuple(each.shape[2:]))
                        for index, each in enumerate(maps)]  # fmt: skip
                maps = [torch.from_numpy(each.copy())[None, None].to(model.device) for each in read]
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {why_unreadable(error)}.") from error
    except ArrayFileError as error:
        raise TrainingError(f"{path} is no projection of these weights: {error}.") from error
    return Projection(torch.from_numpy(w[0].copy()).to(model.device), tuple(maps))
