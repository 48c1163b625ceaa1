"""The dialog of all keys: find a command, give it another key, take the usual ones back."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLineEdit,
    QMessageBox,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from terrainpaint.gui.key_map import KeyMap, fixed_keys, native, reason_against
from terrainpaint.gui.theme import set_role
from terrainpaint.gui.widgets.basics import close_box, dialog_column, label, open_at, paragraph, push_button

_SIZE_PX = 720, 620
_KEYS_PX = 240
_MESSAGE_PX = 32
_NAME = Qt.ItemDataRole.UserRole
_PORTABLE = QKeySequence.SequenceFormat.PortableText


class KeysDialog(QDialog):
    """Lists all keys by group, with a search field, and changes those of commands and tools at once."""

    def __init__(self, key_map: KeyMap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self._map = key_map
        self._groups: dict[str, QTreeWidgetItem] = {}
        self._rows: list[tuple[str, QTreeWidgetItem]] = []
        self._adds = False
        self._wanted = ""
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find a command or a key")
        self.search.setAccessibleName("Find a command or a key")
        self.search.setClearButtonEnabled(True)
        self.list = _list()
        self.name = label("", "heading")
        self.change = push_button("Change…", "primary")
        self.add = push_button("Add another…")
        self.clear = push_button("Remove")
        self.reset = push_button("Reset")
        self.recorder = KeyRecorder()
        self.message = paragraph("", "warning")
        self.message.setMinimumHeight(_MESSAGE_PX)
        self.take, self.leave = push_button("Use it here"), push_button("Leave it there")
        self.reset_all = push_button("Reset all keys")
        self._build()
        self._fill()
        self._connect()
        self.list.setCurrentItem(self._rows[0][1])
        open_at(self, *_SIZE_PX)
        self.search.setFocus()

    def show_matching(self, words: str) -> None:
        """Show only what has all of `words` in its group, text or keys; everything for ""."""
        wanted = words.casefold().split()
        for name, group in self._groups.items():
            rows = [row for of_group, row in self._rows if of_group == name]
            for row in rows:
                text = f"{name} {row.text(0)} {row.text(1)}".casefold()
                row.setHidden(not all(word in text for word in wanted))
            group.setHidden(all(row.isHidden() for row in rows))

    def choose(self, name: str) -> None:
        """Select a binding by its name."""
        self.list.setCurrentItem(next(item for _, item in self._rows if item.data(0, _NAME) == name))

    # Inside

    def _build(self) -> None:
        editor = QFrame()
        set_role(editor, "panel")
        column = QVBoxLayout(editor)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(8)
        head = QHBoxLayout()
        head.addWidget(self.name, 1)
        for button in (self.change, self.add, self.clear, self.reset):
            head.addWidget(button)
        head.addWidget(self.recorder)
        column.addLayout(head)
        answer = QHBoxLayout()
        answer.addWidget(self.message, 1)
        answer.addWidget(self.take)
        answer.addWidget(self.leave)
        column.addLayout(answer)
        whole = dialog_column(self)
        whole.addWidget(self.search)
        whole.addWidget(self.list, 1)
        whole.addWidget(editor)
        last = QHBoxLayout()
        last.addWidget(self.reset_all)
        last.addWidget(close_box(self), 1)
        whole.addLayout(last)

    def _fill(self) -> None:
        for binding in self._map.bindings.values():
            item = self._add_row(binding.group, [binding.text, ""])
            item.setData(0, _NAME, binding.name)
        for fixed in fixed_keys():
            item = self._add_row(fixed.group, [fixed.text, fixed.keys])
            item.setToolTip(1, "This key cannot be changed.")
            item.setForeground(1, self.palette().placeholderText())
        self._refresh()

    def _add_row(self, group: str, texts: list[str]) -> QTreeWidgetItem:
        row = QTreeWidgetItem(self._group(group), texts)
        self._rows.append((group, row))
        return row

    def _group(self, name: str) -> QTreeWidgetItem:
        if name in self._groups:
            return self._groups[name]
        self._groups[name] = group = QTreeWidgetItem(self.list, [name])
        group.setFlags(Qt.ItemFlag.ItemIsEnabled)
        group.setFirstColumnSpanned(True)
        bold = self.list.font()
        bold.setBold(True)
        group.setFont(0, bold)
        group.setExpanded(True)
        return group

    def _connect(self) -> None:
        self.search.textChanged.connect(self.show_matching)
        self.list.currentItemChanged.connect(lambda *items: self._show_chosen())
        self.list.itemActivated.connect(lambda item, column: self._record(adds=False))
        self.change.clicked.connect(lambda: self._record(adds=False))
        self.add.clicked.connect(lambda: self._record(adds=True))
        self.clear.clicked.connect(lambda: self._map.assign(self._chosen(), ()))
        self.reset.clicked.connect(lambda: self._map.reset(self._chosen()))
        self.reset_all.clicked.connect(self._reset_all)
        self.recorder.recorded.connect(self._recorded)
        self.recorder.cancelled.connect(self._show_chosen)
        self.take.clicked.connect(self._assign)
        self.leave.clicked.connect(self._show_chosen)
        self._map.changed.connect(self._refresh)

    def _reset_all(self) -> None:
        answer = QMessageBox.question(self, "Keys", "Should all commands get their usual keys again?")
        if answer == QMessageBox.StandardButton.Yes:
            self._map.reset_all()

    def _chosen(self) -> str:
        """The name of the binding that is selected, "" for keys that cannot be changed."""
        item = self.list.currentItem()
        return str(item.data(0, _NAME) or "") if item is not None else ""

    def _refresh(self) -> None:
        bold = self.list.font()
        for _, item in self._rows:
            name = item.data(0, _NAME)
            if name:
                item.setText(1, " or ".join(map(native, self._map.keys(name))))
                bold.setBold(not self._map.is_usual(name))
                item.setFont(1, bold)
                item.setToolTip(1, "" if self._map.is_usual(name) else "Changed by you")
        self.reset_all.setEnabled(not all(map(self._map.is_usual, self._map.bindings)))
        self.show_matching(self.search.text())
        self._show_chosen()

    def _show_chosen(self) -> None:
        name = self._chosen()
        binding = self._map.bindings.get(name)
        item = self.list.currentItem()
        self.name.setText(binding.text if binding else item.text(0) if item is not None else "")
        for button in (self.change, self.add, self.clear, self.reset):
            button.setVisible(binding is not None)
        if binding is not None:
            self.add.setEnabled(bool(self._map.keys(name)))
            self.clear.setEnabled(bool(self._map.keys(name)))
            self.reset.setEnabled(not self._map.is_usual(name))
        self.recorder.hide()
        self._say("" if binding else "This key cannot be changed.")

    def _say(self, sentence: str, asks: bool = False) -> None:
        self.message.setText(sentence or "Keys that you changed are bold. They work at once, and after the next start.")
        set_role(self.message, "warning" if sentence else "muted")
        self.take.setVisible(asks)
        self.leave.setVisible(asks)

    def _record(self, *, adds: bool) -> None:
        if self._chosen():
            self._adds = adds
            for button in (self.change, self.add, self.clear, self.reset):
                button.hide()
            self._say("Press the new key, with Ctrl, Alt and Shift as you like. Esc leaves it as it is.")
            self.recorder.begin()

    def _recorded(self, key: str) -> None:
        self._wanted = key
        self._show_chosen()
        reason = reason_against(key)
        user = self._map.user(key)
        if reason:
            self._say(reason)
        elif user is not None and user.name != self._chosen():
            self._say(f"{native(key)} is the key of {user.group} > {user.text}.", asks=True)
            self.take.setFocus()
        else:
            self._assign()

    def _assign(self) -> None:
        before = self._map.keys(self._chosen()) if self._adds else ()
        self._map.assign(self._chosen(), (*before, self._wanted))
        self.list.setFocus()


class KeyRecorder(QKeySequenceEdit):
    """Waits for one key with its modifiers, and sends it in Qt's portable words. Esc and a click elsewhere cancel."""

    recorded = Signal(str)
    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setMaximumSequenceLength(1)
        self.setAccessibleName("New key")
        self.setFixedWidth(_KEYS_PX)
        self.hide()
        self.editingFinished.connect(self._finish)

    def begin(self) -> None:
        """Appear and wait."""
        QKeySequenceEdit.clear(self)
        self.show()
        self.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not event.modifiers():
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if self.isVisible():
            self.cancelled.emit()

    def _finish(self) -> None:
        key = self.keySequence().toString(_PORTABLE)
        if self.isVisible() and key:
            self.hide()
            self.recorded.emit(key)


def _list() -> QTreeWidget:
    keys = QTreeWidget()
    keys.setColumnCount(2)
    keys.setHeaderLabels(["Command", "Keys"])
    keys.setAccessibleName("Commands and their keys")
    keys.setRootIsDecorated(False)
    keys.setIndentation(14)
    keys.setUniformRowHeights(True)
    keys.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    keys.header().setStretchLastSection(False)
    keys.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    keys.header().resizeSection(1, _KEYS_PX)
    return keys
