"""The themes can be read, and icons follow them."""

import re
from itertools import product

import numpy as np
import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QImage, QPixmap
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from terrainpaint.core.assets import asset_path
from terrainpaint.gui.icons import icon, icon_names, pixmap
from terrainpaint.gui.theme import THEMES, Theme, apply_theme, current_theme, set_role

SURFACES = ("well", "window", "panel", "raised", "hover", "pressed", "accent_soft")
TEXTS = ("text", "muted", "accent_text")
PAIRS = [
    *product(TEXTS, SURFACES),
    *product(("on_accent",), ("accent", "accent_hover")),
    *product(("danger",), ("window", "panel", "raised", "danger_soft")),
    *product(("warning", "text"), ("window", "panel", "warning_soft")),
]
GRAPHIC = [("focus", "window"), ("focus", "panel"), ("focus", "raised"), ("focus", "well")]
WANTED = {
    *("app", "brush", "eraser", "line", "rectangle", "ellipse", "polygon", "lasso", "fill", "picker"),
    *(
        "replace",
        "smooth",
        "borders",
        "select",
        "move",
        "transform",
        "flip-h",
        "flip-v",
        "link",
        "turn-left",
        "turn-right",
        "symmetry",
        "pan",
        "zoom-in",
        "zoom-out",
        "fit",
        "undo",
    ),
    *("redo", "new", "open", "save", "import", "export", "dice", "lock", "unlock", "eye"),
    *(
        "eye-off",
        "layer-add",
        "layer-remove",
        "layer-up",
        "layer-down",
        "layer-merge",
        "sun",
        "water",
        "wireframe",
        "camera",
    ),
    *("turntable", "fly", "home", "grid", "ruler", "pattern", "picture", "history", "variants", "reroll"),
    *("blend", "map", "albedo", "shaded", "height", "slope", "cube", "theme", "help", "warning"),
    *("settings", "back", "forward"),
    *("close", "check"),
}


def luminance(colour: str) -> float:
    """Relative luminance as in WCAG 2.2."""
    values = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def rgba(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    pixels = np.frombuffer(image.constBits(), np.uint8)
    return pixels.reshape(image.height(), image.bytesPerLine() // 4, 4)[:, : image.width()].copy()


def ink(drawn: QPixmap) -> str:
    """The colour of the fully covered pixels of an icon of one colour."""
    pixels = rgba(drawn.toImage())
    solid = pixels[pixels[..., 3] == 255][:, :3]
    assert len(solid)
    assert (np.ptp(solid, axis=0) <= 1).all()
    return "#{:02x}{:02x}{:02x}".format(*np.median(solid, axis=0).astype(int))


@pytest.fixture(autouse=True)
def restored(qapp: QApplication):
    yield
    apply_theme(qapp, "dark")


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_text_can_be_read_on_every_surface(theme: Theme) -> None:
    poor = {
        pair: round(ratio, 2)
        for pair in PAIRS
        if (ratio := contrast(getattr(theme, pair[0]), getattr(theme, pair[1]))) < 4.5
    }
    assert not poor
    assert not [pair for pair in GRAPHIC if contrast(getattr(theme, pair[0]), getattr(theme, pair[1])) < 3]


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_arrows_and_ticks_can_be_seen(theme: Theme) -> None:
    for path in asset_path("icons/controls").glob("*.svg"):
        (colour,) = set(re.findall(r"#[0-9a-f]{6}", path.read_text()))
        surfaces = (theme.accent,) if colour == "#ffffff" else (theme.raised, theme.well, theme.panel)
        assert min(contrast(colour, item) for item in surfaces) >= 3, path


@pytest.mark.parametrize("name", THEMES)
def test_a_theme_reaches_widgets_that_are_open(qapp: QApplication, qtbot: QtBot, name: str) -> None:
    label, button = QLabel("text"), QPushButton("button")
    qtbot.addWidget(label)
    qtbot.addWidget(button)
    apply_theme(qapp, name)
    assert current_theme() is THEMES[name]
    assert label.palette().windowText().color() == QColor(THEMES[name].text)
    assert rgba(button.grab().toImage())[6, 6, :3].tolist() == list(QColor(THEMES[name].raised).getRgb()[:3])
    set_role(button, "primary")
    assert rgba(button.grab().toImage())[6, 6, :3].tolist() == list(QColor(THEMES[name].accent).getRgb()[:3])


def test_an_unknown_theme_changes_nothing(qapp: QApplication) -> None:
    apply_theme(qapp, "light")
    with pytest.raises(ValueError, match="dark, light"):
        apply_theme(qapp, "pink")
    assert current_theme().name == "light"


def test_every_icon_that_the_window_needs_is_there() -> None:
    assert set(icon_names()) >= WANTED
    with pytest.raises(ValueError, match="no icon 'spaceship'"):
        icon("spaceship")
    with pytest.raises(ValueError, match=r"no icon '\.\./app'"):
        pixmap("../app", 24, "#ffffff", 1)


@pytest.mark.parametrize("name", [item for item in icon_names() if item != "app"])
def test_an_icon_is_drawn_within_its_grid_in_one_colour(qapp: QApplication, name: str) -> None:
    text = asset_path(f"icons/{name}.svg").read_text()
    assert not re.search("#[0-9a-f]{3}", text) and "currentColor" in text
    drawn = rgba(pixmap(name, 96, "#ff0000", 1).toImage())
    covered = np.argwhere(drawn[..., 3] > 0)
    assert covered.min() >= 4 and covered.max() < 92  # one unit of 24 is left free all around
    assert np.ptp(covered, axis=0).max() >= 48
    assert ink(pixmap(name, 96, "#ff0000", 1)) in ("#ff0000", "#fe0000")


def test_icons_follow_the_theme(qapp: QApplication) -> None:
    apply_theme(qapp, "dark")
    brush = icon("brush")
    before = ink(brush.pixmap(64, 64))
    apply_theme(qapp, "light")
    assert (before, ink(brush.pixmap(64, 64))) == (THEMES["dark"].text, THEMES["light"].text)


def test_disabled_and_checked_icons_have_colours_of_their_own(qapp: QApplication) -> None:
    apply_theme(qapp, "dark")
    mode, state = QIcon.Mode, QIcon.State
    size = QSize(64, 64)
    assert ink(icon("save").pixmap(size, mode.Disabled)) == THEMES["dark"].disabled
    assert ink(icon("save").pixmap(size, mode.Normal, state.On)) == THEMES["dark"].accent_text


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0, 3.0])
def test_icons_are_drawn_in_the_pixels_of_the_screen(qapp: QApplication, ratio: float) -> None:
    drawn = icon("grid").pixmap(QSize(20, 20), ratio)
    assert drawn.size() == QSize(round(20 * ratio), round(20 * ratio))
    assert drawn.devicePixelRatio() == ratio
    alpha = rgba(drawn.toImage())[..., 3]
    enlarged = rgba(icon("grid").pixmap(QSize(20, 20), 1.0).toImage().scaled(drawn.size()))[..., 3]
    assert ratio == 1 or (alpha != enlarged).any()


def test_a_copy_of_an_icon_that_qt_changes_still_draws(qapp: QApplication) -> None:
    copy = QIcon(icon("fit"))
    copy.setIsMask(True)  # makes Qt clone what draws it
    assert ink(copy.pixmap(48, 48)) == current_theme().text
