"""The welcome page: sample maps, new, open, import, recent files and recovery."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeySequence, QPainter, QPaintEvent, QPen, QPixmap, QShortcut
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from terrainpaint.core.path_kinds import is_there
from terrainpaint.gui.icons import icon
from terrainpaint.gui.samples import SAMPLES, SampleMap, sample_picture
from terrainpaint.gui.theme import current_theme, set_role
from terrainpaint.gui.widgets.basics import fill, label, logo, push_button
from terrainpaint.gui.widgets.pictures import draw_rounded
from terrainpaint.gui.widgets.plain_text import tip

_WIDTH_PX = 880
_LOGO_PX = 56
_RECENT_AT_MOST = 8
_NAME_PX = 320
"""A longer name of the document is elided."""


class Welcome(QWidget):
    """The page to start or open a document from. Its signals are requests; it does nothing itself."""

    back_requested = Signal()
    """Back to the document, also by Esc."""

    sample_chosen = Signal(str)
    """Key of `SAMPLES`."""
    new_requested = Signal()
    open_requested = Signal()
    import_requested = Signal()
    recent_chosen = Signal(Path)
    recover_requested = Signal()
    discard_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._banner, self._banner_text = self._recovery_banner()
        self._back, self._unsaved = push_button("", "primary"), label("Unsaved changes", "warning")
        self._back_row = self._way_back()
        self._recent_title = label("Recent", "heading")
        self._recent = QVBoxLayout()
        self._recent.setSpacing(2)

        page = QWidget()
        page.setMaximumWidth(_WIDTH_PX)
        column = QVBoxLayout(page)
        column.setContentsMargins(32, 40, 32, 32)
        column.setSpacing(0)
        column.addWidget(self._banner)
        column.addWidget(self._back_row)
        column.addSpacing(24)
        column.addLayout(_heading())
        column.addSpacing(28)
        column.addLayout(self._actions())
        column.addSpacing(32)
        column.addWidget(label("Start from a sample map", "heading"))
        column.addSpacing(12)
        column.addLayout(self._samples())
        column.addSpacing(32)
        column.addWidget(self._recent_title)
        column.addSpacing(8)
        column.addLayout(self._recent)
        column.addStretch(1)

        centred = QWidget()
        row = QHBoxLayout(centred)
        row.setContentsMargins(0, 0, 0, 0)
        row.addStretch(1)
        row.addWidget(page, 100)
        row.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(centred)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        fill(self, scroll)
        self.set_recent([])
        self.set_recoverable(None)
        self.set_document(None, is_dirty=False)

    def set_recent(self, paths: Sequence[Path]) -> None:
        """List the recent files, newest first. Missing files are shown, but cannot be opened."""
        while (item := self._recent.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        for path in paths[:_RECENT_AT_MOST]:
            entry = _RecentButton(path)
            entry.clicked.connect(lambda _=False, path=path: self.recent_chosen.emit(path))
            self._recent.addWidget(entry)
        self._recent_title.setVisible(bool(paths))

    def set_recoverable(self, when: str | None) -> None:
        """Offer to recover unsaved changes from the time `when`, such as "10:32"; None when there are none."""
        self._banner_text.setText(f"There are unsaved changes from {when}." if when else "")
        self._banner.setVisible(when is not None)

    def set_document(self, name: str | None, is_dirty: bool) -> None:
        """Offer the way back to a document; None when there is none."""
        metrics = self._back.fontMetrics()
        shown = metrics.elidedText(name or "", Qt.TextElideMode.ElideMiddle, _NAME_PX)
        self._back.setText(f"Back to {shown}".replace("&", "&&"))
        self._unsaved.setVisible(is_dirty)
        self._back_row.setVisible(name is not None)
        self._escape.setEnabled(name is not None)

    def leave_room(self, height_px: int) -> None:
        """Leave the top free for a bar of messages."""
        self.setContentsMargins(0, height_px, 0, 0)

    def focus_first(self) -> None:
        """Give the keyboard to the way back, or else to the page."""
        (self._back if self._back_row.isVisibleTo(self) else self).setFocus()

    def _way_back(self) -> QWidget:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 16, 0, 0)
        row.setSpacing(12)
        self._back.setToolTip("Show the map again  (Esc)")
        self._back.clicked.connect(self.back_requested)
        self._escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        self._escape.activated.connect(self.back_requested)
        row.addWidget(self._back)
        row.addWidget(self._unsaved)
        row.addStretch(1)
        return holder

    def _recovery_banner(self) -> tuple[QFrame, QLabel]:
        banner = QFrame()
        set_role(banner, "banner")
        row = QHBoxLayout(banner)
        row.setContentsMargins(14, 10, 10, 10)
        row.setSpacing(8)
        text = label("")
        recover, discard = push_button("Recover", "primary"), push_button("Discard")
        recover.clicked.connect(self.recover_requested)
        discard.clicked.connect(self.discard_requested)
        row.addWidget(_Glyph("history"))
        row.addWidget(text, 1)
        # The first button gets the keyboard focus, so it must not be the one that discards.
        row.addWidget(recover)
        row.addWidget(discard)
        return banner, text

    def _actions(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        for text, glyph, signal in (
            ("&New map…", "new", self.new_requested),
            ("&Open…", "open", self.open_requested),
            ("&Import…", "import", self.import_requested),
        ):
            button = push_button(text)
            button.setIcon(icon(glyph))
            button.setIconSize(QSize(18, 18))
            button.clicked.connect(signal)
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _samples(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(16)
        for name, sample in SAMPLES.items():
            card = _SampleCard(sample_picture(name), sample)
            card.clicked.connect(lambda _=False, name=name: self.sample_chosen.emit(name))
            row.addWidget(card)
        return row


def _heading() -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(16)
    words = QVBoxLayout()
    words.setSpacing(2)
    words.addWidget(label("TerrainPaint", "title"))
    words.addWidget(label("Paint a map and get a terrain.", "muted"))
    row.addWidget(logo(_LOGO_PX))
    row.addLayout(words)
    row.addStretch(1)
    return row


class _Glyph(QWidget):
    """An icon in a row of text."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.setFixedSize(20, 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        icon(self._name).paint(QPainter(self), self.rect())


class _SampleCard(QAbstractButton):
    """A button with a picture, its title and a line of text below."""

    _PADDING_PX = 12

    def __init__(self, picture: QPixmap, sample: SampleMap) -> None:
        super().__init__()
        self._picture = picture
        self._line = sample.line
        self.setText(sample.title)
        self.setAccessibleName(f"{sample.title}: {sample.line}")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def sizeHint(self) -> QSize:
        return QSize(256, self.heightForWidth(256))

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self.heightForWidth(160))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return round(width * 0.66) + 2 * self.fontMetrics().height() + 2 * self._PADDING_PX + 2

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        focused, over = self.hasFocus(), self.underMouse()
        rim = theme.focus if focused else theme.muted if over else theme.border
        painter.setPen(QPen(QColor(rim), 2 if focused else 1))
        painter.setBrush(QColor(theme.hover if over else theme.panel))
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 8, 8)
        metrics = self.fontMetrics()
        words_px = 2 * metrics.height() + 2 * self._PADDING_PX
        frame = QRect(6, 6, self.width() - 12, self.height() - words_px - 6)
        if not self._picture.isNull():
            draw_rounded(painter, frame, _cropped_to(self._picture, frame.size()))
        left, top = self._PADDING_PX + 2, frame.bottom() + self._PADDING_PX
        painter.setPen(QColor(theme.muted))
        room = self.width() - 2 * left
        line = metrics.elidedText(self._line, Qt.TextElideMode.ElideRight, room)
        painter.drawText(left, top + metrics.height() + metrics.ascent() + 2, line)
        bold = self.font()
        bold.setWeight(bold.Weight.DemiBold)
        painter.setFont(bold)
        painter.setPen(QColor(theme.text))
        painter.drawText(left, top + metrics.ascent(), self.text())


class _RecentButton(QPushButton):
    """A button with the name of a file and its folder."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        set_role(self, "row")
        self._path = path
        exists = is_there(path)
        self.setEnabled(exists)
        self.setIcon(icon("map"))
        # A single ampersand marks a shortcut.
        self.setText(path.name.replace("&", "&&"))
        self.setToolTip(tip(str(path) if exists else f"{path} is missing."))
        self.setAccessibleName(path.name if exists else f"{path.name}, missing")
        self.setAutoDefault(False)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        theme, metrics = current_theme(), self.fontMetrics()
        painter = QPainter(self)
        painter.setPen(QColor(theme.muted if self.isEnabled() else theme.disabled))
        left = metrics.horizontalAdvance(self._path.name) + 64
        where = str(self._path.parent) if self.isEnabled() else f"{self._path.parent} · missing"
        room = self.rect().adjusted(left, 0, -12, 0)
        text = metrics.elidedText(where, Qt.TextElideMode.ElideMiddle, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)


def _cropped_to(picture: QPixmap, size: QSize) -> QPixmap:
    """The middle of `picture`, cropped to the proportions of `size`."""
    inner = size.scaled(picture.size(), Qt.AspectRatioMode.KeepAspectRatio)
    cut = QRect((picture.width() - inner.width()) // 2, (picture.height() - inner.height()) // 2, 0, 0)
    cut.setSize(inner)
    return picture.copy(cut)
