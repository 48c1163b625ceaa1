"""Finer land exported from the real window, with the real process and random networks of fine land."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from PySide6.QtWidgets import QApplication, QComboBox, QDialogButtonBox, QLineEdit, QTabWidget
from pytestqt.qtbot import QtBot

from terrainpaint.core.fine_land import coarse_window
from terrainpaint.core.painting import ellipse
from terrainpaint.core.project import Project, Settings
from terrainpaint.core.rects import Rect
from terrainpaint.core.sea_choice import Sea
from terrainpaint.core.sea_level import with_sea
from terrainpaint.core.water import with_level_water
from terrainpaint.generation.refiner import Refiner
from terrainpaint.gui.dialogs.export import ExportDialog
from terrainpaint.gui.export_choice import ExportChoice
from terrainpaint.gui.widgets.basics import accept_button
from terrainpaint.models.fine_land_weights import load_fine_land
from tests.generation.random_weights import write_fine_land
from tests.gui.windows import Person, own_window

SHAPE = (64, 80)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fine") / "fine.safetensors"
    write_fine_land(path)
    return path


@pytest.fixture
def person(request: pytest.FixtureRequest, qapp: QApplication, tmp_path: Path, weights: Path) -> Iterator[Person]:
    with own_window(request, tmp_path / "home") as person:
        person.window.generation.detail.use_file(weights)
        person.window.start(None)
        person.opens(Project.empty(SHAPE, Settings(2000.0, "atlas", base_class=0)))
        person.window.document.paint_mark("Land", ellipse((10, 10), (54, 70), SHAPE), 5)
        yield person


def test_a_higher_sea_with_its_floor_is_exported(person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    window, folder = person.window, tmp_path / "out"
    folder.mkdir()
    qtbot.waitUntil(lambda: window.generation.is_exact)
    formats = ("height16", "classes", "terrain")
    choice = ExportChoice(folder, "land", formats, None, 1.0, level_water=False, sea=Sea(True, 60))
    with qtbot.waitSignal(window.exporting.written):
        window.exporting._start(choice)
    generated, ids = window.generation.copies.terrain(), window.document.ids
    expected, classes = with_sea(generated, ids, Sea(True, 60))
    facts = json.loads((folder / "land_height16.json").read_text())
    assert (facts["sea_level_m"], facts["sea_raised_by_m"], facts["sea_depth"]) == (0, 60, True)
    assert facts["height_min_m"] == pytest.approx(float(expected.height.min()), abs=0.01)
    stored = np.asarray(Image.open(folder / "land_classes.png"))
    assert np.array_equal(stored, classes)
    shaded = np.asarray(Image.open(folder / "land_terrain.png"))
    lit = window.generation.copies.shaded()
    assert shaded.shape == lit.shape and not np.array_equal(shaded, lit)


def test_a_part_is_exported_finer(person: Person, qtbot: QtBot, tmp_path: Path, weights: Path) -> None:
    window, folder = person.window, tmp_path / "out"
    folder.mkdir()
    qtbot.waitUntil(lambda: window.generation.is_exact)

    def accept(dialog: ExportDialog) -> None:
        named = {field.accessibleName(): field for field in dialog.findChildren(QLineEdit)}
        named["Folder"].setText(str(folder))
        named["Name"].setText("land")
        dialog.findChild(QTabWidget).setCurrentIndex(2)
        boxes = dialog.findChildren(QComboBox)
        part = next(box for box in boxes if box.findText("A rectangle in kilometres") >= 0)
        part.setCurrentIndex(part.findText("A rectangle in kilometres"))
        detail = next(box for box in boxes if box.findData(16) >= 0 and box.count() == 3)
        assert detail.isEnabled()
        detail.setCurrentIndex(detail.findData(4))
        accept_button(dialog.findChild(QDialogButtonBox)).click()

    with qtbot.waitSignal(window.exporting.written), person.in_dialog(ExportDialog, accept):
        window.actions_["export"].trigger()

    facts = json.loads((folder / "land_height16.json").read_text())
    assert (facts["pixel_size_x_m"], facts["detail"], facts["corner_east_m"]) == (500, 4, 60_000)
    stored = cv2.imread(str(folder / "land_height16.png"), cv2.IMREAD_UNCHANGED)
    assert stored.shape == (80, 80)  # 40 km around the middle
    low, high = facts["height_min_m"], facts["height_max_m"]
    height = low + stored / 65535 * (high - low)
    terrain = with_level_water(window.generation.copies.terrain(), window.document.ids)
    device = torch.device("cpu")
    refiner = Refiner(load_fine_land(weights, device), device)
    cells = Rect(22, 30, 20, 20)
    near = coarse_window(terrain.height, terrain.albedo, window.document.ids, cells, refiner.margin(4, 2000.0), 2000.0)
    expected = refiner.refine(near, 4, window.document.settings.recipe.seed)
    assert np.abs(height - expected.height).max() < 0.02 + (high - low) / 65535
    texture = cv2.cvtColor(cv2.imread(str(folder / "land.png")), cv2.COLOR_BGR2RGB)
    assert np.abs(texture.astype(int) - expected.albedo).max() <= 1
