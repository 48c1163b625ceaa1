"""What the libraries of Python, assimp, f3d, GDAL and the Khronos validator find in the files of a land.

Each check returns one sentence about what it found; it raises Missing for a tool that is not there, and AssertionError
when a corner of the map is not where it should be.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scripts.tool_checks.corners import check_corners
from scripts.tool_checks.land import CRS, ORIGIN, PIXEL_M, TALL, Land
from scripts.tool_checks.missing import Missing, found_program
from scripts.tool_checks.qgis_reader import qgis_reads
from scripts.tool_checks.web_pages import cesium_reads, maplibre_reads
from terrainpaint.core.assets import asset_path


def corners_of_mesh(east: NDArray[np.float64], north: NDArray[np.float64], up: NDArray[np.float64]) -> list[float]:
    """The greatest height at each corner of the bounding box, in the order of CORNERS."""
    found = []
    for south, eastern in ((False, False), (False, True), (True, False), (True, True)):
        at = (east.max() if eastern else east.min()), (north.min() if south else north.max())
        near = np.hypot(east - at[0], north - at[1])
        found.append(float(up[near <= near.min() + 1e-3].max()))
    return found


def check_box(land: Land, east: NDArray[np.float64], north: NDArray[np.float64], millimetres: bool) -> None:
    """The sides of the bounding box, in metres or as a print of 200 mm."""
    width, length = np.ptp(east), np.ptp(north)
    expected = (200.0, 200.0 * land.length_m / land.width_m) if millimetres else (land.width_m, land.length_m)
    assert np.allclose((width, length), expected, rtol=0.01), f"it is {width:.1f} x {length:.1f} and not {expected}"


def trimesh_reads(land: Land) -> str:
    """OBJ, GLB, PLY and STL."""
    import trimesh

    said = ""
    for end, north, up in ((".obj", "-z", "y"), (".glb", "-z", "y"), (".ply", "y", "z"), (".stl", "y", "z")):
        is_print = end == ".stl"  # whose triangles share no vertices until they are merged
        mesh: Any = trimesh.load(land.file(end), force="mesh", process=is_print)
        axes = {name: mesh.vertices[:, index] for index, name in enumerate("xyz")}
        axes["-z"] = -axes["z"]
        check_box(land, axes["x"], axes[north], is_print)
        found = corners_of_mesh(axes["x"], axes[north], axes[up])
        if is_print:
            lowest = min(land.heights_m)
            scale = land.width_m / 200
            found = [height - min(found) for height in found]
            said = check_corners(land, found, scale, lowest)
            assert mesh.is_watertight
        else:
            said = check_corners(land, found)
            normals = mesh.face_normals[:, "xyz".index(up)]
            assert (normals > 0).all(), "some faces look down"
    return f"OBJ, GLB, PLY, STL: {said}; faces look up; STL is watertight"


def lib3mf_reads(land: Land) -> str:
    """3MF."""
    try:
        import lib3mf
    except ImportError:
        raise Missing("pip install lib3mf") from None
    model = lib3mf.get_wrapper().CreateModel()
    model.QueryReader("3mf").ReadFromFile(str(land.file(".3mf")))
    meshes = model.GetMeshObjects()
    meshes.MoveNext()
    mesh = meshes.GetCurrentMeshObject()
    points = np.array([list(vertex.Coordinates) for vertex in mesh.GetVertices()], np.float64)
    check_box(land, points[:, 0], points[:, 1], True)
    found = corners_of_mesh(points[:, 0], points[:, 1], points[:, 2])
    lowest = min(land.heights_m)
    said = check_corners(land, [height - min(found) for height in found], land.width_m / 200, lowest)
    assert mesh.IsManifoldAndOriented()
    return f"3MF: {said}; manifold and oriented"


def rasterio_reads(land: Land) -> str:
    """GeoTIFF by coordinates, TIFF and PNG by pixels."""
    import rasterio

    warnings.filterwarnings("ignore", category=rasterio.errors.NotGeoreferencedWarning)  # TIFF and PNG have no place
    with rasterio.open(land.file("_geo.tif")) as raster:
        assert raster.crs.to_string() == CRS
        east, south = (side * PIXEL_M for side in (raster.width - 1, raster.height - 1))
        half = PIXEL_M / 2
        west, north = ORIGIN[0] + half, ORIGIN[1] - half
        places = [(west, north), (west + east, north), (west, north - south), (west + east, north - south)]
        said = check_corners(land, [float(value[0]) for value in raster.sample(places)])
    with rasterio.open(land.file("_height.tif")) as raster:
        check_corners(land, corners_of_picture(raster.read(1)))
    with rasterio.open(land.file("_height16.png")) as raster:
        facts = json.loads(land.file("_height16.json").read_text())
        low, high = facts["height_min_m"], facts["height_max_m"]
        check_corners(land, corners_of_picture(raster.read(1)), (high - low) / 65535, low)
    return f"GeoTIFF at coordinates of {CRS}, TIFF, PNG: {said}"


def openexr_reads(land: Land) -> str:
    """Both kinds of EXR."""
    import OpenEXR

    said = ""
    for end, names in (("_height.exr", {"RGB"}), ("_height_half.exr", {"R"})):
        with OpenEXR.File(str(land.file(end))) as file:
            assert set(file.channels()) == names, sorted(file.channels())
            pixels = next(iter(file.channels().values())).pixels
            said = check_corners(land, corners_of_picture(pixels[..., 0] if pixels.ndim == 3 else pixels))
    return f"EXR in RGB and one channel: {said}"


def corners_of_picture(pixels: NDArray[np.generic]) -> list[float]:
    """The four corners, row 0 in the north."""
    return [float(pixels[row, col]) for row in (0, -1) for col in (0, -1)]


def assimp_reads(land: Land) -> str:
    """OBJ and GLB, written again as binary STL, which keeps positions only."""
    import trimesh

    program = found_program("assimp", "apt install assimp-utils")
    said = ""
    for end in (".obj", ".glb", ".ply"):
        copy = land.folder / f"assimp{end}.stl"
        _run([program, "export", str(land.file(end)), str(copy), "-fstlb"])
        copied: Any = trimesh.load(copy, process=False)
        vertices = copied.vertices
        east, north, up = vertices[:, 0], -vertices[:, 2], vertices[:, 1]
        if end == ".ply":
            north, up = vertices[:, 1], vertices[:, 2]
        check_box(land, east, north, False)
        said = check_corners(land, corners_of_mesh(east, north, up))
    return f"OBJ, GLB, PLY: {said}"


def validator_reads(land: Land, tools: Path) -> str:
    """GLB with the validator of Khronos, from npm."""
    node = found_program("node", "apt install nodejs npm")
    if not (tools / "node_modules" / "gltf-validator").is_dir():
        npm = found_program("npm", "apt install nodejs npm")
        command = [npm, "install", "--silent", "--prefix", str(tools), "gltf-validator"]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            raise Missing(f"npm install --prefix {tools} gltf-validator")
    script = (
        "const v = require('gltf-validator'), f = require('fs');"
        "v.validateBytes(new Uint8Array(f.readFileSync(process.argv[1]))).then(r => console.log(JSON.stringify(r)));"
    )
    done = subprocess.run(
        [node, "-e", script, str(land.file(".glb").resolve())], capture_output=True, text=True, check=True, cwd=tools
    )
    report = json.loads(done.stdout)
    issues, info = report["issues"], report["info"]
    assert issues["numErrors"] == 0 and issues["numWarnings"] == 0, issues["messages"]
    assert info["hasTextures"] and info["materialCount"] == 1
    version = report["validatorVersion"]
    return f"{version}: GLB has 0 errors and 0 warnings, {info['totalTriangleCount']:,} triangles, texture inside"


def f3d_renders(land: Land) -> str:
    """GLB and OBJ from above: the corners of the picture have the colours of the corners of the map."""
    program = found_program("f3d", "apt install f3d xvfb")
    command = [] if shutil.which("xvfb-run") is None else ["xvfb-run", "-a", "-s", "-screen 0 1280x1024x24"]
    high = 12 * land.width_m
    top = ["--camera-position", f"0,{high},0", "--camera-focal-point", "0,0,0", "--camera-view-up", "0,0,-1"]
    far = ["--camera-view-angle", f"{2 * np.degrees(np.arctan(0.55 * land.length_m / high)):.4f}"]
    for end in (".glb", ".obj"):
        picture = land.folder / f"f3d{end}.png"
        view = ["--resolution", "800,600", "--bg-color", "1,0,1", *top, *far]
        _run([*command, program, str(land.file(end)), "--output", str(picture), "--quiet", *view])
        _check_seen(land, _colours(picture))
    side = ["--camera-position", f"0,{0.6 * land.width_m},{0.9 * land.width_m}", "--camera-view-up", "0,1,0"]
    shown = [f"--camera-focal-point=0,0,{0.06 * land.width_m}", "--resolution=900,520", "--bg-color=0.6,0.68,0.76"]
    tall, picture = land.folder / f"{TALL}.glb", land.folder / "f3d.png"
    _run([*command, program, str(tall), "--output", str(picture), "--quiet", *side, *shown])
    return "GLB and OBJ from above: each corner has the colours of its corner of the map"


def _check_seen(land: Land, picture: NDArray[np.uint8]) -> None:
    """The map from above is most like the map itself among the eight ways to turn and mirror it."""
    inside = (np.abs(picture.astype(int) - (255, 0, 255)).sum(axis=2) > 60).nonzero()
    seen = picture[inside[0].min() : inside[0].max() + 1, inside[1].min() : inside[1].max() + 1]
    albedo = _colours(land.file("_albedo.png"))
    shape = seen.shape[1], seen.shape[0]
    scores = {}
    for mirrored in (False, True):
        for turns in range(4):
            other = np.rot90(albedo[:, ::-1] if mirrored else albedo, turns)
            resized = cv2.resize(np.ascontiguousarray(other), shape, interpolation=cv2.INTER_AREA)
            scores[mirrored, turns] = float(np.corrcoef(resized.ravel(), seen.ravel())[0, 1])
    best = max(scores, key=lambda key: scores[key])
    assert best == (False, 0) and scores[best] > 0.8, f"the picture is turned or mirrored: {scores}"
    assert abs(seen.shape[1] / seen.shape[0] - land.width_m / land.length_m) < 0.03


def godot_script_parses() -> str:
    """The import script of Godot with the parser of gdtoolkit: Godot 4 itself is in no registry of packages."""
    try:
        from gdtoolkit.parser import parser
    except ImportError:
        raise Missing("pip install gdtoolkit") from None
    text = asset_path("extras/terrainpaint_godot.gd").read_text("utf-8")
    functions = sum(1 for _ in parser.parse(text).find_data("func_def"))
    assert functions > 5
    return f"the import script parses as GDScript of Godot 4, {functions} functions"


def gdal_reads(land: Land) -> str:
    """GeoTIFF with the programs of GDAL, which QGIS reads with too."""
    program = found_program("gdalinfo", "apt install gdal-bin")
    facts = json.loads(_run([program, "-json", str(land.file("_geo.tif"))]))
    west, north = facts["cornerCoordinates"]["upperLeft"]
    assert (west, north) == ORIGIN and 'ID["EPSG",32632]' in facts["coordinateSystem"]["wkt"]
    location = found_program("gdallocationinfo", "apt install gdal-bin")
    rows, cols = facts["size"][1] - 1, facts["size"][0] - 1
    places = [(0, 0), (cols, 0), (0, rows), (cols, rows)]
    found = [float(_run([location, "-valonly", str(land.file("_geo.tif")), str(col), str(row)])) for col, row in places]
    return f"GeoTIFF: {check_corners(land, found)}, {CRS} at {west:.0f}, {north:.0f}"


def _colours(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}: {done.stderr or done.stdout}"
    return done.stdout


CHECKS: Mapping[str, Callable[[Land, Path], str]] = {
    "trimesh": lambda land, tools: trimesh_reads(land),
    "lib3mf": lambda land, tools: lib3mf_reads(land),
    "rasterio": lambda land, tools: rasterio_reads(land),
    "OpenEXR": lambda land, tools: openexr_reads(land),
    "assimp": lambda land, tools: assimp_reads(land),
    "glTF validator": validator_reads,
    "f3d": lambda land, tools: f3d_renders(land),
    "gdtoolkit": lambda land, tools: godot_script_parses(),
    "GDAL": lambda land, tools: gdal_reads(land),
    "QGIS": lambda land, tools: qgis_reads(land),
    "MapLibre": maplibre_reads,
    "CesiumJS": cesium_reads,
}
"""Name of a tool → its check, with the folder of the tools that are installed for this."""
