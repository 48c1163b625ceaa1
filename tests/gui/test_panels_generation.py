"""What the terrain is made with is shown and changed, one step of undo for one thing that a person does."""

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from terrainpaint.core.hydrology import FlowingWater
from terrainpaint.core.painting import Mark
from terrainpaint.core.project import Project, Settings, ViewSettings
from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Recipe
from terrainpaint.gui.document import Document
from terrainpaint.gui.panels.generation_panel import GenerationPanel
from terrainpaint.gui.panels.history_panel import HistoryPanel
from terrainpaint.gui.widgets.notation import format_number
from terrainpaint.gui.widgets.numbers import Linear, Logarithmic, SliderField

NAMES = ("lightness", "warmth", "greenness")
OF_SEED = (0.5, -1.25, 4.5)
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def document(qapp: QApplication) -> Document:
    return Document(Project.empty((64, 100), Settings(450.0, "atlas", recipe=Recipe(7))))


@pytest.fixture
def panel(document: Document, qtbot: QtBot) -> GenerationPanel:
    panel = GenerationPanel(document)
    panel.resize(240, 700)
    qtbot.addWidget(panel)
    panel.set_style_names(NAMES)
    panel.set_seed_style(OF_SEED)
    panel.show()
    return panel


def drag(qtbot: QtBot, field: SliderField, start: float, end: float) -> None:
    """Drag the handle between two positions 0..1."""
    slider = field.slider
    xs = np.linspace(start, end, 12) * slider.width()
    y = slider.height() // 2
    qtbot.mousePress(slider, LEFT, pos=QPoint(int(xs[0]), y))
    for x in xs:
        qtbot.mouseMove(slider, QPoint(int(x), y))
    qtbot.mouseRelease(slider, LEFT, pos=QPoint(int(xs[-1]), y))


def type_in(qtbot: QtBot, field: QWidget, text: str) -> None:
    """Replace the text of a field."""
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)


@pytest.mark.parametrize("scale", [Linear(-3, 3), Logarithmic(0.1, 100)])
def test_a_scale_goes_from_end_to_end(scale: Linear | Logarithmic) -> None:
    assert (scale.position(scale.low), scale.position(scale.high)) == pytest.approx((0, 1))
    for position in np.linspace(0, 1, 11):
        assert scale.position(scale.value(position)) == pytest.approx(position)
    assert scale.position(scale.high * 2) == 1
    assert scale.position(scale.low - 5) == 0
    assert Logarithmic(0.1, 100).value(1 / 3) == pytest.approx(1)


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(1.5, 2, "1.5"), (10, 0, "10"), (-0.001, 2, "0"), (100, 2, "100"), (0.25, 2, "0.25")],
)
def test_numbers_have_no_needless_zeros(value: float, decimals: int, text: str) -> None:
    assert format_number(value, decimals) == text


def test_a_slider_jumps_to_where_it_is_clicked(qtbot: QtBot) -> None:
    field = SliderField("Test", Linear(0, 100), 0)
    qtbot.addWidget(field)
    field.resize(200, 30)
    field.show()
    messages: list[float] = []
    field.changed.connect(messages.append)
    slider = field.slider
    qtbot.mouseClick(slider, LEFT, pos=QPoint(slider.width() // 2, slider.height() // 2))
    assert field.value == pytest.approx(50, abs=1)
    assert messages == [field.value]
    field.show_value(20)
    assert messages[1:] == []
    assert slider.value() == 200


def test_the_wheel_turns_no_slider_without_the_focus(panel: GenerationPanel, qtbot: QtBot, document: Document) -> None:
    panel.seeds.seed.field.setFocus()
    before = document.settings
    for widget in (panel.relief.slider, panel.relief.field):
        at = widget.rect().center()
        event = QWheelEvent(
            QPointF(at),
            QPointF(widget.mapToGlobal(at)),
            QPoint(0, 0),
            QPoint(0, 120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(widget, event)
    assert document.settings == before


def test_each_roll_of_the_dice_is_a_step(panel: GenerationPanel, document: Document, qtbot: QtBot) -> None:
    for _ in range(3):
        qtbot.mouseClick(panel.seeds.seed.dice, LEFT)
    assert document.undo_stack.count() == 3
    assert document.settings.recipe.seed == panel.seeds.seed.field.value()
    for _ in range(3):
        document.undo_stack.undo()
    assert panel.seeds.seed.field.value() == 7


def test_a_seed_is_typed_whole(panel: GenerationPanel, document: Document, qtbot: QtBot) -> None:
    type_in(qtbot, panel.seeds.seed.field, "2147483647")
    assert document.settings.recipe.seed == 2147483647
    assert document.undo_stack.count() == 1
    assert panel.seeds.used == (2147483647, 7)


def test_a_locked_seed_stays(panel: GenerationPanel, document: Document, qtbot: QtBot) -> None:
    qtbot.mouseClick(panel.seeds.lock, LEFT)
    assert panel.seeds.lock.isChecked()
    panel.roll_dice()
    qtbot.mouseClick(panel.seeds.seed.dice, LEFT)
    type_in(qtbot, panel.seeds.seed.field, "123")
    assert document.settings.recipe.seed == 7
    qtbot.mouseClick(panel.seeds.lock, LEFT)
    panel.roll_dice()
    assert document.settings.recipe.seed != 7


def test_seeds_used_before_can_be_taken_again(panel: GenerationPanel, document: Document, qtbot: QtBot) -> None:
    panel.roll_dice()
    newest = document.settings.recipe.seed
    panel.seeds.menu.aboutToShow.emit()
    actions = panel.seeds.menu.actions()
    assert [action.text() for action in actions] == [str(newest), "7"]
    assert [action.isChecked() for action in actions] == [True, False]
    actions[1].trigger()
    assert document.settings.recipe.seed == 7
    document.open(Project.empty((32, 32), Settings(450.0, "atlas", recipe=Recipe(9))), None, document.view)
    assert panel.seeds.used == (9,)


def test_a_seed_beyond_the_field_is_shown_and_kept(panel: GenerationPanel, document: Document) -> None:
    recipe = Recipe(2**40)
    document.change_settings("Seed", dataclasses.replace(document.settings, recipe=recipe))
    assert panel.seeds.seed.field.value() == 2**31 - 1
    assert document.settings.recipe.seed == 2**40


def test_a_blend_is_switched_on_moved_and_taken_back(panel: GenerationPanel, document: Document, qtbot: QtBot) -> None:
    seeds = panel.seeds
    assert not seeds.blend.isVisible()
    seeds.blending.click()
    assert document.settings.recipe.other_seed == seeds.other.field.value()
    assert document.settings.recipe.blend == 0.5
    assert seeds.blend.isVisible()
    drag(qtbot, seeds.blend, 0.5, 0.8)
    assert document.settings.recipe.blend == pytest.approx(0.8, abs=0.05)
    assert document.undo_stack.count() == 2
    document.undo_stack.undo()
    assert seeds.blend.value == 50
    document.undo_stack.undo()
    assert not seeds.blend.isVisible()
    assert not seeds.blending.isChecked()
    document.undo_stack.redo()
    seeds.blending.click()
    assert document.settings.recipe == Recipe(7)


def test_the_style_of_the_seed_is_shown_until_a_slider_is_moved(
    panel: GenerationPanel, document: Document, qtbot: QtBot
) -> None:
    sliders = panel.character.sliders
    assert [item.value for item in sliders] == [0.5, -1.25, 3]
    assert not panel.character.reset.isEnabled()
    drag(qtbot, sliders[0], 0.6, 0.1)
    style = document.settings.recipe.style
    assert style is not None
    assert style[0] < -2
    assert style[1:] == OF_SEED[1:]
    assert document.undo_stack.count() == 1
    drag(qtbot, sliders[1], 0.3, 0.5)
    assert document.undo_stack.count() == 2
    document.undo_stack.undo()
    assert sliders[1].value == -1.25
    assert document.settings.recipe.style == style
    qtbot.mouseClick(panel.character.reset, LEFT)
    assert document.settings.recipe.style is None
    assert [slider.value for slider in sliders] == [0.5, -1.25, 3]


def test_variety_is_a_step_of_undo_and_leaves_the_style_to_the_seed(
    panel: GenerationPanel, document: Document, qtbot: QtBot
) -> None:
    variety = panel.character.variety
    assert variety.value == 100
    drag(qtbot, variety, 0.5, 0.0)
    assert document.settings.recipe == dataclasses.replace(document.settings.recipe, style=None, variety=0.0)
    assert document.undo_stack.count() == 1
    document.undo_stack.undo()
    assert (variety.value, document.settings.recipe.variety) == (100, 1)
    panel.set_style_names(("elevation",))
    assert panel.character.variety is variety and variety.isVisible()
    panel.set_style_names(())
    assert not variety.isVisible()


def test_no_slider_can_be_moved_before_the_style_is_known(panel: GenerationPanel, document: Document) -> None:
    panel.set_style_names(("elevation", "relief"))
    sliders = panel.character.sliders
    assert len(sliders) == 2
    assert not any(entry.isEnabled() for entry in sliders)
    sliders[0].slider.setValue(900)
    assert document.settings.recipe.style is None
    panel.set_seed_style((0.0, 1.0))
    assert all(item.isEnabled() for item in sliders)
    # Numbers of other weights are not used.
    panel.set_seed_style((0.0, 1.0, 2.0))
    assert not any(slider.isEnabled() for slider in sliders)


def test_another_style_is_chosen_without_the_numbers_of_the_old_one(
    panel: GenerationPanel, document: Document, qtbot: QtBot
) -> None:
    panel.set_styles(["alps", "atlas", "islands"])
    assert panel.style_name.currentText() == "atlas"
    recipe = dataclasses.replace(document.settings.recipe, style=(1.0, 1.0, 1.0))
    document.change_settings("Character", dataclasses.replace(document.settings, recipe=recipe))
    panel.style_name.setFocus()
    qtbot.keyClick(panel.style_name, Qt.Key.Key_Down)
    assert document.settings.style_name == "islands"
    assert document.settings.recipe.style is None
    document.undo_stack.undo()
    assert panel.style_name.currentText() == "atlas"


def test_a_style_that_is_not_installed_is_shown(panel: GenerationPanel, document: Document) -> None:
    panel.set_styles(["alps"])
    assert panel.style_name.currentText() == "atlas"
    assert document.undo_stack.count() == 0


def test_a_style_that_cannot_be_used_gives_way_to_the_one_in_use(panel: GenerationPanel, document: Document) -> None:
    panel.set_styles(["atlas", "broken"])
    panel.style_name.setCurrentText("broken")
    panel.style_name.activated.emit(panel.style_name.currentIndex())
    panel.show_style_in_use("atlas")
    assert (document.settings.style_name, panel.style_name.currentText()) == ("broken", "atlas")
    panel.style_name.setCurrentText("broken")
    panel.style_name.activated.emit(panel.style_name.currentIndex())
    assert panel.style_name.currentText() == "atlas", "it is still in use"
    panel.style_name.activated.emit(panel.style_name.currentIndex())
    assert document.settings.style_name == "atlas"
    document.undo_stack.undo()
    panel.show_style_in_use("broken")
    assert panel.style_name.currentText() == "broken", "its file was mended"


def test_looks_are_offered_only_where_there_are_any(panel: GenerationPanel, document: Document) -> None:
    assert not panel.look_name.isVisible()
    panel.set_looks(["satellite"])
    assert panel.look_name.isVisible() and panel.look_name.currentText() == "None"
    panel.set_looks([])
    assert not panel.look_name.isVisible()
    document.open(Project.empty((32, 32), Settings(450.0, "atlas", look_name="mars")), None, document.view)
    assert panel.look_name.isVisible() and panel.look_name.currentText() == "mars", "it is shown, though not installed"
    assert document.undo_stack.count() == 0


def test_a_look_that_does_not_suit_the_style_is_told_below_it(panel: GenerationPanel) -> None:
    panel.set_looks(["satellite"])
    warning = 'The look "satellite" is for the style "mars".'
    panel.show_look_warning(warning)
    (shown,) = (widget for widget in panel.findChildren(QLabel) if widget.text() == warning)
    assert shown.isVisible() and panel.minimumSizeHint().width() <= 240
    panel.show_look_warning(None)
    assert not shown.isVisible()


def test_a_look_is_one_step_of_undo(panel: GenerationPanel, document: Document, qtbot: QtBot) -> None:
    panel.set_looks(["atlas", "satellite"])
    style = (1.0, 1.0, 1.0)
    recipe = dataclasses.replace(document.settings.recipe, style=style)
    document.change_settings("Character", dataclasses.replace(document.settings, recipe=recipe))
    panel.look_name.setFocus()
    qtbot.keyClick(panel.look_name, Qt.Key.Key_End)
    assert document.settings.look_name == "satellite"
    assert document.settings.recipe.style == style, "a look leaves the land as it is"
    assert document.undo_stack.undoText() == "Look · satellite"
    qtbot.keyClick(panel.look_name, Qt.Key.Key_Home)
    assert document.settings.look_name is None and document.undo_stack.undoText() == "Look · none"
    document.undo_stack.undo()
    assert panel.look_name.currentText() == "satellite"
    document.undo_stack.undo()
    assert panel.look_name.currentText() == "None" and document.undo_stack.count() == 3


def test_relief_goes_by_factors(panel: GenerationPanel, document: Document, qtbot: QtBot) -> None:
    assert panel.relief.slider.value() == 333
    drag(qtbot, panel.relief, 0.4, 0.66)
    assert document.settings.relief == pytest.approx(10, rel=0.4)
    assert document.undo_stack.count() == 1
    type_in(qtbot, panel.relief.field, "2.5")
    assert document.settings.relief == 2.5
    document.change_settings("Relief", dataclasses.replace(document.settings, relief=500))
    assert panel.relief.value == 100
    assert document.settings.relief == 500


def test_how_exactly_borders_are_followed_is_one_step(panel: GenerationPanel, document: Document, qtbot: QtBot) -> None:
    assert panel.follow.value == 100
    drag(qtbot, panel.follow, 0.95, 0.4)
    assert document.settings.recipe.follow == pytest.approx(0.4, abs=0.06) and document.undo_stack.count() == 1
    assert document.undo_stack.undoText().startswith("Follow my paint")
    document.undo_stack.undo()
    assert document.settings.recipe.follow == 1 and panel.follow.value == 100
    type_in(qtbot, panel.follow.field, "25")
    assert document.settings.recipe == Recipe(7, follow=0.25)


def test_the_ground_is_set_in_kilometres(panel: GenerationPanel, document: Document, qtbot: QtBot) -> None:
    assert panel.width_km.value() == 45
    type_in(qtbot, panel.width_km, "100")
    assert document.settings.pixel_size_m == 1000
    assert "1000 m per pixel" in panel.pixel_size.text()
    document.resize((128, 200))
    assert panel.width_km.value() == 100
    assert document.settings.pixel_size_m == 500
    document.undo_stack.undo()
    document.undo_stack.undo()
    assert panel.width_km.value() == 45


def test_only_a_selection_is_re_rolled(panel: GenerationPanel, document: Document, qtbot: QtBot) -> None:
    assert not panel.reroll.isEnabled()
    document.set_selection(Mark(Rect(0, 0, 4, 4), np.ones((4, 4), np.bool_)))
    assert panel.reroll.isEnabled()
    with qtbot.waitSignal(panel.reroll_requested):
        qtbot.mouseClick(panel.reroll, LEFT)
    with qtbot.waitSignal(panel.variants_requested):
        qtbot.mouseClick(panel.variants, LEFT)
    document.resize((128, 200))
    assert not panel.reroll.isEnabled()


def test_showing_changes_nothing(panel: GenerationPanel, document: Document) -> None:
    settings = Settings(123.456789, "atlas", 3, 3.14159, Recipe(5, 6, 0.123456, (0.111111, 0.222222, 0.333333)))
    document.change_settings("All", settings)
    assert document.settings == settings
    assert document.undo_stack.count() == 1


def test_it_fits_into_a_narrow_dock(panel: GenerationPanel) -> None:
    panel.seeds.blending.click()
    assert panel.minimumSizeHint().width() <= 240


def test_history_goes_to_any_step(document: Document, panel: GenerationPanel, qtbot: QtBot) -> None:
    history = HistoryPanel(document)
    qtbot.addWidget(history)
    history.resize(240, 300)
    history.show()
    panel.roll_dice()
    panel.relief.field.setValue(3)
    model = history.view.model()
    seed = document.settings.recipe.seed
    texts = [model.index(row, 0).data() for row in range(1, model.rowCount())]
    assert texts == [f"New seed · {seed}", "Heights · ×3"]
    qtbot.mouseClick(history.view.viewport(), LEFT, pos=history.view.visualRect(model.index(0, 0)).center())
    assert document.settings.recipe.seed == 7
    assert panel.relief.value == 1
    qtbot.mouseClick(history.view.viewport(), LEFT, pos=history.view.visualRect(model.index(2, 0)).center())
    assert document.settings.relief == 3


def test_rivers_and_depressions_are_switched_in_one_step_each(document: Document, panel: GenerationPanel) -> None:
    panel.carve_rivers.click()
    panel.breach.click()
    assert document.settings.flowing_water == FlowingWater(carve_rivers=True, breach=True)
    document.undo_stack.undo()
    assert panel.carve_rivers.isChecked() and not panel.breach.isChecked()
    assert document.undo_stack.undoText() == "Carve rivers · on"
    document.undo_stack.undo()
    assert document.settings.flowing_water == FlowingWater() and not panel.carve_rivers.isChecked()
    other = Project.empty((64, 100), Settings(450.0, "atlas", flowing_water=FlowingWater(breach=True)))
    document.open(other, None, ViewSettings())
    assert panel.breach.isChecked() and not panel.carve_rivers.isChecked()


def test_the_scale_of_the_land_is_chosen_with_the_size_of_a_pixel(
    document: Document, panel: GenerationPanel, qtbot: QtBot
) -> None:
    assert panel.scale.isHidden()  # without fine land there is one scale
    panel.set_true_sizes((2000.0, 500.0, 125.0))

    def texts() -> list[str]:
        return [panel.scale.itemText(row) for row in range(panel.scale.count())]

    def choose(text: str) -> None:
        panel.scale.setCurrentIndex(texts().index(text))
        panel.scale.activated.emit(panel.scale.currentIndex())

    assert panel.scale.isVisible()
    assert texts() == ["2000 m a pixel", "450 m a pixel", "125 m a pixel", "Land of 2000 m, scaled"]
    assert panel.scale.currentText() == "Land of 2000 m, scaled"
    choose("450 m a pixel")  # near enough to 500 m, so the ground stays
    assert document.settings.true_scale and document.settings.pixel_size_m == 450
    choose("125 m a pixel")
    assert document.settings.true_scale and document.settings.pixel_size_m == 125
    assert panel.width_km.value() == 12.5 and panel.scale.currentText() == "125 m a pixel"
    choose("Land of 2000 m, scaled")
    assert not document.settings.true_scale and document.settings.pixel_size_m == 125
    choose("2000 m a pixel")
    assert not document.settings.true_scale and document.settings.pixel_size_m == 2000
    assert texts() == ["2000 m a pixel", "500 m a pixel", "125 m a pixel"]
    for _ in range(3):
        document.undo_stack.undo()
    assert document.settings.pixel_size_m == 450 and panel.scale.currentText() == "450 m a pixel"
    type_in(qtbot, panel.width_km, "30")
    assert panel.scale.currentText() == "Land of 2000 m, scaled"
