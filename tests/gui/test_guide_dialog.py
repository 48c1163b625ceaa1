"""The guide in the program: contents, links, search, pictures, and that a wheel has it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from terrainpaint.core.assets import document_path
from terrainpaint.gui.dialogs.guide import GUIDE, GuideDialog, anchor_of
from terrainpaint.gui.theme import apply_theme
from tests.gui.windows import Person, open_window

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"(!?)\[[^]]*\]\(([^)]+)\)")


@pytest.fixture
def guide(qtbot: QtBot) -> GuideDialog:
    dialog = GuideDialog()
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitExposed(dialog)
    return dialog


def topmost(guide: GuideDialog) -> str:
    """The first line of text in view."""
    cursor = guide.page.cursorForPosition(QPoint(60, 30))
    return cursor.block().text()


def test_the_guide_is_there_with_its_contents(guide: GuideDialog) -> None:
    texts = [guide.contents.item(i).text().strip() for i in range(guide.contents.count())]
    written = (ROOT / "docs" / GUIDE).read_text("utf-8")
    assert texts == re.findall(r"^###? (.*)$", written, re.MULTILINE)
    assert guide.page.toPlainText().startswith("Guide to the window")


def test_a_click_in_the_contents_and_a_link_show_the_section(guide: GuideDialog) -> None:
    row = next(i for i in range(guide.contents.count()) if guide.contents.item(i).text() == "Layers")
    item = guide.contents.item(row)
    QTest.mouseClick(
        guide.contents.viewport(), Qt.MouseButton.LeftButton, pos=guide.contents.visualItemRect(item).center()
    )
    assert topmost(guide) == "Layers"
    guide.page.setSource(QUrl("#view"))
    assert topmost(guide) == "View"


def test_the_page_follows_the_keys_in_the_contents(guide: GuideDialog) -> None:
    guide.contents.setFocus()
    assert guide.page.verticalScrollBar().value() == 0, "Tab alone moves nothing"
    for row in (1, 2):
        QTest.keyClick(guide.contents, Qt.Key.Key_Down)
        assert topmost(guide) == guide.contents.item(row).text().strip()
    QTest.keyClick(guide.contents, Qt.Key.Key_Up)
    assert topmost(guide) == guide.contents.item(1).text().strip()


def test_what_is_typed_on_the_page_is_searched(guide: GuideDialog) -> None:
    assert guide.focusWidget() is guide.page
    QTest.keyClick(guide.page, Qt.Key.Key_Space)
    assert guide.page.verticalScrollBar().value() > 0 and guide.focusWidget() is guide.page, "a space scrolls"
    QTest.keyClick(guide.page, Qt.Key.Key_W)
    assert guide.focusWidget() is guide.search
    QTest.keyClicks(guide.search, "heel")
    assert guide.page.textCursor().selectedText().lower() == "wheel"
    guide.page.setFocus()
    QTest.keyClick(guide.page, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert guide.focusWidget() is guide.search and guide.search.selectedText() == "wheel"
    assert "Ctrl+F" in guide.search.placeholderText()


def test_links_to_other_documents_and_back(guide: GuideDialog) -> None:
    guide.page.setSource(QUrl("formats.md#project-file"))
    assert topmost(guide).lower() == "project file"
    assert "Layers" not in [guide.contents.item(i).text() for i in range(guide.contents.count())]
    guide.page.backward()
    assert guide.page.toPlainText().startswith("Guide to the window")


def test_addresses_of_the_web_go_to_the_browser(guide: GuideDialog, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    guide.page.setSource(QUrl("https://example.org/x"))
    assert opened == ["https://example.org/x"]
    assert guide.page.toPlainText().startswith("Guide to the window")


def test_words_are_found_one_after_the_other(guide: GuideDialog) -> None:
    guide.search.setText("wheel")
    count = guide.page.toPlainText().lower().count("wheel")
    assert count > 2 and guide.found.text() == f"{count} places"
    first = guide.page.textCursor().selectionStart()
    assert guide.page.textCursor().selectedText().lower() == "wheel"
    QTest.keyClick(guide.search, Qt.Key.Key_Return)
    second = guide.page.textCursor().selectionStart()
    assert second > first
    for _ in range(count - 1):
        guide.page.go_to_next("wheel")
    assert guide.page.textCursor().selectionStart() == first
    guide.search.setText("no such words")
    assert guide.found.text() == "0 places"


def test_pictures_fit_the_window(guide: GuideDialog, qtbot: QtBot) -> None:
    names = [name for mark, name in LINK.findall((ROOT / "docs" / GUIDE).read_text("utf-8")) if mark]
    assert names
    for width in (900, 620):
        guide.resize(width, 600)
        qtbot.wait(20)
        for name in names:
            picture = guide.page.document().resource(QTextDocument.ResourceType.ImageResource.value, QUrl(name))
            shown_px = picture.width() / picture.devicePixelRatio()
            assert 100 < shown_px <= guide.page.viewport().width()


def test_the_theme_may_change_meanwhile(guide: GuideDialog, qapp: QApplication) -> None:
    for name in ("light", "dark"):
        apply_theme(qapp, name)
        assert guide.page.toPlainText().startswith("Guide to the window")


def test_every_link_of_the_guide_leads_somewhere() -> None:
    folder = ROOT / "docs"
    for _, target in LINK.findall((folder / GUIDE).read_text("utf-8")):
        name, _, anchor = target.partition("#")
        path = (folder / name).resolve() if name else folder / GUIDE
        assert path.is_file(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
            assert anchor in map(anchor_of, headings), target


def test_a_wheel_has_the_documents_and_the_pictures() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
    included = build["targets"]["wheel"]["force-include"]
    assert included["docs"] == "terrainpaint/_assets/docs"
    assert included["assets/pictures"] == "terrainpaint/_assets/pictures"
    assert document_path(GUIDE) == ROOT / "docs" / GUIDE
    assert document_path("no-such-document.md") is None


@pytest.fixture
def person(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, empty_folders: Path) -> Iterator[Person]:
    with open_window(qtbot, monkeypatch) as person:
        yield person


def test_f1_opens_the_guide_once_and_the_window_can_be_used_meanwhile(person: Person) -> None:
    QTest.keyClick(person.window, Qt.Key.Key_F1)
    (guide,) = person.window.findChildren(GuideDialog)
    assert guide.isVisible() and not guide.isModal()
    guide.close()
    person.window.actions_["guide"].trigger()
    assert person.window.findChildren(GuideDialog) == [guide] and guide.isVisible()
    guide.close()
