"""Exports of drawn lines, read with rasterio and Pillow."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from rasterio.features import rasterize

from terrainpaint.core.guide_lines import GuideLine, GuideLines, LineKind, guide_raster
from terrainpaint.core.rects import Rect
from terrainpaint.export import ExportOptions, ExportSource, export
from tests.export.terrains import of_height

SHAPE = (60, 90)
LINES = GuideLines(
    (
        GuideLine(LineKind.RIDGE, ((10.5, 5.5), (30.5, 80.5))),
        GuideLine(LineKind.VALLEY, ((50.5, 5.5), (45.5, 60.5))),
        GuideLine(LineKind.RIVER, ((5.5, 20.5), (55.5, 20.5)), 2),
    )
)
SVG = "{http://www.w3.org/2000/svg}polyline"


def written(folder: Path, name: str, lines: GuideLines = LINES, **options: Any) -> Path:
    terrain = of_height(np.zeros(SHAPE, np.float32), 100.0)
    source = ExportSource(terrain, lambda: terrain.albedo, np.ones(SHAPE, np.uint8), lines=lines)
    (path,) = export(source, folder, "map", [name], ExportOptions(**options))
    return path


def test_the_polylines_of_the_svg_are_the_lines(tmp_path: Path) -> None:
    root = ElementTree.parse(written(tmp_path, "lines")).getroot()
    assert root.get("viewBox") == "0 0 90 60"
    for element, line in zip(root.findall(SVG), LINES.lines, strict=True):
        assert element.get("class") == line.kind.word and element.get("stroke-width") == str(line.width_px)
        points = [tuple(map(float, pair.split(","))) for pair in (element.get("points") or "").split()]
        assert points == [(col, row) for row, col in line.points]
        if line.kind != LineKind.RIVER:
            drawn = rasterize([{"type": "LineString", "coordinates": points}], out_shape=SHAPE, all_touched=True) == 1
            raster = guide_raster([line], Rect.of_shape(SHAPE))
            assert raster is not None and drawn[raster > 0].mean() > 0.97


@pytest.mark.parametrize(("options", "shape"), [({}, SHAPE), ({"picture_shape": (120, 180)}, (120, 180)),
                                                ({"crop": (10, 0, 50, 40)}, (40, 50))])  # fmt: skip
def test_the_picture_has_them_where_they_are(tmp_path: Path, options: dict[str, Any], shape: tuple[int, int]) -> None:
    picture = np.asarray(Image.open(written(tmp_path, "lines-png", **options)))
    assert picture.shape == (*shape, 4)
    at = {"picture_shape": (2, 0), "crop": (1, 10)}.get(next(iter(options), ""), (1, 0))
    row, col = at[0] * 20, at[0] * 43 - at[1]  # on the ridge
    assert (picture[row : row + at[0], col : col + 3 * at[0], :3] == 255).all(axis=-1).any()
    river = picture[at[0] * 30, at[0] * 20 - at[1]]
    assert river[3] == 255 and river[2] == 255 and river[0] < 100
    assert (picture[..., 3] > 0).mean() < 0.1


def test_without_lines_the_files_are_empty(tmp_path: Path) -> None:
    assert not ElementTree.parse(written(tmp_path, "lines", GuideLines())).getroot().findall(SVG)
    assert not np.asarray(Image.open(written(tmp_path, "lines-png", GuideLines()))).any()
