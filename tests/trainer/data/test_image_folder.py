from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from PIL import Image
from rasterio.transform import Affine, from_origin

from terrainpaint.core.classes import PALETTE
from trainer.__main__ import main
from trainer.data.image_folder import UnusableFile, read_rgb
from trainer.data.tile_cutting import Cut, Cutting, Square, squares
from trainer.data.tile_set import TileSet, load_tile_set


def picture(rows: int, cols: int, seed: int = 0) -> NDArray[np.uint8]:
    coarse = np.random.default_rng(seed).integers(0, 255, (rows // 16, cols // 16, 3), dtype=np.uint8)
    return cv2.resize(coarse, (cols, rows), interpolation=cv2.INTER_CUBIC)


def write(path: Path, array: NDArray[np.generic]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), array[:, :, ::-1] if array.ndim == 3 else array)


def prepare(folder: Path, *more: str) -> int:
    return main(["prepare", "--pictures", str(folder / "in"), "--style", "plates", "--tile", "64", "--validation",
                 "0.5", "-o", str(folder / "set.npz"), *more])  # fmt: skip


def prepared(folder: Path, *more: str) -> TileSet:
    assert prepare(folder, *more) == 0
    return load_tile_set(folder / "set.npz")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four pictures of unequal sizes, one in a subfolder, and files that must be left out."""
    for index, shape in enumerate([(96, 160), (128, 128), (64, 64)]):
        write(tmp_path / "in" / f"{index}.png", picture(*shape, seed=index))
    write(tmp_path / "in" / "deep" / "3.jpg", picture(96, 96, seed=3))
    write(tmp_path / "in" / "small.png", picture(64, 48))
    (tmp_path / "in" / "notes.txt").write_text("not a picture")
    (tmp_path / "in" / "cut.jpg").write_bytes((tmp_path / "in" / "deep" / "3.jpg").read_bytes()[:900])
    (tmp_path / "in" / ".hidden").write_text("skipped")
    return tmp_path


def test_pictures_become_crops_and_a_resize_of_the_whole(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiles = prepared(folder, "--random-crops", "3")
    # Centre, three at random and the whole; of a picture as large as a tile all of them are the same one.
    assert {name: tiles.names.count(name) for name in tiles.names} == {"0.png": 5, "1.png": 5, "2.png": 1,
                                                                        "deep/3.jpg": 5}  # fmt: skip
    assert not tiles.has_height and not tiles.has_maps and tiles.valid.all() and not tiles.sea.any()
    original = picture(96, 160)
    assert np.abs(tiles.texture[0].astype(int) - original[16:80, 48:112]).mean() < 4  # the centre, in RGB
    whole = cv2.resize(original[:, 32:128], (64, 64), interpolation=cv2.INTER_AREA)
    assert np.abs(tiles.texture[4].astype(int) - whole).mean() < 4
    output = capsys.readouterr()
    assert "no terrain" in output.out and "neither heights nor maps" in output.out


def test_the_style_is_named_after_the_folder_when_none_is_given(folder: Path) -> None:
    command = ["prepare", "--pictures", str(folder / "in"), "--tile", "64", "-o", str(folder / "set.npz")]
    assert main(command) == 0 and load_tile_set(folder / "set.npz").style == "in"
    assert main([*command, "--style", "plates"]) == 0 and load_tile_set(folder / "set.npz").style == "plates"


def test_unusable_files_are_listed_with_the_reason(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiles = prepared(folder)
    assert dict(tiles.left_out) == {
        "cut.jpg": "is damaged or cut short",
        "notes.txt": "is not a picture that can be read",
        "small.png": "is 48 x 64 px, smaller than a tile of 64 px",
    }
    message = capsys.readouterr().err
    assert "left out: small.png is 48 x 64 px" in message and message.count("left out") == 3
    assert main(["inspect", str(folder / "set.npz")]) == 0
    assert "left out: cut.jpg is damaged" in capsys.readouterr().out


def test_crops_of_one_picture_are_never_in_both_splits(folder: Path) -> None:
    tiles = prepared(folder)
    for name in set(tiles.names):
        assert len({int(split) for split, file in zip(tiles.split, tiles.names, strict=True) if file == name}) == 1
    assert 0 < tiles.split.sum() < len(tiles)


def test_the_same_pictures_give_the_same_bytes(folder: Path) -> None:
    prepared(folder)
    first = (folder / "set.npz").read_bytes()
    prepared(folder)
    assert (folder / "set.npz").read_bytes() == first
    prepared(folder, "--seed", "1")
    assert (folder / "set.npz").read_bytes() != first


def test_a_new_picture_leaves_the_crops_of_the_others_alone(folder: Path) -> None:
    before = prepared(folder)
    write(folder / "in" / "00.png", picture(96, 96, seed=9))
    after = prepared(folder)
    kept = [index for index, name in enumerate(after.names) if name != "00.png"]
    assert np.array_equal(after.texture[kept], before.texture)


def add_layers(folder: Path) -> None:
    for path in sorted((folder / "in").rglob("*.[pj][np]g")):
        inner = path.relative_to(folder / "in").with_suffix(".png")
        try:
            rows, cols = read_rgb(path).shape[:2]
        except UnusableFile:
            continue
        ids = np.add.outer(np.arange(rows) // 8, np.arange(cols) // 8) % 7
        write(folder / "heights" / inner, (ids * 6553).astype(np.uint16))
        write(folder / "maps" / inner, PALETTE[ids])


def test_crops_around_the_centre_move_in_both_axes() -> None:
    chosen = squares((400, 1000), 64, Cutting((Cut.AROUND,), 200), np.random.default_rng(0))
    places = np.array([(square.row, square.col) for square in chosen])
    assert {square.side for square in chosen} == {64}
    # The centre is (168, 468), and the borders are as far away.
    assert places[:, 0].min() >= 84 and places[:, 0].max() <= 252 and np.ptp(places[:, 0]) > 140
    assert places[:, 1].min() >= 234 and places[:, 1].max() <= 702 and np.ptp(places[:, 1]) > 400
    assert abs(np.corrcoef(places.T)[0, 1]) < 0.2


def test_the_whole_is_reduced_with_its_proportions_kept() -> None:
    random = np.random.default_rng(0)
    cutting = Cutting((Cut.REDUCED,))
    assert squares((100, 100), 64, cutting, random) == [Square(0, 0, 100)]
    assert squares((100, 250), 64, cutting, random) == [Square(0, 0, 100), Square(0, 75, 100), Square(0, 150, 100)]
    assert squares((130, 100), 64, cutting, random) == [Square(0, 0, 100), Square(30, 0, 100)]


def test_crops_are_reduced_to_tiles(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiles = prepared(folder, "--tile", "32", "--crop-px", "96", "--cuts", "centre", "reduced")
    original = picture(96, 160)
    centre = cv2.resize(original[:, 32:128], (32, 32), interpolation=cv2.INTER_AREA)
    assert np.abs(tiles.texture[0].astype(int) - centre).mean() < 8
    # Of 96 x 160 px: the centre, and two along the longer side. What is 64 px high holds no crop.
    assert tiles.names.count("0.png") == 3
    assert dict(tiles.left_out)["2.png"] == "is 64 x 64 px, smaller than a crop of 96 px"
    with pytest.raises(SystemExit):
        prepare(folder, "--crop-px", "32")
    assert "--crop-px must be at least the 64 px" in capsys.readouterr().err


def test_heights_and_maps_are_cut_where_the_picture_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_layers(folder)
    layers = ["--heights", str(folder / "heights"), "--maps", str(folder / "maps")]
    tiles = prepared(folder, *layers, "--height-range-m", "0", "10000")
    assert tiles.has_height and tiles.labels.shape[1] == 1
    assert "texture and height from a map" in capsys.readouterr().out
    assert set(tiles.names) == {"0.png", "1.png", "2.png", "deep/3.jpg"}
    assert np.abs(tiles.height - tiles.labels[:, 0] * 999.9).max() <= 1
    assert np.array_equal(tiles.sea, tiles.labels[:, 0] == 0)


def test_a_picture_without_its_height_is_reported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_layers(folder)
    (folder / "heights" / "deep" / "3.png").unlink()
    assert prepare(folder, "--heights", str(folder / "heights"), "--height-range-m", "0", "9000") == 1
    message = capsys.readouterr().err
    assert "no file named 3" in message and message.count("\n") == 1 and not (folder / "set.npz").exists()


def test_a_height_of_another_size_is_reported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_layers(folder)
    write(folder / "heights" / "1.png", np.zeros((64, 64), np.uint16))
    assert prepare(folder, "--heights", str(folder / "heights"), "--height-range-m", "0", "9000") == 1
    assert "1.png is 128 x 128 px" in (message := capsys.readouterr().err) and "64 x 64 px; they must be" in message


def test_heights_are_not_shrunk_by_different_factors(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_layers(folder)
    layers = ["--heights", str(folder / "heights"), "--height-range-m", "0", "9000"]
    assert prepare(folder, *layers, "--cuts", "whole") == 1
    assert "slopes would be wrong" in capsys.readouterr().err


def test_heights_beyond_those_of_the_earth_are_reported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_layers(folder)
    assert prepare(folder, "--heights", str(folder / "heights")) == 1
    assert "--height-range-m" in (message := capsys.readouterr().err) and "39,318 m" in message


def test_a_folder_without_a_single_picture_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    assert prepare(tmp_path) == 1
    assert "holds no files" in capsys.readouterr().err
    (tmp_path / "in" / "a.txt").write_text("words")
    assert prepare(tmp_path) == 1
    assert "None of the 1 files" in capsys.readouterr().err and not (tmp_path / "set.npz").exists()


def test_every_kind_of_picture_becomes_rgb(tmp_path: Path) -> None:
    grey = np.full((40, 50), 128, np.uint8)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    Image.fromarray(grey).convert("RGB").quantize(4).save(tmp_path / "palette.png")
    Image.fromarray(grey).convert("CMYK").save(tmp_path / "print.tif")
    glass = np.tile(np.repeat(np.array([0, 255], np.uint8), 25), (40, 1))
    Image.fromarray(np.dstack([grey, grey, grey, glass])).save(tmp_path / "glass.png")
    for name in ("grey.png", "deep.png", "palette.png", "print.tif"):
        rgb = read_rgb(tmp_path / name)
        assert rgb.shape == (40, 50, 3) and rgb.dtype == np.uint8 and np.abs(rgb.astype(int) - 128).max() <= 1, name
    assert (read_rgb(tmp_path / "glass.png")[:, :25] == 255).all()
    assert (read_rgb(tmp_path / "glass.png")[:, 25:] == 128).all()
    turned = Image.fromarray(grey).getexif()
    turned[0x0112] = 6
    Image.fromarray(grey).save(tmp_path / "turned.jpg", exif=turned)
    assert read_rgb(tmp_path / "turned.jpg").shape == (50, 40, 3)
    Image.fromarray(grey.astype(np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(UnusableFile, match="fractions"):
        read_rgb(tmp_path / "float.tif")


@pytest.mark.parametrize("cut", list(Cut))
def test_squares_lie_within_the_picture(cut: Cut) -> None:
    chosen = squares((70, 133), 32, Cutting((cut,), 50), np.random.default_rng(0))
    assert len(chosen) == {Cut.WHOLE: 1, Cut.CENTRE: 1, Cut.GRID: 8}.get(cut, len(chosen))
    assert len(set(chosen)) == len(chosen)
    for square in chosen:
        assert 0 <= square.row <= 70 - square.side and 0 <= square.col <= 133 - square.side
    assert squares((32, 32), 32, Cutting((cut,), 5), np.random.default_rng(0)) == [Square(0, 0, 32)]


@pytest.mark.parametrize(
    "wrong",
    [
        ["--pairs", "in"],
        ["--texture", "t.tif"],
        ["--tile", "8"],
        ["--random-crops", "0"],
        ["--height-range-m", "5", "5"],
        ["--parts", "map", "height"],
        ["--parts", "map", "picture", "map"],
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(
    folder: Path, capsys: pytest.CaptureFixture[str], wrong: list[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        prepare(folder, *wrong)
    assert stopped.value.code == 2
    assert "usage: python -m trainer prepare" in capsys.readouterr().err  # the options of this command


def write_heights(path: Path, heights: NDArray[np.generic], unit: str | None = None, **profile: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    place = {"crs": "EPSG:32633", "transform": from_origin(5e5, 5e6, 30, 30)}
    with rasterio.open(path, "w", driver="GTiff", count=1, height=heights.shape[0], width=heights.shape[1],
                       dtype=heights.dtype, **(place | profile)) as raster:  # fmt: skip
        raster.write(heights, 1)
        if unit is not None:
            raster.units = (unit,)


@pytest.mark.parametrize("mark", [-9999, 32767])
@pytest.mark.parametrize("declared", [True, False])
def test_gaps_of_heights_are_not_trained_on_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mark: int, declared: bool
) -> None:
    write(tmp_path / "in" / "a.png", picture(64, 64))
    heights = np.tile(np.arange(64, dtype=np.int16) * 10, (64, 1))
    heights[8:20, 30:40] = mark
    write_heights(tmp_path / "h" / "a.tif", heights, **({"nodata": mark} if declared else {}))
    tiles = prepared(tmp_path, "--heights", str(tmp_path / "h"))
    gap = np.zeros((64, 64), bool)
    gap[8:20, 30:40] = True
    np.testing.assert_array_equal(tiles.valid[0], ~gap)
    assert tiles.height[0][gap].min() >= 0 and tiles.height[0][gap].max() <= 640
    assert not tiles.sea[0][gap].any()
    ((name, note),) = tiles.notes
    assert name == "h/a.tif" and "120 pixels" in note
    assert f"h/a.tif: {note}" in capsys.readouterr().err
    assert main(["inspect", str(tmp_path / "set.npz")]) == 0
    assert "120 pixels" in capsys.readouterr().out


def test_heights_in_feet_and_with_rows_from_the_south_become_metres_with_north_on_top(tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.png", picture(64, 64))
    metres = np.tile(np.arange(64, dtype=np.float32)[:, None] * 10, (1, 64))
    write_heights(
        tmp_path / "h" / "a.tif", metres[::-1] / np.float32(0.3048), "ft", transform=Affine(30, 0, 5e5, 0, 30, 5e6)
    )
    tiles = prepared(tmp_path, "--heights", str(tmp_path / "h"))
    np.testing.assert_allclose(tiles.height[0], metres, atol=1)
    assert any("feet" in note for _, note in tiles.notes)


def test_a_raster_of_colours_is_turned_as_its_heights_are(tmp_path: Path) -> None:
    north = np.zeros((64, 64, 3), np.uint8)
    north[:20] = (200, 40, 40)
    (tmp_path / "in").mkdir()
    place = {"crs": "EPSG:32633", "transform": Affine(30, 0, 5e5, 0, 30, 5e6)}
    with rasterio.open(tmp_path / "in" / "a.tif", "w", driver="GTiff", count=3, height=64, width=64, dtype="uint8",
                       **place) as raster:  # fmt: skip
        raster.write(np.moveaxis(north[::-1], -1, 0))
    metres = np.tile(np.arange(64, dtype=np.float32)[:, None], (1, 64))
    write_heights(tmp_path / "h" / "a.tif", metres[::-1], **place)
    tiles = prepared(tmp_path, "--heights", str(tmp_path / "h"))
    np.testing.assert_allclose(tiles.height[0], metres, atol=1)
    assert tiles.texture[0, :16, :, 0].min() > 150 and tiles.texture[0, 24:, :, 0].max() < 60


@pytest.mark.parametrize("numbers", [(0, 65535), (0.0, 1.0)])
def test_heights_without_a_unit_follow_the_range(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], numbers: tuple[float, float]
) -> None:
    write(tmp_path / "in" / "a.png", picture(64, 64))
    dtype = np.uint16 if isinstance(numbers[1], int) else np.float32
    write(tmp_path / "h" / "a.tif", np.tile(np.linspace(*numbers, 64).astype(dtype), (64, 1)))
    assert prepare(tmp_path, "--heights", str(tmp_path / "h")) == 1
    assert "--height-range-m" in capsys.readouterr().err
    tiles = prepared(tmp_path, "--heights", str(tmp_path / "h"), "--height-range-m", "-100", "3000")
    np.testing.assert_allclose(tiles.height[0], np.tile(np.linspace(-100, 3000, 64), (64, 1)), atol=1)
