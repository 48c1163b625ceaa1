"""Recovery journals: they always restore a state that the document had, and lose at most the last step."""

from __future__ import annotations

import dataclasses
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrainpaint.core import journal as journal_module
from terrainpaint.core.edits import Stroke, Tiles
from terrainpaint.core.guide_lines import GuideLine, GuideLines, LineKind
from terrainpaint.core.journal import AbandonedJournal, Journal, abandoned_journals, discard, recover
from terrainpaint.core.project import REROLLS, Layer, Project, Underlay, ViewSettings, empty_cells
from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Recipe
from terrainpaint.errors import OutputError, ProjectError
from tests.core.projects import VIEW, assert_same, full_project, plain_project

ROOT = Path(__file__).resolve().parents[2]
LARGE = (150, 200)


def copied(project: Project) -> Project:
    layers = tuple(dataclasses.replace(layer, cells=layer.cells.copy()) for layer in project.layers)
    return dataclasses.replace(project, layers=layers, rerolls=project.rerolls.copy())


def stroke(project: Project, key: int, rect: Rect, value: int) -> Tiles:
    """Paint in place as the window does, and return the tiles as they are afterwards."""
    edit = Stroke(project.cells(key))
    edit.touch(rect)
    project.cells(key)[rect.clipped(project.shape).slices] = value
    patch = edit.finish()
    return patch.after if patch else Tiles((), ())


def full_disk(*_: object) -> None:
    raise OSError(28, "No space left on device")


def abandoned_copy(journal: Journal, folder: Path) -> list[AbandonedJournal]:
    """The abandoned journals that another program would find if this one were killed now."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy(journal.path, folder)
    return abandoned_journals(folder)


def recovered(journal: Journal, folder: Path) -> Project:
    (abandoned,) = abandoned_copy(journal, folder)
    return recover(abandoned)[0]


class Editor:
    """A document that is edited at random, with its journal."""

    def __init__(self, folder: Path, project: Project) -> None:
        self.project, self.journal = project, Journal.create(folder, "Näme / 1", copied(project), VIEW)
        self.removed: list[Layer] = []

    def step(self, draw: random.Random) -> None:
        keys = [layer.key for layer in self.project.layers]
        kind = draw.choice(
            ["stroke"] * 6 + ["add", "remove", "bring back", "rename", "settings", "underlay", "lines", "resize"]
        )
        if kind == "stroke":
            rect = Rect(
                draw.randrange(-20, 140), draw.randrange(-20, 190), draw.randrange(1, 90), draw.randrange(1, 90)
            )
            key = draw.choice([REROLLS, *keys])
            if not rect.clipped(self.project.shape).is_empty:
                self.journal.tiles(key, stroke(self.project, key, rect, draw.randrange(7)))
        elif kind == "add":
            layer = Layer(max(keys) + draw.randrange(1, 3), f"Layer {draw.random()}", empty_cells(self.project.shape))
            layer.cells[5:70, 9:] = draw.randrange(7)
            if all(layer.key != removed.key for removed in self.removed):
                self.restructure(layers=(*self.project.layers, layer), active=layer.key)
        elif kind == "remove" and len(keys) > 1:
            gone = draw.choice(self.project.layers)
            rest = tuple(layer for layer in self.project.layers if layer is not gone)
            self.removed.append(gone)
            self.restructure(layers=rest, active=rest[0].key)
        elif kind == "bring back" and self.removed and self.removed[-1].cells.shape == self.project.shape:
            self.restructure(layers=(self.removed.pop(), *self.project.layers))
        elif kind == "rename":
            changed = dataclasses.replace(
                self.project.layers[0], name=f"é {draw.random()}", visible=draw.random() < 0.5
            )
            self.restructure(layers=(*self.project.layers[1:], changed))
        elif kind == "settings":
            recipe = Recipe(draw.randrange(2**64), None, 0.0, (draw.random(),))
            self.restructure(settings=dataclasses.replace(self.project.settings, relief=2.0, recipe=recipe))
        elif kind == "underlay":
            picture = np.full((9, 5, 3), draw.randrange(256), np.uint8)
            self.restructure(underlay=draw.choice([None, Underlay(picture), self.project.underlay]))
        elif kind == "lines":
            rows, cols = self.project.shape
            points = [(draw.uniform(0, rows), draw.uniform(0, cols)) for _ in range(3)]
            drawn = GuideLine.through(draw.choice(list(LineKind)), points, draw.randrange(1, 4))
            self.restructure(lines=GuideLines((*self.project.lines.lines[-3:], drawn), draw.random() < 0.5))
        elif kind == "resize":
            shape = draw.choice([LARGE, (64, 64), (33, 250)])
            self.project = self.project.cropped(draw.randrange(-9, 9), 3, shape)
            self.journal.replaced(copied(self.project))

    def restructure(self, **changes: object) -> None:
        self.project = dataclasses.replace(self.project, **changes)
        self.journal.structure(self.project)


@pytest.mark.parametrize("lines", [GuideLines(visible=False), GuideLines(locked=True)])
def test_no_lines_stay_hidden_or_locked(tmp_path: Path, lines: GuideLines) -> None:
    editor = Editor(tmp_path / "running", plain_project())
    editor.restructure(lines=lines)
    assert recovered(editor.journal, tmp_path / "left").lines == lines


@given(st.integers(0, 10**6), st.booleans())
@settings(max_examples=40)
def test_random_edits_are_recovered(tmp_path_factory: pytest.TempPathFactory, seed: int, short: bool) -> None:
    folder = tmp_path_factory.mktemp("journal")
    draw = random.Random(seed)
    with pytest.MonkeyPatch.context() as patched:
        if short:  # the journal is shortened every few steps
            patched.setattr(journal_module, "SHORTEN_BYTES", 1000)
            patched.setattr(journal_module, "SHORTEN_FACTOR", 1)
        editor = Editor(folder / "running", full_project(LARGE))
        for _ in range(draw.randrange(1, 25)):
            editor.step(draw)
            if draw.random() < 0.3:
                assert_same(recovered(editor.journal, folder / "left"), editor.project)
        assert_same(recovered(editor.journal, folder / "left"), editor.project)
        editor.journal.close_and_remove()
        assert list((folder / "running").iterdir()) == []


def test_a_short_journal_stays_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "SHORTEN_BYTES", 20_000)
    project = plain_project(LARGE)
    journal = Journal.create(tmp_path / "a", "a", project, VIEW)
    noise = np.random.default_rng(0)
    sizes = []
    for _ in range(200):
        project.layers[0].cells[:64, :64] = noise.integers(0, 7, (64, 64), dtype=np.uint8)
        edit = Stroke(project.layers[0].cells)
        edit.touch(Rect(0, 0, 64, 64))
        journal.tiles(1, edit.before)
        sizes.append(journal.path.stat().st_size)
    assert max(sizes) < 30_000
    assert_same(recovered(journal, tmp_path / "b"), project)


def test_a_cut_at_any_byte_gives_the_state_before(tmp_path: Path) -> None:
    project = full_project((40, 48))
    journal = Journal.create(tmp_path / "a", "a", copied(project), VIEW)
    states, ends = [copied(project)], [journal.path.stat().st_size]

    def note() -> None:
        states.append(copied(project))
        ends.append(journal.path.stat().st_size)

    journal.tiles(2, stroke(project, 2, Rect(3, 4, 9, 30), 5))
    note()
    journal.tiles(REROLLS, stroke(project, REROLLS, Rect(0, 0, 30, 30), 9))
    note()
    layer = Layer(11, "new", np.full(project.shape, 3, np.uint8))
    underlay = Underlay(np.zeros((4, 5, 3), np.uint8), 0.9)
    project = dataclasses.replace(project, layers=(layer, *project.layers), active=11, underlay=underlay)
    journal.structure(project)
    note()
    journal.tiles(11, stroke(project, 11, Rect(30, 40, 9, 9), 0))
    note()
    whole = journal.path.read_bytes()
    path = tmp_path / "cut.journal"
    for length in range(ends[0], len(whole) + 1):
        path.write_bytes(whole[:length])
        expected = sum(end <= length for end in ends) - 1
        assert_same(recover(abandoned_journals(tmp_path)[0])[0], states[expected])
    # A power cut may leave blocks of zeros or random bytes in place of the data.
    for rest in (bytes(500), b"\xff" * 500, whole[:500]):
        path.write_bytes(whole + rest)
        assert_same(recover(abandoned_journals(tmp_path)[0])[0], states[-1])
    for length in [*range(0, 60), ends[0] - 1]:
        path.write_bytes(whole[:length])
        (abandoned,) = abandoned_journals(tmp_path)
        with pytest.raises(ProjectError, match=r"cannot be recovered from .*; discard it\.$"):
            recover(abandoned)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), min_size=1, max_size=3))
@settings(max_examples=100)
def test_flipped_bytes(tmp_path_factory: pytest.TempPathFactory, flips: list[tuple[int, int]]) -> None:
    folder = tmp_path_factory.mktemp("flips")
    project = full_project()
    journal = Journal.create(folder / "a", "a", copied(project), VIEW)
    states = [copied(project)]
    for value in range(3):
        journal.tiles(4, stroke(project, 4, Rect(value * 9, 0, 30, 80), value))
        states.append(copied(project))
    broken = bytearray(journal.path.read_bytes())
    for place, change in flips:
        broken[place % len(broken)] ^= change
    (folder / "b.journal").write_bytes(broken)
    (abandoned,) = abandoned_journals(folder)
    try:
        result = recover(abandoned)[0]
    except ProjectError:
        return
    assert any(np.array_equal(result.layer(4).cells, state.layer(4).cells) for state in states)
    journal.close_and_remove()


def test_name_file_and_view_of_a_journal(tmp_path: Path) -> None:
    project = plain_project()
    journal = Journal.create(tmp_path / "a", "Coast", project, VIEW, tmp_path / "coast.terrainpaint")
    (abandoned,) = abandoned_copy(journal, tmp_path / "b")
    assert (abandoned.name, abandoned.document) == ("Coast", tmp_path / "coast.terrainpaint")
    _, view, document = recover(abandoned)
    assert view == VIEW and document == tmp_path / "coast.terrainpaint"
    journal.tiles(1, stroke(project, 1, Rect(0, 0, 9, 9), 2))
    journal.saved(tmp_path / "other.terrainpaint")
    journal.flush()
    # Everything is saved, so there is nothing to recover.
    assert abandoned_copy(journal, tmp_path / "b") == []
    assert list((tmp_path / "b").iterdir()) == []
    journal.structure(project, ViewSettings(exaggeration=3.0))
    (abandoned,) = abandoned_copy(journal, tmp_path / "b")
    assert abandoned.document == tmp_path / "other.terrainpaint"
    assert recover(abandoned)[1].exaggeration == 3.0
    discard(abandoned)
    assert list((tmp_path / "b").iterdir()) == [] and abandoned_journals(tmp_path / "b") == []


def test_a_shortened_journal_remembers_the_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "SHORTEN_BYTES", 1)
    monkeypatch.setattr(journal_module, "SHORTEN_FACTOR", 0)
    journal = Journal.create(tmp_path / "a", "a", plain_project(), VIEW)
    journal.saved(tmp_path / "file")
    assert abandoned_copy(journal, tmp_path / "b") == []
    project = plain_project()
    journal.tiles(1, stroke(project, 1, Rect(0, 0, 40, 40), 6))
    (abandoned,) = abandoned_copy(journal, tmp_path / "b")
    assert abandoned.document == tmp_path / "file"


def test_the_newest_journal_is_first(tmp_path: Path) -> None:
    for name, age in (("old", 500), ("new", 5), ("middle", 100)):
        path = Journal.create(tmp_path / "a", name, plain_project(), VIEW).path
        copy = tmp_path / path.name
        shutil.copy(path, copy)
        os.utime(copy, (time.time() - age, time.time() - age))
    assert [journal.name for journal in abandoned_journals(tmp_path)] == ["new", "middle", "old"]


def test_the_journal_of_a_running_program_is_not_touched(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, "a", plain_project(), VIEW)
    other = Journal.create(tmp_path, "a", plain_project(), VIEW)
    assert abandoned_journals(tmp_path) == []
    abandoned = AbandonedJournal(journal.path, journal_module.datetime.datetime.now(), "a", None)
    with pytest.raises(ProjectError, match="in use by another TerrainPaint"):
        recover(abandoned)
    discard(abandoned)
    journal.tiles(1, Tiles((), ()))
    other.close_and_remove()
    assert journal.path.exists()
    journal.close_and_remove()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ProjectError, match="there is no such file"):
        recover(abandoned)


def test_a_journal_stays_locked_when_the_thread_that_created_it_ends(tmp_path: Path) -> None:
    journals: list[Journal] = []
    thread = threading.Thread(target=lambda: journals.append(Journal.create(tmp_path, "a", plain_project(), VIEW)))
    thread.start()
    thread.join()
    assert abandoned_journals(tmp_path) == []
    journals[0].close_and_remove()
    assert list(tmp_path.iterdir()) == []


def test_no_folder_is_no_journal(tmp_path: Path) -> None:
    assert abandoned_journals(tmp_path / "none") == []


def test_files_of_other_formats_are_offered_but_not_recovered(tmp_path: Path) -> None:
    (tmp_path / "x.journal").write_bytes(b"another format")
    (abandoned,) = abandoned_journals(tmp_path)
    with pytest.raises(ProjectError, match="it is not a journal"):
        recover(abandoned)
    discard(abandoned)
    assert list(tmp_path.iterdir()) == []


def test_old_temporary_files_are_removed(tmp_path: Path) -> None:
    leftovers = [tmp_path / ".writing-1234.journal", tmp_path / "gone-12.lock"]
    for path in (*leftovers, tmp_path / "notes.txt"):
        path.touch()
    assert abandoned_journals(tmp_path) == [] and all(path.exists() for path in leftovers)
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))
    assert abandoned_journals(tmp_path) == []
    assert list(tmp_path.iterdir()) == [tmp_path / "notes.txt"]


def test_after_a_full_disk_a_journal_must_be_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = plain_project()
    journal = Journal.create(tmp_path / "a", "a", copied(project), VIEW)
    before = copied(project)
    real = os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(data) <= 12:
            raise OSError(28, "No space left on device")
        return real(descriptor, data[:11])

    tiles = stroke(project, 1, Rect(0, 0, 9, 9), 2)
    with monkeypatch.context() as patched:
        patched.setattr("os.write", full)
        with pytest.raises(OutputError, match="disk is full"):
            journal.tiles(1, tiles)
    # One step is missing, so a later step would give a state that the document never had.
    with pytest.raises(OutputError, match="lacks earlier changes"):
        journal.tiles(1, stroke(project, 1, Rect(20, 0, 9, 9), 3))
    assert_same(recovered(journal, tmp_path / "b"), before)
    journal.replaced(copied(project))
    journal.tiles(1, stroke(project, 1, Rect(20, 20, 9, 9), 3))
    assert_same(recovered(journal, tmp_path / "b"), project)


def test_a_new_layer_that_was_not_written_is_an_error_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = plain_project()
    journal = Journal.create(tmp_path / "a", "a", copied(project), VIEW)
    larger = dataclasses.replace(project, layers=(*project.layers, Layer(9, "new", empty_cells(project.shape))))
    with monkeypatch.context() as patched:
        patched.setattr("os.write", full_disk)
        with pytest.raises(OutputError, match="disk is full"):
            journal.structure(larger)
    with pytest.raises(OutputError, match="lacks earlier changes"):
        journal.tiles(9, stroke(larger, 9, Rect(0, 0, 9, 9), 2))
    journal.replaced(copied(larger))
    journal.tiles(9, stroke(larger, 9, Rect(0, 0, 9, 9), 3))
    assert_same(recovered(journal, tmp_path / "b"), larger)


def test_saving_removes_a_broken_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal.create(tmp_path, "a", plain_project(), VIEW)
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full_disk)
        with pytest.raises(OutputError, match="disk is full"):
            journal.replaced(plain_project((50, 50)))
    journal.saved(tmp_path / "file")
    assert not journal.path.exists()
    journal.replaced(plain_project((50, 50)))
    journal.flush()
    assert journal.path.exists()
    journal.close_and_remove()
    assert list(tmp_path.iterdir()) == []


def test_a_journal_that_cannot_be_created_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        Journal.create(tmp_path / "file", "a", plain_project(), VIEW)
    project = plain_project()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("os.fsync", full_disk)
        with pytest.raises(OutputError, match="disk is full"):
            Journal.create(tmp_path / "a", "a", project, VIEW)
    assert list((tmp_path / "a").iterdir()) == []


def test_an_unknown_layer_is_a_value_error(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, "a", plain_project(), VIEW)
    with pytest.raises(ValueError, match="no layer 7"):
        journal.tiles(7, Tiles((), ()))


PAINTER = """
import itertools, random, sys
from pathlib import Path
from terrainpaint.core import journal as module
from tests.core.test_journal import Editor, LARGE
from tests.core.projects import full_project
module.SHORTEN_BYTES, module.SHORTEN_FACTOR = 30_000, 2
editor = Editor(Path(sys.argv[1]), full_project(LARGE))
draw = random.Random(int(sys.argv[2]))
for step in itertools.count(1):
    print(f"begin {step}", flush=True)
    editor.step(draw)
    editor.journal.flush()
    print(f"end {step}", flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_a_killed_program_loses_at_most_the_step_in_progress(tmp_path: Path) -> None:
    chance = random.Random(1)
    for seed in range(20):
        folder = tmp_path / str(seed)
        command = [sys.executable, "-c", PAINTER, str(folder), str(seed)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as painter:
            assert painter.stdout is not None
            lines = [painter.stdout.readline()]
            # The journal of a running program is not offered.
            assert lines[0] == "begin 1\n" and abandoned_journals(folder) == []
            time.sleep(chance.uniform(0.0, 0.25))
            painter.send_signal(signal.SIGKILL)
            lines += painter.stdout.readlines()
        whole = [line for line in lines if line.endswith("\n")]
        flushed = sum(line.startswith("end") for line in whole)
        (abandoned,) = abandoned_journals(folder)
        result = recover(abandoned)[0]
        truth = Editor(tmp_path / f"truth {seed}", full_project(LARGE))
        draw = random.Random(seed)
        for _ in range(flushed):
            truth.step(draw)
        # The step in progress may be complete already.
        try:
            assert_same(result, truth.project)
        except AssertionError:
            truth.step(draw)
            assert_same(result, truth.project)
        discard(abandoned)
        assert [path.name for path in folder.iterdir() if not path.name.startswith(".writing-")] == []


def test_unsaved_work_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "recovery"
    journal = Journal.create(folder, "a", plain_project(), VIEW)
    journal.replaced(plain_project())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    journal.close_and_remove()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not remove open files")
def test_a_journal_that_was_removed_is_noticed(tmp_path: Path) -> None:
    folder, project = tmp_path / "recovery", plain_project()
    journal = Journal.create(folder, "a", project, VIEW)
    shutil.rmtree(folder)
    journal.tiles(project.layers[0].key, stroke(project, project.layers[0].key, Rect(0, 0, 9, 9), 3))
    with pytest.raises(OutputError, match="was removed by another program"):
        journal.flush()
    with pytest.raises(OutputError, match="lacks earlier changes"):
        journal.structure(project)
    journal.close_and_remove()
    again = Journal.create(folder, "a", project, VIEW)
    assert_same(recovered(again, tmp_path / "copy"), project)
    again.close_and_remove()


def test_anything_with_the_name_of_a_journal(tmp_path: Path) -> None:
    (tmp_path / "folder.journal").mkdir()
    os.mkfifo(tmp_path / "pipe.journal")
    (tmp_path / "loop.journal").symlink_to(tmp_path / "loop.journal")
    (tmp_path / "text.journal").write_text("text")
    assert [found.path.name for found in abandoned_journals(tmp_path)] == ["text.journal"]
