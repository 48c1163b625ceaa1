"""Labels, buttons and forms of all panels and dialogs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QGuiApplication, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from terrainpaint.gui.icons import icon, pixmap
from terrainpaint.gui.theme import set_role
from terrainpaint.gui.widgets.plain_text import readable, tip
from terrainpaint.gui.widgets.small_screens import scroll_on_small_screens

MARGIN_PX = 20
"""Around the contents of a dialog."""
GAP_PX = 12
"""Between the parts of a dialog."""
ICON_PX = 18
ENTER_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_FRACTION_OF_SCREEN = 0.9
_LEAST_CUT = 8
"""A text that would be cut to fewer characters is not shown."""
PICTURE_FILES = "Pictures (*.png *.jpg *.jpeg *.tif *.tiff *.bmp *.webp *.gif *.tga *.psd);;All files (*)"
"""The filters of a file dialog for pictures."""


# Labels


def label(text: str, role: str = "") -> QLabel:
    """A text, never markup, in one of the label roles of the theme."""
    widget = QLabel(text)
    widget.setTextFormat(Qt.TextFormat.PlainText)
    set_role(widget, role)
    return widget


def paragraph(text: str, role: str = "muted") -> QLabel:
    """A text that wraps."""
    widget = label(text, role)
    widget.setWordWrap(True)
    widget.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    return widget


def value_label(widest: str, tip: str = "") -> QLabel:
    """A label as wide as its widest text, so that its neighbours do not move when the text changes."""
    widget = QLabel()
    widget.setToolTip(tip)
    widget.setMinimumWidth(widget.fontMetrics().horizontalAdvance(widest))
    return widget


class ElidedLabel(QLabel):
    """One line of text, cut with dots when there is too little room; the tooltip has all of it."""

    def __init__(self) -> None:
        super().__init__()
        self._whole = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_text(self, text: str) -> None:
        """Show another text."""
        self._whole = readable(text)
        self.setToolTip(tip(self._whole))
        self.setAccessibleName(text)
        self._cut()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._cut()

    def _cut(self) -> None:
        room = self.contentsRect().width()
        text = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, room)
        # Dots alone say nothing.
        self.setText(text if len(text) >= min(_LEAST_CUT, len(self._whole)) else "")


def logo(side_px: int) -> QLabel:
    """The icon of the program."""
    widget = QLabel()
    # Drawn at four times its size, sharp on every screen; the colour does not matter for this icon.
    widget.setPixmap(pixmap("app", side_px, "#000000", 4.0))
    widget.setScaledContents(True)
    widget.setFixedSize(side_px, side_px)
    return widget


def horizontal_rule() -> QFrame:
    """A thin horizontal line."""
    return _rule(QFrame.Shape.HLine)


def vertical_rule() -> QFrame:
    """A thin vertical line."""
    return _rule(QFrame.Shape.VLine)


def _rule(shape: QFrame.Shape) -> QFrame:
    line = QFrame()
    line.setFrameShape(shape)
    return line


# Buttons


def push_button(text: str, role: str = "") -> QPushButton:
    """A button that Return presses only when it has the focus."""
    button = QPushButton(text)
    button.setAutoDefault(False)
    set_role(button, role)
    return button


def icon_button(name: str, tip: str) -> QToolButton:
    """A flat button with an icon and a tooltip, which is its accessible name too."""
    button = QToolButton()
    button.setIcon(icon(name))
    button.setIconSize(QSize(ICON_PX, ICON_PX))
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    button.setAutoRaise(True)
    return button


def action_button(action: QAction) -> QToolButton:
    """A flat button for an action."""
    button = QToolButton()
    button.setDefaultAction(action)
    button.setIconSize(QSize(ICON_PX, ICON_PX))
    button.setAutoRaise(True)
    return button


def menu_button(name: str, tip: str) -> QToolButton:
    """A flat button that opens a menu, without the arrow that Qt draws next to the icon."""
    button = icon_button(name, tip)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setStyleSheet("QToolButton { padding-right: 4px; } QToolButton::menu-indicator { image: none; width: 0; }")
    return button


def with_key(tip: str, key: str | None) -> str:
    """A tooltip with the key of the command that does the same, if it has one."""
    return f"{tip}  ({key})" if key else tip


# Layouts


def row_of(*widgets: QWidget, spacing_px: int = 8) -> QWidget:
    """Widgets next to each other, at the left; the first one gets the focus."""
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(spacing_px)
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    holder.setFocusProxy(widgets[0])
    return holder


def column_of_width(column: QVBoxLayout, width_px: int) -> QWidget:
    """A widget of a fixed width with the layout `column`, without margins."""
    holder = QWidget()
    holder.setFixedWidth(width_px)
    holder.setLayout(column)
    column.setContentsMargins(0, 0, 0, 0)
    return holder


def fill(holder: QWidget, widget: QWidget) -> None:
    """Give all the room of `holder` to `widget`."""
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.addWidget(widget)


def open_at(dialog: QDialog, width_px: int, height_px: int) -> None:
    """Give a dialog a size, but no larger than fits on its screen."""
    room = dialog.screen().availableSize() * _FRACTION_OF_SCREEN
    dialog.resize(QSize(width_px, height_px).boundedTo(room))


def dialog_column(dialog: QDialog) -> QVBoxLayout:
    """The layout of a dialog: a column with the usual margins and gaps, scrolled where the screen is too small."""
    scroll_on_small_screens(dialog)
    column = QVBoxLayout(dialog)
    column.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
    column.setSpacing(GAP_PX)
    return column


def hide_what_has_no_room(row: QWidget, optional: Sequence[QWidget]) -> None:
    """Hide widgets of `optional`, the first ones first, until the layout of `row` fits its width.

    All of them must be visible before.
    """
    layout = row.layout()
    for widget in optional:
        if layout is None or layout.minimumSize().width() <= row.width():
            return
        widget.hide()


class Form(QGridLayout):
    """Rows of a label and a field."""

    def __init__(self) -> None:
        super().__init__()
        self.setHorizontalSpacing(16)
        self.setVerticalSpacing(10)
        self.setColumnStretch(1, 1)

    def add(self, text: str, field: QWidget) -> None:
        """Add a row; Alt and the letter after "&" in `text` focuses the field."""
        row = self.rowCount()
        name = label(text, "muted")
        name.setBuddy(field)
        self.addWidget(name, row, 0, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.addWidget(field, row, 1)

    def show_row(self, field: QWidget, is_shown: bool) -> None:
        """Show or hide a field that was added, with its label."""
        field.setVisible(is_shown)
        for number in range(self.count()):
            item = self.itemAt(number)
            widget = item.widget() if item is not None else None
            if isinstance(widget, QLabel) and widget.buddy() is field:
                widget.setVisible(is_shown)

    def add_below(self, widget: QWidget) -> None:
        """Add a row with a widget in the column of the fields."""
        self.addWidget(widget, self.rowCount(), 1)


# Decisions of a dialog


def decision(dialog: QDialog, accept_text: str) -> QDialogButtonBox:
    """Cancel and `accept_text`, which Return presses, in the order of the system; both close `dialog`."""
    box = QDialogButtonBox()
    box.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole).setAutoDefault(False)
    box.addButton(accept_text, QDialogButtonBox.ButtonRole.AcceptRole).setDefault(True)
    box.accepted.connect(dialog.accept)
    box.rejected.connect(dialog.reject)
    return box


def close_box(dialog: QDialog) -> QDialogButtonBox:
    """A Close button for a dialog that only shows something."""
    box = QDialogButtonBox()
    close = push_button("Close")
    close.clicked.connect(dialog.reject)
    box.addButton(close, QDialogButtonBox.ButtonRole.RejectRole)
    return box


def accept_button(box: QDialogButtonBox) -> QAbstractButton:
    """The button of a `decision` that accepts."""
    return next(button for button in box.buttons() if box.buttonRole(button) == QDialogButtonBox.ButtonRole.AcceptRole)


@contextmanager
def wait_cursor() -> Iterator[None]:
    """Show that the program is busy while the body runs in the interface thread."""
    QGuiApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
    try:
        yield
    finally:
        QGuiApplication.restoreOverrideCursor()
