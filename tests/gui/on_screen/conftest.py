"""The 3D view with OpenGL, alone and in its dock; `test_view3d.py` runs the modules here under a virtual screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from terrainpaint.core.project import Project, Settings
from terrainpaint.generation.process import TerrainProcess
from terrainpaint.gui.background_jobs import WindowJobs
from terrainpaint.gui.document import Document
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.relief_dock import ReliefDock
from terrainpaint.gui.view3d.opengl import choose_platform, prepare_opengl
from terrainpaint.gui.view3d.widget import TerrainView3D
from tests.gui.on_screen.steps import COLS, ROWS, hills, surface


@pytest.fixture(scope="session")
def qapp_cls() -> type[QApplication]:
    prepare_opengl()
    return QApplication


@pytest.fixture
def view(qapp: QApplication, qtbot: QtBot) -> TerrainView3D:
    choose_platform()
    created = TerrainView3D()
    qtbot.addWidget(created)
    created.resize(640, 480)
    created.set_terrain(*hills(), 2000.0)
    created.set_water(None)
    created.show()
    qtbot.waitExposed(created)
    qtbot.waitUntil(lambda: surface(created).isValid())
    return created


@pytest.fixture
def dock(qapp: QApplication, qtbot: QtBot, empty_folders: Path) -> ReliefDock:
    choose_platform()
    document = Document(Project.empty((ROWS, COLS), Settings(2000.0, "atlas")))
    window = QWidget()
    qtbot.addWidget(window)
    created = ReliefDock(document, LiveGeneration(document, {}, TerrainProcess()), WindowJobs(window), window)
    created.resize(640, 480)
    window.resize(640, 480)
    window.show()
    created.create_view()
    assert created.view is not None
    created.view.set_terrain(*hills(), 2000.0)
    qtbot.waitUntil(lambda: surface(created.view).isValid())
    return created
