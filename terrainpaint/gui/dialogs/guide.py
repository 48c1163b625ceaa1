"""The guide and the other documents, in a window of the program: no network is needed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QSignalBlocker, QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QDesktopServices,
    QImage,
    QKeyEvent,
    QKeySequence,
    QResizeEvent,
    QShortcut,
    QTextBlock,
    QTextCursor,
    QTextDocument,
    QTextFrameFormat,
    QTextLength,
    QTextTable,
)
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QTextBrowser,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from terrainpaint.core.assets import asset_path, document_path
from terrainpaint.gui.theme import current_theme
from terrainpaint.gui.widgets.basics import icon_button, label, open_at

GUIDE = "guide.md"
_SIZE_PX = 980, 720
_CONTENTS_PX = 220
_MARGIN_PX = 24
_LINE_PERCENT = 140
_ASSETS = "../assets/"
_ANCHOR = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class Heading:
    """A heading of a document: its level (1 is the title), its text, and the name that links use."""

    level: int
    text: str
    anchor: str


class GuideDialog(QDialog):
    """Shows the guide with its contents at the left and a search field; links between documents work."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Guide")
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint)
        self.page = Page()
        self.contents = QListWidget()
        self.contents.setAccessibleName("Contents")
        self.search = QLineEdit()
        key = QKeySequence(QKeySequence.StandardKey.Find).toString(QKeySequence.SequenceFormat.NativeText)
        self.search.setPlaceholderText(f"Find in the guide ({key})")
        self.search.setAccessibleName("Find in the guide")
        self.search.setClearButtonEnabled(True)
        self.found = label("", "muted")
        self._back, self._forward = icon_button("back", "Back"), icon_button("forward", "Forward")
        self._build()
        self._connect()
        self.page.open(GUIDE)
        self.page.setFocus()

    def _build(self) -> None:
        bar = QHBoxLayout()
        bar.setSpacing(6)
        for widget in (self._back, self._forward):
            bar.addWidget(widget)
        bar.addSpacing(8)
        bar.addWidget(self.search, 1)
        bar.addWidget(self.found)
        parts = QSplitter()
        parts.addWidget(self.contents)
        parts.addWidget(self.page)
        parts.setStretchFactor(1, 1)
        parts.setSizes([_CONTENTS_PX, _SIZE_PX[0] - _CONTENTS_PX])
        parts.setChildrenCollapsible(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(10)
        column.addLayout(bar)
        column.addWidget(parts, 1)
        open_at(self, *_SIZE_PX)

    def _connect(self) -> None:
        self._back.clicked.connect(self.page.backward)
        self._forward.clicked.connect(self.page.forward)
        self.page.backwardAvailable.connect(self._back.setEnabled)
        self.page.forwardAvailable.connect(self._forward.setEnabled)
        for button in (self._back, self._forward):
            button.setEnabled(False)
        self.page.sourceChanged.connect(lambda url: self._show_contents())
        self.contents.itemSelectionChanged.connect(self._go_to_selected)
        # Also for the section that is selected already.
        self.contents.itemClicked.connect(lambda item: self.page.go_to(item.data(_ANCHOR)))
        self.contents.itemActivated.connect(lambda item: self.page.go_to(item.data(_ANCHOR)))
        self.page.typed.connect(self._begin_search)
        self.search.textChanged.connect(lambda words: self._show_found(self.page.highlight(words)))
        self.search.returnPressed.connect(lambda: self.page.go_to_next(self.search.text()))
        for key, act in (
            (QKeySequence.StandardKey.Find, self._focus_search),
            (QKeySequence.StandardKey.FindNext, lambda: self.page.go_to_next(self.search.text())),
            (QKeySequence.StandardKey.FindPrevious, lambda: self.page.go_to_previous(self.search.text())),
        ):
            QShortcut(QKeySequence(key), self).activated.connect(act)

    def _focus_search(self) -> None:
        self.search.setFocus()
        self.search.selectAll()

    def _begin_search(self, text: str) -> None:
        self._focus_search()
        self.search.insert(text)

    def _go_to_selected(self) -> None:
        for item in self.contents.selectedItems():
            self.page.go_to(item.data(_ANCHOR))

    def _show_contents(self) -> None:
        with QSignalBlocker(self.contents):
            self.contents.clear()
            for heading in self.page.headings():
                item = QListWidgetItem(f"{'    ' * max(0, heading.level - 2)}{heading.text}")
                item.setData(_ANCHOR, heading.anchor)
                self.contents.addItem(item)
            # Otherwise Tab to the list would have no place to begin from.
            self.contents.setCurrentRow(0)
        self._show_found(self.page.highlight(self.search.text()))

    def _show_found(self, count: int) -> None:
        words = self.search.text().strip()
        self.found.setText("" if not words else "1 place" if count == 1 else f"{count} places")


class Page(QTextBrowser):
    """A Markdown document of the program. Links to headings and other documents work as on a web page."""

    typed = Signal(str)
    """A character other than a space was typed, which means nothing to the page itself."""

    def __init__(self) -> None:
        super().__init__()
        self.setOpenExternalLinks(False)
        self.setAccessibleName("Guide")
        self.document().setDocumentMargin(_MARGIN_PX)
        self._resize = QTimer(self, singleShot=True, interval=0)
        self._resize.timeout.connect(self._fit_pictures)
        self._width_px = 0

    def open(self, name: str) -> None:
        """Show a document by its file name in the folder of the documents."""
        self.setSource(QUrl(name), QTextDocument.ResourceType.MarkdownResource)

    def headings(self) -> list[Heading]:
        """The headings of the document, without its title when that is the only one of its level."""
        found = [
            Heading(block.blockFormat().headingLevel(), block.text(), anchor_of(block.text()))
            for block in self._blocks()
            if block.blockFormat().headingLevel()
        ]
        return [heading for heading in found if heading.level > 1] or found

    def go_to(self, anchor: str) -> None:
        """Show the heading that a link names."""
        for block in self._blocks():
            if block.blockFormat().headingLevel() and anchor_of(block.text()) == anchor:
                bar = self.verticalScrollBar()
                top = self.document().documentLayout().blockBoundingRect(block).top()
                bar.setValue(min(int(top) - _MARGIN_PX // 2, bar.maximum()))
                return

    def highlight(self, words: str) -> int:
        """Mark all places with `words`, and show the first; returns their number."""
        places: list[QTextEdit.ExtraSelection] = []
        cursor = QTextCursor(self.document())
        wanted = words.strip()
        while wanted and not (cursor := self.document().find(wanted, cursor)).isNull():
            place = QTextEdit.ExtraSelection()
            place.cursor = cursor
            place.format.setBackground(QColor(current_theme().accent_soft))
            places.append(place)
        self.setExtraSelections(places)
        if places:
            first = QTextCursor(self.document())
            first.setPosition(places[0].cursor.selectionStart())
            self.setTextCursor(first)
            self.go_to_next(wanted)
        return len(places)

    def go_to_next(self, words: str) -> None:
        """Select the next place with `words`, after the last one the first."""
        if words.strip() and not self.find(words.strip()):
            self.moveCursor(QTextCursor.MoveOperation.Start)
            self.find(words.strip())

    def go_to_previous(self, words: str) -> None:
        """Select the place before, before the first one the last."""
        if words.strip() and not self.find(words.strip(), QTextDocument.FindFlag.FindBackward):
            self.moveCursor(QTextCursor.MoveOperation.End)
            self.find(words.strip(), QTextDocument.FindFlag.FindBackward)

    # For Qt

    def doSetSource(
        self, name: QUrl | str, type: QTextDocument.ResourceType = QTextDocument.ResourceType.UnknownResource
    ) -> None:
        """Show a document, or another place in it; addresses of the web go to the browser of the system."""
        name = QUrl(name)
        if name.scheme() in ("http", "https", "mailto"):
            QDesktopServices.openUrl(name)
            return
        if name.path() and name.path() != self.source().path():
            super().doSetSource(QUrl(name.path()), QTextDocument.ResourceType.MarkdownResource)
            self._dress()
        if name.fragment():
            self.go_to(name.fragment())

    def loadResource(self, type: int, name: QUrl | str) -> object:
        """Read a document or a picture that is installed with the program."""
        name = QUrl(name)
        text = name.toString()
        if type == QTextDocument.ResourceType.ImageResource.value:
            return self._picture(text)
        path = document_path(Path(name.path()).name)
        return path.read_text("utf-8") if path is not None else "This document is not installed."

    def event(self, event: QEvent) -> bool:
        """Follow a change of the theme."""
        if event.type() == QEvent.Type.PaletteChange and not self.document().isEmpty():
            self._dress()
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Pass characters on; all other keys scroll, select and copy."""
        commands = (
            Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
        )
        text = event.text()
        if text.isprintable() and text.strip() and not event.modifiers() & commands:
            self.typed.emit(text)
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Pictures are never wider than the window."""
        super().resizeEvent(event)
        self._resize.start()

    # Inside

    def _picture(self, name: str) -> QImage:
        path = asset_path(name.removeprefix(_ASSETS)) if name.startswith(_ASSETS) else document_path(Path(name).name)
        image = QImage(str(path)) if path is not None else QImage()
        room = self.viewport().width() - 2 * _MARGIN_PX
        if image.width() > room > 0:
            ratio = self.devicePixelRatioF()
            image = image.scaledToWidth(
                min(image.width(), round(room * ratio)), Qt.TransformationMode.SmoothTransformation
            )
            image.setDevicePixelRatio(max(1.0, image.width() / room))
        return image

    def _fit_pictures(self) -> None:
        if self.viewport().width() == self._width_px or self.document().isEmpty():
            return
        self._width_px = self.viewport().width()
        place = self.verticalScrollBar().value() / max(1, self.verticalScrollBar().maximum())
        for name in re.findall(r"!\[[^]]*\]\(([^)]+)\)", self.document().toMarkdown()):
            self.document().addResource(QTextDocument.ResourceType.ImageResource.value, QUrl(name), self._picture(name))
        self.document().markContentsDirty(0, self.document().characterCount())
        self.verticalScrollBar().setValue(round(place * self.verticalScrollBar().maximum()))

    def _dress(self) -> None:
        """Give lines, tables and code the look of the program."""
        theme = current_theme()
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        for block in self._blocks():
            cursor.setPosition(block.position())
            look = block.blockFormat()
            look.setLineHeight(_LINE_PERCENT, 1)  # QTextBlockFormat.LineHeightTypes.ProportionalHeight
            if look.headingLevel():
                look.setTopMargin(0 if look.headingLevel() == 1 else 22)
                look.setBottomMargin(8)
            cursor.setBlockFormat(look)
        for frame in self.document().rootFrame().childFrames():
            if isinstance(frame, QTextTable):
                table = frame.format().toTableFormat()
                table.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
                table.setBorderCollapse(True)
                table.setBorder(1)
                table.setBorderBrush(QBrush(QColor(theme.border)))
                table.setCellPadding(6)
                table.setCellSpacing(0)
                table.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
                table.setTopMargin(6)
                table.setBottomMargin(14)
                frame.setFormat(table)
        cursor.endEditBlock()
        self.document().clearUndoRedoStacks()

    def _blocks(self) -> list[QTextBlock]:
        blocks, block = [], self.document().begin()
        while block.isValid():
            blocks.append(block)
            block = block.next()
        return blocks

    def sizeHint(self) -> QSize:
        return QSize(_SIZE_PX[0] - _CONTENTS_PX, _SIZE_PX[1])


def anchor_of(text: str) -> str:
    """The name of a heading in links, as web sites for Markdown make it: "Select and move" → select-and-move."""
    return re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-")
