"""Two programs that have the same project open and save it, until one of them, then the other, is killed.

Each version names itself and the version that its program believes to be in the file, either its own last one or one
that a question told it about. If two versions replaced the same one, the later one was saved over the earlier without
a word. `python -m tests.campaign.rivals FOLDER NAME SEED` is one of the two.
"""

from __future__ import annotations

import dataclasses
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path

from terrainpaint.core.journal import abandoned_journals, recover
from terrainpaint.core.project import Project, Settings
from terrainpaint.core.project_file import load_project, save_project
from tests.campaign.programs import said, start, wait_until
from tests.core.projects import VIEW

FILE = "shared.terrainpaint"
FIRST = "first"


def main(folder: Path, name: str, seed: int) -> None:
    """Open, paint and save until killed."""
    from PySide6.QtCore import QEventLoop
    from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

    from terrainpaint.core.painting import rectangle
    from terrainpaint.generation.process import TerrainProcess
    from terrainpaint.gui import saving as saving_module
    from terrainpaint.gui.background_jobs import WindowJobs
    from terrainpaint.gui.dialogs.file_questions import ChangedFile
    from terrainpaint.gui.live_generation import LiveGeneration
    from terrainpaint.gui.opening import OpenActions
    from terrainpaint.gui.recovery import Autosave
    from terrainpaint.gui.saving import RecentFiles, SaveActions
    from tests.gui.painter import new_document

    application = QApplication([])
    application.setOrganizationName("TerrainPaint")
    draw, path = random.Random(seed), folder / FILE
    document, window = new_document(), QWidget()
    generation, jobs = LiveGeneration(document, {}, TerrainProcess(), window), WindowJobs(window)
    saving = SaveActions(document, generation, jobs, RecentFiles(window))
    opening = OpenActions(document, generation, jobs, RecentFiles(window), saving)
    autosave = Autosave(document, folder / "recovery", window)
    autosave.failed.connect(lambda sentence: print(sentence, file=sys.stderr, flush=True))
    opening.refused.connect(lambda sentence: print(sentence, file=sys.stderr, flush=True))
    believed = ""

    def answered(path: Path, parent: object) -> ChangedFile:
        nonlocal believed
        if draw.random() < 0.4:
            return ChangedFile.KEEP
        believed = load_project(path)[0].layers[0].name
        return ChangedFile.REPLACE

    def opened() -> str:
        loop = QEventLoop()
        document.opened.connect(loop.quit)
        opening.open_path(path)
        loop.exec()
        return document.project.layers[0].name

    saving_module.changed_file = answered
    QMessageBox.exec = lambda box: QMessageBox.StandardButton.Discard
    believed, number = opened(), 0
    while True:
        number += 1
        version = f"{name}{number}"
        for _ in range(draw.randrange(1, 4)):
            at, to = ((draw.uniform(0, 300), draw.uniform(0, 400)) for _ in range(2))
            document.paint_mark("Shape", rectangle(at, to, document.shape), draw.randrange(7))
        document.change_layer("Rename", dataclasses.replace(document.project.layers[0], name=version))
        print(json.dumps(["saving", version]), flush=True)
        if saving.save():
            print(json.dumps(["saved", version, believed]), flush=True)
            believed = version
        else:
            print(json.dumps(["kept", version]), flush=True)
        if draw.random() < 0.3:
            believed = opened()
        time.sleep(draw.uniform(0, 0.02))


def rivals(draw: random.Random, folder: Path) -> str:
    """Let two programs fight for one project."""
    path, names = folder / FILE, ("a", "b")
    project = Project.empty((300, 400), Settings(100.0, "atlas"))
    layer = dataclasses.replace(project.layers[0], name=FIRST)
    save_project(path, dataclasses.replace(project, layers=(layer,)), VIEW, None)
    programs = {
        name: start(["-m", "tests.campaign.rivals", str(folder), name, str(draw.randrange(1 << 30))], folder, name)
        for name in names
    }
    try:
        begun = wait_until(lambda: all((folder / f"{name}.out").stat().st_size for name in names), 180)
        for name in draw.sample(names, 2):
            time.sleep(draw.uniform(0.3, 2.0))
            programs[name].kill()
            programs[name].wait()
    finally:
        for program in programs.values():
            program.kill()
            program.wait()
    errors = "\n".join(said(folder, name) for name in names).strip()
    if errors or not begun:
        return errors or "the programs did not begin"
    told = [json.loads(line) for name in names for line in (folder / f"{name}.out").read_text().split("\n")[:-1]]
    ends = {word[1]: word[0] for word in told}
    replaced = Counter(word[2] for word in told if word[0] == "saved")
    if twice := [version for version, count in replaced.items() if count > 1]:
        both = [word for word in told if word[0] == "saved" and word[2] in twice]
        return f"a version was overwritten without a word: {both}"
    last = load_project(path)[0].layers[0].name
    if last in replaced or ends.get(last, "saved" if last == FIRST else "") not in ("saved", "saving"):
        return f"the file has the version {last}, which was replaced or not saved"
    for journal in abandoned_journals(folder / "recovery"):
        recover(journal)
    return ""


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
