"""Painted map → generated terrain, in a call."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from terrainpaint.api.estimates import Estimate, estimate_of
from terrainpaint.api.export_plans import planned_files
from terrainpaint.api.generated_terrain import GeneratedTerrain
from terrainpaint.api.generators import Generators
from terrainpaint.api.painted_maps import PaintedMap, warn
from terrainpaint.api.requests import TerrainRequest
from terrainpaint.api.writing_keywords import files_request
from terrainpaint.core.assets import shipped_looks, shipped_styles
from terrainpaint.core.map_files import Say
from terrainpaint.core.progress import Cancel, Progress, never_cancel, no_progress

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
    plan = planned_files(Path(), name or painted.name, files_request(options))
    shape = request.size or (painted.classes.shape[0], painted.classes.shape[1])
    plan = plan.sized(shape, painted.requested(request).pixel_size_m)
    return estimate_of(plan, shape, painted, request, _GENERATORS.needs(painted, request))


def styles() -> tuple[str, ...]:
    """Names of the installed styles."""
    return tuple(shipped_styles())


def looks() -> tuple[str, ...]:
    """Names of the installed looks, which repaint the texture of a style as another one."""
    return tuple(shipped_looks())
