import dataclasses
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from terrainpaint.core.guide_lines import NO_LINE, RIDGE, VALLEY, GuideLine, GuideLines, LineKind, guide_raster
from terrainpaint.core.line_files import lines_picture, lines_svg, read_lines, read_lines_svg, resized_lines
from terrainpaint.core.rects import Rect
from terrainpaint.errors import InputFileError, OptionError


def saved(path: Path, pixels: np.ndarray) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def test_white_is_a_crest_black_a_valley_and_the_rest_is_open(tmp_path: Path) -> None:
    grey = np.full((40, 50), 128, np.uint8)
    grey[3, 5:20], grey[9, 5:20] = 255, 0
    for pixels in (grey, np.repeat(grey[..., None], 3, axis=2)):
        lines = read_lines(saved(tmp_path / "l.png", pixels), (40, 50))
        assert (lines == RIDGE).sum() == (lines == VALLEY).sum() == 15
        assert set(lines[3, 5:20]) == {RIDGE} and set(lines[9, 5:20]) == {VALLEY}
    clear = np.zeros((40, 50, 4), np.uint8)  # black and see-through
    clear[3, 5:20] = 255
    clear[20, 1, 3] = 255
    clear[21] = (0, 0, 255, 255)  # a colour is no line
    lines = read_lines(saved(tmp_path / "l.png", clear), (40, 50))
    assert (lines == RIDGE).sum() == 15 and np.argwhere(lines == VALLEY).tolist() == [[20, 1]]


@pytest.mark.parametrize(
    ("value", "shape", "message"),
    [(128, (40, 50), "neither white nor black"), (0, (40, 50), "all black and white"), (128, (40, 51), "51 x 40")],
)
def test_pictures_without_usable_lines_are_refused(
    value: int, shape: tuple[int, int], message: str, tmp_path: Path
) -> None:
    path = saved(tmp_path / "l.png", np.full((40, 50), value, np.uint8))
    with pytest.raises(OptionError, match=message):
        read_lines(path, shape)
    path.write_text("lines")
    with pytest.raises(InputFileError, match=r"l\.png"):
        read_lines(path, shape)


def test_thin_lines_stay_on_smaller_and_larger_maps() -> None:
    lines = np.full((60, 60), NO_LINE, np.uint8)
    lines[11], lines[:, 31] = RIDGE, VALLEY
    for shape in ((20, 25), (90, 120)):
        found = resized_lines(lines, shape)
        assert found.shape == shape and (found == RIDGE).any(axis=0).sum() >= shape[1] - 8
        assert (found == VALLEY).any(axis=1).all()


DRAWN = GuideLines(
    (
        GuideLine(LineKind.RIDGE, ((5.0, 3.25), (30.5, 40.0))),
        GuideLine(LineKind.VALLEY, ((38.5, 2.5), (2.5, 47.5))),
        GuideLine(LineKind.RIVER, ((20.5, 0.0), (20.5, 50.0)), 3),
    )
)


def test_an_svg_has_the_lines_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "lines.svg"
    path.write_text(lines_svg(DRAWN, (40, 50)))
    assert read_lines_svg(path, (40, 50)) == DRAWN
    larger = read_lines_svg(path, (80, 100))
    assert larger.lines[0].points == ((10, 6.5), (61, 80)) and larger.lines[2].width_px == 6
    root = ElementTree.parse(path).getroot()
    assert [element.get("class") for element in root] == ["ridge", "valley", "river"]
    hidden = dataclasses.replace(DRAWN, visible=False)
    path.write_text(lines_svg(hidden, (40, 50)))
    with pytest.raises(OptionError, match="has no lines"):
        read_lines_svg(path, (40, 50))


def test_lines_beyond_the_map_are_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "lines.svg"
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="10 0 50 40"><g><rect width="3" height="2"/>'
        '<polyline class="valley" points="20 10, 90 10"/></g></svg>'
    )
    assert read_lines_svg(path, (40, 50)).lines == (GuideLine(LineKind.VALLEY, ((10, 10), (10, 50))),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lines", "not SVG"),
        ("<svg", "not SVG"),
        ('<svg viewBox="0 0 50 0"/>', "viewBox is empty"),
        ('<svg viewBox="0 0 50"/>', "viewBox are not numbers"),
        ('<svg><polyline class="ridge" points="1,1 2,2"/></svg>', "viewBox"),
        ('<svg viewBox="0 0 50 40"><polyline class="ridge" points="1,1 2"/></svg>', "points are not numbers"),
        ('<svg viewBox="0 0 50 40"><polyline class="ridge" points="1,1 nan,2"/></svg>', "points are not numbers"),
        ('<svg viewBox="0 0 50 40"><polyline class="ridge" points="1,1 1,1"/></svg>', "two points"),
        ('<!DOCTYPE svg><svg viewBox="0 0 50 40"/>', "document type"),
    ],
)
def test_damaged_svg_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "lines.svg"
    path.write_text(text)
    with pytest.raises(InputFileError, match=message):
        read_lines_svg(path, (40, 50))
    with pytest.raises(InputFileError, match="missing"):
        read_lines_svg(tmp_path / "missing.svg", (40, 50))


def test_a_picture_of_lines_is_read_again(tmp_path: Path) -> None:
    picture = lines_picture(DRAWN, (40, 50))
    raster = guide_raster(DRAWN.guiding, Rect(0, 0, 40, 50))
    np.testing.assert_array_equal(read_lines(saved(tmp_path / "l.png", picture), (40, 50)), raster)
    assert (picture[19:22, 10, 2] == 255).all() and picture[19, 10, 0] < 100 and picture[10, 40, 3] == 0
