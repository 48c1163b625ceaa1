"""The export dialog: formats, folder and name, and the numbers that other programs ask for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from terrainpaint.errors import OptionError
from terrainpaint.export import FORMATS, ExportOptions, export_paths
from terrainpaint.export.job import MAX_EXAGGERATION
from terrainpaint.gui.dialogs.engine_numbers import ENGINES, NumbersPage, TerrainExtent
from terrainpaint.gui.theme import set_role
from terrainpaint.gui.widgets.basics import (
    Form,
    accept_button,
    decision,
    dialog_column,
    horizontal_rule,
    label,
    paragraph,
    push_button,
)
from terrainpaint.gui.widgets.numbers import ArrowField

_MESH_SIZES = (256, 512, 1024)
_USUAL_FORMATS = ("obj", "height16")
_NAMED_AT_MOST = 4


@dataclass(frozen=True)
class ExportRequest:
    """The arguments of `terrainpaint.export.export`, and whether lakes and sea are levelled before."""

    folder: Path
    name: str
    formats: tuple[str, ...]
    options: ExportOptions
    level_water: bool

    def paths(self) -> list[Path]:
        """The files that will be written. Raises OptionError when the name or the formats cannot be used."""
        return export_paths(self.folder, self.name, self.formats)


class ExportDialog(QDialog):
    """Asks what to export; it writes nothing.

    `map_shape` is (H, W) in pixels, `pixel_size_m` the ground size of a pixel, `height_range_m` the lowest and the
    highest height of the terrain; `folder` and `name` are the first suggestion.
    """

    def __init__(
        self,
        map_shape: tuple[int, int],
        pixel_size_m: float,
        height_range_m: tuple[float, float],
        folder: Path,
        name: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self._shape = map_shape
        self._choices = {key: QCheckBox(form.name) for key, form in FORMATS.items()}
        for box in self._choices.values():
            set_role(box, "strong")
        self._sizes = {key: label("", "muted") for key in FORMATS}
        self._files = {key: paragraph("") for key in FORMATS}
        self._folder, self._name = QLineEdit(str(folder)), QLineEdit(name)
        self._mesh = _mesh_field(max(map_shape))
        self._exaggeration = ArrowField(2)
        self._level_water = QCheckBox("&Level lakes and sea")
        self._total = label("", "muted")
        self._message = paragraph("", "warning")
        self._buttons = decision(self, "Export")
        self._engines = QTabWidget()
        ground = TerrainExtent(map_shape, pixel_size_m, height_range_m)
        for title, numbers in ENGINES.items():
            self._engines.addTab(NumbersPage(numbers(ground)), title)
        self._build()
        self._connect()
        for key in _USUAL_FORMATS:
            self._choices[key].setChecked(True)
        self._show_choice()

    def request(self) -> ExportRequest:
        """The current choice. Raises OptionError when it cannot be exported."""
        chosen = tuple(key for key, box in self._choices.items() if box.isChecked())
        folder = self._folder.text().strip()
        if not folder:
            raise OptionError("The folder is missing; choose one.")
        request = ExportRequest(
            Path(folder).expanduser(), self._name.text().strip(), chosen, self._options(), self._level_water.isChecked()
        )
        request.paths()
        return request

    def _options(self) -> ExportOptions:
        return ExportOptions(self._mesh.currentData(), self._exaggeration.value())

    def _build(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(8)
        head = QHBoxLayout()
        head.addWidget(label("Formats", "heading"))
        head.addStretch(1)
        head.addWidget(self._total)
        left.addLayout(head)
        left.addWidget(self._format_list(), 1)
        left.addSpacing(4)
        left.addWidget(label("Mesh", "heading"))
        mesh = Form()
        mesh.add("&Vertices", self._mesh)
        mesh.add("E&xaggeration", self._exaggeration)
        left.addLayout(mesh)
        left.addWidget(self._level_water)

        right = QVBoxLayout()
        right.setSpacing(8)
        right.addWidget(label("Numbers for other programs", "heading"))
        right.addWidget(self._engines, 1)

        where = Form()
        browse = push_button("Browse…")
        browse.clicked.connect(self._browse)
        where.add("&Folder", self._folder)
        where.addWidget(browse, where.rowCount() - 1, 2)
        where.add("&Name", self._name)

        upper = QHBoxLayout()
        upper.setSpacing(28)
        upper.addLayout(left, 5)
        upper.addLayout(right, 4)
        whole = dialog_column(self)
        whole.addLayout(upper, 1)
        whole.addLayout(where)
        whole.addWidget(self._message)
        whole.addWidget(self._buttons)
        self._exaggeration.setRange(0.01, MAX_EXAGGERATION)
        self._exaggeration.setSingleStep(0.5)
        self._exaggeration.setPrefix("× ")
        self._exaggeration.setValue(1.0)
        self._exaggeration.setToolTip("Factor for the heights of meshes. Pictures of heights stay in true metres.")
        self._level_water.setChecked(True)
        self._level_water.setToolTip(
            "Puts the sea at 0 m and each lake at one height, for water planes in other programs. "
            "Water painted less than 5 pixels wide is a river and keeps its slope."
        )
        self.resize(980, 700)

    def _format_list(self) -> QScrollArea:
        holder = _HeightForWidth()
        column = QVBoxLayout(holder)
        column.setContentsMargins(14, 10, 14, 10)
        column.setSpacing(2)
        for number, (key, form) in enumerate(FORMATS.items()):
            if number:
                column.addWidget(horizontal_rule())
            row = QHBoxLayout()
            row.addWidget(self._choices[key])
            row.addStretch(1)
            row.addWidget(self._sizes[key])
            column.addLayout(row)
            description = paragraph(form.description[:1].upper() + form.description[1:], "")
            for text in (description, self._files[key]):
                text.setContentsMargins(28, 0, 0, 4)
                column.addWidget(text)
        column.addStretch(1)
        scroll = QScrollArea()
        set_role(scroll, "panel")
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(holder)
        return scroll

    def _connect(self) -> None:
        for box in self._choices.values():
            box.toggled.connect(self._show_choice)
        self._folder.textChanged.connect(self._show_choice)
        self._name.textChanged.connect(self._show_choice)
        self._mesh.currentIndexChanged.connect(self._show_choice)
        self._exaggeration.valueChanged.connect(self._show_choice)

    def _browse(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Export to", self._folder.text())
        if chosen:
            self._folder.setText(chosen)

    def _show_choice(self) -> None:
        """Show sizes and names of the files, and whether they can be written."""
        total = 0
        name = Path(self._name.text().strip()).name or "name"
        for key, form in FORMATS.items():
            size = form.estimate_bytes(*self._shape, self._options())
            self._sizes[key].setText(f"about {_bytes(size)}")
            total += size * self._choices[key].isChecked()
            self._files[key].setText(", ".join(path.name for path in form.paths(Path(name + form.suffix))))
        self._total.setText(f"about {_bytes(total)}" if total else "")
        try:
            request = self.request()
        except OptionError as error:
            self._say("danger", str(error))
            accept_button(self._buttons).setEnabled(False)
            return
        accept_button(self._buttons).setEnabled(True)
        replaced = [path for path in request.paths() if path.exists()]
        self._say("warning", _about_replaced(list(dict.fromkeys(replaced))))

    def _say(self, role: str, text: str) -> None:
        set_role(self._message, role)
        self._message.setText(text)


class _HeightForWidth(QFrame):
    """Asks for the height of its wrapped texts at its real width; Qt takes their height at their smallest width."""

    def minimumSizeHint(self) -> QSize:
        layout = self.layout()
        hint = super().minimumSizeHint()
        return QSize(hint.width(), layout.heightForWidth(self.width())) if layout else hint

    def resizeEvent(self, event: QResizeEvent) -> None:
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()
        super().resizeEvent(event)


def _mesh_field(longest: int) -> QComboBox:
    field = QComboBox()
    for side in _MESH_SIZES:
        field.addItem(f"{side:,} along the longest side", side)
    field.addItem(f"Full: {longest:,}, one for each pixel", longest)
    field.setCurrentIndex(_MESH_SIZES.index(512) if longest > 512 else len(_MESH_SIZES))
    return field


def _about_replaced(paths: list[Path]) -> str:
    if not paths:
        return ""
    named = ", ".join(path.name for path in paths[:_NAMED_AT_MOST])
    more = f" and {len(paths) - _NAMED_AT_MOST} more" if len(paths) > _NAMED_AT_MOST else ""
    return f"Existing files that will be replaced: {named}{more}."


def _bytes(count: float) -> str:
    """A size with two significant digits, in decimal units."""
    for unit in ("B", "kB", "MB"):
        if count < 999.5:
            return f"{count:.2g} {unit}" if count < 10 else f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.2g} GB" if count < 10 else f"{count:,.0f} GB"
