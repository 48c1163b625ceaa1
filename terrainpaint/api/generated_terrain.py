"""A generated terrain, and its export."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from terrainpaint.api.estimates import Estimate, writing_estimate
from terrainpaint.api.export_plans import ExportPlan, planned_file, planned_files
from terrainpaint.api.requests import TerrainRequest
from terrainpaint.api.writing_keywords import Crop, ExportKeywords, WritingKeywords, files_request
from terrainpaint.core.guide_lines import NO_LINES, GuideLines
from terrainpaint.core.progress import Cancel, Progress, never_cancel, no_progress
from terrainpaint.core.sea_choice import Sea
from terrainpaint.core.sea_depth import at_sea_level
from terrainpaint.core.sea_level import with_sea
from terrainpaint.core.terrain import Terrain
from terrainpaint.core.water import with_level_water
from terrainpaint.export import ExportSource
from terrainpaint.export.detail import detailed
from terrainpaint.export.job import LandRefiner

Shade = Callable[[Terrain], NDArray[np.uint8]]


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
        plan = planned_file(Path("detail.obj"), files_request({"crop": crop, "detail": factor}))
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
        progress: Progress = no_progress,
        cancel: Cancel = never_cancel,
        **options: Unpack[WritingKeywords],
    ) -> list[Path]:
        """Write one format to `path`, which its suffix tells, and return the paths of all its files.

        `format` is its name, needed where several formats have the suffix. Of the options, `mesh_size` is the number of
        vertices along the longest side, 2..16,384; `exaggeration` a factor for the heights of meshes; `max_error_m`
        replaces the grid of a mesh by triangles that differ from it by at most so many metres; `water_surface_m` adds a
        water surface to a mesh. `crop` is a part of the map, (x, y, width, height) in pixels from the north-west, or a
        text such as "120,80,40,40km" on the ground. `detail` 4 or 16 makes everything so many times finer. The others
        are those of single formats, such as crs="EPSG:32632". All files are written, or none.
        Raises OptionError, OutputError, Cancelled.
        """
        request = files_request({**options, "formats": format})
        return self._checked(planned_file(Path(path), request), progress, cancel)

    def export(
        self,
        folder: str | Path,
        *,
        name: str | None = None,
        progress: Progress = no_progress,
        cancel: Cancel = never_cancel,
        **options: Unpack[ExportKeywords],
    ) -> list[Path]:
        """Write formats, or those of a preset with a README, to a folder; return the paths of the files.

        `name` is the start of the names of files, by default that of the map. Of the options, `formats` are their
        names; `preset` is a name such as "unreal", or a file that ends in .toml. `tiles` divides the export: 4 into
        4 x 4 tiles, (4, 3) into 4 columns and 3 rows; or a dict with `count` or `side_px`, and `names`, `flip_y`,
        `lods`, `skirt_m` as in the command line. The others are those of `save`. Raises as `save` does.
        """
        plan = planned_files(Path(folder), name or self.name, files_request(options))
        return self._checked(plan, progress, cancel)

    def estimate(self, *, name: str | None = None, **options: Unpack[ExportKeywords]) -> Estimate:
        """What `export` with the same options, besides the folder, will write and need. Raises OptionError."""
        plan = planned_files(Path(), name or self.name, files_request(options))
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
        plan.check_room(self.terrain.shape, self.pixel_size_m)
        return self.write(plan, progress, cancel)
