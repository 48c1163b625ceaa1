"""Start and end of the desktop program."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from terrainpaint import __version__
from terrainpaint.errors import DeviceError
from terrainpaint.generation.process import TerrainProcess
from terrainpaint.gui.view3d.opengl import choose_platform, prepare_opengl

if TYPE_CHECKING:
    from terrainpaint.gui.window import MainWindow

_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def make_application() -> QApplication:
    """Create the QApplication, with the settings that it needs before and after.

    Raises DeviceError when there is no screen.
    """
    # Without a screen Qt ends the process with a core dump.
    if sys.platform == "linux" and not any(os.environ.get(name) for name in _SCREENS):
        raise DeviceError("There is no screen to open the window on; set DISPLAY, or use terrainpaint generate.")
    prepare_opengl()
    application = QApplication(sys.argv[:1])
    application.setApplicationName("TerrainPaint")
    application.setOrganizationName("TerrainPaint")
    application.setApplicationVersion(__version__)
    application.setDesktopFileName("terrainpaint")
    choose_platform()
    return application


def run(path: Path | None) -> int:
    """Show the window until it is closed, and return the exit code. `path` is a project or a file to import.

    SIGTERM, which a desktop sends at the end of a session, ends the program without a question; the next start offers
    to recover unsaved changes. Raises DeviceError when there is no screen.
    """
    application = make_application()
    # The process imports torch while the window is built.
    process = TerrainProcess()
    process.start()
    from terrainpaint.gui.window import MainWindow

    window = MainWindow(process)
    window.show()
    sys.excepthook = lambda kind, error, trace: _report(window, kind, error, trace)
    # Ctrl+C in the terminal closes the window. Python handles signals only when it runs, so a timer wakes it.
    signal.signal(signal.SIGINT, lambda number, frame: window.close())
    signal.signal(signal.SIGTERM, lambda number, frame: window.leave())
    heartbeat = QTimer()
    heartbeat.timeout.connect(lambda: None)
    heartbeat.start(200)
    QTimer.singleShot(0, lambda: window.start(path))
    window.help.tour.start_once()
    return application.exec()


def _report(window: MainWindow, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Handle an exception of a slot: a message for the user, and a traceback for bugs."""
    if issubclass(kind, MemoryError):
        window.say_no_memory()
        return
    sys.__excepthook__(kind, error, trace)
    window.say_bug()
