"""A painted map without symmetry, its exported files, and what the corners of the land are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import terrainpaint as tp

ROWS, COLS = 192, 256
PIXEL_M = 1000.0
NAME, TALL = "land", "land-tall"
"""Names of the files, and of the mesh with exaggerated heights, which is for pictures."""
CRS, ORIGIN = "EPSG:32632", (500_000.0, 5_200_000.0)
CORNERS = ("north-west", "north-east", "south-west", "south-east")
MOST_ERROR_M = 3.0
"""Of a corner: prints are in millimetres, of which programs keep some digits, and half floats have eleven bits."""


_INSIDE_PX = 20
_SEARCHED_PX = 12
_EVEN_PX = 7
"""A web map shows means of pixels, and a globe triangles: on the top of a mountain both are lower."""


@dataclass(frozen=True)
class Place:
    """A pixel of the land."""

    name: str
    longitude: float
    latitude: float
    height_m: float
    colour: tuple[int, ...]


@dataclass(frozen=True)
class Land:
    """The exported land: heights in metres and sRGB colours of its four corners, in the order of CORNERS.

    `places` are pixels somewhat inside of them, because tiles of web maps and globes go on beyond the land.
    """

    folder: Path
    heights_m: tuple[float, ...]
    colours: tuple[tuple[int, ...], ...]
    width_m: float
    length_m: float
    places: tuple[Place, ...]

    def file(self, end: str) -> Path:
        """The file whose name ends so."""
        return self.folder / f"{NAME}{end}"


def painted() -> tp.PaintedMap:
    """Sea in the south-west, mountains in the north-east, desert in the south-east, tundra in the north-west."""
    classes = np.full((ROWS, COLS), tp.CLASS_NAMES.index("grassland"), np.uint8)

    def area(name: str, points: list[tuple[int, int]]) -> None:
        cv2.fillPoly(classes, [np.array(points, np.int32)], tp.CLASS_NAMES.index(name))

    area("forest", [(70, 40), (170, 30), (200, 110), (120, 150), (80, 100)])
    area("tundra", [(0, 0), (70, 0), (50, 50), (0, 60)])
    area("hills", [(140, 0), (256, 0), (256, 120), (200, 100), (150, 50)])
    area("mountain", [(180, 0), (256, 0), (256, 80), (215, 60)])
    area("desert", [(170, 130), (256, 120), (256, 192), (150, 192)])
    area("water", [(0, 90), (60, 100), (90, 150), (80, 192), (0, 192)])
    return tp.from_classes(classes, name=NAME, pixel_size_m=PIXEL_M)


def exported(folder: Path) -> Land:
    """Generate the land and write its files."""
    terrain = tp.generate(painted(), seed=4, style="satellite", sea_depth=True)
    meshes = ["obj", "glb", "ply", "stl", "3mf"]
    terrain.export(folder, formats=meshes, mesh_size=COLS, print_size_mm=200)
    terrain.export(folder, formats=["glb"], name=TALL, mesh_size=COLS, exaggeration=8)
    rasters = [
        "height16",
        "r16",
        "tiff",
        "geotiff",
        "exr",
        "exr-half",
        "albedo",
        "terrain",
        "classes",
        "albedo-geotiff",
        "contours",
        "lakes",
    ]
    rasters += ["pmtiles", "pmtiles-albedo", "quantized-mesh"]
    terrain.export(folder, formats=rasters, crs=CRS, origin=ORIGIN)
    rows, cols = zip(*((row, col) for row in (0, -1) for col in (0, -1)), strict=True)
    colours = tuple(tuple(int(value) for value in colour) for colour in terrain.albedo[rows, cols])
    heights: NDArray[np.float32] = terrain.heights[rows, cols]
    size_m = (COLS - 1) * PIXEL_M, (ROWS - 1) * PIXEL_M
    return Land(folder, tuple(heights.tolist()), colours, *size_m, tuple(_places(terrain)))


def _places(terrain: tp.GeneratedTerrain) -> Iterator[Place]:
    """In the order of CORNERS."""
    from rasterio.warp import transform

    inside = [
        _most_even(terrain.heights, row % ROWS, col % COLS)
        for row in (_INSIDE_PX, -1 - _INSIDE_PX)
        for col in (_INSIDE_PX, -1 - _INSIDE_PX)
    ]
    east = [ORIGIN[0] + (col + 0.5) * PIXEL_M for _, col in inside]
    north = [ORIGIN[1] - (row + 0.5) * PIXEL_M for row, _ in inside]
    longitudes, latitudes = transform(CRS, "EPSG:4326", east, north)
    for name, (row, col), longitude, latitude in zip(CORNERS, inside, longitudes, latitudes, strict=True):
        colour = tuple(int(value) for value in terrain.albedo[row, col])
        yield Place(f"the place in the {name}", longitude, latitude, float(terrain.heights[row, col]), colour)


def _most_even(heights: NDArray[np.float32], row: int, col: int) -> tuple[int, int]:
    """The pixel near another one, around which the heights differ least."""
    around = np.ones((_EVEN_PX, _EVEN_PX), np.uint8)
    differences = cv2.dilate(heights, around) - cv2.erode(heights, around)
    top, left = max(0, row - _SEARCHED_PX), max(0, col - _SEARCHED_PX)
    near = differences[top : row + _SEARCHED_PX + 1, left : col + _SEARCHED_PX + 1]
    down, right = np.unravel_index(int(near.argmin()), near.shape)
    return top + int(down), left + int(right)
