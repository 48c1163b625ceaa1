"""Start and end of the window."""

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
from terrainpaint.generate.process import TerrainProcess
from terrainpaint.gui.view3d.opengl import choose_platform, prepare_opengl

if TYPE_CHECKING:
    from terrainpaint.gui.window import MainWindow

_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def make_application() -> QApplication:
    """The one QApplication, with all that must be set before and after it is made.

    Raises DeviceError when there is no screen.
    """
    # Qt would end the process, with a core dump.
    if sys.platform == "linux" and not any(os.environ.get(each) for each in _SCREENS):
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
    """Open the window, with a project or a file to import if one is given, until it is closed; the exit code.

    SIGTERM ends it without a question, as at the end of a session of the desktop: unsaved work is offered at the next
    start. Raises DeviceError when there is no screen.
    """
    application = make_application()
    # It reads torch while the window is built.
    process = TerrainProcess()
    process.start()
    from terrainpaint.gui.window import MainWindow

    window = MainWindow(process)
    window.show()
    sys.excepthook = lambda kind, error, trace: _tell(window, kind, error, trace)
    # Ctrl+C in the terminal closes the window as its cross would; Python looks at signals when Qt lets it run.
    signal.signal(signal.SIGINT, lambda number, frame: window.close())
    signal.signal(signal.SIGTERM, lambda number, frame: window.leave())
    heartbeat = QTimer()
    heartbeat.timeout.connect(lambda: None)
    heartbeat.start(200)
    QTimer.singleShot(0, lambda: window.start(path))
    return application.exec()


def _tell(window: MainWindow, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What a slot raised, which Qt would print and forget: a sentence for the person, a traceback of bugs for us."""
    if issubclass(kind, MemoryError):
        window.say_no_memory()
        return
    sys.__excepthook__(kind, error, trace)
    window.say_bug()
