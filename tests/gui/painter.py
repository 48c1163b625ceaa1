"""A program that paints at random until it is killed: `python -m tests.gui.painter FOLDER SEED`.

It prints number and time of every step that is complete, and `saved` when the file has it too. What a step does
depends on the seed alone, so that another process knows every state.
"""

from __future__ import annotations

import dataclasses
import hashlib
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from PySide6.QtWidgets import QApplication, QWidget

from terrainpaint.core.painting import Brush, Edge, rectangle, segment
from terrainpaint.core.project import EMPTY, Project, Settings
from terrainpaint.core.terrain import Recipe
from terrainpaint.generation.process import TerrainProcess
from terrainpaint.gui.background_jobs import WindowJobs
from terrainpaint.gui.document import Document
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.recovery import Autosave
from terrainpaint.gui.saving import RecentFiles, SaveActions

SHAPE = (300, 400)
SAVED_EVERY = 12
MOST_LAYERS = 4


def new_document() -> Document:
    return Document(Project.empty(SHAPE, Settings(100.0, "atlas")))


def state(project: Project) -> str:
    """Hex digest of everything that a project is."""
    digest = hashlib.sha256(repr((project.active, project.settings)).encode())
    for layer in project.layers:
        digest.update(repr((layer.key, layer.name, layer.visible, layer.locked)).encode())
        digest.update(layer.cells.tobytes())
    digest.update(project.rerolls.tobytes())
    return digest.hexdigest()


def steps(document: Document, seed: int) -> Iterator[None]:
    """Change the document again and again."""
    draw = random.Random(seed)
    while True:
        layers, shape = document.project.layers, document.shape
        at = draw.uniform(0, shape[0]), draw.uniform(0, shape[1])
        to = at[0] + draw.uniform(-60, 60), at[1] + draw.uniform(-60, 60)
        match draw.choice(["stroke"] * 12 + ["undo"] * 4 + ["redo"] * 2 + ["reroll", "layer", "order", "size", "seed"]):
            case "stroke":
                stroke = document.begin_stroke("Brush")
                if stroke is not None:
                    for _ in range(draw.randrange(1, 4)):
                        brush = Brush(draw.uniform(1, 60), edge=draw.choice(list(Edge)))
                        stroke.paint(segment(brush, at, to, shape), draw.choice([*range(7), EMPTY]))
                        at, to = to, at
                    stroke.end()
            case "undo":
                document.undo_stack.undo()
            case "redo":
                document.undo_stack.redo()
            case "reroll":
                document.reroll(rectangle(at, to, shape))
            case "layer" if len(layers) < MOST_LAYERS:
                draw.choice([document.add_layer, document.duplicate_layer])()
            case "layer":
                draw.choice([document.remove_layer, document.merge_down])()
            case "order":
                layer = draw.choice(layers)
                document.change_layer("Hide", dataclasses.replace(layer, visible=not layer.visible))
                yield  # a program may be killed between two commands
                document.set_active(draw.choice(layers).key)
            case "size":
                document.crop(draw.randrange(-9, 9), 0, (draw.randrange(200, 300), draw.randrange(200, 400)))
            case "seed":
                recipe = Recipe(draw.randrange(2**31))
                document.change_settings("Seed", dataclasses.replace(document.settings, recipe=recipe))
        yield


def main(folder: Path, seed: int) -> None:
    application = QApplication([])
    application.setOrganizationName("TerrainPaint")
    document, window = new_document(), QWidget()
    generation = LiveGeneration(document, {}, TerrainProcess(), window)
    jobs = WindowJobs(window)
    saving = SaveActions(document, generation, jobs, RecentFiles(window))
    autosave = Autosave(document, folder / "recovery", window)
    saving.before_writing.append(autosave.catch_up)
    autosave.failed.connect(lambda sentence: print("failed", sentence, flush=True))
    jobs.failed.connect(lambda sentence: print("failed", sentence, flush=True))
    document.saved(folder / "map.terrainpaint")
    print("begun", flush=True)
    for number, _ in enumerate(steps(document, seed), 1):
        print(number, time.monotonic(), flush=True)
        if number % SAVED_EVERY == 0:
            saving.save()
            print("saved", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
