from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrainpaint.core.edits import Stroke, Tiles, UndoPatch
from terrainpaint.core.project import EMPTY, Layer, Project, Settings, flattened
from terrainpaint.core.rects import Rect

SIDES = st.integers(1, 200)


@st.composite
def strokes(draw: st.DrawFn) -> tuple[np.ndarray, list[tuple[Rect, int]]]:
    shape = draw(SIDES), draw(SIDES)
    cells = np.random.default_rng(draw(st.integers(0, 9))).integers(0, 7, shape).astype(np.uint8)
    writes = []
    for _ in range(draw(st.integers(0, 5))):
        row, col = draw(st.integers(-20, shape[0])), draw(st.integers(-20, shape[1]))
        writes.append((Rect(row, col, draw(st.integers(0, 90)), draw(st.integers(0, 90))), draw(st.integers(0, 6))))
    return cells, writes


def painted(cells: np.ndarray, writes: list[tuple[Rect, int]]) -> UndoPatch | None:
    stroke = Stroke(cells)
    for rect, value in writes:
        stroke.touch(rect)
        cells[rect.clipped(cells.shape).slices] = value
    return stroke.finish()


@given(strokes())
def test_undo_and_redo_restore_every_cell(given: tuple[np.ndarray, list[tuple[Rect, int]]]) -> None:
    cells, writes = given
    before = cells.copy()
    patch = painted(cells, writes)
    after = cells.copy()
    if patch is None:
        assert np.array_equal(before, after)
        return
    patch.before.write(cells)
    assert np.array_equal(cells, before)
    for _ in range(2):
        patch.after.write(cells)
        assert np.array_equal(cells, after)
    for tiles, there in ((patch.before, before), (patch.after, after)):
        copy = after.copy()
        Tiles.from_bytes(tiles.to_bytes(), copy.shape).write(copy)
        assert np.array_equal(copy, there)


def test_an_edit_that_changes_nothing_is_none() -> None:
    cells = np.zeros((100, 100), np.uint8)
    assert painted(cells, [(Rect(0, 0, 100, 100), 0)]) is None


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:-7], lambda data: b"x" + data])
def test_damaged_bytes_are_refused(damage: object) -> None:
    cells = np.arange(128 * 128, dtype=np.uint32).reshape(128, 128).astype(np.uint8)
    data = Tiles.of(cells).to_bytes()
    with pytest.raises(ValueError):
        Tiles.from_bytes(damage(data), cells.shape)


def test_tiles_outside_the_array_are_refused() -> None:
    data = Tiles.of(np.zeros((128, 128), np.uint8)).to_bytes()
    with pytest.raises(ValueError, match="outside its layer"):
        Tiles.from_bytes(data, (100, 128))


def test_a_fill_of_a_large_map_takes_little_memory() -> None:
    cells = np.zeros((2048, 2048), np.uint8)
    patch = painted(cells, [(Rect(0, 0, 2048, 2048), 3)])
    assert patch is not None
    assert patch.before.nbytes + patch.after.nbytes < 200_000


def test_the_topmost_visible_class_counts() -> None:
    low = Layer(1, "low", np.full((32, 32), 2, np.uint8))
    high = Layer(2, "high", np.full((32, 32), EMPTY, np.uint8))
    high.cells[4, 5] = 6
    rect = Rect(4, 5, 1, 2)
    assert flattened([low, high], 0, rect).tolist() == [[6, 2]]
    hidden = Layer(3, "hidden", high.cells, visible=False)
    assert flattened([hidden], 0, rect).tolist() == [[0, 0]]


def test_cropping_beyond_the_map_adds_unpainted_cells() -> None:
    project = Project.painted(np.full((64, 64), 3, np.uint8), Settings(100.0, "atlas"))
    cropped = project.cropped(-10, 20, (70, 60))
    cells = cropped.layers[0].cells
    assert (cells[:10] == EMPTY).all() and (cells[10:, 44:] == EMPTY).all()
    assert (cells[10:70, :44][:54] == 3).all()
    assert cropped.shape == (70, 60)


def test_resizing_keeps_the_ground_size() -> None:
    project = Project.painted(np.full((64, 64), 3, np.uint8), Settings(100.0, "atlas"))
    resized = project.resized((128, 128))
    assert resized.settings.pixel_size_m == 50.0
    assert (resized.layers[0].cells == 3).all()
