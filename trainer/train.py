"""The training loop, from top to bottom. The clock counts images.

Generator, shadow generator and a multi-scale patch discriminator; hinge loss. Every generated terrain is judged twice:
as it is, and flipped with its albedo and height before it is shaded again. Light that leaked into the albedo would then
come from the wrong side, so the discriminator teaches the generator to leave the shading to the shadow generator.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.core.files import write_image
from terrainpaint.core.jobs import Cancel, never_cancel
from terrainpaint.errors import TrainingError
from terrainpaint.generate.generator import pick_device
from terrainpaint.generate.memory import keep_freed_memory
from terrainpaint.models.noise import seeded
from terrainpaint.models.shadow import ShadowConfig, ShadowGenerator, shaded
from terrainpaint.models.spade_local import SpadeLocal, SpadeLocalConfig
from trainer.checkpoints import load_checkpoint, newest_checkpoint, save_checkpoint
from trainer.config import TrainConfig
from trainer.crops import Crops, CropSource, Styles
from trainer.discriminator import Discriminator, judged
from trainer.prepared import TRAIN, VALIDATION, PreparedSet
from trainer.sheets import sample_sheet

MEAN_PX = 16
SHEET_TILES = 10
Report = Callable[[int, dict[str, float]], None]
"""Called with the images shown and the means of the losses since the last call."""


class Averaged(nn.Module):
    """Exponential moving average of both generators: what is shown and published."""

    def __init__(self, generator: SpadeLocal, shadow: ShadowGenerator) -> None:
        super().__init__()
        self.generator, self.shadow = copy.deepcopy(generator), copy.deepcopy(shadow)
        self.requires_grad_(False)

    @torch.no_grad()
    def follow(self, generator: SpadeLocal, shadow: ShadowGenerator, half_lives: float) -> None:
        """Move towards the networks for a time counted in half-lives."""
        share = 1 - 0.5**half_lives
        for slow, fast in ((self.generator, generator), (self.shadow, shadow)):
            for mine, theirs in zip(slow.parameters(), fast.parameters(), strict=True):
                mine.lerp_(theirs, share)


def train(
    prepared: PreparedSet,
    config: TrainConfig,
    folder: Path,
    report: Report,
    cancel: Cancel = never_cancel,
    network: SpadeLocalConfig | None = None,
) -> Path:
    """Train until `config.images` or until cancelled, from the newest checkpoint in `folder` if there is one.

    Returns the last checkpoint. Raises TrainingError for data that cannot be used and for losses that are not numbers;
    what was saved until then stays.
    """
    keep_freed_memory()
    device = pick_device(config.device)
    torch.manual_seed(config.seed)
    random = torch.Generator().manual_seed(config.seed)
    generator = SpadeLocal(network or SpadeLocalConfig()).to(device)
    shadow = ShadowGenerator(ShadowConfig()).to(device)
    discriminator = Discriminator(config.discriminator_widths, config.discriminator_scales)
    discriminator = discriminator.to(device)
    for module in (generator, discriminator):
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    source = CropSource(prepared.subset(TRAIN), generator, config.crop_px, device)
    styles = Styles(source, generator, torch.Generator().manual_seed(config.seed))
    generator.style_mix.copy_(styles.mix)
    averaged = Averaged(generator, shadow)
    made_by = [*generator.parameters(), *shadow.parameters()]
    generator_step = torch.optim.Adam(made_by, config.generator_rate, betas=(0.0, 0.99))
    discriminator_step = torch.optim.Adam(discriminator.parameters(), config.discriminator_rate, betas=(0.0, 0.99))
    parts: dict[str, Any] = {
        "generator": generator, "shadow": shadow, "averaged": averaged, "discriminator": discriminator,
        "generator_step": generator_step, "discriminator_step": discriminator_step,
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    images = 0
    if (start := newest_checkpoint(folder)) is not None:
        images = _restore(load_checkpoint(start, device), parts, random)
        # The rates of the config count, not those of the checkpoint: a run may go on with others.
        for optimizer, rate in (
            (generator_step, config.generator_rate),
            (discriminator_step, config.discriminator_rate),
        ):
            for group in optimizer.param_groups:
                group["lr"] = rate
    held_out = prepared.subset(VALIDATION)
    sheets_of = CropSource(held_out, generator, config.crop_px, device) if len(held_out) else source
    fixed = sheets_of.draw(SHEET_TILES, torch.Generator().manual_seed(1))
    fixed_style = styles.of(fixed, 0.0, torch.Generator().manual_seed(1))

    def save() -> Path:
        state = {name: part.state_dict() for name, part in parts.items()}
        state["network"] = {"name": "spade-local", "config": vars(generator.config)}
        state["shadow_config"] = vars(shadow.config)
        state["settings"] = {name: list(value) if isinstance(value, tuple) else value
                             for name, value in vars(config).items()}  # fmt: skip
        state["data"] = {"style": prepared.style, "credits": prepared.credits, "pixel_size_m": prepared.pixel_size_m}
        return save_checkpoint(folder, images, state | {"random": random.get_state()})

    def sheet() -> None:
        picture = sample_sheet(
            averaged.generator, averaged.shadow, fixed, fixed_style, list(range(SHEET_TILES)), prepared.pixel_size_m
        )
        write_image(folder / f"sheet-{images:08d}.png", picture[:, :, ::-1])

    losses: dict[str, float] = {}
    steps, since = 0, time.monotonic()
    with (folder / "log.jsonl").open("a", encoding="utf-8") as log:
        while images < config.images and not cancel():
            torch.manual_seed(config.seed + images)  # by the clock: a resumed run draws what an unbroken one would
            crops = source.draw(config.batch, random)
            style = styles.of(crops, config.style_noise, random)
            flips = [bool(each) for each in torch.randint(0, 2, (2,), generator=random)]
            step = _step(generator, shadow, discriminator, crops, style, _seeds(images, config), flips,
                         prepared.pixel_size_m, config, generator_step, discriminator_step)  # fmt: skip
            before, images, steps = images, images + config.batch, steps + 1
            # At once, before any of it is averaged or saved.
            if not all(map(math.isfinite, step.values())):
                raise TrainingError(f"The losses are no longer numbers after {images} images; the checkpoints in "
                                    f"{folder} are intact: go on with a lower learning rate.")  # fmt: skip
            # A short half-life at first, or the first weights would linger.
            averaged.follow(generator, shadow, config.batch / min(config.ema_images, 0.1 * images))
            for name, value in step.items():
                losses[name] = losses.get(name, 0.0) + value
            if _passed(before, images, config.log_images):
                means = {name: value / steps for name, value in losses.items()}
                means["images_per_s"] = steps * config.batch / (time.monotonic() - since)
                log.write(json.dumps({"images": images, **means}) + "\n")
                log.flush()
                report(images, means)
                losses, steps, since = {}, 0, time.monotonic()
            if _passed(before, images, config.sheet_images):
                sheet()
            if _passed(before, images, config.save_images):
                save()
    sheet()
    return save()


def _step(
    generator: SpadeLocal,
    shadow: ShadowGenerator,
    discriminator: Discriminator,
    crops: Crops,
    style: Tensor,
    seeds: list[int],
    flips: list[bool],
    pixel_size_m: float,
    config: TrainConfig,
    generator_step: torch.optim.Optimizer,
    discriminator_step: torch.optim.Optimizer,
) -> dict[str, float]:
    """One step of both networks; returns the losses by name."""
    device = crops.texture.device
    half = torch.autocast(device.type, dtype=torch.bfloat16, enabled=config.precision == "bf16")
    inner = slice(1, -2)
    shares = F.one_hot(crops.labels, CLASS_COUNT).movedim(-1, 1).float()
    real_terrain = crops.texture[:, :, inner, inner]
    real_code = generator.code(crops.height)
    # Heights are stored as whole metres, made ones are not: the difference must not give them away.
    rounding = torch.rand_like(crops.height) - 0.5
    real_height = torch.where(crops.height > 0, crops.height + rounding, crops.height)
    real = judged(real_terrain, real_code[:, :, inner, inner], real_height[:, :, 1:-1, 1:-1],
                  shares[:, :, inner, inner], pixel_size_m)  # fmt: skip

    axes = [axis for axis, flip in zip((2, 3), flips, strict=True) if flip] or [3]
    with half:
        albedo, code = generator(crops.ids, crops.window, seeded(seeds), style)
        albedo, code, shares = (torch.cat([each, each.flip(axes)]) for each in (albedo, code, shares))
        height = generator.height(code)
        terrain = shaded(albedo[:, :, inner, inner], shadow(height, pixel_size_m))
        made = judged(terrain, code[:, :, inner, inner], height[:, :, 1:-1, 1:-1],
                      shares[:, :, inner, inner], pixel_size_m)  # fmt: skip
        judgement = discriminator(torch.cat([real, made.detach()]).contiguous(memory_format=torch.channels_last))
    count = len(real)
    loss_d = sum(
        (F.relu(1 - scale[-1][:count].float()).mean() + F.relu(1 + scale[-1][count:].float()).mean())
        for scale in judgement
    ) / len(judgement)  # fmt: skip
    discriminator_step.zero_grad(set_to_none=True)
    loss_d.backward()  # type: ignore[union-attr]
    discriminator_step.step()

    discriminator.requires_grad_(False)
    with half:
        opinion = discriminator(made.contiguous(memory_format=torch.channels_last))
    adversarial = sum(-scale[-1].float().mean() for scale in opinion) / len(opinion)
    features = [
        (fake[:count].float() - true[:count].detach().float()).abs().mean()
        for made_scale, real_scale in zip(opinion, judgement, strict=True)
        for fake, true in zip(made_scale[:-1], real_scale[:-1], strict=True)
    ]
    matching = torch.stack(features).mean()
    # Hills have sunny and shady sides: over an area, shading leaves the colour of the albedo as it is.
    colours = torch.cat([albedo[:count, :, inner, inner] * 2 - 1, made[:count, :3]], dim=1)
    colour = (F.avg_pool2d(colours, MEAN_PX) - F.avg_pool2d(real[:, :3], MEAN_PX).repeat(1, 2, 1, 1)).abs().mean()
    # Level ground is easier to make low, where the code hardly tells on slopes: without this, plateaus sink to the sea.
    elevation = (F.avg_pool2d(made[:count, 3:4], MEAN_PX) - F.avg_pool2d(real[:, 3:4], MEAN_PX)).abs().mean()
    loss_g = adversarial + config.feature_weight * matching + config.mean_weight * (colour + elevation)
    generator_step.zero_grad(set_to_none=True)
    loss_g.backward()
    generator_step.step()
    discriminator.requires_grad_(True)
    values = {
        "discriminator": loss_d,
        "adversarial": adversarial,
        "features": matching,
        "colour": colour,
        "elevation": elevation,
    }
    return {name: float(value.detach()) for name, value in values.items()}


def _seeds(images: int, config: TrainConfig) -> list[int]:
    # A seed an image, by the clock: a resumed run goes on with the noise that it would have had.
    return [config.seed + images + index for index in range(config.batch)]


def _restore(state: dict[str, Any], parts: dict[str, Any], random: torch.Generator) -> int:
    try:
        for name, part in parts.items():
            part.load_state_dict(state[name])
        random.set_state(state["random"].cpu())
        return int(state["images"])
    except (KeyError, RuntimeError, ValueError, TypeError) as error:
        raise TrainingError("The checkpoint is of another network or config; train in a new folder, or go on with "
                            "the old config.") from error  # fmt: skip


def _passed(before: int, after: int, interval: int) -> bool:
    return before // interval != after // interval
