"""`python -m tests.bench_window`: time until the window is shown, pauses of its event loop, and delay of a stroke.

Measured in the real window with the real worker process. Without a screen, the 3D view is the flat picture.
"""

from __future__ import annotations

import itertools
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np

_SIDES = 512, 2048
_GAP_MS = 5
_STROKES, _MOVES, _MOVE_MS = 8, 40, 8
_BRUSH_PX = 24.0
_PATIENCE_S = 180.0
_LONG_MS = 50.0


def bench_window() -> dict[str, float]:
    """Milliseconds, measured in a new process with empty settings and data folders."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "QT_QPA_PLATFORM": "offscreen", **os.environ, "XDG_CONFIG_HOME": folder, "XDG_DATA_HOME": folder,
            "TERRAINPAINT_BENCH_START": repr(time.time()),
        }  # fmt: skip
        output = subprocess.run(
            [sys.executable, "-m", "tests.bench_window", "--here"],
            check=True, stdout=subprocess.PIPE, text=True, env=environment,
        ).stdout  # fmt: skip
    return {name: float(value) for name, value in (line.split() for line in output.splitlines())}


class Watchdog:
    """Measures pauses of the event loop by the delay of a timer in the interface thread."""

    def __init__(self) -> None:
        from PySide6.QtCore import QTimer

        self._timer = QTimer(interval=_GAP_MS)
        self._timer.timeout.connect(self._tick)
        self._last = time.perf_counter()
        self.gaps_ms: list[float] = []

    def start(self) -> None:
        self._last, self.gaps_ms = time.perf_counter(), []
        self._timer.start()

    def stop(self) -> dict[str, float]:
        self._timer.stop()
        gaps = sorted(self.gaps_ms)
        return {
            "gap_longest_ms": gaps[-1],
            "gap_99_percent_ms": gaps[math.ceil(0.99 * len(gaps)) - 1],
            "gaps_over_50_ms": sum(gap > _LONG_MS for gap in gaps),
        }

    def _tick(self) -> None:
        now = time.perf_counter()
        self.gaps_ms.append((now - self._last) * 1e3)
        self._last = now


def wait(until: Callable[[], bool], seconds: float = _PATIENCE_S) -> None:
    """Run the event loop until a condition is true. Raises TimeoutError."""
    from PySide6.QtCore import QEventLoop, QTimer

    if until():
        return
    loop, timer = QEventLoop(), QTimer(interval=5)
    timer.timeout.connect(lambda: loop.quit() if until() or time.perf_counter() > end else None)
    end = time.perf_counter() + seconds
    timer.start()
    loop.exec()
    timer.stop()
    if not until():
        raise TimeoutError("the condition did not become true")


def measure(start: float) -> dict[str, float]:
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from terrainpaint.core.assets import asset_path
    from terrainpaint.core.map_files import read_map
    from terrainpaint.core.project import Project, Settings, ViewSettings
    from terrainpaint.generation.process import TerrainProcess
    from terrainpaint.gui.app import make_application

    application = make_application()
    process = TerrainProcess()
    process.start()
    from terrainpaint.gui.window import MainWindow

    window = MainWindow(process)
    window.show()
    wait(lambda: window.isVisible() and window.windowHandle().isExposed())
    measured = {"window_shown_ms": (time.time() - start) * 1e3}
    window.start(None)
    window.opening.sample("coast")
    first: list[float] = []
    window.generation.patch_made.connect(lambda rect: first.append(time.time()))
    wait(lambda: bool(first))
    measured["window_first_terrain_ms"] = (first[0] - start) * 1e3
    land = read_map(asset_path("maps/coast.png")).ids
    watchdog = Watchdog()
    for side in _SIDES:
        ids = np.repeat(np.repeat(land, side // len(land), 0), side // len(land), 1)
        watchdog.start()
        window.document.open(Project.painted(ids, Settings(2000.0, "atlas")), None, ViewSettings())
        wait(lambda: window.generation.live is not None and window.generation.live.is_exact(window.generation.focus))
        measured |= {f"window_{side}_open_{name}": value for name, value in watchdog.stop().items()}
        watchdog.start()
        delays, events = paint(window)
        measured |= {f"window_{side}_paint_{name}": value for name, value in watchdog.stop().items()}
        measured[f"window_{side}_event_to_patch_median_ms"] = statistics.median(delays)
        measured[f"window_{side}_event_to_patch_worst_ms"] = max(delays)
        measured[f"window_{side}_event_longest_ms"] = max(events)
        watchdog.start()
        window.document.undo_stack.setIndex(0)
        window.document.undo_stack.setIndex(window.document.undo_stack.count())
        wait(lambda: window.generation.live is not None and window.generation.live.is_exact(window.generation.focus))
        measured |= {f"window_{side}_undo_all_{name}": value for name, value in watchdog.stop().items()}
    window.document.undo_stack.clear()  # with unsaved changes, closing would ask
    QTimer.singleShot(0, window.close)
    wait(lambda: not window.isVisible())
    assert isinstance(application, QApplication)
    return measured


def paint(window: object) -> tuple[list[float], list[float]]:
    """Paint strokes with the mouse. Returns milliseconds from each press to the first patch, and of each event."""
    from PySide6.QtCore import QEvent, QPointF, Qt
    from PySide6.QtGui import QMouseEvent
    from PySide6.QtWidgets import QApplication

    from terrainpaint.core.classes import CLASS_COUNT
    from terrainpaint.gui.window import MainWindow

    assert isinstance(window, MainWindow)
    canvas, left, none = window.canvas, Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    canvas.set_tool("brush")
    window.tools.size_px = _BRUSH_PX
    patches: list[float] = []
    window.generation.patch_made.connect(lambda rect: patches.append(time.perf_counter()))
    delays, events = [], []
    random = np.random.default_rng(3)

    def send(kind: QEvent.Type, at: QPointF, button: Qt.MouseButton, buttons: Qt.MouseButton) -> None:
        start = time.perf_counter()
        event = QMouseEvent(kind, at, canvas.mapToGlobal(at), button, buttons, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(canvas, event)
        events.append((time.perf_counter() - start) * 1e3)

    def pause(seconds: float) -> None:
        end = time.perf_counter() + seconds
        wait(lambda: time.perf_counter() >= end)

    for _ in range(_STROKES):
        rows, cols = window.document.shape
        place = random.uniform(0.2, 0.8, 2)
        # A class that differs from that of the map: a stroke that changes nothing causes no patch.
        current = window.document.segmentation().ids[int(place[0] * rows), int(place[1] * cols)]
        window.tools.class_id = (int(current) + 3) % CLASS_COUNT
        heading = random.uniform(0, 2 * math.pi)
        steps = np.linspace(0, 0.15, _MOVES)[:, None] * [math.sin(heading), math.cos(heading)] + place
        places = [canvas.to_screen(row * rows, col * cols) for row, col in steps]
        patches.clear()
        start = time.perf_counter()
        send(QEvent.Type.MouseButtonPress, places[0], left, left)
        for at in itertools.islice(places, 1, None):
            pause(_MOVE_MS / 1e3)
            send(QEvent.Type.MouseMove, at, none, left)
        send(QEvent.Type.MouseButtonRelease, places[-1], left, none)
        wait(lambda: bool(patches))
        delays.append((patches[0] - start) * 1e3)
        pause(0.1)
    wait(lambda: window.generation.live is not None and window.generation.live.is_exact(window.generation.focus))
    return delays, events


if __name__ == "__main__":
    if "--here" in sys.argv:
        for key, value in measure(float(os.environ["TERRAINPAINT_BENCH_START"])).items():
            print(key, value)
    else:
        for key, value in bench_window().items():
            print(f"{key} {value:.1f}")
