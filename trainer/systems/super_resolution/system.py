"""Fine land as a system of the training loop: one network for both steps, told the scale, with a head for colours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.errors import TrainingError
from terrainpaint.models.fine_land import FineLandConfig, FineLandStep, ground_of, without_rim
from terrainpaint.models.fine_land_means import (
    FACTOR,
    SHORT_REACH,
    SMOOTH_REACH,
    block_means,
    enlarged,
    enlarged_smoothly,
)
from trainer.data.detail_set import DetailSet
from trainer.data.tile_set import TRAIN, VALIDATION
from trainer.loop.config import RunConfig
from trainer.loop.distributed import World
from trainer.loop.precision import autocast
from trainer.loop.system import DISCRIMINATOR, Build, Losses
from trainer.networks.multiscale_discriminator import MultiscaleDiscriminator
from trainer.systems.super_resolution.adversary import Adversary, begin_with, nothing_of
from trainer.systems.super_resolution.config import SuperResolutionConfig
from trainer.systems.super_resolution.crops import CropSource, LandCrops
from trainer.systems.super_resolution.land_samples import colour_row, height_row
from trainer.systems.super_resolution.land_views import (
    SEEN_CHANNELS,
    Coarse,
    coarse_of,
    disturbed,
    real_relief,
    seen,
    slopes_of,
)
from trainer.systems.super_resolution.repetition import USUAL_REPETITION, repetition

CELLS_M = (2000.0, 500.0)
"""Cells of the two steps."""
FAR_M = CELLS_M[0] * FACTOR
"""Cells of the coarsest data, which stand for those of the first step: their heights are scaled to the same slopes."""
_COLOUR_CHANNELS = 8
_SMOOTH_CELLS = 28
"""Side of the smooth land whose detail must not repeat, at most."""
_SCORED, _SHOWN = 6, 3


def land_build(details: DetailSet, run: RunConfig, config: SuperResolutionConfig) -> Build:
    """How to create the system for a detail set. The function it returns raises TrainingError when it lacks a scale."""

    def build(world: World, start: Path | None) -> FineLandSystem:
        return FineLandSystem(details, run, config, world, start)

    return build


def fine_land_configs(config: SuperResolutionConfig) -> tuple[FineLandConfig, FineLandConfig]:
    """The configurations of the networks of the two steps."""
    widths, colour_widths = config.fine_widths, config.colour_fine_widths
    first = FineLandConfig(
        CELLS_M[0], config.width, config.blocks, (widths[0], widths[1]),
        config.colour_width, config.colour_blocks, (colour_widths[0], colour_widths[1]),
    )  # fmt: skip
    return first, replace(first, cell_m=CELLS_M[1])


def steps_of(first: FineLandStep) -> tuple[FineLandStep, FineLandStep]:
    """The network as the first step, and the same weights as the second."""
    with torch.device("meta"):
        second = FineLandStep(replace(first.config, cell_m=CELLS_M[1]))
    second.heights, second.colours = first.heights, first.colours
    return first, second


@dataclass
class LandBatch:
    """Crops of heights of the step number `step`, with noise, and crops with albedo, whose noise is their own; whether
    the generator learns differences only; the fakes are kept for the generator's loss."""

    step: int
    land: LandCrops
    noise: Tensor
    coloured: LandCrops | None
    colour_noise: Tensor
    is_plain: bool = False
    fakes: dict[str, Any] | None = None

    def parts(self, count: int) -> list[LandBatch]:
        """Split into `count` batches of equal size."""
        size = len(self.noise) // count
        return [
            LandBatch(self.step, _part(self.land, at), self.noise[at],
                      None if self.coloured is None else _part(self.coloured, at), self.colour_noise[at], self.is_plain)
            for at in (slice(start, start + size) for start in range(0, count * size, size))
        ]  # fmt: skip


class FineLandSystem:
    """The networks, losses and data of a run."""

    name = "super_resolution"
    ema = ("generator",)

    def __init__(
        self, details: DetailSet, run: RunConfig, config: SuperResolutionConfig, world: World, start: Path | None
    ) -> None:
        self.config, self._run, self._device = config, run, world.device
        generator = FineLandStep(fine_land_configs(config)[0])
        widths = config.discriminator_widths
        discriminators = nn.ModuleDict({"heights": MultiscaleDiscriminator(SEEN_CHANNELS, widths, 2)})
        if config.colour_adversarial:
            discriminators["colours"] = MultiscaleDiscriminator(_COLOUR_CHANNELS, widths, 1)
        self.networks = nn.ModuleDict({"generator": generator, DISCRIMINATOR: discriminators})
        self.networks.to(world.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if start is not None:
            begin_with(generator, start, "fine land")
        self._adversary = Adversary(config.adversarial, run.precision, world.device)
        self._crop = config.crop_px + 2 * FACTOR * generator.height_margin
        self._colour_crop = config.colour_crop_px + 2 * FACTOR * generator.margin
        if max(self._crop, self._colour_crop) > details.tile_px:
            raise TrainingError(f"Crops with their margins have {max(self._crop, self._colour_crop)} px, and the tiles "
                                f"{details.tile_px} px; choose smaller crops or larger tiles.")  # fmt: skip
        self._sources = {
            (cell_m, split): CropSource(details, details.of_scale(cell_m / FACTOR, split))
            for cell_m in (*CELLS_M, FAR_M) for split in (TRAIN, VALIDATION)
        }  # fmt: skip
        for step, cell_m in enumerate(CELLS_M):
            if config.first_share != step and not len(self._sources[cell_m, TRAIN]):
                raise TrainingError(f"The set has no heights of {cell_m / FACTOR:g} m; make it with them, or set "
                                    f"first_share to {1 - step}.")  # fmt: skip
        self._fixed = self._fixed_batches()
        self._data = {"credits": details.credits}

    def batch(self, random: torch.Generator, images: int, shard: slice) -> LandBatch:
        """New crops and new noise."""
        seed = int(torch.randint(2**62, (), generator=random))
        draw = np.random.default_rng(seed)
        step = int(draw.random() >= self.config.first_share)
        is_far = step == 0 and draw.random() < self.config.far_share and len(self._sources[FAR_M, TRAIN])
        batch = self._draw(step, bool(is_far), TRAIN, self._run.batch, draw, shard)
        return replace(batch, is_plain=images < self.config.plain_images)

    def discriminator_loss(self, batch: LandBatch) -> Losses:
        """The adversarial loss of heights, and that of colours."""
        fakes = self._generate(batch, self._steps(self.networks))
        batch.fakes = fakes
        values: dict[str, Tensor] = {}
        total = torch.zeros((), device=self._device)
        discriminators = cast(nn.ModuleDict, self.networks[DISCRIMINATOR])
        if batch.is_plain:
            total = nothing_of(discriminators)
        for name in () if batch.is_plain else self._kinds(fakes):
            real, fake = fakes[f"{name} real"], fakes[f"{name} fake"]
            values[f"{name}_discriminator"] = self._adversary.of_discriminator(discriminators[name], real, fake)
            total = total + values[f"{name}_discriminator"]
        return Losses(total, values | {"discriminator": total})

    def generator_loss(self, batch: LandBatch) -> Losses:
        """The adversarial losses of the same fakes, matched features, and differences from the real land."""
        config = self.config
        fakes = batch.fakes or self._generate(batch, self._steps(self.networks))
        values: dict[str, Tensor] = {}
        total = torch.zeros((), device=self._device)
        discriminators = cast(nn.ModuleDict, self.networks[DISCRIMINATOR])
        for name in () if batch.is_plain else self._kinds(fakes):
            real, fake = fakes[f"{name} real"], fakes[f"{name} fake"]
            losses = self._adversary.of_generator(discriminators[name], real, fake)
            values[f"{name}_generator"], values[f"{name}_matching"] = losses
            total = total + config.adversarial_weight * losses[0] + config.matching_weight * losses[1]
        for name, weight in (("slopes", config.slope_weight), ("means", config.mean_weight),
                             ("repetition", config.repetition_weight), ("colours", config.colour_weight),
                             ("leak", config.leak_weight)):  # fmt: skip
            if name in fakes:
                values[name] = fakes[name]
                total = total + weight * values[name]
        return Losses(total, values | {"generator": total})

    def sample_grid(self, ema: nn.ModuleDict) -> NDArray[np.uint8]:
        """Held-out land: enlarged, generated and real, as hillshades of both steps and as colours."""
        rows = []
        for batch in self._fixed:
            fakes = self._fakes(ema, batch)
            coarse, fake, real = fakes["land"]
            rows += [height_row(coarse, fake, real, index) for index in range(_SHOWN)]
            if batch.coloured is not None:
                base, painted, truth = fakes["painted"]
                rows += [colour_row(base, painted, truth, index) for index in range(_SHOWN)]
        width = max(row.shape[1] for row in rows)
        return np.concatenate([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows])

    def validation_score(self, ema: nn.ModuleDict) -> float:
        """How far the strength of relief of one, two and four pixels and the slopes are from those of held-out land, as
        a mean of logarithms."""
        distances = []
        for batch in self._fixed:
            coarse, fake, real = self._fakes(ema, batch)["land"]
            one, two = slopes_of(coarse, fake), slopes_of(coarse, real)
            quantiles = torch.linspace(0.02, 0.98, 25)
            ranked = [torch.quantile(_sampled(each.norm(dim=1)), quantiles) for each in (one, two)]
            distances.append((ranked[0] - ranked[1]).abs().mean() / ranked[1].mean())
            for lag in (1, 2, 4):
                spread = [
                    ((height[..., lag:] - height[..., :-lag] - coarse.base[..., lag:] + coarse.base[..., :-lag])
                     / coarse.unit[..., lag:]).std()
                    for height in (fake, real)
                ]  # fmt: skip
                distances.append((spread[0] / spread[1]).log().abs())
        return float(torch.stack(distances).mean())

    def description(self) -> dict[str, Any]:
        """The networks and the data of a checkpoint."""
        first, second = fine_land_configs(self.config)
        return {"network": {"name": "fine-land", "config": {"first": asdict(first), "second": asdict(second)}},
                "data": self._data}  # fmt: skip

    def _steps(self, networks: nn.ModuleDict) -> tuple[FineLandStep, FineLandStep]:
        return steps_of(cast(FineLandStep, networks["generator"]))

    def _fixed_batches(self) -> list[LandBatch]:
        batches = []
        for step, cell_m in enumerate(CELLS_M):
            split = VALIDATION if len(self._sources[cell_m, VALIDATION]) else TRAIN
            if len(self._sources[cell_m, split]):
                draw = np.random.default_rng(0)
                torch.manual_seed(0)
                batches.append(self._draw(step, False, split, _SCORED, draw, slice(None)))
        return batches

    def _draw(
        self, step: int, is_far: bool, split: int, count: int, draw: np.random.Generator, shard: slice
    ) -> LandBatch:
        land = self._sources[FAR_M if is_far else CELLS_M[step], split].heights(count, self._crop, draw)
        far = self._sources[FAR_M, split]
        coloured = far.coloured(count, self._colour_crop, draw) if far.has_albedo() else None
        noise = torch.randn((count, 1, self._crop - 6 * FACTOR, self._crop - 6 * FACTOR))
        colour_noise = torch.randn((count, 1, self._colour_crop - 6 * FACTOR, self._colour_crop - 6 * FACTOR))
        if is_far:
            land = replace(land, height=land.height / FACTOR)
        if coloured is not None:
            coloured = replace(coloured, height=coloured.height / FACTOR)
        if split == TRAIN:
            is_disturbed = torch.rand(count) < self.config.disturbed_share
            land = replace(land, height=disturbed(land.height, is_disturbed, CELLS_M[step]))
        device = self._device
        return LandBatch(
            step, _part(land, shard, device), noise[shard].to(device),
            None if coloured is None else _part(coloured, shard, device), colour_noise[shard].to(device),
        )  # fmt: skip

    @torch.no_grad()
    def _fakes(self, ema: nn.ModuleDict, batch: LandBatch) -> dict[str, Any]:
        return self._generate(batch, self._steps(ema))

    def _generate(self, batch: LandBatch, steps: tuple[FineLandStep, FineLandStep]) -> dict[str, Any]:
        """What the discriminators see of real and generated land, and the differences."""
        step, land = steps[batch.step], batch.land
        coarse = coarse_of(step, land.height, land.water, land.known)
        with autocast(self._run.precision, self._device):
            relief = step.relief(coarse.ground, coarse.water, batch.noise)
        fake = step.with_relief(coarse.height, coarse.ground, coarse.water, relief)
        real = without_rim(land.height, FACTOR * step.height_margin)
        known = coarse.known[..., :-1, :-1]
        found: dict[str, Any] = {
            "heights real": seen(coarse, real),
            "heights fake": seen(coarse, fake),
            "slopes": ((slopes_of(coarse, fake) - slopes_of(coarse, real)).abs() * known).mean(),
            "means": block_means(relief).square().mean(),
            "repetition": self._repetition(coarse, batch.noise),
            "land": (coarse, fake, real),
        }
        if batch.coloured is not None:
            found |= self._paint(batch.coloured, batch.colour_noise, steps[0])
        return found

    def _repetition(self, coarse: Coarse, noise: Tensor) -> Tensor:
        """The detail that repeats on land as smooth as generated land may be, where a weave is seen first."""
        step = coarse.step
        cells = coarse.height.shape[-1] // FACTOR * FACTOR
        means = F.pad(block_means(coarse.height[..., :cells, :cells]), (SMOOTH_REACH,) * 4, mode="replicate")
        rim = (cells - 2 * step.relief_margin - _SMOOTH_CELLS) // 2
        height = without_rim(enlarged_smoothly(means), max(rim, 0))
        side = noise.shape[-1] - FACTOR * (coarse.height.shape[-1] - height.shape[-1])
        ground, water = ground_of(height, step.config.cell_m), torch.zeros_like(height)
        with autocast(self._run.precision, self._device):
            relief = step.relief(ground, water, noise[..., :side, :side])
        return (repetition(relief) - USUAL_REPETITION).relu().mean()

    def _paint(self, land: LandCrops, noise: Tensor, step: FineLandStep) -> dict[str, Any]:
        coarse = coarse_of(step, land.height, land.water, land.known)
        relief = real_relief(coarse, land.height)
        albedo = block_means(land.albedo)
        with autocast(self._run.precision, self._device):
            fake = step.coloured(albedo, coarse.ground, coarse.water, relief, noise)
        rim = FACTOR * step.margin
        real, known = without_rim(land.albedo, rim), without_rim(land.known, rim)
        base = enlarged(without_rim(albedo, step.margin - SHORT_REACH))
        guide = without_rim(relief, rim - FACTOR * step.relief_margin)
        rough = without_rim(coarse.ground.rough, step.margin - 3).log() / 2 + 1
        hints = torch.cat([base, guide, rough.repeat_interleave(FACTOR, 2).repeat_interleave(FACTOR, 3)], dim=1)

        def shown(picture: Tensor) -> Tensor:
            whole = torch.cat([8 * (picture - base), hints], dim=1) * known
            return whole.contiguous(memory_format=torch.channels_last)

        return {
            "colours real": shown(real),
            "colours fake": shown(fake),
            "colours": ((fake - real).abs() * known).mean(),
            "leak": self._leak(coarse, albedo, base, noise, known),
            "painted": (base, fake, real),
        }

    def _leak(self, coarse: Coarse, albedo: Tensor, base: Tensor, noise: Tensor, known: Tensor) -> Tensor:
        """The light in colours that are guided by generated relief, as they are in use."""
        step = coarse.step
        with autocast(self._run.precision, self._device):
            with torch.no_grad():
                relief = step.relief(coarse.ground, coarse.water, noise)
            fake = step.coloured(albedo, coarse.ground, coarse.water, relief, noise)
        height = step.with_relief(coarse.height, coarse.ground, coarse.water, relief)
        height = without_rim(height, FACTOR * (step.margin - step.height_margin))
        return _correlation(fake - base, height / step.config.cell_m, known)

    def _kinds(self, fakes: Mapping[str, Any]) -> list[str]:
        return [name for name in cast(nn.ModuleDict, self.networks[DISCRIMINATOR]) if f"{name} real" in fakes]


def _part(land: LandCrops, at: slice, device: torch.device | None = None) -> LandCrops:
    layers = [layer[at].to(device or layer.device) for layer in (land.height, land.water, land.known, land.albedo)]
    return LandCrops(*layers)


def _sampled(values: Tensor) -> Tensor:
    """At most a hundred thousand of the values: `quantile` takes no more than 16 million."""
    flat = values.flatten()
    return flat[:: max(1, len(flat) // 100_000)]


def _correlation(detail: Tensor, height: Tensor, known: Tensor) -> Tensor:
    """Mean squared correlation of the lightness of the detail with the slopes to the south and the east."""
    light = detail.mean(dim=1, keepdim=True)[..., 1:-1, 1:-1]
    south = height[..., 2:, 1:-1] - height[..., :-2, 1:-1]
    east = height[..., 1:-1, 2:] - height[..., 1:-1, :-2]
    slopes = torch.tanh(20 * torch.cat([south, east], dim=1)) * known[..., 1:-1, 1:-1]
    slopes = slopes - slopes.mean(dim=(2, 3), keepdim=True)
    product = (light * slopes).mean(dim=(0, 2, 3))
    power = light.square().mean() * slopes.square().mean(dim=(0, 2, 3))
    return (product.square() / (power + 1e-9)).mean()
