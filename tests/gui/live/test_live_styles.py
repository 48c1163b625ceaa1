"""Styles and looks in the real window: loaded, exchanged, and refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QComboBox, QFileDialog
from pytestqt.qtbot import QtBot

from terrainpaint.core.assets import shipped_styles
from terrainpaint.core.project import Project, Settings, ViewSettings
from terrainpaint.core.project_file import save_project
from terrainpaint.core.terrain import Recipe
from terrainpaint.generation.generator import Generator
from terrainpaint.gui.notices import Topic
from terrainpaint.models.look_weights import save_look
from tests.gui.live.steps import ATLAS, SHAPE, assert_exact, scribbles, settled
from tests.gui.windows import Person, chooses
from tests.models.small_looks import CONFIG, HEADER, look, write_look


def offered(box: QComboBox) -> list[str]:
    return [box.itemText(index) for index in range(box.count())]


def test_a_larger_map_that_needs_other_weights_is_shown_before_they_are_loaded(person: Person, qtbot: QtBot) -> None:
    window, generation = person.window, person.window.generation
    person.opens(Project.empty((64, 64), Settings(125.0, "atlas", base_class=1, true_scale=True)))
    settled(person, qtbot)
    person.opens(Project.empty(SHAPE, Settings(500.0, "atlas", base_class=3)))
    assert generation.live is None and not generation.is_exact
    assert not window.terrain.view.grab().isNull()  # painting it fails when land of the smaller map is looked for
    settled(person, qtbot)
    assert generation.live is not None and generation.live.shape == SHAPE


def test_broken_weights_keep_the_old_ones(person: Person, qtbot: QtBot, generator: Generator, tmp_path: Path) -> None:
    settled(person, qtbot)
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(ATLAS.read_bytes()[:5000])
    with qtbot.waitSignal(person.window.generation.failed):
        person.window.generation.weights.add_style(broken)
    assert "broken.safetensors" in person.sentence
    assert person.window.document.settings.style_name == "broken"
    shown = person.window.generation_panel.style_name
    assert shown.currentText() == "atlas", "the style that is in use"
    installed = list(shipped_styles())
    assert offered(shown) == installed, "the broken one is not offered again"
    scribbles(person, 13, 2)
    assert_exact(person, qtbot, generator)
    undo_stack = person.window.document.undo_stack
    undo_stack.setIndex(0)
    assert person.window.document.settings.style_name == "atlas" == shown.currentText()
    assert_exact(person, qtbot, generator)
    with qtbot.waitSignal(person.window.generation.failed):
        undo_stack.setIndex(undo_stack.count())
    assert_exact(person, qtbot, generator)
    assert (shown.currentText(), offered(shown)) == ("atlas", installed)


def test_broken_weights_with_the_name_of_others_leave_these(
    person: Person, qtbot: QtBot, generator: Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(person, qtbot)
    broken = tmp_path / "atlas.safetensors"
    broken.write_bytes(ATLAS.read_bytes()[:5000])
    chooses(monkeypatch, broken)
    with qtbot.waitSignal(person.window.generation.failed):
        person.window.actions_["add_style"].trigger()
    shown = person.window.generation_panel.style_name
    assert (shown.currentText(), offered(shown)) == ("atlas", list(shipped_styles()))
    person.window.document.change_settings(
        "Style", dataclasses.replace(person.window.document.settings, style_name="satellite")
    )
    settled(person, qtbot)
    person.window.document.undo_stack.undo()
    assert_exact(person, qtbot, generator)


def test_a_project_of_an_unknown_style(person: Person, qtbot: QtBot, generator: Generator, tmp_path: Path) -> None:
    path = tmp_path / "mars.terrainpaint"
    project = Project.empty(SHAPE, Settings(500.0, "mars", base_class=3))
    save_project(path, project, ViewSettings(), None)
    sentences: list[str] = []
    person.window.generation.failed.connect(sentences.append)
    with qtbot.waitSignal(person.window.document.opened):
        person.window.opening.open_path(path)
    assert '"mars"' in person.sentence
    assert_exact(person, qtbot, generator)
    document = person.window.document
    assert document.settings.style_name == "mars", "a save must not change it"
    assert person.window.generation_panel.style_name.currentText() == "atlas", "the style that is in use"
    document.change_settings("Seed", dataclasses.replace(document.settings, recipe=Recipe(7)))
    document.change_settings("Relief", dataclasses.replace(document.settings, relief=2.0))
    assert person.window.generation.is_exact is False
    scribbles(person, 14, 2)
    assert_exact(person, qtbot, generator)
    assert len(sentences) == 1, "it is said once"
    assert list(person.window.message_bar.texts) == [Topic.TERRAIN], "as long as it is true"
    document.change_settings("Style", dataclasses.replace(document.settings, style_name="atlas"))
    assert person.window.message_bar.texts == {}
    assert_exact(person, qtbot, generator)


def test_numbers_of_another_style_are_an_error_message(person: Person, qtbot: QtBot, generator: Generator) -> None:
    settled(person, qtbot)
    document = person.window.document
    with qtbot.waitSignal(person.window.generation.failed):
        document.change_settings("Style", dataclasses.replace(document.settings, recipe=Recipe(1, style=(0.1,))))
    assert "style" in person.sentence and list(person.window.message_bar.texts) == [Topic.TERRAIN]
    document.undo_stack.undo()
    assert person.window.message_bar.texts == {}
    assert_exact(person, qtbot, generator)


def test_a_look_is_loaded_used_undone_and_exported(
    person: Person, qtbot: QtBot, generator: Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of the user, chosen with Terrain > Load weights."""
    window, document = person.window, person.window.document
    look = tmp_path / "painted.safetensors"
    write_look(look, source="atlas")
    before = settled(person, qtbot).live
    assert before is not None and document.settings.look_name is None
    albedo, height = before.albedo.copy(), before.height.copy()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(look), ""))
    with qtbot.waitSignal(window.generation.weights.changed):
        window.actions_["add_style"].trigger()
    assert document.settings.look_name == "painted"
    assert all(slider.isEnabled() for slider in window.generation_panel.character.sliders), "the numbers are the same"
    assert window.generation_panel.look_name.currentText() == "painted"
    repainted = Generator.load(ATLAS, "cpu", look)
    assert_exact(person, qtbot, repainted)
    live = window.generation.live
    assert live is before, "the terrain stays shown until it is repainted"
    assert np.abs(live.height - height).max() < 1e-4 * np.ptp(height)
    assert np.abs(live.albedo.astype(int) - albedo).mean() > 5
    provenance = window.generation.copies.terrain().provenance
    assert (provenance.look, provenance.style) == ("satellite", generator.header.style)

    scribbles(person, 21, 3)
    assert_exact(person, qtbot, repainted)
    document.undo_stack.setIndex(1)
    assert document.settings.look_name is None
    scribbles(person, 22, 1)
    assert_exact(person, qtbot, generator)
    data = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppDataLocation))
    kept = data / "weights" / "looks"
    assert [path.name for path in kept.iterdir()] == ["painted.safetensors"], "it is there after the next start"


def test_switching_looks_while_the_terrain_is_generated(
    person: Person, qtbot: QtBot, generator: Generator, tmp_path: Path
) -> None:
    """Requests for what another look depends on must not reach the process."""
    window, document = person.window, person.window.document
    paths = {None: None, "near": tmp_path / "near.safetensors", "far": tmp_path / "far.safetensors"}
    write_look(tmp_path / "near.safetensors", source="atlas")
    far = dataclasses.replace(CONFIG, blocks=(3, 1, 1))
    save_look(tmp_path / "far.safetensors", dataclasses.replace(HEADER, config=far, source="satellite"), look(far))
    window.generation.weights.looks.update({name: path for name, path in paths.items() if name and path})
    warnings: list[str] = []
    window.generation.warned.connect(warnings.append)
    failures: list[str] = []
    window.generation.failed.connect(failures.append)
    for index, name in enumerate(("near", "far", None, "far", "near", None, "far")):
        scribbles(person, 30 + index, 1)
        document.change_settings("Look", dataclasses.replace(document.settings, look_name=name))
        scribbles(person, 40 + index, 1)
    assert_exact(person, qtbot, Generator.load(ATLAS, "cpu", paths["far"]))
    assert failures == [] and warnings and all('"far"' in warning for warning in warnings), "it is for satellite"
    document.change_settings("Look", dataclasses.replace(document.settings, look_name="near"))
    assert_exact(person, qtbot, Generator.load(ATLAS, "cpu", paths["near"]))


def test_a_look_that_is_missing_or_broken_leaves_the_style(
    person: Person, qtbot: QtBot, generator: Generator, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.safetensors"
    write_look(broken)
    broken.write_bytes(broken.read_bytes()[:-9])
    path = tmp_path / "land.terrainpaint"
    save_project(
        path, Project.empty(SHAPE, Settings(500.0, "atlas", base_class=3, look_name="mars")), ViewSettings(), None
    )
    warnings: list[str] = []
    person.window.generation.warned.connect(warnings.append)
    with qtbot.waitSignal(person.window.document.opened):
        person.window.opening.open_path(path)
    assert_exact(person, qtbot, generator)
    assert len(warnings) == 1 and '"mars"' in warnings[0]
    assert person.window.document.settings.look_name == "mars", "a save must not change it"
    person.window.generation.weights.add_look(broken)
    assert_exact(person, qtbot, generator)
    assert len(warnings) == 2 and "broken.safetensors is damaged" in warnings[1]
    looks = person.window.generation_panel.look_name
    assert looks.currentText() == "broken" and "broken" not in person.window.generation.weights.looks
    person.window.document.undo_stack.undo()
    assert looks.currentText() == "mars" and "broken" not in offered(looks)
