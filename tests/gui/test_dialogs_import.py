"""The import dialogs turn pictures and heights into the maps that they show."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialogButtonBox,
    QDoubleSpinBox,
    QLabel,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QWidget,
)
from pytestqt.qtbot import QtBot

from terrainpaint.core.classes import CLASS_NAMES, PALETTE
from terrainpaint.core.decoding import Picture
from terrainpaint.core.importing import HeightMap, HeightUnit, classes_of_heights, read_height_map
from terrainpaint.gui.dialogs.histogram import Limit, LimitHistogram
from terrainpaint.gui.dialogs.import_heights import ImportHeightsDialog
from terrainpaint.gui.dialogs.import_picture import ColourMode, ImportPictureDialog
from terrainpaint.gui.widgets.basics import accept_button
from terrainpaint.gui.widgets.class_colours import ClassBar, ClassCombo, percent
from terrainpaint.gui.widgets.numbers import WholeField

IDS = np.repeat(np.repeat(np.arange(7, dtype=np.uint8).reshape(1, 7), 40, axis=0), 10, axis=1)


def opened(
    qtbot: QtBot, rgb: NDArray[np.uint8], alpha: NDArray[np.uint8] | None = None, notes: tuple[str, ...] = ()
) -> ImportPictureDialog:
    dialog = ImportPictureDialog(Picture(rgb, alpha, rgb.shape[:2], notes), "picture.png")
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitUntil(accept_button(dialog.findChild(QDialogButtonBox)).isEnabled, timeout=20_000)
    return dialog


def words(dialog: QWidget) -> str:
    return " ".join(label.text() for label in dialog.findChildren(QLabel) if label.isVisible())


def test_a_picture_in_class_colours_is_imported_exactly(qtbot: QtBot) -> None:
    choice = opened(qtbot, PALETTE[IDS]).values()
    assert choice.mode is ColourMode.EXACT
    np.testing.assert_array_equal(choice.ids, IDS)


def test_other_colours_become_the_nearest_class(qtbot: QtBot) -> None:
    rgb = PALETTE[IDS].copy()
    rgb[:, :35] += 3
    dialog = opened(qtbot, rgb)
    choice = dialog.values()
    assert choice.mode is ColourMode.NEAREST
    np.testing.assert_array_equal(choice.ids, IDS)
    (exact,) = [child for child in dialog.findChildren(QRadioButton) if child.text() == ColourMode.EXACT.value]
    assert not exact.isEnabled() and "50 % of the pixels have other colours" in words(dialog)


def test_a_photograph_becomes_what_its_colours_look_like(qtbot: QtBot) -> None:
    colours = {"water": (12, 30, 62), "forest": (40, 62, 34), "tundra": (248, 250, 252), "desert": (222, 190, 140)}
    rgb = np.repeat(np.array(list(colours.values()), np.uint8)[None], 40, axis=0).repeat(10, axis=1)
    dialog = opened(qtbot, rgb)
    expected = [CLASS_NAMES.index(name) for name in colours]
    assert dialog.values().mode is ColourMode.NEAREST
    assert dialog.values().ids[0, ::10].tolist() == expected
    dialog.choose(ColourMode.CLUSTERS)
    assert dialog.values().ids[0, ::10].tolist() == expected


def test_what_lies_under_a_see_through_picture_is_asked(qtbot: QtBot) -> None:
    alpha = np.full(IDS.shape, 255, np.uint8)
    alpha[:, :14] = 0
    rgb = np.where((alpha == 0)[..., None], np.uint8(3), PALETTE[IDS])
    dialog = opened(qtbot, rgb, alpha)
    assert "20 % of the picture is see-through" in words(dialog)
    assert dialog.values().mode is ColourMode.EXACT
    np.testing.assert_array_equal(dialog.values().ids, np.where(alpha == 0, 0, IDS))
    (under,) = [child for child in dialog.findChildren(ClassCombo) if child.isVisible()]
    under.setCurrentIndex(5)
    np.testing.assert_array_equal(dialog.values().ids, np.where(alpha == 0, 5, IDS))
    dialog.choose(ColourMode.CLUSTERS)
    np.testing.assert_array_equal(dialog.values().ids, np.where(alpha == 0, 5, IDS))


def test_what_was_done_with_the_file_is_shown(qtbot: QtBot) -> None:
    dialog = opened(qtbot, PALETTE[IDS], notes=("It has 2 pictures; the first one is used.",))
    assert "It has 2 pictures; the first one is used." in words(dialog)
    assert not any(child.isVisible() for child in dialog.findChildren(ClassCombo))


def test_clusters_are_named_by_the_user(qtbot: QtBot) -> None:
    rgb = np.zeros((40, 64, 3), np.uint8)
    rgb[:, 24:] = (250, 30, 30)
    dialog = opened(qtbot, rgb)
    dialog.choose(ColourMode.CLUSTERS)
    combos = [child for child in dialog.findChildren(ClassCombo) if child.isVisible()]
    assert len(combos) == 2
    # The more frequent colour is first.
    combos[0].setCurrentIndex(CLASS_NAMES.index("tundra"))
    combos[1].setCurrentIndex(CLASS_NAMES.index("forest"))
    choice = dialog.values()
    assert choice.mode is ColourMode.CLUSTERS
    assert (choice.ids[:, :24] == CLASS_NAMES.index("forest")).all()
    assert (choice.ids[:, 24:] == CLASS_NAMES.index("tundra")).all()
    assert f"tundra {percent(40 / 64)}" in dialog.findChild(ClassBar).accessibleName()


def test_the_map_can_be_smaller_than_the_picture_without_new_classes(qtbot: QtBot) -> None:
    dialog = opened(qtbot, PALETTE[np.repeat(np.repeat(IDS, 4, axis=0), 4, axis=1)])
    dialog.findChild(QSpinBox).setValue(70)
    np.testing.assert_array_equal(dialog.values().ids, IDS)


def test_there_is_no_value_while_the_picture_is_read(qtbot: QtBot) -> None:
    dialog = ImportPictureDialog(Picture(PALETTE[IDS], None, IDS.shape), "picture.png")
    qtbot.addWidget(dialog)
    with pytest.raises(ValueError, match="still being read"):
        dialog.values()
    qtbot.waitUntil(accept_button(dialog.findChild(QDialogButtonBox)).isEnabled, timeout=20_000)


def land(rows: int = 64, cols: int = 96) -> NDArray[np.float32]:
    """A slope from 200 m below the sea up to 1800 m."""
    return np.tile(np.linspace(-200, 1800, cols, dtype=np.float32), (rows, 1))


def heights_dialog(qtbot: QtBot, source: HeightMap) -> ImportHeightsDialog:
    dialog = ImportHeightsDialog(source, Path("dem.tif"))
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def field(dialog: QWidget, name: str) -> QDoubleSpinBox:
    (named,) = [
        label.buddy()
        for label in dialog.findChildren(QLabel)
        if label.text().replace("&", "") == name and label.buddy()
    ]
    assert isinstance(named, QDoubleSpinBox)
    return named


def test_heights_of_fine_ground_offer_land_of_their_scale(qtbot: QtBot) -> None:
    dialog = ImportHeightsDialog(HeightMap(land(), pixel_size_m=30.0), Path("dem.tif"), None, (2000.0, 500.0, 125.0))
    qtbot.addWidget(dialog)
    dialog.show()
    box = next(box for box in dialog.findChildren(QCheckBox) if "scale" in box.text())
    assert box.isHidden() and not dialog.values().true_scale
    field(dialog, "Pixel size").setValue(90)
    use = next(button for button in dialog.findChildren(QPushButton) if "125 m" in button.text())
    use.click()
    assert dialog.values().map_shape[1] == 69 and abs(dialog.values().map_pixel_size_m - 125) < 1
    assert box.isVisible() and not use.isVisible() and dialog.values().true_scale
    box.click()
    assert not dialog.values().true_scale
    field(dialog, "Pixel size").setValue(2000)
    assert box.isHidden() and not use.isVisible()


def test_heights_in_metres_are_kept(qtbot: QtBot) -> None:
    dialog = heights_dialog(qtbot, HeightMap(land(), pixel_size_m=500.0))
    choice = dialog.values()
    np.testing.assert_array_equal(choice.height, land())
    assert choice.pixel_size_m == 500
    assert choice.limits.sea_m == 0
    assert "Lowest" not in words(dialog) and "no pixel size" not in words(dialog)


def test_the_land_follows_the_heights_unless_they_are_not_kept(qtbot: QtBot) -> None:
    dialog = heights_dialog(qtbot, HeightMap(land(), pixel_size_m=500.0))
    guide = dialog.values().guide()
    assert guide is not None and guide.pixel_size_m == 500
    assert guide.heights[5, 15] == pytest.approx(land()[20:24, 60:64].mean(), rel=1e-4)
    (box,) = (box for box in dialog.findChildren(QCheckBox) if box.text().startswith("&Keep the heights"))
    box.setChecked(False)
    assert dialog.values().guide() is None


def test_heights_without_a_unit_ask_for_it(qtbot: QtBot) -> None:
    grey = HeightMap((land() + 200) / 2000 * 255, None, HeightUnit.RANGE, (0.0, 255.0))
    dialog = heights_dialog(qtbot, grey)
    field(dialog, "Lowest").setValue(-200)
    field(dialog, "Highest").setValue(1800)
    np.testing.assert_allclose(dialog.values().height, land(), atol=0.01)
    assert "no pixel size" in words(dialog)


def units(dialog: QWidget) -> QComboBox:
    (combo,) = [child for child in dialog.findChildren(QComboBox) if child.findText("Feet") >= 0]
    return combo


def test_the_meaning_of_the_numbers_can_be_chosen(qtbot: QtBot) -> None:
    numbers = (land() + 200) * 10
    source = HeightMap(numbers, None, HeightUnit.METRES, (0.0, 65535.0))
    dialog = heights_dialog(qtbot, source)
    assert units(dialog).currentText() == "Metres" and "does not tell their unit" in words(dialog)
    np.testing.assert_allclose(dialog.values().height, numbers, rtol=1e-6)
    units(dialog).setCurrentText("Feet")
    np.testing.assert_allclose(dialog.values().height, numbers * 0.3048, rtol=1e-6)
    assert not field(dialog, "Highest").isVisible()
    units(dialog).setCurrentText("From lowest to highest")
    field(dialog, "Lowest").setValue(-65_535)
    field(dialog, "Highest").setValue(65_535)
    np.testing.assert_allclose(dialog.values().height, numbers * 2 - 65_535, rtol=1e-5)


def test_a_unit_that_the_file_tells_can_be_overruled(qtbot: QtBot) -> None:
    dialog = heights_dialog(qtbot, HeightMap(land(), HeightUnit.FEET, HeightUnit.FEET, (-200.0, 1800.0)))
    np.testing.assert_allclose(dialog.values().height, land() * 0.3048, rtol=1e-5)
    units(dialog).setCurrentText("Metres")
    np.testing.assert_allclose(dialog.values().height, land(), rtol=1e-5)


def with_gaps(path: Path) -> HeightMap:
    """A slope in which a square is -9999, as a file that does not declare it."""
    height = land()
    height[10:20, 10:20] = -9999
    Image.fromarray(height).save(path)
    return read_height_map(path)


def test_suspected_gaps_are_shown_and_can_be_heights(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = heights_dialog(qtbot, with_gaps(tmp_path / "dem.tif"))
    assert "100 pixels (2 %) are probably without a height: their number is -9999" in words(dialog)
    assert "Heights, with the gaps in pink" in words(dialog)
    assert np.abs(dialog.values().height - land()).max() < 60
    (box,) = (box for box in dialog.findChildren(QCheckBox) if box.text().startswith("They are heights"))
    box.setChecked(True)
    height = dialog.values().height
    assert (height[10:20, 10:20] == -9999).all()
    assert (dialog.values().classes()[10:20, 10:20] == 0).all()
    assert "gaps in pink" not in words(dialog)
    box.setChecked(False)
    assert np.abs(dialog.values().height - land()).max() < 60


def test_the_map_can_be_smaller_than_the_heights(qtbot: QtBot) -> None:
    dialog = heights_dialog(qtbot, HeightMap(land(), pixel_size_m=500.0))
    whole = dialog.values().classes()
    dialog.findChild(WholeField).setValue(48)
    choice = dialog.values()
    assert choice.map_pixel_size_m == 1000
    assert "× 32 px of 1000 m; the heights have 96 × 64" in words(dialog)
    assert choice.classes().shape == (32, 48)
    assert (choice.classes() == whole[::2, ::2]).mean() > 0.9


def test_an_unlikely_pixel_size_proposes_another(qtbot: QtBot) -> None:
    rows, cols = np.indices((128, 128))
    height = (1500 + 700 * np.sin(rows / 7) * np.cos(cols / 9)).astype(np.float32)
    dialog = heights_dialog(qtbot, HeightMap(height, pixel_size_m=10.0))
    assert "steeper than any land" in words(dialog)
    (use,) = [child for child in dialog.findChildren(QPushButton) if child.text().startswith("Use ")]
    use.click()
    proposed = dialog.values().pixel_size_m
    assert use.text() == f"Use {proposed:g} m" and 100 < proposed < 10_000
    assert not use.isVisible() and "unlikely" not in words(dialog)


def test_what_is_shown_is_what_the_limits_give(qtbot: QtBot) -> None:
    dialog = heights_dialog(qtbot, HeightMap(land(), pixel_size_m=2000.0))
    field(dialog, "Sea level").setValue(800)
    choice = dialog.values()
    ids = classes_of_heights(choice.height, choice.pixel_size_m, choice.limits)
    fraction = (ids == 0).mean()
    assert fraction == pytest.approx(0.5, abs=0.02)
    qtbot.waitUntil(lambda: f"water {percent(fraction)}" in dialog.findChild(ClassBar).accessibleName())


def test_a_limit_that_is_typed_pushes_the_others(qtbot: QtBot) -> None:
    dialog = heights_dialog(qtbot, HeightMap(land(), pixel_size_m=2000.0))
    field(dialog, "Sea level").setValue(1700)
    choice = dialog.values().limits
    assert min(choice.desert_m, choice.grassland_m, choice.forest_m) >= 1700
    field(dialog, "Mountain from").setValue(0.0)
    assert dialog.values().limits.hills_deg == 0


def test_a_dragged_limit_is_in_the_values(qtbot: QtBot) -> None:
    dialog = heights_dialog(qtbot, HeightMap(land(), pixel_size_m=2000.0))
    histogram = next(child for child in dialog.findChildren(LimitHistogram) if child.accessibleName() == "Heights")
    drag(qtbot, histogram, histogram.limits[0], 400.0)
    assert dialog.values().limits.sea_m == pytest.approx(400, abs=2000 / histogram.width() * 2)


def test_level_ground_can_be_imported(qtbot: QtBot) -> None:
    dialog = heights_dialog(qtbot, HeightMap(np.full((40, 40), 5.0, np.float32), pixel_size_m=30.0))
    ids = classes_of_heights(dialog.values().height, 30.0, dialog.values().limits)
    assert len(np.unique(ids)) == 1


def drag(qtbot: QtBot, histogram: LimitHistogram, start: float, end: float) -> None:
    """Drag the line at `start`."""
    pull(qtbot, histogram, QPoint(round(histogram.x_of(start)), 20), end)


def pull(qtbot: QtBot, histogram: LimitHistogram, at: QPoint, end: float) -> None:
    qtbot.mousePress(histogram, Qt.MouseButton.LeftButton, pos=at)
    there = QPoint(round(histogram.x_of(end)), at.y())
    qtbot.mouseMove(histogram, there)
    qtbot.mouseRelease(histogram, Qt.MouseButton.LeftButton, pos=there)


@pytest.fixture
def histogram(qtbot: QtBot) -> LimitHistogram:
    created = LimitHistogram("Heights", " m", 0, [Limit("a", 1), Limit("b", 2), Limit("c", 3)])
    qtbot.addWidget(created)
    created.resize(420, 100)
    created.show_values(np.linspace(0, 100, 500, dtype=np.float32), (0.0, 100.0))
    created.set_limits([20, 40, 60])
    created.show()
    return created


def test_a_limit_pushes_the_others(qtbot: QtBot, histogram: LimitHistogram) -> None:
    with qtbot.waitSignal(histogram.limit_moved) as heard:
        drag(qtbot, histogram, 20, 50)
    assert heard.args is not None and heard.args[0] == 0
    assert histogram.limits == pytest.approx((50, 50, 60), abs=0.5)
    drag(qtbot, histogram, 60, 30)
    assert histogram.limits == pytest.approx((30, 30, 30), abs=0.5)


@pytest.mark.parametrize("place", [0.0, 50.0, 100.0])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_limits_at_one_place_can_be_separated_by_their_handles(
    qtbot: QtBot, histogram: LimitHistogram, place: float, number: int
) -> None:
    histogram.set_limits([place] * 3)
    pull(qtbot, histogram, histogram.handle(number).toPoint(), 70)
    expected = [max(place, 70) if index > number else min(place, 70) for index in range(3)]
    expected[number] = 70
    assert histogram.limits == pytest.approx(expected, abs=0.5)


def test_the_line_of_limits_at_one_place_moves_them_all_upwards(qtbot: QtBot, histogram: LimitHistogram) -> None:
    histogram.set_limits([0, 0, 50])
    drag(qtbot, histogram, 0, 30)
    assert histogram.limits == pytest.approx((30, 30, 50), abs=0.5)


def test_limits_stay_within_the_picture(qtbot: QtBot, histogram: LimitHistogram) -> None:
    drag(qtbot, histogram, 60, 140)
    assert histogram.limits[2] == 100


def test_limits_move_with_the_keyboard(qtbot: QtBot, histogram: LimitHistogram) -> None:
    qtbot.keyClick(histogram, Qt.Key.Key_Up)
    for _ in range(4):
        qtbot.keyClick(histogram, Qt.Key.Key_Right)
    assert histogram.limits == pytest.approx((20, 42, 60))
    qtbot.keyClick(histogram, Qt.Key.Key_Down)
    qtbot.keyClick(histogram, Qt.Key.Key_Left)
    assert histogram.limits == pytest.approx((19.5, 42, 60))
