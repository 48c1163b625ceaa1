"""The readers of the program: projects, maps, pictures, heights, weights, places, presets, recovery files."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.guide_lines import GuideLine, GuideLines, LineKind
from terrainpaint.core.line_files import lines_svg
from terrainpaint.core.parent_land import ParentFrame, ParentLand
from terrainpaint.core.project import Project, Settings
from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Recipe
from terrainpaint.core.zooming import zoomed
from terrainpaint.errors import OutputError
from tests.campaign.reader import Reader
from tests.core.projects import VIEW, full_project


def _ids(side: int = 48) -> NDArray[np.uint8]:
    return np.kron(np.random.default_rng(1).integers(0, 7, (side // 8, side // 8)), np.ones((8, 8), int)).astype(
        np.uint8
    )


def _heights(side: int = 48) -> NDArray[np.float32]:
    rows, cols = np.mgrid[:side, :side]
    return (500 + 300 * np.sin(rows / 7.0) * np.cos(cols / 9.0)).astype(np.float32)


def _read_project(path: Path) -> object:
    from terrainpaint.core.project_file import load_project

    return load_project(path)


def _read_openraster(path: Path) -> object:
    from terrainpaint.core.openraster import read_openraster

    return read_openraster(path, Settings(2000.0, "atlas"))


def project_files(folder: Path) -> list[Path]:
    from terrainpaint.core.project_file import save_project

    paths = [folder / "a.terrainpaint", folder / "zoomed.terrainpaint"]
    for path, project in zip(paths, (full_project(), _zoomed_project()), strict=True):
        save_project(path, project, VIEW, None)
    return paths


def _zoomed_project() -> Project:
    """A map that was zoomed out of another one, with the land that it had there."""
    shape, rect = (60, 80), Rect(10, 20, 12, 9)
    random = np.random.default_rng(6)
    recipe = Recipe(5)
    frame = ParentFrame(shape, Rect(0, 0, *shape), Rect(2, 8, 28, 25), 2000.0, recipe, "atlas", None, True)
    land = ParentLand(
        frame, random.integers(0, 7, shape, np.uint8), random.integers(0, 3, shape, np.uint8),
        random.normal(0, 900, (28, 25)).astype(np.float32), random.integers(0, 256, (28, 25, 3), np.uint8),
    )  # fmt: skip
    source = Project.painted(land.ids, Settings(2000.0, "atlas", recipe=recipe))
    return zoomed(source, np.zeros((48, 36), np.uint8), rect, 4, "coast", land)


def _read_map(path: Path) -> object:
    from terrainpaint.core.map_files import read_map_nearest

    return read_map_nearest(path)


def map_files(folder: Path) -> list[Path]:
    from terrainpaint.core.map_files import write_map
    from terrainpaint.core.segmentation import SegmentationMap

    folder.mkdir(exist_ok=True)
    write_map(folder / "palette.png", SegmentationMap(_ids()))
    Image.fromarray(PALETTE[_ids()]).save(folder / "rgb.png")
    return [folder / "palette.png", folder / "rgb.png"]


def _read_any(path: Path) -> object:
    """As `info` and the window do: first what it is, then its content."""
    from terrainpaint.core.importing import kind_of, read_height_map
    from terrainpaint.core.importing.kinds import Kind

    kind = kind_of(path)
    return read_height_map(path) if kind is Kind.HEIGHTS else kind


def _info(path: Path) -> object:
    from terrainpaint.cli.info import info_json

    return info_json(path)


def _read_picture(path: Path) -> object:
    from terrainpaint.core.decoding import read_picture

    return read_picture(path)


def _picture_files(folder: Path) -> list[Path]:
    rgb = Image.fromarray(np.random.default_rng(2).integers(0, 256, (40, 50, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    pictures: dict[str, tuple[Image.Image, dict[str, Any]]] = {
        "a.png": (rgb, {}), "b.jpg": (rgb, {"exif": exif.tobytes()}), "c.tif": (rgb, {"compression": "tiff_lzw"}),
        "d.webp": (rgb, {}), "e.bmp": (rgb, {}), "f.tga": (rgb, {}), "g.ppm": (rgb, {}), "h.pcx": (rgb, {}),
        "i.gif": (rgb, {"save_all": True, "append_images": [rgb.rotate(90)]}), "j.jp2": (rgb, {}),
        "k.png": (rgb.convert("RGBA"), {}), "l.tif": (rgb.convert("CMYK"), {}), "m.dds": (rgb, {}), "n.sgi": (rgb, {}),
        "o.ico": (rgb, {}), "p.im": (rgb, {}),
    }  # fmt: skip
    paths = []
    for name, (picture, options) in pictures.items():
        picture.save(folder / name, **options)
        paths.append(folder / name)
    Image.fromarray(_heights().astype(np.uint16)).save(folder / "q.png")
    return [*paths, folder / "q.png"]


def _height_files(folder: Path) -> list[Path]:
    import rasterio
    from rasterio.transform import from_origin

    height, paths = _heights(), []
    variants: tuple[tuple[str, dict[str, Any]], ...] = (
        ("a.tif", {}), ("b.tif", {"compress": "deflate", "predictor": 3}), ("c.tif", {"compress": "zstd"}),
        ("d.tif", {"compress": "lzw", "tiled": True, "blockxsize": 16, "blockysize": 16}), ("e.tif", {"nodata": -9999}),
        ("f.asc", {"driver": "AAIGrid"}), ("g.bil", {"driver": "EHdr"}),
    )  # fmt: skip
    for name, options in variants:
        profile = {"driver": "GTiff", "crs": "EPSG:32633", "transform": from_origin(5e5, 5e6, 30, 30)} | options
        if profile["driver"] == "AAIGrid":
            rows = "\n".join(" ".join(f"{value:.1f}" for value in row) for row in height)
            (folder / name).write_text(f"ncols 48\nnrows 48\nxllcorner 0\nyllcorner 0\ncellsize 30\n{rows}\n")
        else:
            with rasterio.open(folder / name, "w", height=48, width=48, count=1, dtype="float32", **profile) as file:
                file.write(height, 1)
        paths.append(folder / name)
    height.astype("<u2").tofile(folder / "h.raw")
    height.astype("<f4").tofile(folder / "i.r32")
    tiles = np.zeros((1201, 1201), ">i2")
    tiles[:] = 321
    tiles.tofile(folder / "N46E007.hgt")
    code = (_heights() + 32768).astype(np.float64)
    colours = np.stack([code // 256, code % 256, (code * 256) % 256], axis=-1).astype(np.uint8)
    Image.fromarray(colours).save(folder / "j.png")
    with zipfile.ZipFile(folder / "k.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "a.tif", "a.tif")
    (folder / "l.tif.gz").write_bytes(gzip.compress((folder / "a.tif").read_bytes()))
    names = ("h.raw", "i.r32", "N46E007.hgt", "j.png", "k.zip", "l.tif.gz")
    return [*paths, *(folder / name for name in names)]


def _read_weights(path: Path) -> object:
    import torch

    from terrainpaint.models.weights import load_weights

    return load_weights(path, torch.device("cpu"))


def _weights_files(folder: Path) -> list[Path]:
    from tests.models.weights_files import VALID

    (folder / "a.safetensors").write_bytes(VALID)
    return [folder / "a.safetensors"]


def _read_look(path: Path) -> object:
    import torch

    from terrainpaint.models.look_weights import load_look

    return load_look(path, torch.device("cpu"))


def _look_files(folder: Path) -> list[Path]:
    from tests.models.small_looks import write_look

    write_look(folder / "a.safetensors")
    return [folder / "a.safetensors"]


def _read_dreams(path: Path) -> object:
    import torch

    from terrainpaint.models.layout_weights import load_layouts

    return load_layouts(path, torch.device("cpu"))


def _dreams_files(folder: Path) -> list[Path]:
    from tests.generation.dream_networks import write_dream_weights

    return [write_dream_weights(folder / "a.safetensors")]


def _read_fine_land(path: Path) -> object:
    import torch

    from terrainpaint.models.fine_land_weights import load_fine_land

    return load_fine_land(path, torch.device("cpu"))


def _fine_land_files(folder: Path) -> list[Path]:
    from tests.generation.random_weights import write_fine_land

    write_fine_land(folder / "a.safetensors")
    return [folder / "a.safetensors"]


def _read_height_guide(path: Path) -> object:
    from terrainpaint.core.importing.guide_file import read_height_guide

    return read_height_guide(path, (48, 48), 2000.0)


def _read_guide_lines(path: Path) -> object:
    from terrainpaint.core.line_files import read_lines

    return read_lines(path, (48, 48))


def _read_svg_lines(path: Path) -> object:
    from terrainpaint.core.line_files import read_lines_svg

    return read_lines_svg(path, (48, 48))


def _svg_lines_files(folder: Path) -> list[Path]:
    drawn = GuideLines(
        (
            GuideLine(LineKind.RIDGE, ((1.0, 2.0), (30.5, 40.0))),
            GuideLine(LineKind.RIVER, ((40.0, 1.0), (2.0, 47.0), (9.0, 9.0)), 3),
        )
    )
    (folder / "lines.svg").write_text(lines_svg(drawn, (48, 48)))
    return [folder / "lines.svg"]


def _guide_lines_files(folder: Path) -> list[Path]:
    grey = np.full((48, 48), 128, np.uint8)
    grey[5, 10:30], grey[20:40, 7] = 255, 0
    clear = np.zeros((48, 48, 4), np.uint8)
    clear[5, 10:30] = 255
    clear[20:40, 7, 3] = 255
    Image.fromarray(grey).save(folder / "grey.png")
    Image.fromarray(grey).save(folder / "grey.tif", compression="tiff_lzw")
    Image.fromarray(clear).save(folder / "clear.png")
    return [folder / "grey.png", folder / "grey.tif", folder / "clear.png"]


def _read_labeller(path: Path) -> object:
    from terrainpaint.core.labeller import load_labeller

    return load_labeller(path)


def _labeller_files(folder: Path) -> list[Path]:
    from terrainpaint.core.assets import asset_path

    path = folder / "a.npz"
    path.write_bytes(asset_path("labeller.npz").read_bytes())
    return [path]


def _read_places(path: Path) -> object:
    from terrainpaint.core.places import load_places

    return load_places(path)


def _places_files(folder: Path) -> list[Path]:
    from terrainpaint.core.places import save_places
    from tests.core.places import small_index

    save_places(folder / "a.npz", small_index())
    return [folder / "a.npz"]


def _read_preset(path: Path) -> object:
    from terrainpaint.export.presets import read_preset

    return read_preset(path)


def _preset_files(folder: Path) -> list[Path]:
    from terrainpaint.export.presets import shipped_presets

    paths = []
    for name, shipped in shipped_presets().items():
        (folder / f"{name}.toml").write_bytes(shipped.read_bytes())
        paths.append(folder / f"{name}.toml")
    return paths


def _read_journals(path: Path) -> object:
    from terrainpaint.core.journal import abandoned_journals, recover

    return [recover(journal) for journal in abandoned_journals(path.parent)]


def _journal_files(folder: Path) -> list[Path]:
    from terrainpaint.core.journal import Journal
    from tests.core.test_journal import stroke

    project = full_project()
    journal = Journal.create(folder, "a", project, VIEW)
    for number, layer in enumerate(project.layers):
        journal.tiles(layer.key, stroke(project, layer.key, Rect(number, 0, 40, 40), number))
        journal.structure(project)
    data = journal.path.read_bytes()
    journal.close_and_remove()
    (folder / "a.journal").write_bytes(data)
    return [folder / "a.journal"]


def _plan_batch(path: Path) -> object:
    """What `batch` does with a map before its terrain is generated: it has to know whether that was done before."""
    from terrainpaint.api.batch import BatchReport, planned_jobs
    from terrainpaint.api.requests import FilesRequest, MapReading, TerrainRequest

    out = path.parent / "out"
    jobs = planned_jobs([path], [None], [None], out, None, MapReading(), TerrainRequest(), FilesRequest(("glb",)))
    BatchReport(out, jobs).skip_current()
    return _read_map(path)


def _read_report(path: Path) -> object:
    from terrainpaint.api.batch import REPORT, BatchReport

    report = path.with_name(REPORT)
    path.replace(report)
    try:
        return BatchReport(path.parent, []).records
    except OutputError as error:
        raise OutputError(str(error).replace(str(report), str(path))) from error
    finally:
        report.replace(path)


def _report_files(folder: Path) -> list[Path]:
    from terrainpaint.api.batch import BatchReport, planned_jobs
    from terrainpaint.api.requests import FilesRequest, MapReading, TerrainRequest

    maps = map_files(folder / "maps")
    jobs = planned_jobs(maps, [None, 3], [None], folder, None, MapReading(), TerrainRequest(), FilesRequest(("glb",)))
    report = BatchReport(folder, jobs)
    report.skip_current()
    report.end(0, [maps[0]], "", 1.5)
    report.end(1, [], "a.png is damaged.", 0.1)
    report.save()
    report.path.replace(folder / "a.json")
    return [folder / "a.json"]


PROGRAM_READERS: Mapping[str, Reader] = {
    "project": Reader(_read_project, project_files),
    "openraster": Reader(_read_openraster, project_files),
    "map": Reader(_read_map, map_files),
    "picture": Reader(_read_picture, _picture_files),
    "any kind": Reader(_read_any, lambda folder: _height_files(folder) + _picture_files(folder)),
    "info": Reader(_info, lambda folder: _height_files(folder) + _picture_files(folder) + project_files(folder)),
    "weights": Reader(_read_weights, _weights_files),
    "look": Reader(_read_look, _look_files),
    "dreams": Reader(_read_dreams, _dreams_files),
    "fine land": Reader(_read_fine_land, _fine_land_files),
    "height guide": Reader(_read_height_guide, _height_files),
    "guide lines": Reader(_read_guide_lines, _guide_lines_files),
    "svg lines": Reader(_read_svg_lines, _svg_lines_files),
    "labeller": Reader(_read_labeller, _labeller_files),
    "places": Reader(_read_places, _places_files),
    "preset": Reader(_read_preset, _preset_files),
    "batch": Reader(_plan_batch, map_files),
    "batch report": Reader(_read_report, _report_files),
    "journal": Reader(_read_journals, _journal_files),
}
