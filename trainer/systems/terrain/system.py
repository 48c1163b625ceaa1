"""Terrain as a system of the training loop: SPADE generator, shadow generator and discriminator.

Every fake is shown to the discriminator twice: as it is, and with its albedo and height flipped before it is shaded
again. Light that leaked into the albedo then comes from the wrong side, so the discriminator teaches the generator to
leave the shading to the shadow generator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from terrainpaint.core.classes import WATER
from terrainpaint.models.shadow import INNER
from terrainpaint.models.terrain_generator import GeneratorConfig
from trainer.data.tile_set import TRAIN, VALIDATION, TileSet
from trainer.loop.config import RunConfig
from trainer.loop.distributed import World
from trainer.loop.precision import autocast
from trainer.loop.system import DISCRIMINATOR, Build, Losses
from trainer.losses.adversarial import ADVERSARIAL, Adversarial
from trainer.losses.gradient_penalty import gradient_penalty
from trainer.losses.matching import feature_matching, mean_difference
from trainer.losses.perceptual import PerceptualNetwork, load_perceptual, perceptual_loss
from trainer.systems.terrain.adapters import Fake, TerrainNetworks, one_hot_of
from trainer.systems.terrain.batch import TerrainBatch, draw_batch
from trainer.systems.terrain.build import ADAPTERS, build_networks, held_relief, warm_start
from trainer.systems.terrain.config import TerrainConfig
from trainer.systems.terrain.crop_guides import guide_difference
from trainer.systems.terrain.discriminators import segmentation_loss
from trainer.systems.terrain.losses import (
    COLOUR_AREA_PX,
    ELEVATION_AREA_PX,
    basin_excess,
    elevation_difference,
    relief_energy,
    sea_level,
    shading_leak,
)
from trainer.systems.terrain.phases import align_detail
from trainer.systems.terrain.power import LEAST_M, colour_power, power_difference
from trainer.systems.terrain.samples import MeasuredCrops, Samples
from trainer.systems.terrain.terrain_crops import CropSource


def terrain_build(
    tiles: TileSet, run: RunConfig, config: TerrainConfig, network: GeneratorConfig | None = None
) -> Build:
    """How to create the system for a set of tiles; `network` configures the generator, None for the default.

    The function it returns raises TrainingError for tiles without heights or maps, or too small for the crops.
    """

    def build(world: World, start: Path | None) -> TerrainSystem:
        return TerrainSystem(tiles, run, config, network, world, start)

    return build


class TerrainSystem:
    """The networks, losses and data of a terrain run."""

    name = "terrain"
    ema = ("generator", "shadow")

    def __init__(
        self,
        tiles: TileSet,
        run: RunConfig,
        config: TerrainConfig,
        network: GeneratorConfig | None,
        world: World,
        start: Path | None,
    ) -> None:
        tiles.require_heights()
        self._run, self.config, self._device = run, config, world.device
        perceptual = load_perceptual(Path(config.perceptual)) if config.needs_perceptual else None
        self.networks = build_networks(config, network, perceptual, world.device)
        self._terrain = TerrainNetworks.of(self.networks)
        self._discriminator = self.networks[DISCRIMINATOR]
        if start is not None:
            warm_start(self.networks, start)
        if config.hold_detail:
            for layer in (self._terrain.generator.head_in, self._terrain.generator.head_out):
                layer.requires_grad_(False)
        self._relief = held_relief(config, self._terrain, world.device)
        self._source = CropSource(
            tiles.subset(TRAIN), self._terrain.generator, config.crop_px, world.device, config.rescale, config.turn,
            config.simple_maps,
        )  # fmt: skip
        self._adapter = ADAPTERS[config.network](self._terrain, tiles.pixel_size_m)
        self._adapter.measure_styles(self._source, torch.Generator().manual_seed(run.seed))
        is_segmentation = config.adversarial == "segmentation"
        self._class_weights = self._source.class_weights() if is_segmentation else torch.ones(0)
        self._perceptual: PerceptualNetwork | None = perceptual.to(world.device) if perceptual else None
        held_out = tiles.subset(VALIDATION)
        shown = CropSource(held_out, self._terrain.generator, config.crop_px, world.device) if len(held_out) else None
        self._samples = Samples(self._adapter, shown or self._source)
        self._measured = MeasuredCrops(self._adapter, shown) if shown else None
        self._data = {"style": tiles.style, "credits": tiles.credits, "pixel_size_m": tiles.pixel_size_m}

    def batch(self, random: torch.Generator, images: int, shard: slice) -> TerrainBatch:
        """Crops of the training tiles."""
        run = self._run
        return draw_batch(self._adapter, self._source, self.config, run.batch, run.seed, random, images, shard)

    def discriminator_loss(self, batch: TerrainBatch) -> Losses:
        """The adversarial loss and the gradient penalties; stores fakes and features in the batch."""
        if self.config.align_phases:
            align_detail(self._terrain.generator)
        crops = batch.crops
        # Heights are stored in whole metres, generated ones are continuous: the difference must not give them away.
        height = torch.where(crops.height > 0, crops.height + batch.rounding, crops.height)
        batch.real = self._adapter.real(crops, height, one_hot_of(crops.labels))
        with torch.set_grad_enabled(batch.keeps_graph):
            fake = self._generate(batch)
        batch.fake = fake if batch.keeps_graph else None
        adversarial = self._adversarial(batch)
        scales = self._discriminate(torch.cat([batch.real, fake.picture.detach()]), batch)
        count = len(batch.real)
        losses = [adversarial.discriminator(scale[-1][:count].float(), scale[-1][count:].float()) for scale in scales]
        loss = torch.stack(losses).sum() / len(losses)
        batch.real_features = [[features[:count].detach() for features in scale[:-1]] for scale in scales]
        penalties = self._penalties(batch, batch.real, fake.picture, adversarial)
        weights = {"r1": self.config.r1_weight, "r2": self.config.r2_weight}
        total = loss
        for name, penalty in penalties.items():
            total = total + weights[name] * self.config.penalty_steps * penalty
        return Losses(total, {"discriminator": loss, **penalties})

    def generator_loss(self, batch: TerrainBatch) -> Losses:
        """The adversarial loss and those that compare with the real crop."""
        config, adapter = self.config, self._adapter
        assert batch.real is not None and batch.real_features is not None
        fake = batch.fake or self._generate(batch)
        count = len(batch.real)
        scales = self._discriminate(fake.picture, batch)
        adversarial = self._adversarial(batch)
        real_logits: Sequence[Tensor | None] = [None] * len(scales)
        if adversarial.needs_real:
            with torch.no_grad():
                real_logits = [scale[-1].float() for scale in self._discriminate(batch.real, batch)]
        losses = [
            adversarial.generator(scale[-1].float(), logits) for scale, logits in zip(scales, real_logits, strict=True)
        ]
        # Weights and values. The losses that compare with the real crop see the fake that is not flipped, and only that
        # of crops whose style and guide are given.
        terms = {"adversarial": (1.0, torch.stack(losses).sum() / len(losses))}
        compared = batch.compared
        picture, albedo, height = (each[:count][compared] for each in (fake.picture, fake.albedo, fake.height))
        real, inner_height = batch.real[compared], batch.crops.height[:, :, INNER, INNER]
        if config.feature_weight:
            features = [[each[:count][compared] for each in scale[:-1]] for scale in scales]
            real_features = [[each[compared] for each in scale] for scale in batch.real_features]
            terms["features"] = config.feature_weight, feature_matching(features, real_features)
        if config.mean_weight:
            # Hills have sunny and shady sides: over an area, shading leaves the colour of the albedo as it is.
            colours = torch.cat([albedo, picture[:, :3]], dim=1)
            colour = mean_difference(colours, real[:, :3].repeat(1, 2, 1, 1), COLOUR_AREA_PX)
            terms["colour"] = config.mean_weight, colour
            # Level ground is easier at low elevations, where the encoding is flat: without this, plateaus sink.
            elevation = mean_difference(picture[:, 3:4], real[:, 3:4], ELEVATION_AREA_PX)
            terms["elevation"] = config.mean_weight, elevation
        if config.relief_weight:
            terms["relief"] = config.relief_weight, relief_energy(height, inner_height[compared])
        if config.basin_weight:
            water = (batch.crops.labels[:, None, INNER, INNER] == WATER) | (inner_height == 0)
            terms["basins"] = config.basin_weight, basin_excess(fake.height[:count], inner_height, water)
        if batch.crops.guide is not None and config.guide_weight:
            inner_labels = batch.crops.labels[compared][:, INNER, INNER]
            followed = batch.crops.guide.followed[compared]
            difference = guide_difference(picture[:, 3:4], real[:, 3:4], inner_labels, followed)
            terms["guide"] = config.guide_weight, difference
        if fake.held is not None:
            terms["held"] = config.held_weight, fake.held
        if config.sea_weight:
            inner_labels = batch.crops.labels[:, INNER, INNER]
            codes = fake.picture[:count, 3:4], batch.real[:, 3:4]
            terms["sea"] = config.sea_weight, sea_level(*codes, inner_height, inner_labels)
        if config.power_weight:
            power = power_difference(height, inner_height[compared], LEAST_M)
            # The gradient goes to the albedo alone: relief would get rough to shade what the albedo lacks.
            colours = picture[:, :3].detach() + albedo - albedo.detach()
            power = power + colour_power(255 * adapter.srgb(colours), 255 * adapter.srgb(real))
            terms["power"] = config.power_weight, power
        if self._perceptual is not None and config.perceptual_weight:
            with autocast(self._run.precision, self._device):
                pictures = adapter.srgb(picture), adapter.srgb(real)
                heights = adapter.grey_height(picture), adapter.grey_height(real)
                perceptual = perceptual_loss(self._perceptual, *pictures) + perceptual_loss(self._perceptual, *heights)
            terms["perceptual"] = config.perceptual_weight, perceptual
        if config.leak_weight:
            lightness = adapter.lightness(fake.albedo[:count])
            leak = shading_leak(lightness, fake.height[:count], adapter.pixel_size_m)
            terms["leak"] = config.leak_weight, leak
        total = torch.stack([weight * value for weight, value in terms.values()]).sum()
        return Losses(total, {name: value for name, (_, value) in terms.items()})

    def sample_grid(self, ema: nn.ModuleDict) -> NDArray[np.uint8]:
        """See `samples.terrain_grid`."""
        return self._samples.grid(TerrainNetworks.of(ema))

    def validation_score(self, ema: nn.ModuleDict) -> float:
        """Sliced Wasserstein distance of picture and elevation on held-out crops."""
        return self._samples.distance(TerrainNetworks.of(ema))

    def real_pictures(self, count: int) -> NDArray[np.uint8]:
        """(`count`, C, C, 3): crops of the pictures of held-out land; none where nothing is held out."""
        side = self.config.crop_px
        return np.zeros((0, side, side, 3), np.uint8) if self._measured is None else self._measured.real(count)

    def generated_pictures(self, ema: nn.ModuleDict, count: int) -> NDArray[np.uint8]:
        """(`count`, C, C, 3): terrain, shaded, of the maps of these crops."""
        assert self._measured is not None
        return self._measured.generated(TerrainNetworks.of(ema), count)

    def description(self) -> dict[str, Any]:
        """The shapes of the networks, and the style, credits and pixel size of the data."""
        network = {"name": self.config.network, "config": asdict(self._terrain.generator.config)}
        return {"network": network, "shadow_config": asdict(self._terrain.shadow.config), "data": self._data}

    def _generate(self, batch: TerrainBatch) -> Fake:
        """The fakes of a batch (N), followed by the same flipped where the flip route is on (2 N)."""
        one_hot = one_hot_of(batch.crops.labels)
        held = None
        with autocast(self._run.precision, self._device):
            generated = self._adapter.generate(self._terrain, batch.crops, batch.seeds, batch.style)
            if self._relief is not None:
                style = batch.style[:, : len(self._relief.generator.config.style_names)]
                with torch.no_grad():
                    relief = self._adapter.generate(self._relief, batch.crops, batch.seeds, style)[:, 3:]
                held = elevation_difference(generated[:, 3:], relief)
                generated = torch.cat([generated[:, :3], relief], dim=1)
            if self.config.flip_route:
                generated, one_hot = (torch.cat([each, each.flip(batch.flip)]) for each in (generated, one_hot))
            return replace(self._adapter.shaded(self._terrain, generated, one_hot), held=held)

    def _discriminate(self, pictures: Tensor, batch: TerrainBatch) -> list[list[Tensor]]:
        with autocast(self._run.precision, self._device):
            pictures = batch.augmentation(pictures).contiguous(memory_format=torch.channels_last)
            scales: list[list[Tensor]] = self._discriminator(pictures)
            return scales

    def _adversarial(self, batch: TerrainBatch) -> Adversarial:
        if self.config.adversarial != "segmentation":
            return ADVERSARIAL[self.config.adversarial]
        labels = batch.crops.labels[:, INNER, INNER]
        fakes = [labels, labels.flip([axis - 1 for axis in batch.flip])] if self.config.flip_route else [labels]
        return segmentation_loss(labels, torch.cat(fakes), self._class_weights)

    def _penalties(
        self, batch: TerrainBatch, real: Tensor, fake: Tensor, adversarial: Adversarial
    ) -> dict[str, Tensor]:
        """The gradient penalties with a weight, in the steps that have them."""
        config = self.config
        if (batch.images // self._run.batch) % config.penalty_steps:
            return {}
        penalties = {}
        for name, weight, picture in (("r1", config.r1_weight, real), ("r2", config.r2_weight, fake)):
            if weight:
                augmented = batch.augmentation(picture.detach())
                penalties[name] = gradient_penalty(self._discriminator, augmented, adversarial.realness)
        return penalties
