"""A study, from its plan to its figures: every run is trained, sampled and measured, and can be continued.

The runs take turns: in each of some rounds, every run is trained to the same number of images and measured. So a study
that is stopped has compared all runs up to its last whole round.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.checked_json import parse_object
from terrainpaint.core.files import atomic_path, read_regular, write_image
from terrainpaint.core.path_kinds import is_there
from terrainpaint.core.progress import Cancel
from terrainpaint.errors import TerrainPaintError, TrainingError
from trainer.loop.checkpoints import checkpoint_of, images_of, newest_checkpoint
from trainer.loop.config import IN_EPOCHS, Config, RunConfig, settings_of
from trainer.loop.loop import train
from trainer.loop.run_log import Warn
from trainer.loop.system import Build
from trainer.sampling.grid import picture_grid
from trainer.studies.measuring import Measurement, StudyFigures, load_figures, save_figures
from trainer.studies.plan import StudyPlan, StudyRun

GRID_COLUMNS = 8
"""Sample grids are square."""
SAMPLE_SEED = 0
"""Picture n of each measurement is that of the seed `SAMPLE_SEED` + n."""
_MOST_BYTES = 1 << 20
_MAY_CHANGE = frozenset({"device", "keep", "wandb", "start", "precision", *IN_EPOCHS, *IN_EPOCHS.values()})
"""Settings that a study may be continued with other values of."""


@dataclass(frozen=True)
class StudySetup:
    """How the runs of a study are trained: `build(run, config)` creates the system of a run, `configs` has the
    configurations of each run by its name, `sample(path, count, seed)` makes pictures of a checkpoint, `rounds` is the
    number of rounds."""

    build: Callable[[StudyRun, RunConfig], Build]
    configs: Mapping[str, tuple[RunConfig, Config]]
    sample: Callable[[Path, int, int], NDArray[np.uint8]]
    rounds: int

    def images(self, run: StudyRun, number: int) -> int:
        """Images that a run has seen at the end of round `number`, from 1 to `rounds`; whole steps."""
        config = self.configs[run.name][0]
        return -(-(config.images * number // self.rounds) // config.batch) * config.batch


@dataclass
class StudyState:
    """What is known so far: `figures` by the name of the run and the images that it had seen; `real` by the name of the
    run, those of real pictures; `failures` the sentence of each run that failed."""

    figures: dict[str, dict[int, StudyFigures]] = field(default_factory=dict)
    real: dict[str, StudyFigures] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def compared_at(self) -> int | None:
        """The images after which most runs that did not fail were measured, the most of them where there are several;
        None before the first measurement."""
        counts = Counter(
            images for name, by_images in self.figures.items() if name not in self.failures for images in by_images
        )
        return max(counts, key=lambda images: (counts[images], images), default=None)


@dataclass(frozen=True)
class Listener:
    """What a study calls as it goes on: `line` with a sentence to print, `warn` with one about what went wrong,
    `compared` after each round, `cancel` to learn whether to stop."""

    line: Callable[[str], object]
    warn: Warn
    compared: Callable[[StudyState], object]
    cancel: Cancel


def run_study(
    plan: StudyPlan, setup: StudySetup, measurement: Measurement, folder: Path, listener: Listener
) -> StudyState:
    """Train and measure all that is not there yet. Returns what is known when all is done, or it was cancelled.

    A run that fails is left out from then on, and the others go on. Raises TrainingError when the folder holds another
    study, OutputError when it cannot be written.
    """
    check_folder(plan, setup, folder)
    state = StudyState({run.name: _measured(run, measurement, folder) for run in plan.runs})
    for run in plan.runs:
        state.real[run.name] = measurement.of_real(run)
    for number in range(1, setup.rounds + 1):
        for run in plan.runs:
            images = setup.images(run, number)
            if images in state.figures[run.name] or run.name in state.failures:
                continue
            if listener.cancel():
                return state
            try:
                figures = _train_and_measure(run, images, setup, measurement, folder, listener)
            except (TerrainPaintError, MemoryError) as error:
                sentence = str(error) or "The memory is full."
                listener.warn(f"{run.label}: {sentence}")
                state.failures[run.name] = sentence
            else:
                if figures is not None:
                    state.figures[run.name][images] = figures
        listener.compared(state)
    return state


def check_folder(plan: StudyPlan, setup: StudySetup, folder: Path) -> None:
    """Write what is to be trained into the folder. Raises TrainingError when it holds something else already."""
    path = folder / "study.json"
    wanted: dict[str, dict[str, Any]] = {
        run.name: {"pictures": run.sha256(), "settings": _settings(setup, run)} for run in plan.runs
    }
    stored: dict[str, Any] = {}
    if is_there(path):
        try:
            runs = parse_object(read_regular(path, _MOST_BYTES)).object("runs")
            stored = {name: {"pictures": each.text("pictures"), "settings": each.object("settings").values}
                      for name, each in ((name, runs.object(name)) for name in runs.values)}  # fmt: skip
        except (OSError, ValueError) as error:
            raise TrainingError(f"{path} is not the description of a study, or it is damaged; choose another "
                                "folder.") from error  # fmt: skip
    for name, run in wanted.items():
        before = stored.get(name, run)
        if before["pictures"] != run["pictures"]:
            raise TrainingError(f"{folder} holds a study whose part '{name}' had other pictures; choose another "
                                "folder.")  # fmt: skip
        for key, value in run["settings"].items():
            if before["settings"].get(key, value) != value:
                raise TrainingError(f"{folder} holds a study with {key} = {before['settings'][key]}, not {value}; "
                                    "choose another folder.")  # fmt: skip
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps({"runs": {**stored, **wanted}}, indent=2) + "\n", encoding="utf-8")


def run_folder(folder: Path, run: StudyRun) -> Path:
    """Where a run of a study in `folder` is."""
    return folder / "runs" / run.name


def grid_path(folder: Path, run: StudyRun, images: int) -> Path:
    """The sample grid of a measurement."""
    return run_folder(folder, run) / f"grid-{images:08d}.png"


def _figures_path(folder: Path, run: StudyRun, images: int) -> Path:
    return run_folder(folder, run) / f"figures-{images:08d}.json"


def _settings(setup: StudySetup, run: StudyRun) -> dict[str, Any]:
    values = settings_of(*setup.configs[run.name])
    return {name: value for name, value in values.items() if name not in _MAY_CHANGE}


def _measured(run: StudyRun, measurement: Measurement, folder: Path) -> dict[int, StudyFigures]:
    """The figures of a run that were measured before."""
    found = {}
    for path in sorted(run_folder(folder, run).glob("figures-*.json")):
        figures = load_figures(path, measurement.key)
        number = path.stem.rsplit("-", 1)[1]
        if figures is not None and number.isascii() and number.isdigit():
            found[int(number)] = figures
    return found


def _train_and_measure(
    run: StudyRun, images: int, setup: StudySetup, measurement: Measurement, folder: Path, listener: Listener
) -> StudyFigures | None:
    """Train to so many images; None when it was cancelled, or had been trained further already."""
    target = run_folder(folder, run)
    newest = newest_checkpoint(target)
    if newest is None or images_of(newest) < images:
        listener.line(f"{run.label}: training to {images} images")
        config = setup.configs[run.name][0]
        train(setup.build(run, config), config, target, lambda *_: None, listener.cancel, listener.warn,
              images)  # fmt: skip
    checkpoint = checkpoint_of(target)
    if images_of(checkpoint) != images:
        return None
    samples = setup.sample(checkpoint, measurement.count, SAMPLE_SEED)
    grid = picture_grid(samples[: GRID_COLUMNS**2], GRID_COLUMNS)
    with atomic_path(grid_path(folder, run, images)) as temporary:
        write_image(temporary, grid[:, :, ::-1])
    figures = measurement.of_samples(run, samples)
    save_figures(_figures_path(folder, run, images), figures, measurement.key)
    listener.line(f"{run.label}, {images} images: FID {figures.fid:.1f}, KID {figures.kid:.4f}, "
                  f"precision {figures.precision:.2f}, recall {figures.recall:.2f}")  # fmt: skip
    return figures
