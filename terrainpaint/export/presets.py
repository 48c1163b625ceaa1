"""Presets: the formats, sizes and options that another program wants, with a few lines that say what to click.

A preset is a TOML file. Those of the program are in the folder `presets` of this package; users write and share others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import Template
from typing import Any

from terrainpaint.core.checked_toml import MOST_BYTES, parse_toml
from terrainpaint.core.files import read_regular, why_unreadable
from terrainpaint.core.quoting import choices, shown
from terrainpaint.core.sea_choice import AS_PAINTED, Sea
from terrainpaint.errors import OptionError
from terrainpaint.export.file_options import FileOptions
from terrainpaint.export.formats import format_of
from terrainpaint.export.job import PICTURE_SIDES, ExportJob, ExportOptions
from terrainpaint.export.picture_formats import stretched_range
from terrainpaint.export.tile_options import TileOptions

_FOLDER = Path(__file__).resolve().parent / "presets"
_UNREAL_Z_UNITS = 512
"""Centimetres that the 16 bits of a height span in Unreal at a Z scale of 1."""
_TERRAIN3D_SPACING_M = 0.25, 100.0
"""Distances of vertices that Terrain3D takes; it uses the nearest of them without a word."""
_KEYS = ("title", "formats", "sides", "is_square", "readme", "options")
_OPTION_KEYS = ("mesh_size", "exaggeration", "level_water", "sea_depth", "sea_level_m", "files")
_PLACEHOLDERS = (
    *("name", "width", "height", "pixel_x_m", "pixel_y_m", "width_m", "length_m", "ground_width_m", "ground_length_m"),
    *("lowest_m", "highest_m", "range_m", "sea_value", "unreal_x", "unreal_y", "unreal_z", "unreal_location_z"),
    *("terrain3d_spacing", "terrain3d_scale", "relief_mm", "exaggeration", "crs", "encoding", "latitude", "longitude"),
)


@dataclass(frozen=True)
class Preset:
    """One preset.

    `sides` are the numbers of pixels a side that the program takes, empty for any; `is_square` is whether both sides
    must be equal. `mesh_size` and `exaggeration` are None where the preset leaves them open. `sea` is
    what is done to the sea where nothing else is asked for. `files` are plain values
    of `FileOptions`. `readme` is a text with placeholders such as $name.
    """

    title: str
    formats: tuple[str, ...]
    readme: str = ""
    sides: tuple[int, ...] = ()
    is_square: bool = False
    mesh_size: int | None = None
    exaggeration: float | None = None
    level_water: bool = False
    sea: Sea = AS_PAINTED
    files: Mapping[str, object] = field(default_factory=dict)

    def picture_shape(self, map_shape: tuple[int, int]) -> tuple[int, int] | None:
        """Rows and columns of the pictures of a map (H, W): the nearest sizes; None for those of the map."""
        if not self.sides:
            return None
        if self.is_square:
            side = nearest_side(self.sides, max(map_shape))
            return side, side
        rows, cols = map_shape
        return nearest_side(self.sides, rows), nearest_side(self.sides, cols)

    def tile_options(self, tiles: TileOptions) -> TileOptions:
        """The same tiles in a size that the program takes."""
        return replace(tiles, sides=self.sides, is_square=self.is_square)

    def readme_text(self, job: ExportJob, name: str) -> str:
        """What to do with the files `name`, with the numbers of this terrain."""
        text = Template(self.readme.strip()).substitute(_numbers(job, name)) + _about_tiles(job)
        return f"{name} for {self.title}, written by TerrainPaint {job.source.terrain.provenance.version}\n\n{text}\n"


def _about_tiles(job: ExportJob) -> str:
    """What to do with the other tiles, if there are any."""
    facts, tiles = job.part_facts, job.options.tiles
    if tiles is None or "tile_columns" not in facts:
        return ""
    (rows, cols), (south_m, east_m) = job.raster.shape, job.raster.step_m
    y = "south to north" if tiles.flip_y else "north to south"
    apart = f"{_plain((cols - 1) * east_m)} m apart from west to east and {_plain((rows - 1) * south_m)} m from north"
    return (
        f"\n\nThe map is divided into {facts['tile_columns']} x {facts['tile_rows']} tiles; these are the numbers of "
        f"one of them, and all have the same range of heights. Tiles are {apart} to south, share the pixels of their "
        f"borders, and are numbered from west to east and from {y}. The file that ends in _tiles.json lists them."
    )


def nearest_side(sides: tuple[int, ...], side: int) -> int:
    """The one of `sides` that is nearest to `side`; of two, the larger one."""
    return min(sides, key=lambda option: (abs(option - side), -option))


def shipped_presets() -> dict[str, Path]:
    """Name and file of the presets that are installed with the program."""
    return {path.stem: path for path in sorted(_FOLDER.glob("*.toml"))}


def find_preset(text: str) -> Preset:
    """The preset of a name, or of the path of a file that ends in .toml. Raises OptionError."""
    path = shipped_presets().get(text)
    if path is None and not text.lower().endswith(".toml"):
        names = ", ".join(shipped_presets())
        raise OptionError(f'There is no preset "{text}"; choose from {names}, or give a file that ends in .toml.')
    return read_preset(Path(text) if path is None else path)


def read_preset(path: Path) -> Preset:
    """The preset in a file. Raises OptionError when it cannot be read, or has an unknown key or a wrong value."""
    try:
        values = parse_toml(read_regular(path, MOST_BYTES))
    except OSError as error:
        raise OptionError(f"{path} cannot be read: {why_unreadable(error)}.") from error
    except ValueError as error:
        raise OptionError(f"{path} is not a preset: {error}; correct it.") from error
    try:
        return _decoded(values)
    except OptionError as error:
        raise OptionError(f"{path} is not a usable preset. {error}") from error


def _decoded(values: Mapping[str, Any]) -> Preset:
    _check_keys(values, _KEYS, "")
    options = _value(values, "options", dict, {})
    _check_keys(options, _OPTION_KEYS, "options.")
    files = _value(options, "files", dict, {})
    FileOptions.of({**files, "crs": ""})
    formats = _value(values, "formats", list, [])
    for name in formats:
        format_of(name)
    if not formats:
        raise OptionError("It has no formats; list some under the key formats.")
    sides = _value(values, "sides", list, [])
    if not all(isinstance(side, int) and side in PICTURE_SIDES for side in sides):
        raise OptionError(f"The key sides must list whole numbers from {PICTURE_SIDES[0]} to {PICTURE_SIDES[-1]}.")
    readme = _value(values, "readme", str, "")
    _check_readme(readme)
    exaggeration = options.get("exaggeration")
    mesh_size = options.get("mesh_size")
    preset = Preset(
        _value(values, "title", str, "another program"),
        tuple(dict.fromkeys(formats)),
        readme,
        tuple(sorted(sides)),
        _value(values, "is_square", bool, False),
        None if mesh_size is None else _value(options, "mesh_size", int, 0),
        None if exaggeration is None else float(_value(options, "exaggeration", int | float, 1)),
        _value(options, "level_water", bool, False),
        Sea(_value(options, "sea_depth", bool, False), float(_value(options, "sea_level_m", int | float, 0))),
        files,
    )
    ExportOptions(preset.mesh_size, 1.0 if preset.exaggeration is None else preset.exaggeration)
    return preset


def _check_keys(values: Mapping[str, Any], known: tuple[str, ...], inside: str) -> None:
    for key in values:
        if key not in known:
            raise OptionError(f'It has the unknown key "{inside}{shown(key)}"; the keys are {", ".join(known)}.')


def _value(values: Mapping[str, Any], key: str, kind: Any, default: Any) -> Any:
    """The value of a key when it is of a kind. Raises OptionError for another kind."""
    value = values.get(key, default)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise OptionError(f"The key {key} has the wrong kind of value, {shown(value)}; look at a shipped preset.")
    return value


def _check_readme(text: str) -> None:
    template = Template(text)
    unknown = [name for name in template.get_identifiers() if name not in _PLACEHOLDERS]
    if unknown:
        hint = choices(unknown[0], _PLACEHOLDERS)
        raise OptionError(f"Its readme has the unknown placeholder ${shown(unknown[0])}; {hint}.")
    if not template.is_valid():
        raise OptionError("Its readme has a $ without a name; write $$ for the character.")


def _numbers(job: ExportJob, name: str) -> dict[str, str]:
    """Placeholder → text: numbers as other programs read them, without exponent and thousands separators."""
    raster, files = job.raster, job.options.files
    (rows, cols), (south_m, east_m) = raster.shape, raster.step_m
    low, high = stretched_range(job)
    spacing_m = min(max(east_m, _TERRAIN3D_SPACING_M[0]), _TERRAIN3D_SPACING_M[1])
    print_scale = files.print_size_mm / max(rows * south_m, cols * east_m)
    numbers = {
        "width": cols,
        "height": rows,
        "pixel_x_m": east_m,
        "pixel_y_m": south_m,
        # Between the centres of the outermost pixels, which are the vertices of terrains in engines.
        "width_m": (cols - 1) * east_m,
        "length_m": (rows - 1) * south_m,
        "ground_width_m": cols * east_m,
        "ground_length_m": rows * south_m,
        "lowest_m": low,
        "highest_m": high,
        "range_m": high - low,
        "sea_value": min(max(round(-low / (high - low) * 65535), 0), 65535),
        "unreal_x": east_m * 100,
        "unreal_y": south_m * 100,
        "unreal_z": (high - low) * 100 / _UNREAL_Z_UNITS,
        "unreal_location_z": (low + high) / 2 * 100,
        "terrain3d_spacing": spacing_m,
        "terrain3d_scale": spacing_m / east_m,
        "relief_mm": round((high - low) * job.options.exaggeration * print_scale, 1),
        "exaggeration": job.options.exaggeration,
    }
    texts = {key: _plain(number) for key, number in numbers.items()}
    longitude, latitude = job.place_on_globe.centre(raster.shape)
    return {
        **texts,
        "name": name,
        "crs": job.place.name,
        "encoding": str(files.terrain_encoding),
        "latitude": f"{latitude:.6f}",
        "longitude": f"{longitude:.6f}",
    }


def _plain(number: float) -> str:
    text = f"{number:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
