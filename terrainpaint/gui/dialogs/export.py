"""The export dialog: formats, folder and name, and the numbers that other programs ask for."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from terrainpaint.core.project import ViewSettings
from terrainpaint.core.rects import Rect
from terrainpaint.core.sea_choice import Sea
from terrainpaint.errors import OptionError, OutputError
from terrainpaint.export import FORMATS, MESH, ExportOptions
from terrainpaint.export.detail import check_detail, check_disk
from terrainpaint.export.estimates import Needs, export_needs, water_needs
from terrainpaint.export.file_options import FileOptions
from terrainpaint.export.formats import estimated_bytes
from terrainpaint.export.job import MAX_EXAGGERATION, MAX_WATER_M
from terrainpaint.export.output_checks import free_bytes
from terrainpaint.export.presets import find_preset
from terrainpaint.export.triangulation import require_pydelatin
from terrainpaint.gui.dialogs.engine_numbers import ENGINES, NumbersPage, TerrainExtent
from terrainpaint.gui.dialogs.export_warnings import bytes_text, file_names, needs_text, warnings
from terrainpaint.gui.dialogs.export_water import WaterOptions
from terrainpaint.gui.dialogs.file_options import FileOptionsPage
from terrainpaint.gui.dialogs.file_questions import folder_is_there
from terrainpaint.gui.dialogs.format_list import FormatList
from terrainpaint.gui.dialogs.mesh_preview import MeshPreview, PreviewSource
from terrainpaint.gui.dialogs.parts_page import PartsPage, tiling_of
from terrainpaint.gui.dialogs.preset_field import PresetField
from terrainpaint.gui.export_choice import ExportChoice, ExportRequest
from terrainpaint.gui.theme import set_role
from terrainpaint.gui.widgets.basics import (
    GAP_PX,
    Form,
    accept_button,
    decision,
    dialog_column,
    label,
    paragraph,
    push_button,
)
from terrainpaint.gui.widgets.notation import format_number
from terrainpaint.gui.widgets.numbers import ArrowField, unit_field

_MESH_SIZES = (256, 512, 1024)
_ESTIMATED = (
    "This map is too large to be measured here: the numbers of heights are estimates, and the JSON file of height16 "
    "has the exact range."
)
_SIZE = QSize(980, 620)
_FRACTION_OF_SCREEN = 0.92


class ExportDialog(QDialog):
    """Asks what to export; it writes nothing.

    `ground` is the terrain and `source` a copy of it for the picture, `choice` the first suggestion, `view` what the 3D
    view shows, `selection` the rectangle around what is selected. `has_detail`: the land can be made finer.
    """

    def __init__(
        self,
        ground: TerrainExtent,
        source: PreviewSource,
        choice: ExportChoice,
        view: ViewSettings,
        parent: QWidget | None = None,
        selection: Rect | None = None,
        has_detail: bool = False,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self._selection = selection
        self._is_reduced, self._flowing = source.is_reduced, source.flowing
        self._ground, self._shape, self._view = ground, ground.shape, view
        self._range_m = choice.files.height_range
        self._formats, self._file_options = FormatList(), FileOptionsPage(choice.files)
        self._preset, self._picture_size = PresetField(choice.preset), label("", "muted")
        self._folder, self._name = QLineEdit(str(choice.folder)), QLineEdit(choice.name)
        self._folder.setAccessibleName("Folder")
        self._name.setAccessibleName("Name")
        self._mesh = _mesh_field(max(ground.shape), choice.mesh_size)
        self._exaggeration = ArrowField(2)
        self._exaggeration.setAccessibleName("Exaggeration")
        self._as_in_3d = QCheckBox(f"As in &3D (× {format_number(view.exaggeration, 2)})")
        self._water = WaterOptions(choice.level_water, choice.sea, source.flowing.carve_rivers)
        self._has_water = QCheckBox(f"&Water surface at {format_number(view.water_level_m or 0, 1)} m, as in 3D")
        self._total = label("", "muted")
        self._message = paragraph("", "warning")
        self._buttons = decision(self, "Export")
        self._preview, self._no_mesh = MeshPreview(source), label("", "muted")
        selected = None if selection is None else (selection.height, selection.width)
        self._parts = PartsPage(choice, ground.shape, ground.pixel_size_m, selected, has_detail)
        self._max_error = unit_field(0, MAX_WATER_M, choice.max_error_m or 0, 2, " m")
        self._max_error.setSpecialValueText("Regular grid")
        self._pages, self._numbers = QTabWidget(), list[NumbersPage]()
        self._build()
        self._fill(choice)
        self._connect()
        self._show_choice()

    def choice(self) -> ExportChoice:
        """The current choice. Raises OptionError when it cannot be exported."""
        folder = self._folder.text().strip()
        if not folder:
            raise OptionError("The folder is missing; choose one.")
        choice = self._chosen(Path(folder).expanduser())
        self._request(choice).paths()
        return choice

    def _chosen(self, folder: Path) -> ExportChoice:
        """Raises OptionError when an option is impossible."""
        size = self._mesh.currentData()
        return ExportChoice(
            folder,
            self._name.text().strip(),
            self._formats.chosen(),
            None if size == max(self._shape) else size,
            None if self._as_in_3d.isChecked() else self._exaggeration.value(),
            self._water.level_water,
            self._has_water.isChecked(),
            self._file_options.value(),
            self._preset.preset(),
            self._parts.is_cropped,
            self._parts.tiles(),
            self._max_error.value() or None,
            self._parts.ground(),
            self._parts.detail,
            self._water.sea,
        )

    def accept(self) -> None:
        """Close with the choice, unless its folder is missing and not to be made."""
        try:
            if folder_is_there(self.choice().folder, self):
                super().accept()
        except (OptionError, OutputError) as error:
            self._say("danger", str(error))

    def set_source(self, source: PreviewSource) -> None:
        """Show another terrain, such as one that is exact now."""
        self._preview.set_source(source)
        self._enable_numbers()

    def _request(self, choice: ExportChoice) -> ExportRequest:
        return choice.request(self._shape, self._view, self._selection, self._ground.pixel_size_m)

    def _fill(self, choice: ExportChoice) -> None:
        self._formats.choose(choice.formats)
        self._has_water.setChecked(choice.has_water and self._view.water_level_m is not None)
        self._has_water.setVisible(self._view.water_level_m is not None)
        is_as_in_3d = choice.exaggeration is None
        self._as_in_3d.setChecked(is_as_in_3d)
        self._exaggeration.setValue(self._view.exaggeration if choice.exaggeration is None else choice.exaggeration)

    def _build(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(8)
        head = QHBoxLayout()
        head.addWidget(label("Formats", "heading"))
        head.addStretch(1)
        head.addWidget(self._total)
        left.addLayout(head)
        left.addWidget(self._preset)
        left.addWidget(self._picture_size)
        left.addLayout(self._formats.links())
        left.addWidget(self._formats, 1)
        left.addWidget(self._water)
        self._pages.addTab(self._mesh_page(), "Mesh")
        self._pages.addTab(self._file_options, "Options")
        self._pages.setTabToolTip(1, "Options of single formats")
        self._pages.addTab(self._parts, "Parts")
        self._pages.setTabToolTip(2, "A part of the map, a finer scale, tiles")
        self._show_numbers()

        where = Form()
        browse = push_button("Browse…")
        browse.clicked.connect(self._browse)
        where.add("&Folder", self._folder)
        where.addWidget(browse, where.rowCount() - 1, 2)
        where.add("&Name", self._name)

        upper = QHBoxLayout()
        upper.setSpacing(28)
        upper.addLayout(left, 4)
        upper.addWidget(self._pages, 5)
        holder = QWidget()
        inner = QVBoxLayout(holder)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(GAP_PX)
        inner.addLayout(upper, 1)
        inner.addLayout(where)
        # On a screen that is too small for all of it, the buttons stay in sight.
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(holder)
        whole = dialog_column(self)
        whole.addWidget(scroll, 1)
        whole.addWidget(self._message)
        whole.addWidget(self._buttons)
        self._total.setToolTip(
            "Estimates of the files, of the time on this computer, and of the memory beside the window's."
        )
        self._exaggeration.setRange(0.01, MAX_EXAGGERATION)
        self._exaggeration.setSingleStep(0.5)
        self._exaggeration.setPrefix("× ")
        self._exaggeration.setToolTip("Factor for the heights of meshes. Pictures of heights stay in true metres.")
        self._as_in_3d.setToolTip("The mesh is as high as the 3D view shows it. × 1 are the true heights.")
        self._has_water.setToolTip(
            "Adds a level, see-through rectangle to the mesh, as an object of its own. With level lakes and sea, the "
            "sea is a level surface at 0 m already."
        )
        self.resize(_SIZE.boundedTo(self.screen().availableSize() * _FRACTION_OF_SCREEN))

    def _mesh_page(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 12, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._preview, 1)
        column.addWidget(self._no_mesh, 0, Qt.AlignmentFlag.AlignHCenter)
        form = Form()
        form.add("&Vertices", self._mesh)
        form.add("E&xaggeration", self._exaggeration)
        form.addWidget(self._as_in_3d, form.rowCount() - 1, 2)
        form.add("Largest e&rror", self._max_error)
        form.add_below(self._has_water)
        self._max_error.setToolTip(
            "Replaces the regular grid of obj, glb and ply by fewer triangles that differ from it by at most so many "
            "metres of height. Takes a while."
        )
        column.addLayout(form)
        return page

    def _connect(self) -> None:
        self._formats.changed.connect(self._show_choice)
        self._preset.chosen.connect(self._use_preset)
        self._file_options.changed.connect(self._show_choice)
        self._parts.changed.connect(self._show_choice)
        self._max_error.valueChanged.connect(self._show_choice)
        self._folder.textChanged.connect(self._show_choice)
        self._as_in_3d.toggled.connect(self._follow_3d)
        self._water.changed.connect(self._show_choice)
        self._has_water.toggled.connect(self._show_choice)
        self._preview.measured.connect(self._measured)
        self.finished.connect(self._preview.stop)
        self._name.textChanged.connect(self._show_choice)
        self._mesh.currentIndexChanged.connect(self._show_choice)
        self._exaggeration.valueChanged.connect(self._exaggerate)

    def _use_preset(self, name: str) -> None:
        """Choose what a preset chooses; its file may be wrong, which `_show_choice` says."""
        with suppress(OptionError):
            preset = find_preset(name) if name else None
            if preset is not None:
                present = self._file_options.value()
                place = {"crs": present.crs, "origin": present.origin, "place": present.place}
                self._file_options.show_value(FileOptions.of({**place, **preset.files}))
                self._formats.choose(preset.formats)
                sea = Sea(preset.sea.has_floor, preset.sea.level_m or self._water.sea.level_m)
                self._water.show_value(self._water.level_water or preset.level_water, sea)
                if preset.mesh_size is not None:
                    _show_mesh_size(self._mesh, max(self._shape), preset.mesh_size)
                if preset.exaggeration is not None:
                    self._exaggeration.setValue(preset.exaggeration)
        self._show_choice()

    def _browse(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Export to", self._folder.text())
        if chosen:
            self._folder.setText(chosen)

    def _follow_3d(self, follows: bool) -> None:
        if follows:
            self._exaggeration.setValue(self._view.exaggeration)
        self._show_choice()

    def _exaggerate(self, factor: float) -> None:
        if factor != self._view.exaggeration:
            self._as_in_3d.setChecked(False)
        self._show_choice()

    def _measured(self, lowest_m: float, highest_m: float) -> None:
        """The range of the heights that will be written, which depends on the water."""
        if self._ground.height_range_m != (lowest_m, highest_m):
            self._ground = dataclasses.replace(self._ground, height_range_m=(lowest_m, highest_m))
            self._show_numbers()
            self._show_choice()
        self._enable_numbers()

    def _enable_numbers(self) -> None:
        """Numbers that are not known yet must not be copied."""
        for page in self._numbers:
            page.setEnabled(self._preview.is_measured)

    def _show_numbers(self) -> None:
        """The pages with the numbers that other programs ask for, after that of the mesh."""
        shown = self._pages.currentIndex()
        while self._numbers:
            old = self._numbers.pop()
            self._pages.removeTab(self._pages.indexOf(old))
            old.setParent(None)
            old.deleteLater()
        ground = self._ground
        if self._range_m is not None:
            ground = dataclasses.replace(ground, height_range_m=self._range_m)
        for title, numbers_of in ENGINES.items():
            numbers = numbers_of(ground)
            if self._is_reduced:
                numbers = dataclasses.replace(numbers, note=f"{_ESTIMATED} {numbers.note}")
            page = NumbersPage(numbers)
            self._numbers.append(page)
            self._pages.setTabToolTip(self._pages.addTab(page, title), f"The numbers that {title} asks for")
        self._pages.setCurrentIndex(shown)

    def _show_choice(self) -> None:
        """Show sizes and names of the files, the mesh, and whether all of it can be written."""
        name = Path(self._name.text().strip()).name or "name"
        try:
            options = self._options()
        except OptionError as error:
            self._refuse(error)
            return
        if options.files.height_range != self._range_m:
            self._range_m = options.files.height_range
            self._show_numbers()
        self._preview.set_options(options, self._water.level_water, self._water.sea)
        self._enable_numbers()
        tiling = tiling_of(options.tiles, options.exported_shape(self._shape))
        self._parts.show_tiling(tiling)
        self._parts.show_size(options.exported_shape(self._shape))
        self._show_picture_size(
            None if tiling else options.picture_shape,
            self._parts.is_part or self._parts.detail != 1 or tiling is not None,
        )
        chosen = [FORMATS[key] for key in self._formats.chosen()]
        has_mesh = any(form.group == MESH for form in chosen)
        self._no_mesh.setText("" if has_mesh else "No mesh is written: none of its formats is chosen.")
        self._formats.show_files(
            lambda form: f"about {bytes_text(estimated_bytes(form, self._shape, options))}",
            lambda form: file_names(form, name, tiling),
        )
        needs = self._needs(options)
        folder = Path(self._folder.text().strip()).expanduser()
        free = free_bytes(folder)
        self._total.setText(needs_text(needs, free, bool(chosen)))
        try:
            request = self._request(self.choice())
            if options.detail != 1 and free is not None:
                shape, cell_m = options.exported_shape(self._shape), self._ground.pixel_size_m
                check_disk(needs.disk, free, shape, options.detail, cell_m, folder)
        except OptionError as error:
            self._refuse(error)
            return
        accept_button(self._buttons).setEnabled(True)
        self._say("warning", "\n".join(warnings(request, needs, free)))

    def _needs(self, options: ExportOptions) -> Needs:
        """What the export will take, with what water does to the heights before."""
        water = water_needs(self._shape, self._water.level_water, self._flowing, self._water.sea)
        return water.then(export_needs(self._formats.chosen(), self._shape, options))

    def _options(self) -> ExportOptions:
        options = self._request(self._chosen(Path())).options
        options.tiling(self._shape)
        if options.detail != 1:
            check_detail(options.exported_shape(self._shape), options.detail, self._ground.pixel_size_m)
        if options.max_error_m is not None:
            require_pydelatin()
        return options

    def _show_picture_size(self, shape: tuple[int, int] | None, is_part: bool) -> None:
        """Tell the size of pictures that are resampled; the numbers of the pages are those of the whole map."""
        self._picture_size.setText("" if shape is None else f"Pictures and heights of {shape[1]} × {shape[0]} pixels")
        self._picture_size.setVisible(shape is not None)
        for page in self._numbers:
            self._pages.setTabVisible(self._pages.indexOf(page), shape is None and not is_part)

    def _refuse(self, error: OptionError) -> None:
        self._say("danger", str(error))
        accept_button(self._buttons).setEnabled(False)

    def _say(self, role: str, text: str) -> None:
        set_role(self._message, role)
        self._message.setText(text)


def _show_mesh_size(field: QComboBox, longest: int, size: int) -> None:
    """Choose a number of vertices in the field of the mesh; more than one for each pixel are not useful."""
    if size >= longest:
        field.setCurrentIndex(field.count() - 1)
        return
    if field.findData(size) < 0:
        field.insertItem(0, f"{size} along the longest side", size)
    field.setCurrentIndex(field.findData(size))


def _mesh_field(longest: int, size: int | None) -> QComboBox:
    field = QComboBox()
    for side in dict.fromkeys((*_MESH_SIZES, *([] if size is None or size == longest else [size]))):
        field.addItem(f"{side} along the longest side", side)
    field.addItem(f"Full: {longest}, one for each pixel", longest)
    field.setCurrentIndex(field.count() - 1 if size is None else field.findData(size))
    return field
