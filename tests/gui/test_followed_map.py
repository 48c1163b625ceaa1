"""The map as the land follows it: exact, local and in the background."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from terrainpaint.core.loose_paint import loosened, roughness_of
from terrainpaint.core.painting import ellipse, rectangle
from terrainpaint.core.project import Project, Settings
from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Recipe
from terrainpaint.gui import followed_map
from terrainpaint.gui.document import Document
from terrainpaint.gui.followed_map import FollowedMap

SHAPE = (330, 400)
LOOSE = Recipe(5, follow=0.0)


@pytest.fixture
def document(qapp: QApplication) -> Document:
    document = Document(Project.empty(SHAPE, Settings(2000.0, "atlas", recipe=LOOSE)))
    document.paint_mark("Land", ellipse((20, 20), (310, 380), SHAPE), 1)
    document.paint_mark("River", rectangle((100, 60), (102, 300), SHAPE), 0)
    return document


@pytest.fixture
def followed(document: Document, qtbot: QtBot) -> FollowedMap:
    followed = FollowedMap(document, document)
    followed.follow(LOOSE)
    assert not followed.is_known and followed.ids is document.ids
    qtbot.waitUntil(lambda: followed.is_current)
    return followed


def test_exactly_is_the_map_of_the_document_without_a_copy(document: Document) -> None:
    followed, heard = FollowedMap(document, document), []
    followed.changed.connect(heard.append)
    followed.follow(Recipe(5))
    assert followed.ids is document.ids and followed.is_known and followed.is_current
    document.paint_mark("Forest", rectangle((50, 60), (70, 90), SHAPE), 2)
    assert heard == [Rect(50, 60, 21, 31)] and followed.is_current


def test_loosely_is_what_a_generation_of_the_whole_map_follows(document: Document, followed: FollowedMap) -> None:
    painted = document.ids.copy()
    assert followed.is_known and (followed.ids != painted).mean() > 0.01
    np.testing.assert_array_equal(followed.ids, loosened(painted, LOOSE))
    np.testing.assert_array_equal(document.ids, painted)


def test_edits_change_what_is_near_only_and_the_rest_is_not_computed(
    document: Document, followed: FollowedMap, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    roughness, computed, changed = roughness_of(LOOSE), [], []
    assert roughness is not None
    compute = followed_map.loosened_part

    def counted(ids: np.ndarray, rect: Rect, *others: object) -> np.ndarray:
        computed.append(rect)
        return compute(ids, rect, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(followed_map, "loosened_part", counted)
    followed.changed.connect(changed.append)
    edits = [
        rectangle((200, 250), (240, 280), SHAPE),
        ellipse((180, 10), (260, 60), SHAPE),
        rectangle((99, 60), (103, 90), SHAPE),
    ]
    for edit, class_id in zip(edits, (3, 5, 0), strict=True):
        document.paint_mark("Edit", edit, class_id)
        assert followed.is_known and not followed.is_current
        qtbot.waitUntil(lambda: followed.is_current)
        np.testing.assert_array_equal(followed.ids, loosened(document.ids, LOOSE))
        near = edit.rect.grown(roughness.reach_px).clipped(SHAPE)
        assert computed[-1].intersection(near) == computed[-1] and changed[-1].intersection(near) == changed[-1]
    assert len(computed) == len(edits)
    for _ in edits:
        document.undo_stack.undo()
    qtbot.waitUntil(lambda: followed.is_current)
    np.testing.assert_array_equal(followed.ids, loosened(document.ids, LOOSE))


def test_edits_while_it_is_computed_are_not_lost(document: Document, followed: FollowedMap, qtbot: QtBot) -> None:
    recipe = dataclasses.replace(LOOSE, follow=0.6)
    followed.follow(recipe)
    for step in range(12):
        document.paint_mark("Edit", ellipse((30 + 10 * step, 100), (60 + 10 * step, 150), SHAPE), 2 + step % 3)
        if step % 4 == 3:
            qtbot.wait(5)
    qtbot.waitUntil(lambda: followed.is_current)
    np.testing.assert_array_equal(followed.ids, loosened(document.ids, recipe))


def test_other_recipes_and_other_documents(document: Document, followed: FollowedMap, qtbot: QtBot) -> None:
    renewed = []
    followed.renewed.connect(lambda: renewed.append(followed.ids is document.ids))
    followed.follow(dataclasses.replace(LOOSE, variety=0.0))
    assert followed.is_current and not renewed  # which has nothing to do with borders
    followed.follow(Recipe(5))
    assert followed.ids is document.ids and followed.is_current and renewed == [True]
    followed.follow(dataclasses.replace(LOOSE, seed=6))
    assert not followed.is_known
    document.resize((165, 200))
    assert followed.ids is document.ids and not followed.is_known
    qtbot.waitUntil(lambda: followed.is_current)
    np.testing.assert_array_equal(followed.ids, loosened(document.ids, LOOSE))
    document.undo_stack.undo()
    assert followed.ids.shape == SHAPE
    document.open(Project.empty((64, 70), Settings(2000.0, "atlas")), None, document.view)
    assert followed.ids is document.ids and followed.is_current


def test_a_failure_is_tried_again(
    document: Document, followed: FollowedMap, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(followed_map, "loosened_part", fail)
        with qtbot.waitSignal(followed.failed) as heard:
            document.paint_mark("Edit", rectangle((200, 250), (240, 280), SHAPE), 3)
        assert "Memory ran out" in heard.args[0] and not followed.is_known and not followed.is_current
    followed.follow(LOOSE)
    qtbot.waitUntil(lambda: followed.is_current)
    np.testing.assert_array_equal(followed.ids, loosened(document.ids, LOOSE))


def test_a_part_of_another_recipe(document: Document, followed: FollowedMap) -> None:
    rect = Rect(150, 20, 90, 120)
    for recipe in (Recipe(9, follow=0.3), Recipe(9)):
        found = followed.part(rect, recipe)()
        assert found.shape == SHAPE
        np.testing.assert_array_equal(found[rect.slices], loosened(document.ids, recipe)[rect.slices])
