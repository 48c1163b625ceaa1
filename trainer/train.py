"""The training loop, from top to bottom. The clock counts images.

Generator, shadow generator and discriminator. Every generated terrain is judged twice: as it is, and flipped with its
albedo and height before it is shaded again. Light that leaked into the albedo would then come from the wrong side, so
the discriminator teaches the generator to leave the shading to the shadow generator.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import torch

from terrainpaint.core.files import write_image
from terrainpaint.core.progress import Cancel, never_cancel
from terrainpaint.errors import TrainingError
from terrainpaint.models.devices import keep_freed_memory
from terrainpaint.models.networks import GeneratorConfig
from terrainpaint.models.weights import load_weights
from trainer.averaging import Averaged
from trainer.batches import Batch, draw_batch
from trainer.checkpoints import images_of, load_checkpoint, newest_checkpoint, save_checkpoint
from trainer.config import TrainConfig
from trainer.crops import CropSource
from trainer.data.tile_set import TRAIN, VALIDATION, TileSet
from trainer.distributed import Team, joined
from trainer.losses.perceptual import load_perceptual
from trainer.run_log import RunLog
from trainer.sheets import Samples
from trainer.start import begin_with
from trainer.steps import Stepper, parameters_are_numbers
from trainer.systems import System, build_system

Report = Callable[[int, dict[str, float]], None]
"""Called with the images shown and the means of the losses since the last call."""


def train(
    prepared: TileSet,
    config: TrainConfig,
    folder: Path,
    report: Report,
    cancel: Cancel = never_cancel,
    network: GeneratorConfig | None = None,
) -> Path | None:
    """Train until `config.images` or until cancelled, from the newest checkpoint in `folder` if there is one.

    Returns the last checkpoint; None in a process that does not lead its team. `network` is the shape of the generator,
    None for the usual one. Raises TrainingError for data or a checkpoint that cannot be used and for losses that are
    not numbers, OutputError when a checkpoint cannot be written; what was saved until then stays.
    """
    keep_freed_memory()
    with joined(config.device) as team:
        run = _Run(prepared, config, folder, team, network)
        run.restore()
        return run.go(report, cancel)


class _Run:
    """All that a run consists of; `_parts` is what a checkpoint holds of it."""

    def __init__(
        self, prepared: TileSet, config: TrainConfig, folder: Path, team: Team, network: GeneratorConfig | None
    ) -> None:
        prepared.require_heights()
        self._config, self._folder, self._team = config, folder, team
        self._share = team.share(config.batch)
        torch.manual_seed(config.seed)
        self._random = torch.Generator().manual_seed(config.seed)
        perceptual = load_perceptual(Path(config.perceptual)) if config.needs_perceptual else None
        self._system: System = build_system(config, network, perceptual, prepared.pixel_size_m, team.device)
        networks = self._system.networks
        if config.start and newest_checkpoint(folder) is None:
            _begin_with(self._system, Path(config.start))
        self._source = CropSource(
            prepared.subset(TRAIN), networks.generator, config.crop_px, team.device, config.rescale, config.turn,
            config.simple_maps,
        )  # fmt: skip
        self._system.learn_styles(self._source, torch.Generator().manual_seed(config.seed))
        self._averaged = Averaged(networks.generator, networks.shadow)
        weights = self._source.class_weights() if config.adversarial == "segmentation" else torch.ones(0)
        self._step = Stepper(self._system, config, team, weights, perceptual.to(team.device) if perceptual else None)
        held_out = prepared.subset(VALIDATION)
        shown = CropSource(held_out, networks.generator, config.crop_px, team.device) if len(held_out) else self._source
        self._samples = Samples(self._system, shown)
        self._parts: dict[str, Any] = {
            "generator": networks.generator, "shadow": networks.shadow, "averaged": self._averaged,
            "discriminator": self._system.discriminator, **self._step.state,
        }  # fmt: skip
        self._data = {"style": prepared.style, "credits": prepared.credits, "pixel_size_m": prepared.pixel_size_m}
        self._images = 0
        self._saved: Path | None = None
        self._shown = 0
        self._best = {"images": 0, "distance": math.inf}
        self._sums: dict[str, Any] = {"sums": {}, "counts": {}}

    def restore(self) -> None:
        """Go on from the newest checkpoint of the folder, if there is one."""
        path = newest_checkpoint(self._folder)
        if path is not None:
            state = load_checkpoint(path, self._team.device)
            self._check(path, state)
            try:
                for name, part in self._parts.items():
                    part.load_state_dict(state[name])
                self._random.set_state(state["random"].cpu())
                self._images, self._best, self._sums = int(state["images"]), state["best"], state["log"]
                self._saved, self._shown = path, self._images
            except (KeyError, RuntimeError, ValueError, TypeError) as error:
                raise TrainingError(f"{path} is of another network or config; train in a new folder, or go on with the "
                                    "old config.") from error  # fmt: skip
        self._team.agree(self._images)

    def go(self, report: Report, cancel: Cancel) -> Path | None:
        """Train to the end. Returns the last checkpoint."""
        if not self._team.leads:
            while self._goes_on(cancel):
                self._train(self._draw())
            return None
        config = self._config
        self._folder.mkdir(parents=True, exist_ok=True)
        with RunLog(self._folder, self._images, asdict(config), config.wandb) as log:
            log.load_state_dict(self._sums)
            since, noted = time.monotonic(), self._images
            while self._goes_on(cancel):
                start = time.perf_counter()
                batch = self._draw()
                drawn = time.perf_counter()
                before, values = self._images, self._train(batch)
                seconds = {"crops_ms": (drawn - start) * 1e3, "step_ms": (time.perf_counter() - drawn) * 1e3}
                log.add(values | seconds)
                # A short half-life at first, or the first weights would linger.
                networks = self._system.networks
                self._averaged.follow(
                    networks.generator, networks.shadow, config.batch / min(config.ema_images, 0.1 * self._images)
                )
                if _passed(before, self._images, config.log_images):
                    rate = (self._images - noted) / (time.monotonic() - since)
                    report(self._images, log.write(self._images, {"images_per_s": rate}))
                    since, noted = time.monotonic(), self._images
                if _passed(before, self._images, config.sheet_images):
                    self._sheet(log)
                if _passed(before, self._images, config.save_images):
                    self._save(log)
            if self._shown != self._images:
                self._sheet(log)
            if self._saved is None or images_of(self._saved) != self._images:
                self._save(log)
            return self._saved

    def _goes_on(self, cancel: Cancel) -> bool:
        return self._images < self._config.images and not self._team.any(cancel())

    def _draw(self) -> Batch:
        batch = draw_batch(self._system, self._source, self._config, self._random, self._images, self._share)
        if self._team.device.type == "cuda":
            torch.cuda.synchronize()  # or the time of the crops would be counted to the step
        return batch

    def _train(self, batch: Batch) -> dict[str, float]:
        values = self._step(batch, self._images)
        self._images += self._config.batch
        # At once, before any of it is averaged or saved.
        if not all(map(math.isfinite, values.values())):
            self._stop()
        return values

    def _stop(self) -> NoReturn:
        last = newest_checkpoint(self._folder)
        left = f"the last good checkpoint is {last}" if last else "there is no checkpoint yet"
        raise TrainingError(f"The losses are no longer numbers after {self._images} images; {left}: go on with a lower "
                            "learning rate.")  # fmt: skip

    def _sheet(self, log: RunLog) -> None:
        picture = self._samples.sheet(self._averaged)
        write_image(self._folder / f"sheet-{self._images:08d}.png", picture[:, :, ::-1])
        log.show(picture, self._images)
        self._shown = self._images

    def _save(self, log: RunLog) -> None:
        networks = self._system.networks
        # Losses tell of the weights before the step; these are those after it.
        if not parameters_are_numbers((networks.generator, networks.shadow, self._system.discriminator)):
            self._stop()
        distance = self._samples.distance(self._averaged)
        if distance <= self._best["distance"]:
            self._best = {"images": self._images, "distance": distance}
        log.note(self._images, "held_out_distance", distance)
        state = {name: part.state_dict() for name, part in self._parts.items()}
        state["network"] = {"name": self._config.network, "config": asdict(networks.generator.config)}
        state["shadow_config"] = asdict(networks.shadow.config)
        state["settings"] = {name: list(value) if isinstance(value, tuple) else value
                             for name, value in asdict(self._config).items()}  # fmt: skip
        state |= {"data": self._data, "best": self._best, "distance": distance, "log": log.state_dict(),
                  "random": self._random.get_state()}  # fmt: skip
        self._saved = save_checkpoint(self._folder, self._images, state, self._config.keep, int(self._best["images"]))

    def _check(self, path: Path, state: dict[str, Any]) -> None:
        name = state.get("network", {}).get("name")
        if name != self._config.network:
            raise TrainingError(f"{path} is a checkpoint of the network {name}, not of {self._config.network}; train "
                                "in a new folder, or go on with that network.")  # fmt: skip


def _begin_with(system: System, path: Path) -> None:
    """Take over published weights; of a checkpoint also the discriminator, which knows what to correct in them."""
    name = "unknown"
    try:
        if path.suffix == ".pt":
            state = load_checkpoint(path, torch.device("cpu"))
            name, generator, shadow = state["network"]["name"], state["generator"], state["shadow"]
            system.discriminator.load_state_dict(state["discriminator"])
        else:
            given = load_weights(path, torch.device("cpu"))
            name, generator, shadow = given.header.network, given.generator.state_dict(), given.shadow.state_dict()
        begin_with(system.networks.generator, generator)
        begin_with(system.networks.shadow, shadow)
    except (KeyError, RuntimeError) as error:
        raise TrainingError(
            f"{path} has another network ({name}), widths or discriminator than this run; name weights or a checkpoint "
            "of the same kind as --start."
        ) from error


def _passed(before: int, after: int, interval: int) -> bool:
    return before // interval != after // interval
