from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from terrainpaint.core.guide_lines import NO_LINE, RIDGE, VALLEY
from terrainpaint.core.line_files import read_lines, resized_lines
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
