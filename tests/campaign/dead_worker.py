"""A window whose generation worker is killed again and again while somebody paints.

`python -m tests.campaign.dead_worker FOLDER SEED` is the window. At its end the document must have every step, and the
terrain must be the one of an unharmed worker. What it does when generation is given up is what a user does: try again.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from tests.campaign.programs import run

KILLS = 6
_PATIENCE_S = 200.0


def main(folder: Path, seed: int) -> None:
    """Paint, kill, and compare; what is wrong goes to stderr."""
    import numpy as np
    from PySide6.QtCore import QEventLoop, QTimer
    from PySide6.QtWidgets import QApplication

    from terrainpaint.core.rects import Rect
    from terrainpaint.generation.process import TerrainProcess
    from terrainpaint.gui.window import MainWindow
    from tests.gui.painter import new_document, state, steps

    application = QApplication([])
    application.setOrganizationName("TerrainPaint")
    draw, process = random.Random(seed), TerrainProcess()
    window = MainWindow(process)
    window.show()
    window.start(None)
    document, generation = window.document, window.generation
    document.open(new_document().project, None, document.view)
    given_up: list[str] = []
    generation.failed.connect(given_up.append)
    generation.failed.connect(lambda reason: QTimer.singleShot(100, generation.make_again))

    def spin(is_done: Callable[[], bool], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not is_done() and time.monotonic() < end:
            application.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
            time.sleep(0.005)
        return is_done()

    changes, count = steps(document, seed), 0
    killed: set[int] = set()
    while len(killed) < KILLS:
        # Of a worker that starts, reads the weights, waits, or generates.
        end = time.monotonic() + draw.choice((0.3, 2.0, 8.0)) * draw.random()
        while time.monotonic() < end or process.pid in (None, *killed):
            next(changes)
            count += 1
            spin(lambda: False, draw.uniform(0, 0.1))
        pid = process.pid
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
    if not spin(lambda: generation.is_exact, _PATIENCE_S):
        print(f"the terrain was never complete after {len(killed)} kills: {given_up}", file=sys.stderr)
    else:
        rect = Rect.of_shape(document.shape)
        alone = TerrainProcess()
        alone.load(generation.weights.styles[document.settings.style_name])
        project = document.project
        whole = alone.make(alone.request(rect, document.ids, project.rerolls, project.settings.recipe, exact=True))
        alone.close()
        live = generation.live
        assert live is not None
        if np.abs(live.height - whole.height).max() > 1e-4 * max(1.0, float(np.ptp(whole.height))):
            print("the terrain has other heights than that of one worker", file=sys.stderr)
        if np.abs(live.albedo.astype(int) - whole.albedo).max() > 1:
            print("the terrain has other colours than that of one worker", file=sys.stderr)
    plain = new_document()
    for _ in islice(steps(plain, seed), count):
        pass
    if state(plain.project) != state(document.project):
        print(f"the document lacks some of its {count} steps", file=sys.stderr)
    window.leave()
    print(f"{count} steps, given up {len(given_up)} times")


def dead_worker(draw: random.Random, folder: Path) -> str:
    """Paint in a window whose worker dies."""
    arguments = ["-m", "tests.campaign.dead_worker", str(folder), str(draw.randrange(1 << 30))]
    return run(arguments, folder, 5 * _PATIENCE_S)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
