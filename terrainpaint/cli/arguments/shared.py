"""Options that several commands have: how a map is read, how its terrain is generated, which files are written."""

from __future__ import annotations

import argparse
from dataclasses import fields
from typing import Any

from terrainpaint.api.requests import DEFAULT_STYLE, NO_LOOK, FilesRequest, MapReading, TerrainRequest
from terrainpaint.cli.arguments.option_types import (
    class_id_type,
    crop_type,
    file_type,
    finite_type,
    formats_type,
    metres_type,
    number_type,
    pixel_size_m_type,
    point_type,
    size_type,
    tiles_type,
    whole_number_type,
)
from terrainpaint.core.assets import shipped_looks, shipped_styles
from terrainpaint.errors import OptionError

DEVICES = ("auto", "cpu", "cuda", "mps")
_FILE_OPTIONS = (
    "glb_texture", "raw_byte_order", "raw_signed", "raw_south_first", "crs", "origin",
    "border_px", "contour_interval_m", "print_size_mm", "print_base_mm", "place", "terrain_encoding",
    "height_range",
)  # fmt: skip
"""Fields of `FileOptions`."""
_TILE_OPTIONS = ("names", "flip_y", "lods", "skirt_m")
"""Fields of `TileOptions`."""


def taken(values: dict[str, Any], kind: type) -> dict[str, Any]:
    """Remove from `values` those that are fields of a dataclass, and return them."""
    return {field.name: values.pop(field.name) for field in fields(kind) if field.name in values}


def terrain_request(values: dict[str, Any]) -> TerrainRequest:
    """Remove the values of `add_terrain_options`. Raises OptionError."""
    return TerrainRequest(**taken(values, TerrainRequest))


def map_reading(values: dict[str, Any]) -> MapReading:
    """Remove the values of `add_reading_options`."""
    return MapReading(**taken(values, MapReading))


def files_request(values: dict[str, Any]) -> FilesRequest:
    """Remove the values of `add_format_options` and `add_file_options`."""
    files = {name: values.pop(name) for name in _FILE_OPTIONS if name in values}
    tiles = {name: values.pop(name) for name in _TILE_OPTIONS if name in values}
    if (division := values.pop("tiles", None)) is not None:
        tiles |= division
    elif tiles:
        raise OptionError("Names, levels of detail and skirts are those of tiles; give --tiles too.")
    return FilesRequest(**taken(values, FilesRequest), files=files, tiles=tiles)


def add_seed(parser: argparse.ArgumentParser) -> None:
    """`--seed`."""
    parser.add_argument(
        "--seed", type=whole_number_type, metavar="N",
        help="seed of the random numbers, 0 to 2^64 - 1; default: that of the project, else 0",
    )  # fmt: skip


def add_style(parser: argparse.ArgumentParser) -> None:
    """`--style` and `--weights`."""
    weights = parser.add_mutually_exclusive_group()
    weights.add_argument(
        "--style", metavar="NAME",
        help=f"installed style: {', '.join(shipped_styles()) or 'there is none'}; "
        f"default: that of the project, else {DEFAULT_STYLE}",
    )  # fmt: skip
    weights.add_argument(
        "--weights", type=file_type, metavar="FILE", help="weights file (.safetensors) instead of a style"
    )


def add_terrain_options(parser: argparse.ArgumentParser) -> None:
    """Fields of `TerrainRequest` besides seed, style and device."""
    parser.add_argument(
        "--look", metavar="NAME|FILE",
        help="repaint the texture in another style: the file of a look (.safetensors), or an installed one: "
        f"{', '.join(shipped_looks()) or 'there is none'}; '{NO_LOOK}' leaves out that of a project; default: that of "
        "the project, else not repainted",
    )  # fmt: skip
    parser.add_argument(
        "--size", type=size_type, metavar="HxW",
        help="first resample the map to H rows of W pixels, such as 512x768; the ground size of a pixel stays the same",
    )  # fmt: skip
    parser.add_argument(
        "--pixel-size-m", type=pixel_size_m_type, metavar="M",
        help="ground size of a pixel in metres, heights change with it; default: that of the project, or of the map if "
        "'import' stored one, else that of the weights",
    )  # fmt: skip
    parser.add_argument(
        "--true-scale", action=argparse.BooleanOptionalAction,
        help="with pixels of 500 or 125 m: mountains and valleys have the size that they have on such ground, instead "
        "of being as many pixels wide as with pixels of 2 km; default: as in the project, else not",
    )  # fmt: skip
    parser.add_argument(
        "--relief", type=number_type, metavar="X",
        help="factor for all heights, 0.01 to 1000; default: that of the project, else 1",
    )  # fmt: skip
    parser.add_argument(
        "--level-water", action="store_true",
        help="give the sea and each lake one level; painted water under 5 px wide is a river and keeps its slope",
    )  # fmt: skip
    parser.add_argument(
        "--carve-rivers", action=argparse.BooleanOptionalAction,
        help="cut painted rivers into the land, so that they run downhill to a lake, the sea or the border; lakes and "
        "sea are levelled too; default: as in the project, else not",
    )  # fmt: skip
    parser.add_argument(
        "--breach", action=argparse.BooleanOptionalAction,
        help="open closed depressions, so that all water runs to the sea or off the map; default: as in the project, "
        "else not",
    )  # fmt: skip
    parser.add_argument(
        "--sea-depth", action=argparse.BooleanOptionalAction,
        help="give the sea a floor below 0 m, as deep as real seas are on average so far from the coast; lakes and sea "
        "are levelled too; default: as in the preset, else not",
    )  # fmt: skip
    parser.add_argument(
        "--sea-level", dest="sea_level_m", type=number_type, metavar="M",
        help="raise the sea by M metres, or lower it by a negative number: land that is lower is flooded, floor that "
        "is higher becomes land, and all heights are those above the new sea; lakes and sea are levelled too; default: "
        "as in the preset, else 0",
    )  # fmt: skip
    parser.add_argument(
        "--lines", type=file_type, metavar="FILE",
        help="lines that the land follows: a picture of the size of the map, with crests in white and valleys in "
        "black, the rest see-through or grey; or an SVG of ridges, valleys and rivers as the format 'lines' writes it",
    )  # fmt: skip
    parser.add_argument(
        "--height-guide", type=file_type, metavar="FILE",
        help="heights in metres of the same land as the map, such as a GeoTIFF; the land follows what is wide of them, "
        "and gets its fine relief from the style; default: those of the project, else none",
    )  # fmt: skip
    parser.add_argument(
        "--guide-strength", type=number_type, metavar="X",
        help="how much the land follows the height guide, 0 to 1; default: that of the project, else 1",
    )  # fmt: skip
    parser.add_argument(
        "--rivers-painted", dest="painted_rivers_only", action=argparse.BooleanOptionalAction,
        help="rivers only where they are painted: those that a style draws on its own get the colours of the land "
        "around them; default: as in the project, else not",
    )  # fmt: skip
    parser.add_argument(
        "--follow", type=number_type, metavar="X",
        help="how exactly the land follows the painted borders: 1 exactly, 0 loosely, with borders as rough as coasts, "
        "about 10 pixels beside the painted ones; default: that of the project, else 1",
    )  # fmt: skip
    parser.add_argument(
        "--detail-weights", type=file_type, metavar="FILE",
        help="networks of --detail and --true-scale (.safetensors) instead of the installed ones",
    )  # fmt: skip


def add_reading_options(parser: argparse.ArgumentParser) -> None:
    """Fields of `MapReading`."""
    parser.add_argument(
        "--nearest-colour", action="store_true", help="map colours that belong to no class to the nearest class"
    )
    add_under(parser)


def add_under(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """`--under`."""
    parser.add_argument(
        "--under", type=class_id_type, metavar="CLASS|#RRGGBB",
        help="class, or colour of a class, of the see-through pixels of the picture; default water",
    )  # fmt: skip


def add_device(parser: argparse.ArgumentParser) -> None:
    """`--device` and `--quiet`."""
    parser.add_argument("--device", choices=DEVICES, default="auto", help="device of the networks; default auto")
    add_quiet(parser)


def add_quiet(parser: argparse.ArgumentParser) -> None:
    """`--quiet`."""
    parser.add_argument("--quiet", action="store_true", help="print errors only, no progress and no notes")


def add_format_options(parser: argparse.ArgumentParser) -> None:
    """Fields of `FilesRequest`, without those of single formats."""
    parser.add_argument(
        "--formats", type=formats_type, metavar="LIST",
        help="comma-separated list of formats, written to the folder OUT with the name of the map, such as "
        "glb,height16; 'terrainpaint formats' lists them; default obj",
    )  # fmt: skip
    parser.add_argument(
        "--preset", metavar="NAME|FILE.toml",
        help="formats, sizes and options for another program, written to the folder OUT with a README: unreal, unity, "
        "godot-terrain3d and more; 'terrainpaint formats' lists them",
    )  # fmt: skip
    parser.add_argument(
        "--mesh-size", type=whole_number_type, metavar="N",
        help="vertices along the longest side of the mesh, 2 to 16384; default: that of the map, at most 1024",
    )  # fmt: skip
    parser.add_argument(
        "--exaggeration", type=number_type, metavar="X",
        help="factor for the heights of the mesh only; above 0, at most 1000; default 1",
    )  # fmt: skip
    parser.add_argument(
        "--max-error", dest="max_error_m", type=metres_type, metavar="M",
        help="replace the regular grid of obj, glb and ply by fewer triangles that differ from it by at most M metres "
        "of height, such as 5m; default: the grid",
    )  # fmt: skip
    parser.add_argument(
        "--water-surface", dest="water_surface_m", type=number_type, metavar="M",
        help="add a level water surface M metres above sea level to the mesh, as an object of its own; default none",
    )  # fmt: skip


def add_part_options(parser: argparse.ArgumentParser) -> None:
    """What is exported of the map, and in how many parts."""
    absent, group = argparse.SUPPRESS, parser.add_argument_group("parts of the map")
    group.add_argument(
        "--crop", type=crop_type, metavar="X,Y,W,H[km|m]",
        help="export only a rectangle, x, y, width and height from the north-west corner of the map, in its pixels or "
        "with km or m at the end on the ground, such as 120,80,40,40km; it stays where it lies",
    )  # fmt: skip
    group.add_argument(
        "--detail", type=whole_number_type, default=1, metavar="N",
        help="make the land 4 or 16 times finer: a map of 2 km a pixel at 500 or 125 m; default 1, as it is",
    )  # fmt: skip
    group.add_argument(
        "--tiles", type=tiles_type, metavar="N|CxR|Spx",
        help="divide the export into N x N tiles, C columns and R rows, or tiles of S pixels such as 513px, which "
        "share their border with their neighbours; 'NAME_tiles.json' lists them",
    )  # fmt: skip
    group.add_argument(
        "--tile-names", dest="names", default=absent, metavar="PATTERN",
        help="names of tiles with the tokens {name}, {x} or {col}, {y} or {row}, {lod}; default {name}_x{x}_y{y}, with "
        "_lod{lod} if there are levels",
    )  # fmt: skip
    group.add_argument(
        "--flip-y", action="store_true", default=absent, help="count {y} in the names of tiles from the south"
    )
    group.add_argument(
        "--lods", type=whole_number_type, default=absent, metavar="N",
        help="levels of detail of tiles, 1 to 8, each with half the pixels and vertices a side; default 1",
    )  # fmt: skip
    group.add_argument(
        "--skirt", dest="skirt_m", type=metres_type, default=absent, metavar="M",
        help="walls around meshes of tiles that go M metres down and hide cracks between levels; obj, glb, ply; "
        "default none",
    )  # fmt: skip


def add_file_options(parser: argparse.ArgumentParser) -> None:
    """Fields of `FileOptions`; those that are not given are left out."""
    absent, group = argparse.SUPPRESS, parser.add_argument_group("options of single formats")
    group.add_argument(
        "--glb-texture", choices=("png", "jpeg"), default=absent,
        help="compression of the texture within a GLB: png keeps every pixel, jpeg takes a quarter; default png",
    )  # fmt: skip
    group.add_argument(
        "--raw-byte-order", choices=("little", "big"), default=absent, help="byte order of r16 and r32; default little"
    )
    group.add_argument(
        "--height-range", type=point_type, default=absent, metavar="LOW,HIGH",
        help="metres of the smallest and the largest number in height16 and r16, the same for several maps; a negative "
        "one needs an equals sign: --height-range=-200,4000; default: the lowest and highest height of the terrain",
    )  # fmt: skip
    group.add_argument("--raw-signed", action="store_true", default=absent, help="signed numbers in r16")
    group.add_argument(
        "--raw-south-first", action="store_true", default=absent, help="begin r16 and r32 with the southernmost row"
    )
    group.add_argument(
        "--crs", default=absent, metavar="CODE",
        help="coordinate reference system of a GeoTIFF, such as EPSG:32632; default: a made-up one in metres",
    )  # fmt: skip
    group.add_argument(
        "--origin", type=point_type, default=absent, metavar="X,Y",
        help="x and y of the north-west corner of the map in that system; default, without --crs: the centre is 0,0",
    )  # fmt: skip
    group.add_argument(
        "--place", type=point_type, default=absent, metavar="LAT,LON",
        help="latitude and longitude of the centre of the map, in place of --crs and --origin; default for tiles of "
        "web maps: 0,0; a negative one needs an equals sign: --place=-33.9,18.4",
    )  # fmt: skip
    group.add_argument(
        "--terrain-encoding", choices=("mapbox", "terrarium"), default=absent,
        help="how pmtiles holds heights: mapbox in steps of 0.1 m, terrarium in steps of 1/256 m; default mapbox",
    )  # fmt: skip
    group.add_argument(
        "--border-px", type=finite_type, default=absent, metavar="N",
        help="pixels that two classes take to blend at their border in weights, splat and terrain3d, 0 to 64; "
        "default 0, exact borders",
    )  # fmt: skip
    group.add_argument(
        "--contour-interval-m", type=finite_type, default=absent, metavar="M",
        help="height between two contours in metres; default: one that gives about twenty",
    )  # fmt: skip
    group.add_argument(
        "--print-size-mm", type=finite_type, default=absent, metavar="MM",
        help="longest side of the solid in stl and 3mf, 10 to 5000 mm; default 150",
    )  # fmt: skip
    group.add_argument(
        "--print-base-mm", type=finite_type, default=absent, metavar="MM",
        help="thickness of the solid below its lowest point, 0.2 to 500 mm; default 3",
    )  # fmt: skip
