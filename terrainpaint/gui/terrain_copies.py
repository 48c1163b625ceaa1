"""Copies of the live terrain that nobody changes, in metres of the project."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from terrainpaint import __version__
from terrainpaint.core.project import Project
from terrainpaint.core.terrain import Provenance, Terrain
from terrainpaint.generation.live import LiveTerrain
from terrainpaint.generation.messages import WeightsInfo


def bare_terrain(live: LiveTerrain, info: WeightsInfo, project: Project, height_scale: float) -> Terrain:
    """The terrain with copied heights and the albedo of the live one, which changes.

    `height_scale` is metres of the project per metre of the weights.
    """
    recipe, guide = project.settings.recipe, project.height_guide
    look, look_sha256 = ("", "") if info.look is None else (info.look.target, info.look.sha256)
    provenance = Provenance(
        info.sha256, info.style, recipe, __version__, height_scale, bool(project.rerolls.any()),
        has_lines=info.follows_lines and bool(project.lines.guiding), look=look, look_sha256=look_sha256,
        painted_finer=1 if info.scale is None else info.scale.factor,
        detail_sha256="" if info.scale is None else info.scale.detail_sha256,
        has_height_guide=guide is not None and not guide.is_free and recipe.guide_strength > 0,
    )  # fmt: skip
    return Terrain(live.albedo, live.height * np.float32(height_scale), project.settings.pixel_size_m, provenance)


def with_shown_heights(terrain: Terrain, heights: NDArray[np.float32], project: Project) -> Terrain:
    """The terrain with the heights (H, W), metres of the weights, over which the water of the project flows."""
    flowing = project.flowing_water
    provenance = dataclasses.replace(
        terrain.provenance,
        has_level_water=flowing.carve_rivers,
        has_carved_rivers=flowing.carve_rivers,
        has_breached_depressions=flowing.breach,
    )
    height = heights * np.float32(terrain.provenance.height_scale)
    return dataclasses.replace(terrain, height=height, provenance=provenance)
