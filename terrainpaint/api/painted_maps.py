"""What terrain is generated from: a map, a project, or an array of classes, with all that a project stores besides."""

from __future__ import annotations

import warnings
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.api.requests import MapReading, TerrainRequest
from terrainpaint.core.classes import CLASS_NAMES, WATER
from terrainpaint.core.files import open_regular
from terrainpaint.core.guide_lines import NO_LINES, GuideLines, draw_rivers
from terrainpaint.core.height_guide import HeightGuide
from terrainpaint.core.hydrology import NO_FLOW, FlowingWater
from terrainpaint.core.importing import Kind, colour_heights, kind_of
from terrainpaint.core.map_files import Say, map_pixel_size_m, read_map_nearest
from terrainpaint.core.map_files import read_map as read_exact_map
from terrainpaint.core.openraster import read_openraster
from terrainpaint.core.parent_land import ParentLand
from terrainpaint.core.project import NATIVE_PIXEL_SIZE_M, Project, Settings, ZoomedFrom
from terrainpaint.core.project_file import SUFFIX, load_project
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe
from terrainpaint.errors import InputFileError, MapError, OptionError, StrippedProjectError

_STRIPPED = "Another program saved it and kept only its layers; seed, style and pixel size are lost."
_ZIP = b"PK\3\4"
EXACT = MapReading()


@dataclass(frozen=True, eq=False)
class PaintedMap:
    """A map of classes, and what its file says about the terrain; None where it says nothing.

    `classes` (H, W) uint8 are 0 water, 1 grassland, 2 forest, 3 hills, 4 desert, 5 mountain, 6 tundra, row 0 = north.
    `name` is the name of its files. `pixel_size_m` is the ground size of a pixel. `recipe` has seeds and style numbers,
    `rerolls` (H, W) uint8 says where the noise is that of another seed, `relief` multiplies the heights, `style` and
    `look` are names, `flowing_water` says whether rivers are carved and depressions opened, `true_scale` whether relief
    has the size of pixels of 500 or 125 m. `lines` are the drawn lines of a project, whose rivers are water in
    `classes` too. `height_guide` are heights that the land follows. `parent` is the land of the map that it was zoomed
    out of.
    """

    classes: NDArray[np.uint8]
    name: str
    path: Path | None = None
    pixel_size_m: float | None = None
    recipe: Recipe = field(default_factory=Recipe)
    rerolls: NDArray[np.uint8] | None = None
    relief: float = 1.0
    style: str | None = None
    look: str | None = None
    flowing_water: FlowingWater = NO_FLOW
    true_scale: bool = False
    lines: GuideLines = NO_LINES
    height_guide: HeightGuide | None = None
    parent: tuple[ParentLand, ZoomedFrom] | None = None

    def with_lines(self, lines: GuideLines) -> PaintedMap:
        """The map with other ridges and valleys, and with more rivers, which are carved. Raises OptionError when it has
        too many then."""
        classes = self.classes.copy()
        draw_rivers(classes, lines.rivers, Rect.of_shape((classes.shape[0], classes.shape[1])))
        flowing = replace(self.flowing_water, carve_rivers=True) if lines.rivers else self.flowing_water
        try:
            drawn = GuideLines((*lines.guiding, *self.lines.rivers, *lines.rivers))
        except ValueError as error:
            raise OptionError(f"With these lines the map has too many: {error}.") from error
        return replace(self, classes=classes, flowing_water=flowing, lines=drawn)

    def requested(self, request: TerrainRequest) -> PaintedMap:
        """The map with the values of a request in place of its own, such as size, seed, ground size and style."""
        changed = self
        if request.size is not None:
            rerolls = None if self.rerolls is None else _resized(self.rerolls, request.size)
            down, across = (new / old for new, old in zip(request.size, self.classes.shape, strict=True))
            lines = self.lines.scaled(down, across)
            classes = SegmentationMap(self.classes).resized(*request.size).ids
            draw_rivers(classes, lines.rivers, Rect.of_shape(request.size))  # a smaller map keeps them whole
            changed = replace(
                changed,
                classes=classes,
                rerolls=rerolls,
                lines=lines,
                height_guide=self._resized_guide(request.size),
                parent=None,
            )
        recipe = self.recipe
        if request.seed is not None:
            recipe = replace(recipe, seed=request.seed, other_seed=None, blend=0.0)
        if request.guide_strength is not None:
            recipe = replace(recipe, guide_strength=request.guide_strength)
        if request.painted_rivers_only is not None:
            recipe = replace(recipe, painted_rivers_only=request.painted_rivers_only)
        if request.follow is not None:
            recipe = replace(recipe, follow=request.follow)
        if request.weights is not None or request.style not in (None, self.style):
            recipe = replace(recipe, style=None)  # its numbers mean something else in other weights
        return replace(
            changed,
            recipe=recipe,
            pixel_size_m=request.pixel_size_m or self.pixel_size_m,
            relief=self.relief if request.relief is None else request.relief,
            style=request.style or self.style,
            flowing_water=FlowingWater(
                self.flowing_water.carve_rivers if request.carve_rivers is None else request.carve_rivers,
                self.flowing_water.breach if request.breach is None else request.breach,
            ),
            true_scale=self.true_scale if request.true_scale is None else request.true_scale,
        )

    def _resized_guide(self, size: tuple[int, int]) -> HeightGuide | None:
        """The guide on a map of another size whose pixels stay as large."""
        guide = self.height_guide
        if guide is None:
            return None
        resized = guide.resized((self.classes.shape[0], self.classes.shape[1]), size)
        return replace(resized, pixel_size_m=guide.pixel_size_m)


def _resized(counts: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(counts, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)


def warn(sentence: str) -> None:
    """A `Say` for programs: a warning of Python."""
    warnings.warn(sentence, stacklevel=2)


def read_map(path: str | Path, *, nearest_colour: bool = False, under: str = "water", say: Say = warn) -> PaintedMap:
    """A picture in the seven class colours, 32..65,536 px a side.

    With `nearest_colour`, a colour of no class becomes the nearest one. See-through pixels become the class `under`.
    `say` is called with a sentence about anything that was changed. Raises MapError, OptionError for an unknown class.
    """
    if under not in CLASS_NAMES:
        raise OptionError(f'There is no class "{under}"; choose from {", ".join(CLASS_NAMES)}.')
    return _map_of_picture(Path(path), MapReading(nearest_colour, CLASS_NAMES.index(under)), say)


def open_project(path: str | Path, *, say: Say = warn) -> PaintedMap:
    """The visible layers of a project or an OpenRaster file, with the settings of its terrain. Raises ProjectError."""
    found = read_project(Path(path))
    for note in found.notes:
        say(f"{path}: {note}")
    project, settings = found.project, found.project.settings
    rerolls = project.rerolls if project.rerolls.any() else None
    return PaintedMap(
        project.classes(), Path(path).stem, Path(path), found.pixel_size_m, settings.recipe, rerolls, settings.relief,
        settings.style_name or None, settings.look_name, project.flowing_water, settings.true_scale,
        project.lines, project.height_guide,
        None if project.parent is None or project.zoomed_from is None else (project.parent, project.zoomed_from),
    )  # fmt: skip


def from_classes(classes: NDArray[Any], *, name: str = "map", pixel_size_m: float | None = None) -> PaintedMap:
    """A map of an array (H, W) of class ids 0..6 of any type of whole numbers, row 0 = north, 32..65,536 px a side.

    The array is copied. Raises OptionError for another shape, type or value.
    """
    array = np.asarray(classes)
    if array.dtype.kind in "iu" and array.size and array.min() >= 0 and array.max() <= 255:
        array = array.astype(np.uint8)
    try:
        ids = SegmentationMap(np.array(array, order="C")).ids
    except ValueError as error:
        raise OptionError(f"This array is not a map: {error}.") from error
    return PaintedMap(ids, name, pixel_size_m=pixel_size_m)


def read_painted(path: Path, reading: MapReading = EXACT, say: Say = warn) -> PaintedMap:
    """A map or a project. Raises MapError or ProjectError; for a file of which `import` makes a map, it says so."""
    if _is_zip(path) and _kind_or_none(path) is Kind.PROJECT:
        return open_project(path, say=say)
    try:
        return _map_of_picture(path, reading, say)
    except MapError as error:
        if _kind_or_none(path) is not Kind.HEIGHTS:
            raise
        raise MapError(f"{path} holds heights, not a map; make one of it first with 'terrainpaint import'.") from error


def kind_of_content(path: Path) -> Kind:
    """The kind of a file by its content; colours that are an encoding of heights are heights. Raises InputFileError."""
    kind = kind_of(path)
    if kind is Kind.PICTURE:
        with suppress(InputFileError):  # not all pictures can be heights
            if colour_heights(path) is not None:
                return Kind.HEIGHTS
    return kind


@dataclass(frozen=True, eq=False)
class FileProject:
    """A project or an OpenRaster file; `pixel_size_m` None and `format` "OpenRaster" for the latter; `notes` whole
    sentences."""

    project: Project
    pixel_size_m: float | None
    format: str
    notes: tuple[str, ...] = ()


def read_project(path: Path) -> FileProject:
    """A project, or the layers of an OpenRaster file, such as a project that another program saved.

    Raises ProjectError.
    """
    try:
        project = load_project(path)[0]
    except StrippedProjectError:
        layers = read_openraster(path, Settings(NATIVE_PIXEL_SIZE_M, ""))
        is_project = path.suffix.lower() == SUFFIX
        return FileProject(layers, None, "OpenRaster", (_STRIPPED,) if is_project else ())
    return FileProject(project, project.settings.pixel_size_m, "TerrainPaint project")


def _map_of_picture(path: Path, reading: MapReading, say: Say) -> PaintedMap:
    under = WATER if reading.under is None else reading.under
    if reading.nearest_colour:
        segmentation, inexact = read_map_nearest(path, under, say)
        if inexact:
            say(f"{inexact:.2%} of the pixels of {path} had no class colour and were mapped to the nearest class.")
    else:
        segmentation = read_exact_map(path, under, say)
    return PaintedMap(segmentation.ids, path.stem, path, map_pixel_size_m(path))


def _is_zip(path: Path) -> bool:
    with suppress(OSError), open_regular(path) as file:
        return file.read(len(_ZIP)) == _ZIP
    return False


def _kind_or_none(path: Path) -> Kind | None:
    try:
        return kind_of_content(path)
    except InputFileError:
        return None
