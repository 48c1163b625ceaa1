"""Widgets are tested without a screen, unless the caller names one, and never with the files of the user."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(scope="session", autouse=True)
def _empty_clipboard() -> Iterator[None]:
    """What is on the clipboard of Qt's platform without a screen outlives Python, and ends in a crash."""
    from PySide6.QtGui import QGuiApplication

    yield
    if QGuiApplication.instance() is not None:
        QGuiApplication.clipboard().clear()


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Settings and data of the program are in a folder of the tests. `empty_folders` makes it another one."""
    with pytest.MonkeyPatch.context() as patched:
        use_folders(tmp_path_factory.mktemp("program"), patched)
        yield


@pytest.fixture
def empty_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program runs for the first time."""
    use_folders(tmp_path / "program", monkeypatch)
    return tmp_path / "program"


def use_folders(folder: Path, patched: pytest.MonkeyPatch) -> None:
    from PySide6.QtCore import QCoreApplication, QSettings, QStandardPaths

    QCoreApplication.setOrganizationName("TerrainPaint")
    QCoreApplication.setApplicationName("TerrainPaint")
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder / "settings"))
    patched.setenv("XDG_DATA_HOME", str(folder / "data"))
    if sys.platform != "linux":
        QStandardPaths.setTestModeEnabled(True)
