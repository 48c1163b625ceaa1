"""Heights in files: read back with numpy, rasterio, OpenCV, OpenEXR, and with the import of the program."""

import json
from pathlib import Path

import cv2
import numpy as np
import OpenEXR
import pytest
import rasterio

from terrainpaint.core.importing import (
    HeightUnit,
    RawFormat,
    RawNumber,
    described_raw_format,
    measure_raw_heights,
    raw_format,
    read_height_map,
    read_raw_heights,
)
from terrainpaint.core.terrain import Terrain
from terrainpaint.errors import OptionError
from terrainpaint.export import ExportOptions, export
from terrainpaint.export.file_options import ByteOrder, FileOptions
from tests.export.terrains import lopsided, of_height, source

SHAPE = (40, 56)
FLOATS = ["r32", "tiff", "geotiff", "exr"]


def written(folder: Path, name: str, terrain: Terrain | None = None, **files: object) -> tuple[Path, dict[str, object]]:
    """The file, and the facts of its JSON."""
    options = ExportOptions(exaggeration=5, files=FileOptions(**files))
    path, facts = export(source(terrain or lopsided(*SHAPE)), folder, "map", [name], options)
    assert facts.name == path.name + ".json"
    return path, json.loads(facts.read_text())


def decoded(values: np.ndarray, facts: dict[str, object]) -> np.ndarray:
    """The formula of the JSON file."""
    known = {key: facts[key] for key in ("height_min_m", "height_max_m")}
    return eval(str(facts["metres"]), {"__builtins__": {}}, {**known, "value": values.astype(np.float64)})


@pytest.mark.parametrize("order", list(ByteOrder))
@pytest.mark.parametrize("signed", [False, True])
def test_raw_of_16_bits(tmp_path: Path, order: ByteOrder, signed: bool) -> None:
    terrain = lopsided(*SHAPE)
    path, facts = written(tmp_path, "r16", raw_byte_order=order, raw_signed=signed)
    kind = {"little": "<", "big": ">"}[str(facts["byte_order"])] + {"uint16": "u2", "int16": "i2"}[
        str(facts["numbers"])
    ]
    values = np.fromfile(path, kind).reshape(int(str(facts["height_px"])), int(str(facts["width_px"])))
    assert (facts["byte_order"], facts["numbers"]) == (order, "int16" if signed else "uint16")
    assert (values.min(), values.max()) == ((-32768, 32767) if signed else (0, 65535))
    half_a_step = np.ptp(terrain.height.astype(np.float64)) / 65535 / 2
    assert np.abs(decoded(values, facts) - terrain.height).max() <= half_a_step * 1.0001


def test_a_small_range_takes_all_values_and_the_file_says_so(tmp_path: Path) -> None:
    height = np.linspace(100, 100.5, 40 * 56, dtype=np.float32).reshape(SHAPE)
    path, facts = written(tmp_path, "r16", of_height(height))
    values = np.fromfile(path, "<u2")
    assert np.ptp(values) == 65535 and "normalised" in facts
    np.testing.assert_allclose(decoded(values, facts), height.ravel(), atol=1e-5)


def test_level_ground(tmp_path: Path) -> None:
    path, facts = written(tmp_path, "r16", of_height(np.full(SHAPE, -7.5, np.float32)))
    np.testing.assert_array_equal(decoded(np.fromfile(path, "<u2"), facts), -7.5)


@pytest.mark.parametrize("order", list(ByteOrder))
def test_raw_of_floats(tmp_path: Path, order: ByteOrder) -> None:
    path, facts = written(tmp_path, "r32", raw_byte_order=order)
    values = np.fromfile(path, "<f4" if order is ByteOrder.LITTLE else ">f4").reshape(SHAPE)
    np.testing.assert_array_equal(values, lopsided(*SHAPE).height)
    assert facts["metres"] == "value" and facts["height_max_m"] == float(lopsided(*SHAPE).height.max())


def test_tiff(tmp_path: Path) -> None:
    path, _ = written(tmp_path, "tiff")
    heights = lopsided(*SHAPE).height
    np.testing.assert_array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), heights)
    with rasterio.open(path) as file:
        np.testing.assert_array_equal(file.read(1), heights)
        assert (file.crs, file.compression, file.res, file.units) == (None, None, (30, 30), ("m",))


def test_a_geotiff_without_a_choice_has_a_made_up_system_and_says_so(tmp_path: Path) -> None:
    path, facts = written(tmp_path, "geotiff")
    with rasterio.open(path) as file:
        np.testing.assert_array_equal(file.read(1), lopsided(*SHAPE).height)
        assert "not a place on the Earth" in file.crs.to_wkt()
        assert tuple(file.bounds) == (-28 * 30, -20 * 30, 28 * 30, 20 * 30)
        assert file.index(28 * 30 - 1, 20 * 30 - 1) == (0, 55)  # the north-east corner
        assert file.tags()["seed"] == "77"
    assert facts["crs_is_made_up"] is True and facts["crs"]


@pytest.mark.parametrize(("crs", "pixel"), [("EPSG:32632", 30.0), ("EPSG:2263", 30 / 0.3048006096)])
def test_a_geotiff_lies_where_the_user_wants(tmp_path: Path, crs: str, pixel: float) -> None:
    path, facts = written(tmp_path, "geotiff", crs=crs, origin=(500_000.0, 5_200_000.0))
    with rasterio.open(path) as file:
        assert file.crs.to_string() == crs and file.transform * (0, 0) == (500_000, 5_200_000)
        assert file.res == pytest.approx((pixel, pixel))
    assert (facts["crs"], facts["crs_is_made_up"]) == (crs, False)


@pytest.mark.parametrize(("crs", "said"), [("EPSG:4326", "metres"), ("EPSG:999999", "no coordinate"), ("x", '"x"')])
def test_an_impossible_system_is_refused(crs: str, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        FileOptions(crs=crs, origin=(0, 0))


def test_a_system_without_a_place_is_refused() -> None:
    with pytest.raises(OptionError, match="north-west corner"):
        FileOptions(crs="EPSG:32632")


def test_exr_has_metres_in_three_equal_channels(tmp_path: Path) -> None:
    path, _ = written(tmp_path, "exr")
    channels = OpenEXR.File(str(path), separate_channels=True).channels()
    assert set(channels) == set("RGB")
    for channel in channels.values():
        assert channel.pixels.dtype == np.float32
        np.testing.assert_array_equal(channel.pixels, lopsided(*SHAPE).height)


def test_exr_of_half_floats_has_one_channel(tmp_path: Path) -> None:
    path, _ = written(tmp_path, "exr-half")
    channels = OpenEXR.File(str(path), separate_channels=True).channels()
    assert list(channels) == ["R"] and channels["R"].pixels.dtype == np.float16
    np.testing.assert_allclose(channels["R"].pixels.astype(float), lopsided(*SHAPE).height, rtol=2**-11, atol=1e-4)


@pytest.mark.parametrize("name", FLOATS)
def test_the_import_reads_what_the_export_writes_and_it_is_written_the_same_again(tmp_path: Path, name: str) -> None:
    terrain = lopsided(*SHAPE)
    path, _ = written(tmp_path, name)
    is_raw = name == "r32"
    layout = RawFormat(*SHAPE, number=RawNumber.FLOAT32)
    heights = read_raw_heights(path, layout) if is_raw else read_height_map(path)
    np.testing.assert_array_equal(heights.height, terrain.height)
    assert heights.unit in (None, HeightUnit.METRES)
    again, _ = written(tmp_path / "again", name, Terrain(terrain.albedo, heights.height, 30.0, terrain.provenance))
    assert again.read_bytes() == path.read_bytes()


RAW = [
    {},
    {"raw_byte_order": ByteOrder.BIG},
    {"raw_signed": True},
    {"raw_signed": True, "raw_byte_order": ByteOrder.BIG, "raw_south_first": True},
]


@pytest.mark.parametrize("files", RAW)
@pytest.mark.parametrize("name", ["r16", "r32"])
@pytest.mark.parametrize(("low", "high"), [(-120.0, 2600.0), (7000.25, 7000.75), (12.5, 12.5)])
def test_raw_is_read_by_its_json_and_written_the_same_again(
    tmp_path: Path, name: str, files: dict[str, object], low: float, high: float
) -> None:
    land = lopsided(*SHAPE)
    height = (low + (high - low) * (land.height - land.height.min()) / np.ptp(land.height)).astype(np.float32)
    path, _ = written(tmp_path, name, Terrain(land.albedo, height, 30.0, land.provenance), **files)
    layout = raw_format(path)
    heights = read_raw_heights(path, layout)
    half_a_step = (high - low) / 131070 * 1.01 + np.spacing(np.float32(high))
    np.testing.assert_allclose(heights.height, height, rtol=0, atol=half_a_step if name == "r16" else 0)
    assert heights.unit is HeightUnit.METRES and heights.pixel_size_m == pytest.approx(30)
    assert measure_raw_heights(path, layout).range_m == pytest.approx((height.min(), height.max()), abs=1e-3)
    again = Terrain(land.albedo, heights.height, 30.0, land.provenance)
    assert written(tmp_path / "again", name, again, **files)[0].read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", ["height16", "exr-half", "cog"])
def test_other_heights_are_written_the_same_again(tmp_path: Path, name: str) -> None:
    terrain = lopsided(*SHAPE)
    export(source(terrain), tmp_path, "map", [name], ExportOptions())
    path = next(path for path in tmp_path.iterdir() if path.suffix != ".json")
    heights = read_height_map(path)
    again = Terrain(terrain.albedo, heights.height, 30.0, terrain.provenance)
    export(source(again), tmp_path / "again", "map", [name], ExportOptions())
    assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def test_a_json_of_another_file_is_not_followed(tmp_path: Path) -> None:
    path, facts = written(tmp_path, "r16")
    path.write_bytes(path.read_bytes()[: 40 * 40 * 2])
    assert described_raw_format(path) is None and raw_format(path).meaning is None
    path.write_bytes(bytes(SHAPE[0] * SHAPE[1] * 2))
    beside = path.with_name(path.name + ".json")
    for wrong in ("", "[]", json.dumps({**facts, "byte_order": "middle"}), json.dumps({**facts, "width_px": "56"})):
        beside.write_text(wrong)
        assert described_raw_format(path) is None


@pytest.mark.parametrize("name", [*FLOATS, "r16", "exr-half"])
def test_heights_that_are_not_finite_are_refused(tmp_path: Path, name: str) -> None:
    height = np.zeros(SHAPE, np.float32)
    height[3, 4] = np.inf
    with pytest.raises(ValueError, match="finite"):
        written(tmp_path, name, of_height(height))
    assert not list(tmp_path.iterdir())


def test_options_as_plain_values() -> None:
    options = FileOptions(raw_byte_order=ByteOrder.BIG, raw_signed=True, crs="EPSG:32632", origin=(1.5, -2.0))
    assert FileOptions.of(json.loads(json.dumps(options.plain_values()))) == options
    assert FileOptions().plain_values() == {}
    for values in (
        {"glb_texture": "gif"}, {"raw_signed": 1}, {"crs": 5}, {"origin": [1]}, {"origin": [1, "a"]}, {"colour": 1}
    ):  # fmt: skip
        with pytest.raises(OptionError, match=next(iter(values))):
            FileOptions.of(values)


def test_two_maps_with_a_chosen_range_have_the_same_numbers_for_the_same_heights(tmp_path: Path) -> None:
    options = ExportOptions(files=FileOptions(height_range=(-200.0, 4000.0)))
    low, high = (of_height(np.linspace(0, top, 48 * 64, dtype=np.float32).reshape(48, 64)) for top in (900, 3900))
    for name, terrain in (("low", low), ("high", high)):
        export(source(terrain), tmp_path, name, ["height16", "r16"], options)
        facts = json.loads((tmp_path / f"{name}_height16.json").read_text())
        assert (facts["height_min_m"], facts["height_max_m"]) == (-200, 4000)
        assert facts["normalised"] == "the range was chosen"
        steps = cv2.imread(str(tmp_path / f"{name}_height16.png"), cv2.IMREAD_UNCHANGED)
        raw = np.fromfile(tmp_path / f"{name}_height.r16", "<u2").reshape(steps.shape)
        np.testing.assert_array_equal(raw, steps)
        np.testing.assert_allclose(-200 + steps / 65535 * 4200, terrain.height, atol=0.033)


def test_heights_beyond_a_chosen_range_are_refused(tmp_path: Path) -> None:
    options = ExportOptions(files=FileOptions(height_range=(0.0, 500.0)))
    with pytest.raises(OptionError, match=r"beyond the chosen range of 0\.0 m to 500\.0 m"):
        export(source(lopsided()), tmp_path, "map", ["height16"], options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("heights_m", [(5.0, 5.0), (10.0, -10.0), (-1e9, 0.0)])
def test_an_impossible_range_is_refused(heights_m: tuple[float, float]) -> None:
    with pytest.raises(OptionError, match="range of heights"):
        FileOptions(height_range=heights_m)
