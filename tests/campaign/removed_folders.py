"""Folders that somebody removes while a program writes into them: of recovery, of the project, of a training run.

`python -m tests.campaign.removed_folders paint|train FOLDER SEED` is the program; what is wrong goes to stderr.
"""

from __future__ import annotations

import random
import shutil
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from tests.campaign.programs import run

_STEPS = 150
_PATIENCE_S = 180.0


def paint(folder: Path, seed: int) -> None:
    """Paint, save, and lose the folders of the journals and of the project; nothing may be lost but these files."""
    from PySide6.QtCore import QEventLoop
    from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

    from terrainpaint.core.journal import abandoned_journals, recover
    from terrainpaint.core.project_file import load_project
    from terrainpaint.generation.process import TerrainProcess
    from terrainpaint.gui import recovery
    from terrainpaint.gui.background_jobs import WindowJobs
    from terrainpaint.gui.live_generation import LiveGeneration
    from terrainpaint.gui.saving import RecentFiles, SaveActions
    from tests.gui.painter import new_document, state, steps

    recovery.RETRY_MS = 200
    application = QApplication([])
    application.setOrganizationName("TerrainPaint")
    draw, journals, project = random.Random(seed), folder / "recovery", folder / "maps" / "deep" / "map.terrainpaint"
    project.parent.mkdir(parents=True)
    document, window = new_document(), QWidget()
    generation, jobs = LiveGeneration(document, {}, TerrainProcess(), window), WindowJobs(window)
    saving = SaveActions(document, generation, jobs, RecentFiles(window))
    autosave = recovery.Autosave(document, journals, window)
    works = [True]
    autosave.works.connect(lambda is_on: works.append(is_on))
    refused: list[str] = []
    saving.failed.connect(refused.append)
    # The question whether the missing folder is to be made.
    QMessageBox.exec = lambda box: draw.choice((QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.Cancel))
    assert saving.save_to(project)
    for number, _ in enumerate(steps(document, seed), 1):
        if draw.random() < 0.05:
            shutil.rmtree(draw.choice((journals, project.parent, folder / "maps")), ignore_errors=True)
        if draw.random() < 0.1 and saving.save() and state(load_project(project)[0]) != state(document.project):
            print("what was saved is not the document", file=sys.stderr)
        application.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 10)
        if number == _STEPS:
            break
    document.paint_mark("Last", _everything(document.shape), draw.randrange(7))
    document.reroll(_everything(document.shape))
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end and not (works[-1] and list(journals.glob("*.journal"))):
        application.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 50)
        if works[-1]:
            # That the folder is gone shows at the next step.
            document.reroll(_everything(document.shape))
    autosave.close()
    shutil.copytree(journals, folder / "copy", ignore=shutil.ignore_patterns("*.lock"))
    found = abandoned_journals(folder / "copy")
    if len(found) != 1 or state(recover(found[0])[0]) != state(document.project):
        print(f"recovery was not complete again: {len(found)} journals, works: {works[-1]}", file=sys.stderr)
    project.parent.mkdir(parents=True, exist_ok=True)
    if not saving.save() or state(load_project(project)[0]) != state(document.project):
        print("the document cannot be saved at the end", file=sys.stderr)
    if any("\n" in sentence or len(sentence) > 400 for sentence in refused):
        print(f"messages: {refused}", file=sys.stderr)
    generation.stop()


def _everything(shape: tuple[int, int]) -> object:
    from terrainpaint.core.painting import rectangle

    return rectangle((0, 0), shape, shape)


def train(folder: Path, seed: int) -> None:
    """Train, and lose the folder of the run at random moments: the run ends with its last checkpoint or an error in one
    sentence, after which it can be trained again."""
    import numpy as np
    import torch

    from terrainpaint.errors import OutputError
    from tests.trainer.earths import make_earth
    from tests.trainer.runs import changed, quiet, train_terrain
    from trainer.data.raster_tiles import Sources, tiles_from_rasters
    from trainer.data.tile_cutting import PrepareOptions
    from trainer.loop.checkpoints import load_checkpoint
    from trainer.systems.terrain import styles

    styles.STYLE_SAMPLES = 64
    torch.set_num_threads(1)
    draw, over = random.Random(seed), threading.Event()
    earth = make_earth(folder / "earth", side=384)
    options = PrepareOptions("made-up", "nobody", tile_px=128, validation_fraction=0.25)
    tiles = tiles_from_rasters(Sources(earth.texture, earth.height, earth.sea, earth.valid), options)
    classes = np.where(tiles.sea, 0, np.where(tiles.height > 400, 5, 1)).astype(np.uint8)
    warnings: list[str] = []

    def remove() -> None:
        while not over.wait(draw.uniform(0.05, 0.6)):
            with suppress(OSError):
                shutil.rmtree(folder / "run")

    thread = threading.Thread(target=remove)
    thread.start()
    config, labelled = changed(images=24, save_images=4, sample_images=6), tiles.with_labels(classes[:, None])
    last = None
    try:
        last = train_terrain(labelled, config, folder / "run", quiet, warn=warnings.append)
    except OutputError as error:  # the last checkpoint could not be written, which ends the run
        warnings.append(str(error))
    finally:
        over.set()
        thread.join()
    last = last or train_terrain(labelled, config, folder / "run", quiet, warn=warnings.append)
    with suppress(FileNotFoundError):  # it was removed after it was written
        if last is None or load_checkpoint(last, torch.device("cpu"))["images"] != 24:
            print("the last checkpoint is not that of the end", file=sys.stderr)
    if any("\n" in sentence or len(sentence) > 400 for sentence in warnings):
        print(f"warnings: {warnings}", file=sys.stderr)


def removed_folders(draw: random.Random, folder: Path) -> str:
    """Paint while the folders of recovery and of the project are removed."""
    return _run("paint", draw, folder)


def removed_run(draw: random.Random, folder: Path) -> str:
    """Train while the folder of the run is removed."""
    return _run("train", draw, folder)


def _run(what: str, draw: random.Random, folder: Path) -> str:
    arguments = ["-m", "tests.campaign.removed_folders", what, str(folder), str(draw.randrange(1 << 30))]
    return run(arguments, folder, 900)


if __name__ == "__main__":
    {"paint": paint, "train": train}[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
