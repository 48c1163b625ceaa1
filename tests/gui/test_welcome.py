"""The first page asks for the right things, with the pointer and with the keyboard."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QFrame
from pytestqt.qtbot import QtBot

from terrainpaint.core.assets import asset_path
from terrainpaint.core.map_files import read_map
from terrainpaint.gui.samples import SAMPLES, map_picture, sample_picture
from terrainpaint.gui.welcome import Welcome


@pytest.fixture
def page(qtbot: QtBot) -> Welcome:
    page = Welcome()
    qtbot.addWidget(page)
    page.show()
    return page


def button(page: Welcome, text: str) -> QAbstractButton:
    (match,) = [item for item in page.findChildren(QAbstractButton) if item.text().replace("&", "") == text]
    return match


def test_samples_are_the_maps_that_are_shipped(qapp: QApplication) -> None:
    assert {path.stem for path in asset_path("maps").glob("*.png")} == set(SAMPLES)
    for name in SAMPLES:
        shape = read_map(asset_path(f"maps/{name}.png")).shape
        assert (map_picture(name).height(), map_picture(name).width()) == shape
        assert not sample_picture(name).isNull()


@pytest.mark.parametrize("name", SAMPLES)
def test_a_card_chooses_its_map(page: Welcome, qtbot: QtBot, name: str) -> None:
    with qtbot.waitSignal(page.sample_chosen) as heard:
        qtbot.mouseClick(button(page, SAMPLES[name].title), Qt.MouseButton.LeftButton)
    assert heard.args == [name]


def test_a_card_works_with_the_keyboard(page: Welcome, qtbot: QtBot) -> None:
    card = button(page, "Archipelago")
    assert card.focusPolicy() & Qt.FocusPolicy.TabFocus
    with qtbot.waitSignal(page.sample_chosen) as heard:
        qtbot.keyClick(card, Qt.Key.Key_Space)
    assert heard.args == ["archipelago"]


@pytest.mark.parametrize(
    ("text", "signal"),
    [
        ("New map…", "new_requested"),
        ("Open…", "open_requested"),
        ("Import…", "import_requested"),
        ("Recover", "recover_requested"),
        ("Discard", "discard_requested"),
    ],
)
def test_every_button_asks_for_its_own_thing(page: Welcome, qtbot: QtBot, text: str, signal: str) -> None:
    page.set_recoverable("10:32")
    with qtbot.waitSignal(getattr(page, signal)):
        qtbot.mouseClick(button(page, text), Qt.MouseButton.LeftButton)


def test_the_banner_is_there_only_with_something_to_recover(page: Welcome) -> None:
    (banner,) = [child for child in page.findChildren(QFrame) if child.property("role") == "banner"]
    assert banner.isHidden()
    page.set_recoverable("10:32")
    assert banner.isVisible()
    page.set_recoverable(None)
    assert banner.isHidden()


def test_the_keyboard_comes_to_recover_before_discard(page: Welcome) -> None:
    page.set_recoverable("10:32")
    order = [button(page, "Recover")]
    while order[-1].nextInFocusChain() is not order[0]:
        order.append(order[-1].nextInFocusChain())
    assert button(page, "Discard") in order
    texts = [item.text() for item in order if isinstance(item, QAbstractButton)]
    assert texts.index("Discard") == 1


def test_recent_files(page: Welcome, qtbot: QtBot, tmp_path: Path) -> None:
    there, gone = tmp_path / "there.terrainpaint", tmp_path / "gone.terrainpaint"
    there.write_bytes(b"")
    page.set_recent([there, gone])
    assert button(page, "there.terrainpaint").isEnabled()
    assert not button(page, "gone.terrainpaint").isEnabled()
    with qtbot.waitSignal(page.recent_chosen) as heard:
        qtbot.mouseClick(button(page, "there.terrainpaint"), Qt.MouseButton.LeftButton)
    assert heard.args == [there]


def test_a_new_list_of_recent_files_takes_the_place_of_the_old_one(page: Welcome, qtbot: QtBot, tmp_path: Path) -> None:
    page.set_recent([tmp_path / "a.terrainpaint"])
    page.set_recent([tmp_path / "b & c.terrainpaint"])

    def shown() -> list[str]:
        return [item.accessibleName() for item in page.findChildren(QAbstractButton) if item.isVisible()]

    qtbot.waitUntil(lambda: "b & c.terrainpaint, missing" in shown() and "a.terrainpaint, missing" not in shown())
