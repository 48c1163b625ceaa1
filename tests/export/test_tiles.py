"""Export in tiles: read back with numpy, OpenCV, rasterio and trimesh."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio
import trimesh

from terrainpaint.core.terrain import Terrain
from terrainpaint.errors import Cancelled, OptionError
from terrainpaint.export import FORMATS, ExportOptions, TileOptions, export, export_file, export_paths
from terrainpaint.export.formats import estimated_bytes
from terrainpaint.export.presets import find_preset
from terrainpaint.export.tile_options import Tiling
from tests.export.terrains import ids_of, lopsided, source

SHAPE = (129, 193)
"""Two rows and three columns of tiles of 65 pixels, without resampling."""


def land() -> Terrain:
    return lopsided(*SHAPE)


def written(folder: Path, formats: list[str], tiles: TileOptions, **options: object) -> list[Path]:
    return export(source(land()), folder, "map", formats, ExportOptions(tiles=tiles, **options))


def mesh_of(path: Path) -> trimesh.Trimesh:
    scene = trimesh.load(path, process=False)
    (mesh,) = scene.geometry.values() if isinstance(scene, trimesh.Scene) else (scene,)
    return mesh


@pytest.mark.parametrize(
    ("shape", "options", "columns", "rows", "side"),
    [
        ((1024, 1024), TileOptions(count=(4, 4)), 4, 4, (257, 257)),
        ((1024, 2048), TileOptions(count=(4, 2)), 4, 2, (513, 513)),
        ((1000, 1000), TileOptions(side_px=513), 2, 2, (513, 513)),
        ((4096, 8192), TileOptions(count=(4, 2), sides=(505, 1009, 2017, 4033)), 4, 2, (2017, 2017)),
        ((700, 1000), TileOptions(count=(2, 2), sides=(257, 513), is_square=True), 2, 2, (513, 513)),
        ((1024, 1024), TileOptions(count=(3, 3), lods=4), 3, 3, (345, 345)),
        ((50, 50), TileOptions(side_px=1025), 1, 1, (1025, 1025)),
    ],
)
def test_number_and_size(
    shape: tuple[int, int], options: TileOptions, columns: int, rows: int, side: tuple[int, int]
) -> None:
    tiling = Tiling.of(shape, options)
    assert (tiling.columns, tiling.rows, tiling.side) == (columns, rows, side)
    assert tiling.shape == (rows * (side[0] - 1) + 1, columns * (side[1] - 1) + 1)


@pytest.mark.parametrize("name", ["r16", "height16", "geotiff", "exr", "classes"])
def test_tiles_are_the_map_with_shared_borders(tmp_path: Path, name: str) -> None:
    written(tmp_path, [name], TileOptions(count=(3, 2)))
    whole, options = tmp_path / "whole", ExportOptions()
    main = export(source(land()), whole, "map", [name], options)[0]

    def pixels(path: Path, side: tuple[int, int]) -> np.ndarray:
        if name == "r16":
            return np.fromfile(path, "<u2").reshape(side)
        if name == "geotiff":
            with rasterio.open(path) as file:
                return file.read(1)
        if name == "exr":
            import OpenEXR

            return OpenEXR.File(str(path), separate_channels=True).channels()["R"].pixels
        return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)

    expected = pixels(main, SHAPE)
    for col in range(3):
        for row in range(2):
            tile = pixels(tmp_path / f"map_x{col}_y{row}{FORMATS[name].suffix}", (65, 65))
            np.testing.assert_array_equal(tile, expected[row * 64 : row * 64 + 65, col * 64 : col * 64 + 65])


def test_facts_of_tiles(tmp_path: Path) -> None:
    paths = written(tmp_path, ["r16"], TileOptions(count=(3, 2)))
    height = land().height
    facts = json.loads((tmp_path / "map_x2_y1_height.r16.json").read_text())
    assert (facts["height_min_m"], facts["height_max_m"]) == (float(height.min()), float(height.max()))
    assert (facts["width_px"], facts["height_px"], facts["pixel_size_m"]) == (65, 65, 30)
    assert (facts["tile_column"], facts["tile_row"], facts["tile_columns"], facts["tile_rows"]) == (2, 1, 3, 2)
    assert (facts["corner_east_m"], facts["corner_south_m"]) == (2 * 64 * 30, 64 * 30)
    index = json.loads((tmp_path / "map_tiles.json").read_text())
    assert (index["columns"], index["rows"], index["tile_width_px"]) == (3, 2, 65)
    assert [tile["name"] for tile in index["tiles"]][:4] == ["map_x0_y0", "map_x1_y0", "map_x2_y0", "map_x0_y1"]
    assert index["tiles"][5]["files"] == {"r16": ["map_x2_y1_height.r16", "map_x2_y1_height.r16.json"]}
    assert sorted(paths) == sorted(tmp_path.iterdir())
    assert paths == export_paths(tmp_path, "map", ["r16"], ExportOptions(tiles=TileOptions(count=(3, 2))), SHAPE)


def test_a_georeferenced_tile_lies_in_its_map(tmp_path: Path) -> None:
    written(tmp_path, ["geotiff", "albedo-geotiff"], TileOptions(count=(3, 2), lods=2))
    with rasterio.open(tmp_path / "map_x1_y1_lod0_geo.tif") as file:
        # The centres of shared pixels are in both tiles.
        assert file.xy(0, 0) == pytest.approx(((64 + 0.5) * 30 - 193 * 15, 129 * 15 - (64 + 0.5) * 30))
    with rasterio.open(tmp_path / "map_x1_y1_lod1_geo.tif") as file:
        assert file.shape == (33, 33) and file.res == (60, 60)
        assert file.xy(0, 0) == pytest.approx(((64 + 0.5) * 30 - 193 * 15, 129 * 15 - (64 + 0.5) * 30))
        np.testing.assert_array_equal(file.read(1), land().height[64::2, 64:129:2])


@pytest.mark.parametrize("form", ["glb", "obj", "ply"])
def test_meshes_meet(tmp_path: Path, form: str) -> None:
    written(tmp_path, [form], TileOptions(count=(3, 2), lods=2), exaggeration=2)
    tiles = {
        (col, row, lod): mesh_of(tmp_path / f"map_x{col}_y{row}_lod{lod}.{form}")
        for col in range(3) for row in range(2) for lod in range(2)
    }  # fmt: skip

    def grid(col: int, row: int, lod: int) -> tuple[np.ndarray, np.ndarray]:
        mesh, side = tiles[col, row, lod], 65 if lod == 0 else 33
        return mesh.vertices.reshape(side, side, 3), mesh.vertex_normals.reshape(side, side, 3)

    for lod in range(2):
        for one, other, axis in (((0, 0), (1, 0), 1), ((1, 1), (2, 1), 1), ((2, 0), (2, 1), 0)):
            for a, b in zip(grid(*one, lod), grid(*other, lod), strict=True):
                shared = np.take(a, -1, axis), np.take(b, 0, axis)
                np.testing.assert_allclose(*shared, atol=2e-3)
    np.testing.assert_allclose(grid(1, 1, 1)[0], grid(1, 1, 0)[0][::2, ::2], atol=2e-3)
    bounds = np.array([mesh.bounds for (_, _, lod), mesh in tiles.items() if lod == 0])
    axes = (0, 1) if form == "ply" else (0, 2)
    np.testing.assert_allclose(bounds[:, 0].min(axis=0)[list(axes)], (-96 * 30, -64 * 30), atol=1e-3)
    np.testing.assert_allclose(bounds[:, 1].max(axis=0)[list(axes)], (96 * 30, 64 * 30), atol=1e-3)
    up = 2 if form == "ply" else 1
    assert bounds[:, 1, up].max() == pytest.approx(2 * land().height.max(), rel=1e-5)


def test_the_texture_of_a_tile_lies_on_its_mesh(tmp_path: Path) -> None:
    written(tmp_path, ["obj"], TileOptions(count=(3, 2), lods=2))
    for lod, side in ((0, 65), (1, 33)):
        mesh = mesh_of(tmp_path / f"map_x2_y1_lod{lod}.obj")
        picture = cv2.imread(str(tmp_path / f"map_x2_y1_lod{lod}.png"))
        assert picture.shape == (side, side, 3)
        u, v = mesh.visual.uv.reshape(side, side, 2)[[0, -1], [0, -1]].T
        np.testing.assert_allclose(u * side, (0.5, side - 0.5), atol=1e-4)
        np.testing.assert_allclose((1 - v) * side, (0.5, side - 0.5), atol=1e-4)


@pytest.mark.parametrize("form", ["glb", "obj", "ply"])
@pytest.mark.parametrize("max_error_m", [None, 20.0])
def test_skirts(tmp_path: Path, form: str, max_error_m: float | None) -> None:
    if max_error_m is not None:
        pytest.importorskip("pydelatin")
    tiles = TileOptions(count=(3, 2), skirt_m=100)
    written(tmp_path, [form], tiles, exaggeration=2, max_error_m=max_error_m)
    mesh = mesh_of(tmp_path / f"map_x1_y0.{form}")
    up, right = (2, 0) if form == "ply" else (1, 0)
    places = mesh.vertices
    west = places[np.isclose(places[:, right], places[:, right].min())]
    heights = np.sort(west[:, up])
    half = len(heights) // 2
    assert len(heights) % 2 == 0
    # Each vertex of the edge has one 100 m, times two, below it.
    np.testing.assert_allclose(heights[:half] + 200, heights[half:], atol=0.01)
    normals, centres = mesh.face_normals, mesh.triangles_center
    walls = np.abs(normals[:, up]) < 1e-3
    assert walls.sum() >= 2 * 4 * (2 if max_error_m else 64)
    middle = (mesh.bounds[0] + mesh.bounds[1]) / 2
    outwards = ((centres - middle) * normals)[walls]
    outwards[:, up] = 0
    assert (outwards.sum(axis=1) > 0).all()
    assert (normals[~walls][:, up] > 0).all()


def test_a_mesh_can_be_coarser_than_the_pixels(tmp_path: Path) -> None:
    written(tmp_path, ["glb"], TileOptions(count=(3, 2)), mesh_size=17)
    one, other = (mesh_of(tmp_path / f"map_x{col}_y0.glb").vertices.reshape(17, 17, 3) for col in range(2))
    np.testing.assert_array_equal(one[:, -1], other[:, 0])
    assert one[0, 0, 0] == pytest.approx(-96 * 30) and one[0, 1, 0] - one[0, 0, 0] == pytest.approx(4 * 30)


def test_names(tmp_path: Path) -> None:
    pattern = "{name}-{col:02d}-{row}-{x}-{y}"
    written(tmp_path, ["classes"], TileOptions(count=(3, 2), names=pattern, flip_y=True))
    names = {path.name for path in tmp_path.glob("*.png")}
    assert "map-02-0-2-1_classes.png" in names and "map-00-1-0-0_classes.png" in names and len(names) == 6


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"names": "{name}_{z}"}, "unknown token"),
        ({"names": "{name}_{x}"}, "replace each other"),
        ({"names": "{name}_{x}_{y}", "lods": 2}, "replace each other"),
        ({"names": "{name"}, "no pattern"),
        ({"lods": 9}, "levels of detail"),
        ({"skirt_m": -1.0}, "skirt"),
        ({"count": None}, "number or their size"),
        ({"count": (100, 100)}, "100 x 100"),
        ({"count": None, "side_px": 2}, "2 pixels"),
    ],
)
def test_impossible_options(options: dict[str, object], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        TileOptions(**{"count": (2, 2), **options})


def test_sizes_that_cannot_be_halved() -> None:
    with pytest.raises(OptionError, match="497 pixels"):
        Tiling.of((1000, 1000), TileOptions(side_px=500, lods=5))
    with pytest.raises(OptionError, match="halved"):
        Tiling.of((1000, 1000), TileOptions(count=(2, 2), lods=6, sides=(127, 253)))
    with pytest.raises(OptionError, match="larger"):
        Tiling.of((4096, 4096), TileOptions(side_px=33))


def test_impossible_combinations(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="skirt"):
        ExportOptions(max_error_m=5, tiles=TileOptions(count=(2, 2)))
    with pytest.raises(OptionError, match="folder"):
        export_file(
            source(land()), tmp_path / "a.obj", "obj", ExportOptions(tiles=TileOptions(count=(2, 2)))
        )  # fmt: skip
    with pytest.raises(OptionError, match="name of a file"):
        written(tmp_path, ["classes"], TileOptions(count=(2, 2), names="{x}/{y}"))


def test_formats_that_are_tiles_already_are_written_once(tmp_path: Path) -> None:
    paths = written(tmp_path, ["pmtiles", "classes"], TileOptions(count=(2, 1)))
    assert [path.name for path in paths] == [
        "map_height.pmtiles", "map_x0_y0_classes.png", "map_x1_y0_classes.png", "map_tiles.json"
    ]  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_in_tiles(tmp_path: Path, name: str) -> None:
    tiles = TileOptions(count=(2, 1), lods=2)
    fractions: list[float] = []
    options = ExportOptions(tiles=tiles)
    small = lopsided(40, 80)
    paths = export(source(small), tmp_path, "map", [name], options, fractions.append)
    assert sorted(paths) == sorted(tmp_path.iterdir()) and fractions == sorted(fractions)
    assert estimated_bytes(FORMATS[name], small.shape, options) > 0


def test_resampled_tiles_have_no_seams(tmp_path: Path) -> None:
    land = lopsided(100, 150)
    export(source(land), tmp_path, "map", ["height16", "weights", "albedo"], ExportOptions(tiles=TileOptions((2, 2))))
    for suffix in ("height16", "albedo", "weight_water", "weight_forest"):
        rows = []
        for row in range(2):
            one, other = (
                cv2.imread(str(tmp_path / f"map_x{col}_y{row}_{suffix}.png"), cv2.IMREAD_UNCHANGED) for col in range(2)
            )
            np.testing.assert_array_equal(one[:, -1], other[:, 0])
            rows.append(one)
        np.testing.assert_array_equal(rows[0][-1], rows[1][0])


def test_cancelling_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        export(
            source(land()), tmp_path, "map", ["r16"], ExportOptions(tiles=TileOptions((2, 2))), cancel=lambda: True
        )  # fmt: skip
    assert not list(tmp_path.iterdir())


def test_a_preset_gives_the_sizes_of_tiles(tmp_path: Path) -> None:
    preset = find_preset("unreal")
    options = ExportOptions(tiles=preset.tile_options(TileOptions(count=(2, 1))))
    land = lopsided(120, 240)
    paths = export(source(land), tmp_path, "map", preset.formats, options, readme=preset.readme_text)
    assert cv2.imread(str(tmp_path / "map_x1_y0_height16.png"), cv2.IMREAD_UNCHANGED).shape == (127, 127)
    text = (tmp_path / "map_README.txt").read_text()
    assert "divided into 2 x 1 tiles" in text and "are 3585.7708 m apart" in text
    assert "map_x0_y0_height16.png (127 x 127" in text and paths[-1].name == "map_README.txt"


# A part of the map


def test_a_rectangle_stays_where_it_lies(tmp_path: Path) -> None:
    x, y, width, height = crop = (100, 20, 60, 48)
    options = ExportOptions(mesh_size=60, crop=crop)
    export(source(land()), tmp_path, "map", ["geotiff", "glb", "classes", "terrain", "r16"], options)
    part = slice(y, y + height), slice(x, x + width)
    with rasterio.open(tmp_path / "map_geo.tif") as file:
        np.testing.assert_array_equal(file.read(1), land().height[part])
        assert (file.bounds.left, file.bounds.top) == (x * 30 - 193 * 15, 129 * 15 - y * 30)
    vertices = mesh_of(tmp_path / "map.glb").vertices.reshape(height, width, 3)
    whole = export(source(land()), tmp_path / "whole", "map", ["glb"], ExportOptions(mesh_size=193))
    np.testing.assert_allclose(vertices, mesh_of(whole[0]).vertices.reshape(*SHAPE, 3)[part], atol=1e-3)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "map_terrain.png"))[..., ::-1], 255 - land().albedo[part])
    from PIL import Image

    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "map_classes.png")), ids_of(land())[part])
    facts = json.loads((tmp_path / "map_height.r16.json").read_text())
    assert (facts["height_min_m"], facts["height_max_m"]) == tuple(
        float(extreme) for extreme in (land().height[part].min(), land().height[part].max())
    )
    assert (facts["corner_east_m"], facts["corner_south_m"]) == (3000, 600)


def test_a_rectangle_in_tiles(tmp_path: Path) -> None:
    options = ExportOptions(crop=(64, 0, 129, 65), tiles=TileOptions(count=(2, 1)))
    export(source(land()), tmp_path, "map", ["geotiff"], options)
    with rasterio.open(tmp_path / "map_x1_y0_geo.tif") as file:
        np.testing.assert_array_equal(file.read(1), land().height[0:65, 128:193])
        assert (file.bounds.left, file.bounds.top) == (128 * 30 - 193 * 15, 129 * 15)


def test_a_rectangle_beyond_the_map(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="not within the map of 193 x 129"):
        export(source(land()), tmp_path, "map", ["classes"], ExportOptions(crop=(150, 0, 50, 50)))
    for crop in ((-1, 0, 50, 50), (0, 0, 1, 50)):
        with pytest.raises(OptionError, match="cannot be exported"):
            ExportOptions(crop=crop)
