import subprocess
import sys
from pathlib import Path

import pytest

from terrainpaint.core.classes import CLASS_NAMES
from terrainpaint.errors import Cancelled, OptionError, OutputError
from terrainpaint.export import FORMATS, GROUPS, ExportOptions, export, export_file, export_paths
from tests.export.terrains import lopsided, source

EVERYTHING = [
    *("map.obj", "map.mtl", "map.png", "map.glb", "map.ply", "map.stl", "map.3mf"),
    *("map_height16.png", "map_height16.json"),
    *("map_height.r16", "map_height.r16.json", "map_height.r32", "map_height.r32.json"),
    *("map_height.tif", "map_height.tif.json"),
    *("map_height.exr", "map_height.exr.json", "map_height_half.exr", "map_height_half.exr.json"),
    *("map_albedo.png", "map_terrain.png", "map_normal.png", "map_normal_dx.png", "map_ao.png"),
    *("map_slope.png", "map_slope.png.json", "map_hillshade.png"),
    *("map_flow.png", "map_flow.png.json", "map_contours.svg"),
    *(f"map_weight_{name}.png" for name in CLASS_NAMES),
    *("map_splat0.png", "map_splat1.png", "map_classes.png"),
    *("map_water.png", "map_water.png.json", "map_control.exr"),
    *("map_geo.tif", "map_geo.tif.json", "map_cog.tif", "map_cog.tif.json"),
    *("map_albedo_geo.tif", "map_albedo_cog.tif", "map_terrain_geo.tif", "map_classes_geo.tif"),
    *("map_contours.geojson", "map_rivers.geojson", "map_lakes.geojson", "map_lines.svg", "map_lines.png"),
    *("map_height.pmtiles", "map_albedo.pmtiles", "map_hillshade.pmtiles"),
    "map_quantized_mesh.zip",
]


def test_every_format_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    fractions: list[float] = []
    written = export(source(lopsided()), folder, "map", list(FORMATS), ExportOptions(), fractions.append)
    assert [path.name for path in written] == EVERYTHING
    assert sorted(written) == sorted(folder.iterdir())
    assert written == export_paths(folder, "map", list(FORMATS))
    assert (folder / "map.png").read_bytes() == (folder / "map_albedo.png").read_bytes()
    assert fractions == sorted(fractions) and fractions[0] > 0 and fractions[-1] == 1


def test_names_and_suffixes_of_the_table_are_unique() -> None:
    assert [form.name for form in FORMATS.values()] == list(FORMATS)
    assert len({form.suffix for form in FORMATS.values()}) == len(FORMATS)
    assert {form.group for form in FORMATS.values()} <= set(GROUPS)
    files = [path for form in FORMATS.values() for path in form.paths(Path("map" + form.suffix))]
    assert len(set(files)) == len(files)


def test_a_format_chosen_twice_is_written_once(tmp_path: Path) -> None:
    written = export(source(lopsided()), tmp_path, "map", ["albedo", "albedo"], ExportOptions())
    assert written == [tmp_path / "map_albedo.png"]


@pytest.mark.parametrize("formats", [["obj", "fbx"], []])
def test_an_unknown_format_is_told_where_the_known_ones_are(tmp_path: Path, formats: list[str]) -> None:
    with pytest.raises(OptionError, match="'terrainpaint formats' lists"):
        export(source(lopsided()), tmp_path, "map", formats, ExportOptions())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/abs"])
def test_an_illegal_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(OptionError, match="name of a file"):
        export(source(lopsided()), tmp_path, name, ["albedo"], ExportOptions())


@pytest.mark.parametrize("after", [0, 1, 2, 5, 9])
def test_cancelling_leaves_nothing(tmp_path: Path, after: int) -> None:
    (tmp_path / "map.obj").write_text("old")
    calls: list[bool] = []

    def cancel() -> bool:
        calls.append(True)
        return len(calls) > after

    options = ExportOptions(mesh_size=256)
    with pytest.raises(Cancelled):
        export(source(lopsided()), tmp_path, "map", list(FORMATS), options, cancel=cancel)
    assert [path.name for path in tmp_path.iterdir()] == ["map.obj"]
    assert (tmp_path / "map.obj").read_text() == "old"


def test_a_folder_with_the_name_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "map.mtl").mkdir()
    with pytest.raises(OutputError, match=r"map\.mtl.*folder"):
        export_file(source(lopsided()), tmp_path / "map.obj", "obj", ExportOptions())
    assert [path.name for path in tmp_path.iterdir()] == ["map.mtl"]


FULL_DISK = """
import resource, sys
from pathlib import Path
from terrainpaint.errors import OutputError
from terrainpaint.export import ExportOptions, export
from tests.export.terrains import lopsided, source

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    export(source(lopsided(300, 400)), Path(sys.argv[1]), "map", sys.argv[2].split(","), ExportOptions())
except OutputError as error:
    print(error)
    sys.exit(1)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot limit the size of files")
@pytest.mark.parametrize(
    ("formats", "limit", "at_fault"),
    [
        ("height16,obj", 500_000, "map.obj"),
        ("albedo", 2_000, "map_albedo.png"),
        ("height16", 2_000, "map_height16.png"),
        *(
            ("glb", 50_000, "map.glb"),
            ("ply", 50_000, "map.ply"),
            ("stl", 50_000, "map.stl"),
            ("3mf", 9_000, "map.3mf"),
            ("r16", 2_000, "map_height.r16"),
        ),
        *(
            ("weights", 60, "map_weight_tundra.png"),
            ("splat", 60, "map_splat1.png"),
            ("classes", 80, "map_classes.png"),
        ),
        *(
            ("tiff", 479_000, "map_height.tif"),
            ("geotiff", 39_000, "map_geo.tif"),
            ("cog", 39_000, "map_cog.tif"),
            ("exr", 2_000, "map_height.exr"),
        ),
    ],
)
def test_a_full_disk(tmp_path: Path, formats: str, limit: int, at_fault: str) -> None:
    (tmp_path / at_fault).write_text("old")
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path), formats, str(limit)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert run.returncode == 1, run.stderr
    assert run.stdout.startswith(f"{tmp_path / at_fault} could not be written: ") and run.stdout.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == [at_fault]
    assert (tmp_path / at_fault).read_text() == "old"
