"""The table of export formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from terrainpaint.core.classes import CLASS_NAMES
from terrainpaint.core.quoting import closest, shown
from terrainpaint.errors import OptionError
from terrainpaint.export.class_masks import (
    classes_bytes,
    control_bytes,
    splat_bytes,
    splat_paths,
    weights_bytes,
    weights_paths,
    write_classes,
    write_splat,
    write_terrain3d_control,
    write_weights,
)
from terrainpaint.export.contour_formats import geojson_bytes, svg_bytes, write_contours_geojson, write_contours_svg
from terrainpaint.export.glb import glb_bytes, write_glb
from terrainpaint.export.height_formats import (
    exr_bytes,
    exr_half_bytes,
    float32_bytes,
    r16_bytes,
    write_exr,
    write_exr_half,
    write_r16,
    write_r32,
)
from terrainpaint.export.job import ExportJob, ExportOptions, Paths
from terrainpaint.export.line_formats import lines_png_bytes, lines_svg_bytes, write_lines_png, write_lines_svg
from terrainpaint.export.mesh import DEFAULT_MESH_SIZE
from terrainpaint.export.obj import obj_bytes, obj_paths, write_obj
from terrainpaint.export.picture_formats import (
    albedo_bytes,
    height16_bytes,
    height16_paths,
    single_path,
    terrain_bytes,
    write_albedo,
    write_height16,
    write_terrain,
)
from terrainpaint.export.ply import ply_bytes, write_ply
from terrainpaint.export.pmtiles_formats import (
    pmtiles_albedo_bytes,
    pmtiles_bytes,
    pmtiles_hillshade_bytes,
    write_pmtiles,
    write_pmtiles_albedo,
    write_pmtiles_hillshade,
)
from terrainpaint.export.quantized_mesh import quantized_mesh_bytes, write_quantized_mesh
from terrainpaint.export.relief_pictures import (
    hillshade_bytes,
    normal_bytes,
    occlusion_bytes,
    slope_bytes,
    write_hillshade,
    write_normal,
    write_normal_dx,
    write_occlusion,
    write_slope,
)
from terrainpaint.export.sidecar import with_sidecar
from terrainpaint.export.solids import stl_bytes, threemf_bytes, write_3mf, write_stl
from terrainpaint.export.tiff_formats import (
    albedo_cog_bytes,
    albedo_geotiff_bytes,
    classes_geotiff_bytes,
    cog_bytes,
    geotiff_bytes,
    terrain_geotiff_bytes,
    write_albedo_cog,
    write_albedo_geotiff,
    write_classes_geotiff,
    write_cog,
    write_geotiff,
    write_terrain_geotiff,
    write_tiff,
)
from terrainpaint.export.water_formats import (
    flow_bytes,
    lakes_bytes,
    rivers_bytes,
    water_mask_bytes,
    write_flow,
    write_lakes,
    write_rivers,
    write_water_mask,
)

MESH = "Mesh"
GROUPS = (MESH, "Heights", "Pictures", "Masks", "GIS and web")
"""What the formats are for, in the order in which they are offered."""


@dataclass(frozen=True)
class Format:
    """One format.

    `group` is one of GROUPS. `suffix` is the end of the name of its main file. `paths` maps the path of the main file
    to the paths of all files of the format, the main one first. `write` writes these paths. `estimate_bytes` returns
    the approximate total size of the files from the rows and columns of the map and the options, before there is a
    terrain. `is_divided` is whether it is written in tiles when an export is divided,
    `has_ending` whether a name with the last part of its suffix alone, such as m.svg, can mean it.
    """

    name: str
    group: str
    suffix: str
    description: str
    paths: Callable[[Path], Paths]
    write: Callable[[ExportJob, Paths], None]
    estimate_bytes: Callable[[int, int, ExportOptions], int]
    is_divided: bool = True
    has_ending: bool = True


_, _HEIGHTS, _PICTURES, _MASKS, _MAPS = GROUPS

_ROWS: tuple[Format, ...] = (
    Format("obj", MESH, ".obj", "textured mesh: Wavefront OBJ, MTL and PNG", obj_paths, write_obj, obj_bytes),
    Format("glb", MESH, ".glb", "textured mesh in one file: binary glTF 2.0", single_path, write_glb, glb_bytes),
    Format("ply", MESH, ".ply", "mesh with coloured vertices, z up: binary PLY", single_path, write_ply, ply_bytes),
    Format("stl", MESH, ".stl", "solid for 3D printing, in millimetres: binary STL", single_path, write_stl, stl_bytes),
    Format("3mf", MESH, ".3mf", "solid for 3D printing in colour: 3MF", single_path, write_3mf, threemf_bytes),
    Format(
        "height16",
        _HEIGHTS,
        "_height16.png",
        "heights: 16-bit grey PNG, metres in a JSON",
        height16_paths,
        write_height16,
        height16_bytes,
    ),
    Format("r16", _HEIGHTS, "_height.r16", "heights: RAW, 16-bit whole numbers", with_sidecar, write_r16, r16_bytes),
    Format(
        "r32", _HEIGHTS, "_height.r32", "heights: RAW, 32-bit floats in metres", with_sidecar, write_r32, float32_bytes
    ),
    Format("tiff", _HEIGHTS, "_height.tif", "heights: TIFF, floats in metres", with_sidecar, write_tiff, float32_bytes),
    Format(
        "exr",
        _HEIGHTS,
        "_height.exr",
        "heights: OpenEXR, floats in metres, in red, green and blue",
        with_sidecar,
        write_exr,
        exr_bytes,
    ),
    Format(
        "exr-half",
        _HEIGHTS,
        "_height_half.exr",
        "heights: OpenEXR, half floats in metres, one channel",
        with_sidecar,
        write_exr_half,
        exr_half_bytes,
    ),
    Format(
        "albedo",
        _PICTURES,
        "_albedo.png",
        "texture without light and shadow: 8-bit PNG",
        single_path,
        write_albedo,
        albedo_bytes,
    ),
    Format(
        "terrain",
        _PICTURES,
        "_terrain.png",
        "shaded terrain, for viewing: 8-bit PNG",
        single_path,
        write_terrain,
        terrain_bytes,
    ),
    Format(
        "normal",
        _PICTURES,
        "_normal.png",
        "normal map, green up as in OpenGL: 8-bit PNG",
        single_path,
        write_normal,
        normal_bytes,
    ),
    Format(
        "normal-dx",
        _PICTURES,
        "_normal_dx.png",
        "normal map, green down as in DirectX: 8-bit PNG",
        single_path,
        write_normal_dx,
        normal_bytes,
    ),
    Format(
        "ao", _PICTURES, "_ao.png", "ambient occlusion: 8-bit grey PNG", single_path, write_occlusion, occlusion_bytes
    ),
    Format(
        "slope",
        _PICTURES,
        "_slope.png",
        "slope: 8-bit grey PNG, degrees in a JSON",
        with_sidecar,
        write_slope,
        slope_bytes,
    ),
    Format(
        "hillshade",
        _PICTURES,
        "_hillshade.png",
        "hillshade: 8-bit grey PNG",
        single_path,
        write_hillshade,
        hillshade_bytes,
    ),
    Format(
        "flow",
        _PICTURES,
        "_flow.png",
        "how much land drains through each pixel: 16-bit grey PNG, logarithmic",
        with_sidecar,
        write_flow,
        flow_bytes,
        is_divided=False,
    ),
    Format(
        "contours-svg",
        _PICTURES,
        "_contours.svg",
        "contour lines: SVG drawing",
        single_path,
        write_contours_svg,
        svg_bytes,
    ),
    Format(
        "weights",
        _MASKS,
        f"_weight_{CLASS_NAMES[0]}.png",
        "a weight map for each class: seven 8-bit grey PNG that sum to 255",
        weights_paths,
        write_weights,
        weights_bytes,
    ),
    Format(
        "splat",
        _MASKS,
        "_splat0.png",
        "class weights in two RGBA PNG that sum to 255, for Unity and shaders",
        splat_paths,
        write_splat,
        splat_bytes,
    ),
    Format(
        "classes",
        _MASKS,
        "_classes.png",
        "class of each pixel: palette PNG, the index is the class",
        single_path,
        write_classes,
        classes_bytes,
    ),
    Format(
        "water",
        _MASKS,
        "_water.png",
        "rivers, lakes and sea: 8-bit grey PNG, values in a JSON",
        with_sidecar,
        write_water_mask,
        water_mask_bytes,
        is_divided=False,
    ),
    Format(
        "terrain3d",
        _MASKS,
        "_control.exr",
        "control map of Terrain3D for Godot: OpenEXR",
        single_path,
        write_terrain3d_control,
        control_bytes,
    ),
    Format(
        "geotiff",
        _MAPS,
        "_geo.tif",
        "heights: GeoTIFF, floats in metres with coordinates",
        with_sidecar,
        write_geotiff,
        geotiff_bytes,
    ),
    Format(
        "cog",
        _MAPS,
        "_cog.tif",
        "heights: cloud-optimised GeoTIFF, with smaller copies for reading over a network",
        with_sidecar,
        write_cog,
        cog_bytes,
    ),
    Format(
        "albedo-geotiff",
        _MAPS,
        "_albedo_geo.tif",
        "texture without light and shadow: GeoTIFF with coordinates",
        single_path,
        write_albedo_geotiff,
        albedo_geotiff_bytes,
    ),
    Format(
        "albedo-cog",
        _MAPS,
        "_albedo_cog.tif",
        "texture without light and shadow: cloud-optimised GeoTIFF",
        single_path,
        write_albedo_cog,
        albedo_cog_bytes,
    ),
    Format(
        "terrain-geotiff",
        _MAPS,
        "_terrain_geo.tif",
        "shaded terrain: GeoTIFF with coordinates",
        single_path,
        write_terrain_geotiff,
        terrain_geotiff_bytes,
    ),
    Format(
        "classes-geotiff",
        _MAPS,
        "_classes_geo.tif",
        "class of each pixel: GeoTIFF with coordinates and a colour table",
        single_path,
        write_classes_geotiff,
        classes_geotiff_bytes,
    ),
    Format(
        "contours",
        _MAPS,
        "_contours.geojson",
        "contour lines: GeoJSON",
        single_path,
        write_contours_geojson,
        geojson_bytes,
    ),
    Format(
        "rivers",
        _MAPS,
        "_rivers.geojson",
        "painted rivers with width, depth and discharge: GeoJSON",
        single_path,
        write_rivers,
        rivers_bytes,
        is_divided=False,
    ),
    Format(
        "lakes",
        _MAPS,
        "_lakes.geojson",
        "lakes and sea with level and outlet: GeoJSON",
        single_path,
        write_lakes,
        lakes_bytes,
        is_divided=False,
    ),
    Format(
        "lines",
        _MAPS,
        "_lines.svg",
        "drawn ridges, valleys and rivers: SVG",
        single_path,
        write_lines_svg,
        lines_svg_bytes,
        is_divided=False,
        has_ending=False,
    ),
    Format(
        "lines-png",
        _MAPS,
        "_lines.png",
        "drawn ridges, valleys and rivers: see-through PNG",
        single_path,
        write_lines_png,
        lines_png_bytes,
        is_divided=False,
    ),
    Format(
        "pmtiles",
        _MAPS,
        "_height.pmtiles",
        "heights for web maps: terrain-RGB tiles in one PMTiles",
        single_path,
        write_pmtiles,
        pmtiles_bytes,
        is_divided=False,
    ),
    Format(
        "pmtiles-albedo",
        _MAPS,
        "_albedo.pmtiles",
        "texture for web maps: WebP tiles in one PMTiles",
        single_path,
        write_pmtiles_albedo,
        pmtiles_albedo_bytes,
        is_divided=False,
    ),
    Format(
        "pmtiles-hillshade",
        _MAPS,
        "_hillshade.pmtiles",
        "hillshade for web maps: WebP tiles in one PMTiles",
        single_path,
        write_pmtiles_hillshade,
        pmtiles_hillshade_bytes,
        is_divided=False,
    ),
    Format(
        "quantized-mesh",
        _MAPS,
        "_quantized_mesh.zip",
        "heights for globes such as Cesium: quantized-mesh tiles in a ZIP",
        single_path,
        write_quantized_mesh,
        quantized_mesh_bytes,
        is_divided=False,
    ),
)

FORMATS: Mapping[str, Format] = {form.name: form for form in _ROWS}
"""Name of a format → the format, in the order in which they are offered."""


def format_of(name: object) -> Format:
    """The format of a name. Raises OptionError."""
    if not isinstance(name, str) or name not in FORMATS:
        alike = " or ".join(closest(name, FORMATS)) if isinstance(name, str) else ""
        hint = f" (did you mean {alike}?)" if alike else ""
        raise OptionError(f"There is no format \"{shown(name)}\"{hint}; 'terrainpaint formats' lists all.")
    return FORMATS[name]


def estimated_bytes(form: Format, map_shape: tuple[int, int], options: ExportOptions) -> int:
    """Approximate bytes of the files of a format of a map (H, W), before there is a terrain. Raises OptionError."""
    shape, tiling = options.exported_shape(map_shape), options.tiling(map_shape)
    if tiling is not None and form.is_divided:
        size = min(max(tiling.side), options.mesh_size or DEFAULT_MESH_SIZE)
        return sum(
            tiling.columns
            * tiling.rows
            * form.estimate_bytes(*tiling.side_of(lod), replace(options, mesh_size=max(2, (size - 1 >> lod) + 1)))
            for lod in range(tiling.options.lods)
        )
    if form.group != MESH and options.picture_shape is not None:
        shape = options.picture_shape
    return form.estimate_bytes(*shape, options)
