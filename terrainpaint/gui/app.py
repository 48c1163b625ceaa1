"""Start and end of the window."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from terrainpaint import __version__
from terrainpaint.gui.view3d.opengl import choose_platform, prepare_opengl


def make_application() -> QApplication:
    """The one QApplication, with all that must be set before and after it is made."""
    prepare_opengl()
    application = QApplication(sys.argv[:1])
    application.setApplicationName("TerrainPaint")
    application.setOrganizationName("TerrainPaint")
    application.setApplicationVersion(__version__)
    application.setDesktopFileName("terrainpaint")
    choose_platform()
    return application


def run(path: Path | None) -> int:
    """Open the window, with a project or a file to import if one is given, until it is closed; the exit code."""
    application = make_application()
    from terrainpaint.gui.window import MainWindow

    window = MainWindow()
    window.show()
    # Ctrl+C in the terminal closes the window as its cross would; Python looks at signals when Qt lets it run.
    signal.signal(signal.SIGINT, lambda number, frame: window.close())
    heartbeat = QTimer()
    heartbeat.timeout.connect(lambda: None)
    heartbeat.start(200)
    QTimer.singleShot(0, lambda: window.start(path))
    return application.exec()
