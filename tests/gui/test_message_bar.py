"""The bar of messages: one notice for each topic, plain text, buttons that act, and a way to close it."""

from __future__ import annotations

from enum import Enum, auto

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget
from pytestqt.qtbot import QtBot

from terrainpaint.gui.widgets.message_bar import MessageBar, Notice, Tone
from terrainpaint.gui.widgets.plain_text import shortened, tip


class Topic(Enum):
    SAVE = auto()
    OPEN = auto()


@pytest.fixture
def page(qtbot: QtBot) -> QWidget:
    page = QWidget()
    page.resize(900, 600)
    qtbot.addWidget(page)
    page.show()
    return page


@pytest.fixture
def bar(page: QWidget) -> MessageBar:
    return MessageBar(page)


def shown(bar: MessageBar) -> list[str]:
    return [item.accessibleName() for item in bar.findChildren(QLabel) if item.isVisible() and item.text()]


def button(bar: MessageBar, name: str) -> QAbstractButton:
    (match,) = [item for item in bar.findChildren(QAbstractButton) if name in (item.text(), item.accessibleName())]
    return match


def test_a_topic_has_one_notice_the_newest(bar: MessageBar) -> None:
    bar.put(Topic.SAVE, Notice("first"))
    bar.put(Topic.OPEN, Notice("other", Tone.WARNING))
    bar.put(Topic.SAVE, Notice("second"))
    assert bar.texts == {Topic.OPEN: "other", Topic.SAVE: "second"}
    assert sorted(shown(bar)) == ["other", "second"]
    bar.remove(Topic.SAVE)
    assert shown(bar) == ["other"]
    bar.remove(Topic.SAVE, Topic.OPEN)
    assert not bar.isVisible()


def test_a_notice_is_closed_by_its_button_or_by_time(bar: MessageBar, qtbot: QtBot) -> None:
    bar.put(Topic.SAVE, Notice("stays"))
    QTest.mouseClick(button(bar, "Close this message"), Qt.MouseButton.LeftButton)
    assert bar.texts == {}
    bar.put(Topic.OPEN, Notice("goes", shown_ms=20))
    qtbot.waitUntil(lambda: not bar.isVisible())
    bar.put(Topic.OPEN, Notice("goes", shown_ms=20))
    bar.put(Topic.OPEN, Notice("stays"))
    qtbot.wait(60)
    assert bar.texts == {Topic.OPEN: "stays"}, "the time of the notice before does not count"


def test_a_button_acts_and_leaves_the_keys_where_they_were(bar: MessageBar, page: QWidget, qtbot: QtBot) -> None:
    done: list[str] = []

    def again() -> None:
        bar.remove(Topic.SAVE)
        done.append("again")

    page.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    page.setFocus()
    bar.put(Topic.SAVE, Notice("failed", actions=(("Try again", again), ("Save as…", lambda: done.append("as")))))
    QTest.mouseClick(button(bar, "Save as…"), Qt.MouseButton.LeftButton)
    QTest.mouseClick(button(bar, "Try again"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: done == ["as", "again"])
    assert bar.texts == {}
    assert page.focusWidget() in (page, None)


def test_names_of_files_are_no_markup(bar: MessageBar) -> None:
    name = "<b>bold</b><img src='x'>\n\u202egnp.exe"
    bar.put(Topic.OPEN, Notice(f"{name} cannot be read."))
    (text,) = [item for item in bar.findChildren(QLabel) if item.text()]
    assert text.textFormat() == Qt.TextFormat.PlainText
    assert text.text().startswith("<b>bold<")
    assert "\n" not in text.text() and "\u202e" not in text.text()
    assert "<b>" not in text.toolTip()
    assert tip("a < b") == "<span>a &lt; b</span>"


@pytest.mark.parametrize("width", [240, 900])
def test_a_long_path_takes_a_few_lines(bar: MessageBar, page: QWidget, width: int) -> None:
    page.resize(width, 600)
    path = "/home/" + "a folder with a name/" * 4 + "x" * 250 + "/land.terrainpaint"
    bar.put(Topic.SAVE, Notice(f"{path} could not be written: the disk is full.", actions=(("Try again", print),)))
    (text,) = [item for item in bar.findChildren(QLabel) if item.text()]
    assert text.text().endswith("the disk is full.")
    assert text.height() <= (4 if width == 900 else 14) * text.fontMetrics().lineSpacing() + 4
    assert bar.geometry().right() < page.width() and bar.geometry().left() > 0
    for item in bar.findChildren(QAbstractButton):
        assert bar.rect().contains(item.rect().translated(item.mapTo(bar, item.rect().topLeft())))


def test_the_middle_of_a_long_word_is_left_out() -> None:
    path = "/data/" + "x" * 200 + "/land.terrainpaint"
    short = shortened(f"{path} could not be written.")
    assert len(short) < 80 and short.startswith("/data/") and "land.terrainpaint could not" in short
    assert shortened("nothing is long here") == "nothing is long here"


def test_the_bar_follows_the_width_of_its_page(bar: MessageBar, page: QWidget) -> None:
    heights: list[int] = []
    bar.height_changed.connect(heights.append)
    bar.put(Topic.SAVE, Notice("word " * 40, actions=(("Try again", print),)))
    assert bar.width() == 880
    page.resize(300, 600)
    assert bar.width() == 280
    assert heights[-1] > heights[0] > 0
    bar.remove(Topic.SAVE)
    assert heights[-1] == 0
