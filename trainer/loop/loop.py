"""The training loop, from top to bottom. The clock counts images.

A run draws a batch, takes one step of all networks, updates the averaged weights, and from time to time writes a line
of the log, a sample grid and a checkpoint. A run that was stopped continues from its newest checkpoint as if it had not
been.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from numpy.typing import NDArray

from terrainpaint.core.files import atomic_path, output_error, write_image
from terrainpaint.core.progress import Cancel, never_cancel
from terrainpaint.errors import OutputError, TrainingError
from terrainpaint.models.devices import keep_freed_memory
from trainer.loop.checkpoints import images_of, load_checkpoint, newest_checkpoint, save_checkpoint
from trainer.loop.config import RunConfig, settings_of
from trainer.loop.distributed import World, init_distributed
from trainer.loop.optimisation import TrainStep, averaged_copy, is_finite, update_average
from trainer.loop.precision import resolved_precision
from trainer.loop.run_log import RunLog, Warn
from trainer.loop.system import Batch, Build, PrepareMeasure, SampledSystem

_SCORE = "validation_score"

Report = Callable[[int, dict[str, float]], None]
"""Called with the number of images seen and the means of the losses since the last call."""


def no_warning(sentence: str) -> None:
    """A `Warn` that nobody reads."""


def train(
    build: Build,
    config: RunConfig,
    folder: Path,
    report: Report,
    cancel: Cancel = never_cancel,
    warn: Warn = no_warning,
    until: int | None = None,
    measure: PrepareMeasure | None = None,
) -> Path | None:
    """Train until `config.images` or until cancelled, from the newest checkpoint in `folder` if there is one.

    `until` ends it earlier, after so many images, as a part of the same run: the next call continues. `measure` is
    used every `config.measure_images`, with a checkpoint, and then selects the best one.

    A log, a sample grid or a checkpoint that cannot be written is reported to `warn` and does not end the run, but the
    last checkpoint does.
    Returns the last checkpoint; None in a process that is not the main one. Raises TrainingError for data or a
    checkpoint that cannot be used and for losses that are not finite, OutputError when the last checkpoint cannot be
    written; what was saved until then stays.
    """
    keep_freed_memory()
    with init_distributed(config.device) as world:
        run = _Run(build, config, folder, world, warn, measure)
        run.restore()
        return run.train(report, cancel, min(config.images, until or config.images))


class _Run:
    """The state of a run; a checkpoint holds the state of `_parts` and some numbers."""

    def __init__(
        self,
        build: Build,
        config: RunConfig,
        folder: Path,
        world: World,
        warn: Warn,
        measure: PrepareMeasure | None,
    ) -> None:
        # The log and the published weights say what was computed with, not "auto".
        config = replace(config, precision=resolved_precision(config.precision, world.device))
        self._config, self._folder, self._world, self._warn = config, folder, world, warn
        self._shard = world.shard(config.batch)
        torch.manual_seed(config.seed)
        self._random = torch.Generator().manual_seed(config.seed)
        start = Path(config.start) if config.start and newest_checkpoint(folder) is None else None
        self._system = build(world, start)
        self._measure = measure(self._system) if measure is not None and world.is_main else None
        self._averaged = averaged_copy(self._system)
        self._step = TrainStep(self._system, config, world)
        self._parts: dict[str, Any] = {
            **dict(self._system.networks.items()), "averaged": self._averaged, **self._step.state,
        }  # fmt: skip
        self._images = 0
        self._saved: Path | None = None
        self._sampled = self._measured = 0
        self._best: dict[str, Any] = {"images": 0, "distance": math.inf, "by": _SCORE}
        self._sums: dict[str, Any] = {"sums": {}, "counts": {}}

    def restore(self) -> None:
        """Continue from the newest checkpoint of the folder, if there is one."""
        path = newest_checkpoint(self._folder)
        if path is not None:
            state = load_checkpoint(path, self._world.device)
            self._check_network(path, state)
            try:
                for name, part in self._parts.items():
                    part.load_state_dict(state[name])
                self._random.set_state(state["random"].cpu())
                self._images, self._best, self._sums = int(state["images"]), state["best"], state["log"]
                self._saved, self._sampled, self._measured = path, self._images, self._images
            # A part of another kind makes `load_state_dict` fail in any way.
            except Exception as error:
                raise TrainingError(f"{path} is of another network or configuration; train in a new folder, or "
                                    "continue with the old configuration.") from error  # fmt: skip
        self._world.check_same_step(self._images)

    def train(self, report: Report, cancel: Cancel, until: int) -> Path | None:
        """Train until so many images. Returns the last checkpoint."""
        if not self._world.is_main:
            while self._continues(until, cancel):
                self._take_step(self._draw())
            return None
        config = self._config
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(self._folder, error) from error
        settings = settings_of(config, self._system.config)
        with RunLog(self._folder, self._images, settings, config.wandb, self._warn) as log:
            log.load_state_dict(self._sums)
            self._write_real_pictures()
            since, reported = time.monotonic(), self._images
            while self._continues(until, cancel):
                start = time.perf_counter()
                batch = self._draw()
                drawn = time.perf_counter()
                before, values = self._images, self._take_step(batch)
                milliseconds = {"batch_ms": (drawn - start) * 1e3, "step_ms": (time.perf_counter() - drawn) * 1e3}
                log.add(values | milliseconds)
                if config.ema_images:
                    # A short half-life at first, or the first weights would dominate for long.
                    ramp = config.ema_ramp * self._images or math.inf
                    half_life = min(config.ema_images, ramp)
                    update_average(self._averaged, self._system.networks, config.batch / half_life)
                if _passed(before, self._images, config.log_images):
                    rate = (self._images - reported) / (time.monotonic() - since)
                    report(self._images, log.write(self._images, {"images_per_s": rate}))
                    since, reported = time.monotonic(), self._images
                if _passed(before, self._images, config.sample_images):
                    self._write_samples(log)
                is_due = bool(config.measure_images) and _passed(before, self._images, config.measure_images)
                if is_due:
                    self._measure_pictures(log)
                if is_due or _passed(before, self._images, config.save_images):
                    self._try_to_save(log)
            if self._sampled != self._images:
                self._write_samples(log)
            if self._measured != self._images >= config.images:
                self._measure_pictures(log)
            if self._saved is None or images_of(self._saved) != self._images:
                self._save(log)
            return self._saved

    def _continues(self, until: int, cancel: Cancel) -> bool:
        return self._images < until and not self._world.any(cancel())

    def _draw(self) -> Batch:
        # By the clock: a resumed run draws what an unbroken one would.
        torch.manual_seed(self._config.seed + self._images)
        batch = self._system.batch(self._random, self._images, self._shard)
        if self._world.device.type == "cuda":
            torch.cuda.synchronize()  # or the time of the batch would be counted to the step
        return batch

    def _take_step(self, batch: Batch) -> dict[str, float]:
        values = self._step(batch, self._images)
        self._images += self._config.batch
        # Before any of it is averaged or saved.
        if not all(map(math.isfinite, values.values())):
            self._stop()
        return values

    def _stop(self) -> NoReturn:
        last = newest_checkpoint(self._folder)
        left = f"the last good checkpoint is {last}" if last else "there is no checkpoint yet"
        raise TrainingError(f"The losses are no longer finite after {self._images} images; {left}. Continue with a "
                            "lower learning rate.")  # fmt: skip

    def _without_average(self) -> None:
        """Without averaging, the averaged weights are those of the step; they are copied when they are needed."""
        if not self._config.ema_images:
            update_average(self._averaged, self._system.networks, math.inf)

    def _write_real_pictures(self) -> None:
        path = self._folder / "real.png"
        if isinstance(self._system, SampledSystem) and not path.exists():
            self._write_picture(path, self._system.real_grid())

    def _write_picture(self, path: Path, picture: NDArray[np.uint8]) -> None:
        try:
            with atomic_path(path) as temporary:
                write_image(temporary, picture[:, :, ::-1])
        except OutputError as error:
            self._warn(str(error))

    def _write_samples(self, log: RunLog) -> None:
        self._without_average()
        picture = self._system.sample_grid(self._averaged)
        self._write_picture(self._folder / f"samples-{self._images:08d}.png", picture)
        log.add_picture("samples", picture, self._images)
        self._sampled = self._images

    def _measure_pictures(self, log: RunLog) -> None:
        if self._measure is None:
            return
        measured = self._measure(self._averaged)
        log.note(self._images, measured.values)
        self._choose_best(measured.best, measured.values[measured.best])
        self._measured = self._images

    def _choose_best(self, by: str, distance: float) -> None:
        # What was best by another figure says nothing of this one.
        if self._best.get("by", _SCORE) != by or distance <= self._best["distance"]:
            self._best = {"images": self._images, "distance": distance, "by": by}

    def _try_to_save(self, log: RunLog) -> None:
        best = self._best
        try:
            self._save(log)
        except OutputError as error:
            self._best = best
            self._warn(str(error))

    def _save(self, log: RunLog) -> None:
        # The losses are those of the weights before the step; these are those after it.
        if not is_finite(self._system.networks):
            self._stop()
        self._without_average()
        distance = self._system.validation_score(self._averaged)
        if self._measure is None:
            self._choose_best(_SCORE, distance)
        log.note(self._images, {_SCORE: distance})
        state = {name: part.state_dict() for name, part in self._parts.items()}
        state |= {
            "system": self._system.name, **self._system.description(),
            "settings": settings_of(self._config, self._system.config),
            "best": self._best, "distance": distance, "log": log.state_dict(), "random": self._random.get_state(),
        }  # fmt: skip
        self._saved = save_checkpoint(self._folder, self._images, state, self._config.keep, int(self._best["images"]))

    def _check_network(self, path: Path, state: dict[str, Any]) -> None:
        name, own = state.get("network", {}).get("name"), self._system.description()["network"]["name"]
        if name != own:
            raise TrainingError(f"{path} is a checkpoint of the network {name}, not of {own}; train in a new folder, "
                                "or continue with that network.")  # fmt: skip


def _passed(before: int, after: int, interval: int) -> bool:
    return before // interval != after // interval
