"""The smallest run that still has everything: a network of a few thousand numbers on crops of 32 px."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from terrainpaint.core.progress import Cancel, never_cancel
from terrainpaint.models.spade_local import SpadeLocalConfig
from terrainpaint.models.terrain_generator import GeneratorConfig
from trainer.data.tile_set import TileSet
from trainer.loop.config import RunConfig
from trainer.loop.loop import Report, no_warning, train
from trainer.loop.run_log import Warn
from trainer.systems.terrain.config import TerrainConfig
from trainer.systems.terrain.system import terrain_build

NETWORK = SpadeLocalConfig(widths=(16, 16, 16, 16), blocks=(1, 1, 1, 1), hidden=8)


@dataclass(frozen=True)
class Configs:
    """The configurations of a terrain run."""

    run: RunConfig
    terrain: TerrainConfig


CONFIG = Configs(
    RunConfig(images=8, batch=2, precision="fp32", device="cpu", log_images=2, save_images=4, sample_images=8),
    TerrainConfig(crop_px=32, discriminator_widths=(8, 8, 8)),
)


def changed(config: Configs = CONFIG, **values: Any) -> Configs:
    """The configurations with other values."""
    names = {field.name for field in dataclasses.fields(RunConfig)}
    return Configs(
        replace(config.run, **{name: value for name, value in values.items() if name in names}),
        replace(config.terrain, **{name: value for name, value in values.items() if name not in names}),
    )


def quiet(images: int, losses: dict[str, float]) -> None:
    """A report that nobody reads."""
    assert images > 0 and losses["images_per_s"] > 0


def train_terrain(
    tiles: TileSet,
    config: Configs,
    folder: Path,
    report: Report = quiet,
    cancel: Cancel = never_cancel,
    network: GeneratorConfig = NETWORK,
    warn: Warn = no_warning,
) -> Path | None:
    """Train the terrain system, with the smallest network by default."""
    return train(terrain_build(tiles, config.run, config.terrain, network), config.run, folder, report, cancel, warn)


SHARED = changed(batch=4, images=4, augment=("colour", "translation"), adversarial="relativistic", r1_weight=1.0)
"""One step whose images may be computed by several processes."""
