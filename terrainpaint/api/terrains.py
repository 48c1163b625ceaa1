"""Painted map → generated terrain."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.api.estimates import Estimate, estimate_of, writing_estimate
from terrainpaint.api.export_plans import ExportPlan, planned_file, planned_files
from terrainpaint.api.painted_maps import PaintedMap, warn
from terrainpaint.api.requests import DEFAULT_STYLE, NO_LOOK, FilesRequest, TerrainRequest, crop_of
from terrainpaint.core import quoting
from terrainpaint.core.assets import shipped_fine_land, shipped_looks, shipped_styles
from terrainpaint.core.files import FileStamp, local_path
from terrainpaint.core.guide_lines import NO_LINES, GuideLines, guide_raster
from terrainpaint.core.height_guide import HeightGuide
from terrainpaint.core.hydrology import with_flowing_water
from terrainpaint.core.importing.guide_file import read_height_guide
from terrainpaint.core.line_files import SVG_SUFFIX, read_lines, read_lines_svg, resized_lines
from terrainpaint.core.loose_paint import loosened
from terrainpaint.core.map_files import Say
from terrainpaint.core.openmp import wait_passively
from terrainpaint.core.path_kinds import is_file
from terrainpaint.core.progress import Cancel, Progress, never_cancel, no_progress
from terrainpaint.core.rects import GroundRect, Rect
from terrainpaint.core.sea_choice import Sea
from terrainpaint.core.sea_depth import at_sea_level
from terrainpaint.core.sea_level import with_sea
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Terrain, at_pixel_size
from terrainpaint.core.true_scale import scale_factor, sizes_text
from terrainpaint.core.water import with_level_water
from terrainpaint.errors import OptionError
from terrainpaint.export import ExportSource
from terrainpaint.export.detail import detailed
from terrainpaint.export.estimates import Needs
from terrainpaint.export.job import LandRefiner
from terrainpaint.export.tile_options import TileOptions

Shade = Callable[[Terrain], NDArray[np.uint8]]
Crop = tuple[int, int, int, int] | str
"""A part of a map: x, y, width and height in its pixels, or a text such as 120,80,40,40km on the ground."""


@dataclass(frozen=True, eq=False)
class GeneratedTerrain:
    """The terrain of a map, and its export. Arrays are `[row, col]`, row 0 = north; they are not to be changed.

    `name` is the start of the names of files; `terrain` has texture, heights and provenance, `classes` (H, W) uint8 the
    map that it was generated from, with the land and the water of another sea level. `request` is what was asked for.
    `painted_sea` is the same with the sea as it was painted, None where that was not changed. `lines` were drawn on the
    map.
    """

    name: str
    terrain: Terrain
    classes: NDArray[np.uint8]
    shade: Shade
    path: Path | None = None
    load_refiner: Callable[[], LandRefiner] | None = None
    request: TerrainRequest = field(default_factory=TerrainRequest)
    painted_sea: GeneratedTerrain | None = None
    lines: GuideLines = NO_LINES
    origin: tuple[int, int] = (0, 0)

    @property
    def heights(self) -> NDArray[np.float32]:
        """(H, W) float32 metres above sea level."""
        return self.terrain.height

    @property
    def albedo(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 sRGB: the texture without light and shadow."""
        return self.terrain.albedo

    @cached_property
    def shaded(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 sRGB: the texture lit by the sun."""
        return self._lit(self.terrain)

    @property
    def pixel_size_m(self) -> float:
        """The ground size of a pixel in metres."""
        return self.terrain.pixel_size_m

    @property
    def seed(self) -> int:
        """The seed of the random numbers."""
        return self.terrain.provenance.recipe.seed

    @property
    def style(self) -> str:
        """The style of the weights."""
        return self.terrain.provenance.style

    def with_level_water(self) -> GeneratedTerrain:
        """The same with level sea and lakes, as `level_water` of `generate`."""
        if self.terrain.provenance.has_level_water:
            return self
        return replace(self, terrain=with_level_water(self.terrain, self.classes))

    def with_sea(self, sea: Sea) -> GeneratedTerrain:
        """The same with another sea."""
        before = self.painted_sea or self
        if before.terrain.provenance.has_sea_depth or before.terrain.provenance.sea_level_m:
            return before  # a finer copy, which has its sea
        terrain, classes = with_sea(before.terrain, before.classes, sea)
        if terrain is before.terrain:
            return before
        return replace(before, terrain=terrain, classes=classes, painted_sea=before)

    def detail(
        self,
        factor: int,
        *,
        crop: Crop | None = None,
        progress: Progress = no_progress,
        cancel: Cancel = never_cancel,
    ) -> GeneratedTerrain:
        """The same land 4 or 16 times finer: textures, heights and classes of a map at 2 km a pixel at 500 or 125 m.

        `crop` is the part that is made, as in `save`; a part equals that part of the whole. Files of a part keep its
        place when `save` and `export` make it finer, with their own `detail`. Raises OptionError, WeightsError,
        Cancelled.
        """
        plan = planned_file(Path("detail.obj"), FilesRequest(crop=_part(crop), detail=factor))
        options = plan.sized(self.terrain.shape, self.pixel_size_m).options
        fine = detailed(self._source(factor), options.crop, factor, progress, cancel)
        return replace(
            self, terrain=fine.terrain, classes=fine.ids, load_refiner=None, painted_sea=None, lines=fine.lines
        )

    def save(
        self,
        path: str | Path,
        *,
        format: str | None = None,
        mesh_size: int | None = None,
        exaggeration: float | None = None,
        max_error_m: float | None = None,
        water_surface_m: float | None = None,
        crop: Crop | None = None,
        detail: int = 1,
        progress: Progress = no_progress,
        cancel: Cancel = never_cancel,
        **file_options: object,
    ) -> list[Path]:
        """Write one format to `path`, which its suffix tells, and return the paths of all its files.

        `format` is its name, needed where several formats have the suffix. `mesh_size` is the number of vertices along
        the longest side, 2..16,384; `exaggeration` a factor for the heights of meshes; `max_error_m` replaces the grid
        of a mesh by triangles that differ from it by at most so many metres; `water_surface_m` adds a water surface to
        a mesh. `crop` is a part of the map, (x, y, width, height) in pixels from the north-west, or a text
        such as "120,80,40,40km" on the ground. `detail` 4 or 16 makes everything so many times finer. `file_options`
        are options of single formats, such as crs="EPSG:32632". All files are written, or none.
        Raises OptionError, OutputError, Cancelled.
        """
        request = FilesRequest(
            None if format is None else (format,), None, mesh_size, exaggeration, max_error_m, water_surface_m,
            file_options, _part(crop), detail=detail,
        )  # fmt: skip
        return self._checked(planned_file(Path(path), request), progress, cancel)

    def export(
        self,
        folder: str | Path,
        *,
        formats: str | tuple[str, ...] | list[str] | None = None,
        preset: str | None = None,
        name: str | None = None,
        mesh_size: int | None = None,
        exaggeration: float | None = None,
        max_error_m: float | None = None,
        water_surface_m: float | None = None,
        crop: Crop | None = None,
        detail: int = 1,
        tiles: int | tuple[int, int] | Mapping[str, object] | None = None,
        progress: Progress = no_progress,
        cancel: Cancel = never_cancel,
        **file_options: object,
    ) -> list[Path]:
        """Write formats, or those of a preset with a README, to a folder; return the paths of the files.

        `preset` is a name such as "unreal", or a file that ends in .toml. `name` is the start of the names of files,
        by default that of the map. `tiles` divides the export: 4 into 4 x 4 tiles, (4, 3) into 4 columns and 3 rows; or
        a dict with `count` or `side_px`, and `names`, `flip_y`, `lods`, `skirt_m` as in the command line. The other
        options are those of `save`. Raises as `save` does.
        """
        request = _files_request(
            formats,
            preset,
            mesh_size,
            exaggeration,
            max_error_m,
            water_surface_m,
            crop,
            detail,
            tiles,
            **file_options,
        )
        return self._checked(planned_files(Path(folder), name or self.name, request), progress, cancel)

    def estimate(self, *, name: str | None = None, **options: Any) -> Estimate:
        """What `export` with the same options, besides the folder, will write and need. Raises OptionError."""
        plan = planned_files(Path(), name or self.name, _files_request(**options))
        return writing_estimate(plan.sized(self.terrain.shape, self.pixel_size_m), self.terrain.shape, self.request)

    def write(self, plan: ExportPlan, progress: Progress = no_progress, cancel: Cancel = never_cancel) -> list[Path]:
        """Write the files of a plan that was checked. Raises OutputError, Cancelled."""
        used = self.with_level_water() if plan.level_water else self
        used = used.with_sea(plan.sea(self.request))
        if plan.ground is not None:  # its pixels are known now
            plan = plan.sized(self.terrain.shape, self.pixel_size_m)
        return plan.write(used._source(plan.options.detail), progress, cancel)

    def _source(self, detail: int) -> ExportSource:
        """The source of an export. Raises OptionError, WeightsError."""
        refiner = None if detail == 1 or self.load_refiner is None else self.load_refiner()
        return ExportSource(
            self.terrain, lambda: self.shaded, self.classes, refiner=refiner, shade=self.shade, lines=self.lines,
            origin=self.origin,
        )  # fmt: skip

    def _lit(self, terrain: Terrain) -> NDArray[np.uint8]:
        """The shaded picture: light falls on the water, not on the floor of the sea."""
        return self.shade(at_sea_level(terrain, self.classes))

    def _checked(self, plan: ExportPlan, progress: Progress, cancel: Cancel) -> list[Path]:
        plan = plan.sized(self.terrain.shape, self.pixel_size_m)
        plan.check([] if self.path is None else [self.path])
        return self.write(plan, progress, cancel)


def _files_request(
    formats: str | tuple[str, ...] | list[str] | None = None,
    preset: str | None = None,
    mesh_size: int | None = None,
    exaggeration: float | None = None,
    max_error_m: float | None = None,
    water_surface_m: float | None = None,
    crop: Crop | None = None,
    detail: int = 1,
    tiles: int | tuple[int, int] | Mapping[str, object] | None = None,
    **file_options: object,
) -> FilesRequest:
    """The options of `GeneratedTerrain.export`. Raises OptionError."""
    return FilesRequest(
        (formats,) if isinstance(formats, str) else None if formats is None else tuple(formats),
        preset,
        mesh_size,
        exaggeration,
        max_error_m,
        water_surface_m,
        file_options,
        _part(crop),
        _division(tiles),
        detail,
    )


def _part(crop: Crop | None) -> tuple[int, int, int, int] | GroundRect | None:
    """Raises OptionError."""
    try:
        return crop_of(crop) if isinstance(crop, str) else crop
    except ValueError as error:
        raise OptionError(f'"{crop}" is not a rectangle such as {error}.') from error


def _division(tiles: int | tuple[int, int] | Mapping[str, object] | None) -> Mapping[str, object]:
    """Fields of `TileOptions`. Raises OptionError."""
    if tiles is None:
        return {}
    if isinstance(tiles, Mapping):
        return TileOptions.of(tiles).plain_values()
    return {"count": (tiles, tiles) if isinstance(tiles, int) else tiles}


class Generators:
    """Loaded weights and looks, so that they are loaded once for many maps. For any thread, one at a time."""

    def __init__(self, most: int = 2) -> None:
        self._lock, self._most = threading.RLock(), most
        self._loaded: dict[tuple[object, ...], Any] = {}  # of `Generator`, which is imported when it is needed

    def generate(
        self,
        painted: PaintedMap,
        request: TerrainRequest,
        stage: Callable[[str], Progress],
        cancel: Cancel = never_cancel,
        say: Say = warn,
    ) -> GeneratedTerrain:
        """The terrain of a map; `stage` is called with what begins and returns its progress.

        Raises OptionError for an unknown style or look, or for lines or heights that do not fit the map or the style,
        InputFileError, WeightsError, DeviceError, Cancelled.
        """
        painted, picture = _with_lines(painted, request)
        painted = painted.requested(request)
        weights, look = weights_of(painted, request), look_of(painted, request)
        if painted.recipe.follow < 1:
            progress = stage("Loosening borders")
            painted = replace(painted, classes=loosened(painted.classes, painted.recipe, progress, cancel))
        with self._lock:
            stage("Loading")
            of_weights = self._load(weights, request.device, look)
            native_m = of_weights.header.pixel_size_m
            generator = self._scaled(painted, request, of_weights, say)
            segmentation = SegmentationMap(painted.classes)
            for sentence in (
                generator.seams(segmentation.shape),
                None if generator.look is None else generator.look.warning(generator.header.style),
            ):
                if sentence is not None:
                    say(sentence)
            lines = picture
            if picture is None and painted.lines.guiding:
                if generator.follows_lines or request.lines is not None:
                    lines = guide_raster(painted.lines.guiding, Rect.of_shape(segmentation.shape))
                else:
                    say(f"The style {generator.header.style} does not follow the drawn ridges and valleys.")
            guide = _height_guide(painted, request, native_m, cancel)
            native = generator.terrain(
                segmentation, painted.recipe, painted.rerolls, stage("Generating"), cancel, lines, guide
            )
        pixel_size_m = painted.pixel_size_m or native.pixel_size_m
        terrain = at_pixel_size(native, pixel_size_m, painted.relief)

        def shade(shown: Terrain) -> NDArray[np.uint8]:
            size_m = native.pixel_size_m * shown.pixel_size_m / terrain.pixel_size_m
            lit = Terrain(shown.albedo, _native_heights(shown, terrain, native), size_m, native.provenance)
            with self._lock:
                shaded: NDArray[np.uint8] = generator.shaded(lit)
            return shaded

        generated = GeneratedTerrain(
            painted.name, terrain, painted.classes, shade, painted.path, lambda: self._refiner(request), request,
            lines=painted.lines, origin=(0, 0) if painted.parent is None else painted.parent[1].origin,
        )  # fmt: skip
        flowing = painted.flowing_water
        if request.level_water and not flowing.carve_rivers:  # which levels it too
            generated = generated.with_level_water()
        if flowing:
            progress = stage("Letting water flow")
            generated = replace(
                generated,
                terrain=with_flowing_water(generated.terrain, painted.classes, flowing, progress, cancel),
            )
        return generated.with_sea(Sea(bool(request.sea_depth), request.sea_level_m or 0.0))

    def needs(self, painted: PaintedMap, request: TerrainRequest) -> Needs:
        """What loading weights and generating the terrain of a map take of time and memory, that of the whole process.

        A small piece of it is generated. Raises as `generate`.
        """
        start = time.perf_counter()
        from terrainpaint.generation.generator import TILE_PX
        from terrainpaint.generation.rehearsal import rehearsed

        painted = painted.requested(request)
        with self._lock:
            native = self._load(weights_of(painted, request), request.device, look_of(painted, request))
            generator = self._scaled(painted, request, native, lambda sentence: None)
            loading = time.perf_counter() - start
            seconds, memory = rehearsed(generator, SegmentationMap(painted.classes), painted.recipe, TILE_PX)
        return Needs(0, memory, loading + seconds)

    def _scaled(self, painted: PaintedMap, request: TerrainRequest, generator: Any, say: Say) -> Any:
        """The generator of a map: that of the weights, or one for its true scale.

        When there is none for the size of its pixels or the weights, a project gets land of the weights, as in the
        window. Raises as `_refiner`, OptionError when the request asked for what there is not.
        """
        if not painted.true_scale:
            return generator
        if painted.parent is not None and generator.reach_px is not None:
            from terrainpaint.generation.messages import Zoom
            from terrainpaint.generation.zoomed import ZoomedGenerator

            style = (request.style or painted.style or DEFAULT_STYLE) if request.weights is None else ""
            look = painted.look if request.look is None else None if request.look == NO_LOOK else request.look
            try:
                return ZoomedGenerator(generator, self._refiner(request), Zoom.of(*painted.parent, style, look))
            except ValueError:
                say("The land of the map that this one was zoomed out of cannot be used with these weights, so land is "
                    "generated again.")  # fmt: skip
        native_m = generator.header.pixel_size_m
        try:
            factor = true_scale_factor(painted.pixel_size_m or native_m, native_m)
            if factor == 1:
                return generator
            _check_local(generator)
        except OptionError as error:
            if request.true_scale:
                raise
            say(f"{error} Land is scaled down instead.")
            return generator
        from terrainpaint.generation.scaled import ScaledGenerator

        return ScaledGenerator(generator, self._refiner(request), factor)

    def _refiner(self, request: TerrainRequest) -> Any:
        """What makes terrains finer, loaded at its first use. Raises OptionError, WeightsError, DeviceError."""
        path = detail_weights_of(request)
        from terrainpaint.generation.refiner import Refiner

        with self._lock:
            key = (path, FileStamp.of(path), request.device)
            return self._kept(key, lambda: Refiner.load(path, request.device))

    def _load(self, weights: Path, device: str, look: Path | None) -> Any:
        wait_passively()
        from terrainpaint.generation.generator import Generator

        key = (weights, FileStamp.of(weights), device, look, None if look is None else FileStamp.of(look))
        return self._kept(key, lambda: Generator.load(weights, device, look))

    def _kept(self, key: tuple[object, ...], load: Callable[[], Any]) -> Any:
        """What was loaded before, or is now."""
        found = self._loaded.pop(key, None) or load()
        self._loaded[key] = found  # the last one used is the last to go
        while len(self._loaded) > self._most:
            del self._loaded[next(iter(self._loaded))]
        return found


def true_scale_factor(pixel_size_m: float, native_m: float) -> int:
    """How many times smaller than those of the weights the pixels of a map are: 1, 4 or 16, within 10 %. Raises
    OptionError for others."""
    factor = scale_factor(pixel_size_m, native_m)
    if factor is None:
        raise OptionError(
            f"There is no true scale for pixels of {pixel_size_m:g} m; choose {sizes_text(native_m)} with "
            "--pixel-size-m, or --no-true-scale."
        )
    return factor


def _check_local(generator: Any) -> None:
    if generator.reach_px is None:
        raise OptionError(
            f'The network of the style "{generator.header.style}" is not local, so it has no true scale; add '
            "--no-true-scale or choose another style."
        )


def _with_lines(painted: PaintedMap, request: TerrainRequest) -> tuple[PaintedMap, NDArray[np.uint8] | None]:
    """The map with the lines of a request: those of an SVG become lines of the map, those of a picture are returned, on
    a map of the size that is asked for. Both take the place of the ridges and valleys of a project."""
    if request.lines is None:
        return painted, None
    shape = painted.classes.shape[0], painted.classes.shape[1]
    if request.lines.suffix.lower() == SVG_SUFFIX:
        return painted.with_lines(read_lines_svg(request.lines, shape)), None
    lines = read_lines(request.lines, shape)
    return painted.with_lines(NO_LINES), lines if request.size is None else resized_lines(lines, request.size)


def _height_guide(painted: PaintedMap, request: TerrainRequest, native_m: float, cancel: Cancel) -> HeightGuide | None:
    """The height guide of a request, else that of the map."""
    if request.height_guide is None:
        return painted.height_guide
    shape = painted.classes.shape[0], painted.classes.shape[1]
    return read_height_guide(request.height_guide, shape, painted.pixel_size_m or native_m, cancel=cancel)


_GENERATORS = Generators()


def generate(
    painted: PaintedMap,
    *,
    seed: int | None = None,
    style: str | None = None,
    weights: str | Path | None = None,
    look: str | None = None,
    size: tuple[int, int] | None = None,
    pixel_size_m: float | None = None,
    relief: float | None = None,
    level_water: bool = False,
    carve_rivers: bool | None = None,
    breach: bool | None = None,
    lines: str | Path | None = None,
    height_guide: str | Path | None = None,
    guide_strength: float | None = None,
    painted_rivers_only: bool | None = None,
    follow: float | None = None,
    sea_depth: bool | None = None,
    sea_level_m: float | None = None,
    true_scale: bool | None = None,
    detail_weights: str | Path | None = None,
    device: str = "auto",
    progress: Progress = no_progress,
    cancel: Cancel = never_cancel,
    say: Say = warn,
) -> GeneratedTerrain:
    """Generate the texture and heights of a map. What is None comes from a project, or is the default.

    `seed` is 0..2^64-1, default 0; `style` one of `styles()`, default "atlas"; `weights` a file instead of it; `look`
    one of `looks()`, a file, or "none". `size` (height, width) first resamples the map. `pixel_size_m` is the ground
    size of a pixel in metres; heights change with it, so that slopes stay. `relief` multiplies all heights.
    `level_water` gives the sea and each lake one level. `carve_rivers` cuts painted rivers into the land, so that they
    run downhill to their mouths, and levels lakes and sea too; `breach` opens closed depressions. `lines` is a picture
    of the size of the map, with crests in white and valleys in black, which the land follows, or an SVG of ridges,
    valleys and rivers as the format "lines" writes it; it takes the place of the ridges and valleys of a project, whose
    rivers stay. `height_guide` is a file of heights of the same land, which it follows as much as `guide_strength` 0..1
    says, default 1; with 0 it does not follow those of a project either. `painted_rivers_only` leaves out the rivers
    that a style draws where none is painted. `follow` 0..1 is how exactly the land follows the painted borders, default
    1; the classes of the result are those that it follows. `sea_depth` gives the sea a floor, as deep as real seas are
    on average so far from the coast; `sea_level_m` raises it by so many metres, and heights are then those above the
    new sea. Both level water too, and None leaves them to a preset. `true_scale`, with pixels of 500 or 125 m, gives
    the relief the size that it has on such ground. `detail_weights` is a file of networks for finer land instead of the
    installed ones. `device` is "auto", "cpu", "cuda" or "mps". `progress` is called with 0..1, `cancel` returns True to
    stop, `say` is called with a sentence about anything unusual. The same map, seed, style and size give the same
    terrain. Raises OptionError, WeightsError, DeviceError, Cancelled.
    """
    request = TerrainRequest(
        seed, style, None if weights is None else Path(weights), look, size, pixel_size_m, relief, level_water,
        carve_rivers, breach, None if lines is None else Path(lines),
        None if height_guide is None else Path(height_guide), guide_strength, painted_rivers_only, follow, sea_depth,
        sea_level_m, true_scale, None if detail_weights is None else Path(detail_weights), device,
    )  # fmt: skip
    return _GENERATORS.generate(
        painted, request, lambda name: progress if name == "Generating" else no_progress, cancel, say
    )


def estimate(painted: PaintedMap, *, name: str | None = None, **options: Any) -> Estimate:
    """What generating the terrain of a map and exporting it will write and need, before it is done.

    `options` are those of `generate`, besides progress, cancel and say, and those of `GeneratedTerrain.export`, besides
    the folder. A small piece of the map is generated to measure this computer. Raises as `generate` and `export` do.
    """
    of_terrain = {field.name: options.pop(field.name) for field in fields(TerrainRequest) if field.name in options}
    for key in ("weights", "lines", "detail_weights"):
        if of_terrain.get(key) is not None:
            of_terrain[key] = Path(of_terrain[key])
    request = TerrainRequest(**of_terrain)
    plan = planned_files(Path(), name or painted.name, _files_request(**options))
    shape = request.size or (painted.classes.shape[0], painted.classes.shape[1])
    plan = plan.sized(shape, painted.requested(request).pixel_size_m)
    return estimate_of(plan, shape, painted, request, _GENERATORS.needs(painted, request))


def styles() -> tuple[str, ...]:
    """Names of the installed styles."""
    return tuple(shipped_styles())


def looks() -> tuple[str, ...]:
    """Names of the installed looks, which repaint the texture of a style as another one."""
    return tuple(shipped_looks())


def weights_of(painted: PaintedMap, request: TerrainRequest) -> Path:
    """The weights file of a request, or that of the style of a map. Raises OptionError."""
    if request.weights is not None:
        return request.weights
    installed, style = shipped_styles(), request.style or painted.style or DEFAULT_STYLE
    if style not in installed:
        choice = f"choose from {', '.join(installed)}, or" if installed else "none is installed;"
        raise OptionError(f'There is no style "{quoting.shown(style)}"; {choice} give a weights file with --weights.')
    return installed[style]


def detail_weights_of(request: TerrainRequest) -> Path:
    """The file of the networks for finer land. Raises OptionError when none is installed."""
    if request.detail_weights is not None:
        return request.detail_weights
    installed = shipped_fine_land()
    if not installed:
        raise OptionError(
            "The networks that make land finer are not installed; leave out the detail, or give their file with "
            "--detail-weights."
        )
    return next(iter(installed.values()))


def look_of(painted: PaintedMap, request: TerrainRequest) -> Path | None:
    """The file of the look of a request, or that of a map; None without one. Raises OptionError."""
    look = request.look or painted.look
    if look is None or look == NO_LOOK:
        return None
    installed = shipped_looks()
    if look in installed:
        return installed[look]
    path = local_path(look)
    if path.suffix.lower() != ".safetensors" and not is_file(path):
        choice = f"choose from {', '.join(installed)}, or" if installed else "none is installed;"
        raise OptionError(
            f'There is no look "{quoting.shown(look)}"; {choice} give the file of a look (.safetensors), or '
            f'"{NO_LOOK}".'
        )
    return path


def _native_heights(shown: Terrain, scaled: Terrain, native: Terrain) -> NDArray[np.float32]:
    """Heights in metres of the weights, which the shading was trained on."""
    if shown.height is scaled.height:
        return native.height
    return shown.height / np.float32(shown.provenance.height_scale)
