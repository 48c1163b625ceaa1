"""Widgets are tested without a screen, unless the caller names one, and never with the files of the user."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import partialmethod
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
PATIENCE_MS = 120_000


class PatientBot(QtBot):
    """Waits longer than a busy computer takes, in place of 5 s. What never comes is a failure all the same."""

    waitUntil = partialmethod(QtBot.waitUntil, timeout=PATIENCE_MS)
    waitSignal = partialmethod(QtBot.waitSignal, timeout=PATIENCE_MS)
    waitSignals = partialmethod(QtBot.waitSignals, timeout=PATIENCE_MS)
    waitExposed = partialmethod(QtBot.waitExposed, timeout=PATIENCE_MS)
    waitActive = partialmethod(QtBot.waitActive, timeout=PATIENCE_MS)
    waitCallback = partialmethod(QtBot.waitCallback, timeout=PATIENCE_MS)


@pytest.fixture
def qtbot(qapp: object, request: pytest.FixtureRequest) -> QtBot:
    """The one of pytest-qt, with more patience."""
    return PatientBot(request)


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
