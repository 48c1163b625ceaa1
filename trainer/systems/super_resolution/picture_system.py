"""Super-resolution of any pictures as a system of the training loop."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from terrainpaint.errors import TrainingError
from terrainpaint.models.fine_land import without_rim
from terrainpaint.models.fine_land_means import SHORT_REACH, enlarged
from trainer.data.tile_set import TRAIN, VALIDATION, TileSet
from trainer.loop.config import RunConfig
from trainer.loop.distributed import World
from trainer.loop.precision import autocast
from trainer.loop.system import DISCRIMINATOR, Build, Losses
from trainer.networks.multiscale_discriminator import MultiscaleDiscriminator
from trainer.systems.super_resolution.adversary import Adversary, begin_with, nothing_of
from trainer.systems.super_resolution.config import SuperResolutionConfig
from trainer.systems.super_resolution.picture_detail import PictureDetail, PictureShape, means_of

NETWORK = "super_resolution"
_SCORED, _SHOWN = 12, 6
_GAIN = 4.0


def picture_build(tiles: TileSet, run: RunConfig, config: SuperResolutionConfig) -> Build:
    """How to create the system for a tile set. The function it returns raises TrainingError for small tiles."""

    def build(world: World, start: Path | None) -> PictureSystem:
        return PictureSystem(tiles, run, config, world, start)

    return build


@dataclass
class PictureBatch:
    """Crops (N, 3, S, S) in 0..1 with their margin, and noise (N, 1, S, S); whether only differences are learned."""

    picture: Tensor
    noise: Tensor
    is_plain: bool
    fake: Tensor | None = None

    def parts(self, count: int) -> list[PictureBatch]:
        """Split into `count` batches of equal size."""
        size = len(self.noise) // count
        return [PictureBatch(self.picture[start : start + size], self.noise[start : start + size], self.is_plain)
                for start in range(0, count * size, size)]  # fmt: skip


class PictureSystem:
    """The networks, losses and data of a run."""

    name = "super_resolution"
    ema = ("generator",)

    def __init__(
        self, tiles: TileSet, run: RunConfig, config: SuperResolutionConfig, world: World, start: Path | None
    ) -> None:
        self.config, self._run, self._device = config, run, world.device
        widths = config.fine_widths
        self._shape = PictureShape(config.factor, config.width, config.blocks, (widths[0], widths[1]))
        generator = PictureDetail(self._shape)
        self.networks = nn.ModuleDict({
            "generator": generator, DISCRIMINATOR: MultiscaleDiscriminator(6, config.discriminator_widths, 2),
        })  # fmt: skip
        self.networks.to(world.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if start is not None:
            begin_with(generator, start, "such pictures")
        self._adversary = Adversary(config.adversarial, run.precision, world.device)
        self._crop = config.crop_px + 2 * config.factor * generator.margin
        if self._crop > tiles.tile_px:
            raise TrainingError(f"Crops with their margins have {self._crop} px, and the tiles {tiles.tile_px} px; "
                                "choose a smaller crop_px or larger tiles.")  # fmt: skip
        self._pictures = tiles.subset(TRAIN).texture
        held_out = tiles.subset(VALIDATION).texture
        draw = np.random.default_rng(0)
        torch.manual_seed(0)
        shown = held_out if len(held_out) else self._pictures
        self._fixed = self._draw(shown, min(_SCORED, max(len(shown), _SHOWN)), draw, slice(None), True)
        self._data = {"credits": tiles.credits, "style": tiles.style}

    def batch(self, random: torch.Generator, images: int, shard: slice) -> PictureBatch:
        """New crops and new noise."""
        draw = np.random.default_rng(int(torch.randint(2**62, (), generator=random)))
        return self._draw(self._pictures, self._run.batch, draw, shard, images < self.config.plain_images)

    def discriminator_loss(self, batch: PictureBatch) -> Losses:
        """The adversarial loss."""
        fake, real, base = self._generate(cast(PictureDetail, self.networks["generator"]), batch)
        batch.fake = fake
        if batch.is_plain:
            nothing = nothing_of(self.networks[DISCRIMINATOR])
            return Losses(nothing, {"discriminator": nothing})
        loss = self._adversary.of_discriminator(self.networks[DISCRIMINATOR], _seen(real, base), _seen(fake, base))
        return Losses(loss, {"discriminator": loss})

    def generator_loss(self, batch: PictureBatch) -> Losses:
        """The adversarial loss, matched features and the difference of colours."""
        config = self.config
        fake, real, base = self._generate(cast(PictureDetail, self.networks["generator"]), batch)
        values = {"difference": (fake - real).abs().mean()}
        total = config.colour_weight * values["difference"]
        if not batch.is_plain:
            losses = self._adversary.of_generator(self.networks[DISCRIMINATOR], _seen(real, base), _seen(fake, base))
            values["adversarial"], values["matching"] = losses
            total = total + config.adversarial_weight * losses[0] + config.matching_weight * losses[1]
        return Losses(total, values | {"generator": total})

    def sample_grid(self, ema: nn.ModuleDict) -> NDArray[np.uint8]:
        """Held-out crops: enlarged, generated and real, side by side."""
        with torch.no_grad():
            fake, real, base = self._generate(cast(PictureDetail, ema["generator"]), self._fixed)
        rows = [
            torch.cat([each[index] for each in (base, fake, real)], dim=2) for index in range(min(_SHOWN, len(fake)))
        ]
        grid = (torch.cat(rows, dim=1).clamp(0, 1) * 255).round().byte()
        return np.asarray(grid.movedim(0, -1).cpu().numpy())

    def validation_score(self, ema: nn.ModuleDict) -> float:
        """The difference of colours, and how far the strength of the detail is from the real one, as a logarithm."""
        with torch.no_grad():
            fake, real, base = self._generate(cast(PictureDetail, ema["generator"]), self._fixed)
        strengths = [(picture - base).std().clamp(min=1e-4).log() for picture in (fake, real)]
        return float((fake - real).abs().mean() + (strengths[0] - strengths[1]).abs())

    def description(self) -> dict[str, Any]:
        """The network and the data of a checkpoint."""
        return {"network": {"name": NETWORK, "config": asdict(self._shape)}, "data": self._data}

    def _draw(
        self, pictures: NDArray[np.uint8], count: int, draw: np.random.Generator, shard: slice, is_plain: bool
    ) -> PictureBatch:
        side, length = self._crop, pictures.shape[1]
        crops = []
        for _ in range(count):
            row, col = (int(draw.integers(0, length - side + 1)) for _ in range(2))
            crop = pictures[int(draw.integers(len(pictures))), row : row + side, col : col + side]
            crops.append(crop[:, ::-1] if draw.integers(2) else crop)
        noise = torch.randn((count, 1, side, side))
        picture = torch.from_numpy(np.stack(crops)).movedim(-1, 1).float() / 255
        return PictureBatch(picture[shard].to(self._device), noise[shard].to(self._device), is_plain)

    def _generate(self, generator: PictureDetail, batch: PictureBatch) -> tuple[Tensor, Tensor, Tensor]:
        """The generated, the real and the enlarged pictures, without the margin."""
        factor = self.config.factor
        coarse = means_of(batch.picture, factor)
        with autocast(self._run.precision, self._device):
            fake: Tensor = batch.fake if batch.fake is not None else generator(coarse, batch.noise)
        base = enlarged(without_rim(coarse, generator.margin - SHORT_REACH), factor)
        return fake, without_rim(batch.picture, factor * generator.margin), base


def _seen(picture: Tensor, base: Tensor) -> Tensor:
    """(N, 6, H, W): what the discriminator sees of pictures, and of those that were only enlarged."""
    return torch.cat([_GAIN * (picture - base), base * 2 - 1], dim=1).contiguous(memory_format=torch.channels_last)
