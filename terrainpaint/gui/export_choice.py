"""What the user chose to export, remembered for each project file."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass
from pathlib import Path

from PySide6.QtCore import QSettings

from terrainpaint.core.checked_json import JsonObject, parse_object
from terrainpaint.core.fine_land import FACTORS
from terrainpaint.core.project import NATIVE_PIXEL_SIZE_M, ViewSettings
from terrainpaint.core.rects import GroundRect, Rect
from terrainpaint.core.sea_choice import AS_PAINTED, MAX_SEA_LEVEL_M, Sea
from terrainpaint.errors import OptionError
from terrainpaint.export import FORMATS, ExportOptions, TileOptions, export_paths
from terrainpaint.export.cropping import pixels_within
from terrainpaint.export.file_options import USUAL_FILES, FileOptions
from terrainpaint.export.job import MAX_EXAGGERATION, MAX_WATER_M, MESH_SIZES
from terrainpaint.export.presets import Preset, find_preset
from terrainpaint.export.run import readme_path

_USUAL_FORMATS = ("obj", "height16")
_USUAL_MESH_SIZE = 512
_KEY = "exports"
_REMEMBERED_AT_MOST = 50


@dataclass(frozen=True)
class ExportRequest:
    """The arguments of `terrainpaint.export.export`, and what is done to lakes and the sea before."""

    folder: Path
    name: str
    formats: tuple[str, ...]
    options: ExportOptions
    level_water: bool
    preset: Preset | None = None
    map_shape: tuple[int, int] | None = None
    sea: Sea = AS_PAINTED

    def paths(self) -> list[Path]:
        """The files that will be written. Raises OptionError when the name or the formats cannot be used."""
        paths = export_paths(self.folder, self.name, self.formats, self.options, self.map_shape)
        return paths if self.preset is None else [*paths, readme_path(self.folder, self.name)]


@dataclass(frozen=True)
class ExportChoice:
    """What to export and where, as far as it does not depend on the state of the document.

    `mesh_size` is the number of vertices on the longest side, None for one of each pixel; `exaggeration` the factor of
    the heights of meshes, None for that of the 3D view. `has_water` adds the water surface of the 3D view to meshes.
    `files` are the options of single formats. `preset` is the name or the file of the preset that gives the size of
    pictures and the README, empty for none. `is_cropped` exports only the selection, where there is one, and `ground` a
    rectangle on the ground instead; `tiles` divides the export. `max_error_m` replaces the grid of meshes by triangles.
    `detail` 4 or 16 makes everything so many times finer than the map. `sea` is what is done to the sea.
    """

    folder: Path
    name: str
    formats: tuple[str, ...]
    mesh_size: int | None
    exaggeration: float | None
    level_water: bool
    has_water: bool = False
    files: FileOptions = USUAL_FILES
    preset: str = ""
    is_cropped: bool = False
    tiles: TileOptions | None = None
    max_error_m: float | None = None
    ground: GroundRect | None = None
    detail: int = 1
    sea: Sea = AS_PAINTED

    @classmethod
    def usual(cls, folder: Path, name: str, map_shape: tuple[int, int], view: ViewSettings) -> ExportChoice:
        """The first suggestion for a map (H, W).

        Level water is at the surface of a sea at 0 m already, so only another surface is added to the mesh, or one
        above the sea floor, which is written if the 3D view shows it.
        """
        mesh_size = _USUAL_MESH_SIZE if max(map_shape) > _USUAL_MESH_SIZE else None
        has_water = view.water_level_m is not None and (view.has_sea_floor or view.water_level_m != 0)
        return cls(
            folder,
            name,
            _USUAL_FORMATS,
            mesh_size,
            None,
            level_water=True,
            has_water=has_water,
            sea=Sea(view.has_sea_floor),
        )

    def request(
        self,
        map_shape: tuple[int, int],
        view: ViewSettings,
        selection: Rect | None = None,
        pixel_size_m: float = NATIVE_PIXEL_SIZE_M,
    ) -> ExportRequest:
        """The arguments of the export of a map (H, W) in which a rectangle is selected; `pixel_size_m` is the ground
        size of its pixels.

        Raises OptionError when an option is out of range or the preset cannot be read.
        """
        preset = find_preset(self.preset) if self.preset else None
        crop = None
        if self.ground is not None:
            whole = self.detail * map_shape[0], self.detail * map_shape[1]
            crop = pixels_within(self.ground, whole, pixel_size_m / self.detail)
        elif self.is_cropped and selection is not None:
            x, y, width, height = selection.col, selection.row, selection.width, selection.height
            crop = self.detail * x, self.detail * y, self.detail * width, self.detail * height
        shape = (self.detail * map_shape[0], self.detail * map_shape[1]) if crop is None else (crop[3], crop[2])
        tiles = self.tiles if self.tiles is None or preset is None else preset.tile_options(self.tiles)
        options = ExportOptions(
            min(max(2, *shape), MESH_SIZES.stop - 1) if self.mesh_size is None else self.mesh_size,
            view.exaggeration if self.exaggeration is None else self.exaggeration,
            view.water_level_m if self.has_water else None,
            self.files,
            None if preset is None else preset.picture_shape(shape),
            self.max_error_m,
            crop,
            tiles,
            self.detail,
        )
        return ExportRequest(
            self.folder, self.name, self.formats, options, self.level_water, preset, map_shape, self.sea
        )


class ExportMemory:
    """The last choice for each project file, in the user's settings; the newest fifty."""

    def of(self, project: Path) -> ExportChoice | None:
        """The last choice for a project file, None when there is none."""
        stored = self._stored().get(str(project.resolve()))
        if stored is None:
            return None
        try:
            return _decoded(JsonObject(stored))
        except ValueError:  # of another version, or edited by hand
            return None

    def folders(self) -> set[Path]:
        """The folders of all choices."""
        choices = (self.of(Path(project)) for project in self._stored())
        return {choice.folder for choice in choices if choice is not None}

    def put(self, project: Path, choice: ExportChoice) -> None:
        """Remember a choice."""
        key, stored = str(project.resolve()), self._stored()
        stored.pop(key, None)
        newest = list(stored.items())[-_REMEMBERED_AT_MOST + 1 :]
        QSettings().setValue(_KEY, json.dumps(dict([*newest, (key, _encoded(choice))])))

    def _stored(self) -> dict[str, object]:
        """Path of a project file → encoded choice, the newest last."""
        text = QSettings().value(_KEY, "{}")
        try:
            return dict(parse_object(str(text)).values)
        except ValueError:
            return {}


def _encoded(choice: ExportChoice) -> dict[str, object]:
    return {
        "folder": str(choice.folder),
        "name": choice.name,
        "formats": list(choice.formats),
        "mesh_size": choice.mesh_size,
        "exaggeration": choice.exaggeration,
        "level_water": choice.level_water,
        "has_water": choice.has_water,
        "files": choice.files.plain_values(),
        "preset": choice.preset,
        "is_cropped": choice.is_cropped,
        "tiles": None if choice.tiles is None else choice.tiles.plain_values(),
        "max_error_m": choice.max_error_m,
        "ground_m": None if choice.ground is None else list(astuple(choice.ground)),
        "detail": choice.detail,
        "sea_depth": choice.sea.has_floor,
        "sea_level_m": choice.sea.level_m,
    }


def _decoded(values: JsonObject) -> ExportChoice:
    """Raises ValueError."""
    formats = values["formats"]
    if not isinstance(formats, list) or not all(isinstance(name, str) for name in formats):
        values.refuse("formats", "a list of names")
    return ExportChoice(
        Path(values.text("folder")),
        values.text("name"),
        tuple(name for name in formats if name in FORMATS),
        None if values.is_null("mesh_size") else values.whole("mesh_size", MESH_SIZES.start, MESH_SIZES.stop - 1),
        None if values.is_null("exaggeration") else values.number("exaggeration", 0.01, MAX_EXAGGERATION),
        values.flag("level_water"),
        values.flag("has_water"),
        _decoded_files(values),
        values.text("preset") if "preset" in values else "",
        "is_cropped" in values and values.flag("is_cropped"),
        _decoded_tiles(values),
        None
        if "max_error_m" not in values or values.is_null("max_error_m")
        else values.number("max_error_m", 0.0, MAX_WATER_M),
        _decoded_ground(values),
        values.whole("detail", 1, FACTORS[-1]) if "detail" in values else 1,
        Sea(
            "sea_depth" in values and values.flag("sea_depth"),
            values.number("sea_level_m", -MAX_SEA_LEVEL_M, MAX_SEA_LEVEL_M) if "sea_level_m" in values else 0.0,
        ),
    )


def _decoded_ground(values: JsonObject) -> GroundRect | None:
    """Raises ValueError."""
    if "ground_m" not in values or values.is_null("ground_m"):
        return None
    sides = values["ground_m"]
    if not isinstance(sides, list) or len(sides) != 4 or not all(isinstance(side, int | float) for side in sides):
        values.refuse("ground_m", "four numbers")
    try:
        return GroundRect(*map(float, sides))
    except OptionError as error:
        raise ValueError(str(error)) from error


def _decoded_tiles(values: JsonObject) -> TileOptions | None:
    """Raises ValueError."""
    if "tiles" not in values or values.is_null("tiles"):
        return None
    try:
        return TileOptions.of(values.object("tiles").values)
    except OptionError as error:
        raise ValueError(str(error)) from error


def _decoded_files(values: JsonObject) -> FileOptions:
    """Raises ValueError."""
    if "files" not in values:  # of a version without them
        return USUAL_FILES
    try:
        return FileOptions.of(values.object("files").values)
    except OptionError as error:
        raise ValueError(str(error)) from error
