"""Opening files in the window, and what is said about those that cannot be used."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from terrainpaint.core.map_files import write_map
from terrainpaint.core.project import Project, Settings
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.gui.document import Document
from terrainpaint.gui.notices import Topic
from tests.core.projects import assert_same, full_project
from tests.gui.files.conftest import SHAPE
from tests.gui.files.steps import opened, painted, press, refused
from tests.gui.windows import Person, open_window


def recent_menu(person: Person) -> QMenu:
    return next(menu for menu in person.window.findChildren(QMenu) if menu.title() == "Open &recent")


def test_recent_files_are_in_the_menu_and_on_the_welcome_page(
    person: Person, qtbot: QtBot, project_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = person.window
    menu = recent_menu(person)
    assert not menu.isEnabled()
    opened(person, qtbot, project_file)
    assert window.saving.save_to(tmp_path / "two.terrainpaint")
    assert [item.text() for item in menu.actions()][:2] == [str(tmp_path / "two.terrainpaint"), str(project_file)]
    with qtbot.waitSignal(window.document.opened):
        menu.actions()[1].trigger()
    assert window.document.path == project_file
    assert window.recent_files.paths() == [project_file, tmp_path / "two.terrainpaint"]
    window.show_welcome()
    with qtbot.waitSignal(window.document.opened):
        window.welcome.recent_chosen.emit(tmp_path / "two.terrainpaint")
    assert window.canvas.isVisible()
    person.closes()
    with open_window(qtbot, monkeypatch) as again:
        assert len(again.window.recent_files.paths()) == 2
        next(action for action in recent_menu(again).actions() if "Clear" in action.text()).trigger()
        assert again.window.recent_files.paths() == []
        assert not recent_menu(again).isEnabled()


def test_recent_files_are_ten_at_most(person: Person, tmp_path: Path) -> None:
    for number in range(12):
        assert person.window.saving.save_to(tmp_path / f"{number}.terrainpaint")
    assert [path.stem for path in person.window.recent_files.paths()] == [str(number) for number in range(11, 1, -1)]


def test_a_recent_file_that_is_gone(person: Person, qtbot: QtBot, project_file: Path, tmp_path: Path) -> None:
    window, before = person.window, person.window.document.project
    assert "no such file" in refused(person, qtbot, tmp_path / "gone.terrainpaint")
    assert window.document.project is before
    window.show_welcome()
    assert list(window.message_bar.texts) == [Topic.OPEN] and window.message_bar.isVisible()
    shutil.copy(project_file, tmp_path / "gone.terrainpaint")
    with qtbot.waitSignal(window.document.opened):
        press(window, "Try again")
    assert window.document.path == tmp_path / "gone.terrainpaint"
    assert window.message_bar.texts == {}


def test_a_project_and_a_map_are_dropped(person: Person, qtbot: QtBot, project_file: Path, tmp_path: Path) -> None:
    document = person.window.document
    with qtbot.waitSignal(document.opened):
        person.drops(project_file)
    assert document.path == project_file
    write_map(tmp_path / "classes.png", SegmentationMap(painted((50, 60))))
    with qtbot.waitSignal(document.opened):
        person.drops(tmp_path / "classes.png")
    assert np.array_equal(document.ids, painted((50, 60)))
    assert (document.name, document.path, document.is_dirty) == ("classes", None, True)


def stripped(project_file: Path, path: Path) -> Path:
    """The project as another program saves it again: without the parts that OpenRaster does not know."""
    with zipfile.ZipFile(project_file) as archive, zipfile.ZipFile(path, "w") as again:
        for name in archive.namelist():
            if not name.startswith("terrain/"):
                again.writestr(name, archive.read(name))
    return path


@pytest.mark.parametrize("way", ["open_path", "import_path"])
def test_a_project_that_another_program_saved_opens_as_its_layers(
    person: Person, qtbot: QtBot, project_file: Path, tmp_path: Path, way: str
) -> None:
    path = stripped(project_file, tmp_path / "again.terrainpaint")
    document = person.window.document
    with qtbot.waitSignal(document.opened):
        getattr(person.window.opening, way)(path)
    assert np.array_equal(document.ids, Document(full_project()).ids)
    assert len(document.project.layers) == len(full_project().layers)
    assert (document.path, document.name, document.is_dirty) == (None, "again", True)
    assert "again.terrainpaint was saved by another program" in person.sentence


def test_a_project_is_opened_under_any_name(person: Person, qtbot: QtBot, project_file: Path, tmp_path: Path) -> None:
    project_file.rename(tmp_path / "land.zip")
    opened(person, qtbot, tmp_path / "land.zip")
    assert_same(person.window.document.project, full_project())
    assert person.window.document.path is None


def test_a_file_of_the_clipboard_is_opened(person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "my map & more.png"
    write_map(path, SegmentationMap(painted((50, 60))))
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    QGuiApplication.clipboard().setMimeData(data)
    with qtbot.waitSignal(person.window.document.opened):
        person.window.actions_["paste"].trigger()
    assert np.array_equal(person.window.document.ids, painted((50, 60)))
    person.opens(Project.empty(SHAPE, Settings(100.0, "atlas")))
    QGuiApplication.clipboard().setText(path.as_uri())
    with qtbot.waitSignal(person.window.document.opened):
        person.window.actions_["paste"].trigger()
    assert person.window.document.name == "my map & more"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("foreign.terrainpaint", b"PK\x03\x04 nothing of ours"),
        ("empty.terrainpaint", b""),
        ("text.png", b"no picture"),
        ("text.tif", b"no picture"),
        ("text.ora", b"no archive"),
        ("odd.xyz", b"whatever"),
    ],
)
def test_foreign_files_get_a_message(person: Person, qtbot: QtBot, tmp_path: Path, name: str, content: bytes) -> None:
    before, ids = person.window.document.project, person.window.document.ids.copy()
    (tmp_path / name).write_bytes(content)
    sentence = refused(person, qtbot, tmp_path / name)
    assert name in sentence
    assert len(sentence.splitlines()) == 1
    assert sentence.endswith(".")
    assert person.window.document.project is before
    assert np.array_equal(person.window.document.ids, ids)
    assert person.window.recent_files.paths() == []


def test_a_picture_that_is_cut_short_says_so(person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    whole = cv2.imencode(".png", noise)[1].tobytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    assert "cut.png is damaged or cut short" in refused(person, qtbot, tmp_path / "cut.png")


def test_a_damaged_project_gets_a_message(person: Person, qtbot: QtBot, project_file: Path, tmp_path: Path) -> None:
    before = person.window.document.project
    data = project_file.read_bytes()
    (tmp_path / "half.terrainpaint").write_bytes(data[: len(data) // 2])
    assert "half.terrainpaint" in refused(person, qtbot, tmp_path / "half.terrainpaint")
    assert person.window.document.project is before
