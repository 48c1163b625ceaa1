"""Loaded weights, and the terrains that they make of painted maps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.api.chosen_weights import detail_weights_of, look_of, weights_of
from terrainpaint.api.generated_terrain import GeneratedTerrain
from terrainpaint.api.painted_maps import PaintedMap, warn
from terrainpaint.api.requests import DEFAULT_STYLE, NO_LOOK, TerrainRequest
from terrainpaint.core.files import FileStamp
from terrainpaint.core.guide_lines import NO_LINES, guide_raster
from terrainpaint.core.height_guide import HeightGuide
from terrainpaint.core.hydrology import with_flowing_water
from terrainpaint.core.importing.guide_file import read_height_guide
from terrainpaint.core.line_files import SVG_SUFFIX, read_lines, read_lines_svg, resized_lines
from terrainpaint.core.loose_paint import loosened
from terrainpaint.core.map_files import Say
from terrainpaint.core.openmp import wait_passively
from terrainpaint.core.progress import Cancel, Progress, never_cancel
from terrainpaint.core.rects import Rect
from terrainpaint.core.sea_choice import Sea
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Terrain, at_pixel_size
from terrainpaint.core.true_scale import OTHER_LAND, scale_factor, why_not
from terrainpaint.errors import OptionError
from terrainpaint.export.estimates import Needs


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
        from terrainpaint.generation.map_generator import TILE_PX
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
                say(OTHER_LAND)
        native_m = generator.header.pixel_size_m
        size_m = painted.pixel_size_m or native_m
        reason = why_not(size_m, native_m, generator.header.style, generator.reach_px is not None)
        factor = scale_factor(size_m, native_m)
        if reason is not None and request.true_scale:
            raise OptionError(
                f"{reason}; add --no-true-scale, or choose another size with --pixel-size-m or another style."
            )
        if reason is not None:
            say(f"{reason}: land is scaled instead.")
        if reason is not None or factor is None or factor == 1:
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


def _native_heights(shown: Terrain, scaled: Terrain, native: Terrain) -> NDArray[np.float32]:
    """Heights in metres of the weights, which the shading was trained on."""
    if shown.height is scaled.height:
        return native.height
    return shown.height / np.float32(shown.provenance.height_scale)
