from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from trainer.__main__ import main

COLOURS = ((250, 10, 10), (10, 250, 10), (10, 10, 250))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run with three sample grids, each of one colour, and other pictures."""
    for index, colour in enumerate(COLOURS):
        Image.new("RGB", (64, 32), colour).save(tmp_path / f"samples-{index * 4000:08d}.png")
    Image.new("RGB", (64, 32)).save(tmp_path / "real.png")
    return tmp_path


def frames(path: Path) -> list[np.ndarray]:
    film, found = cv2.VideoCapture(str(path)), []
    while (read := film.read())[0]:
        found.append(read[1][:, :, ::-1])
    film.release()
    return found


def test_a_film_has_a_frame_for_each_grid_in_order(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["film", str(folder), "-o", str(folder / "p.mp4"), "--fps", "7"]) == 0
    assert "3 sample grids" in capsys.readouterr().out
    found = frames(folder / "p.mp4")
    assert [each.shape for each in found] == [(32, 64, 3)] * 3
    for frame, colour in zip(found, COLOURS, strict=True):
        assert np.abs(frame.mean(axis=(0, 1)) - colour).max() < 12


def test_a_film_can_be_smaller_and_of_another_kind(folder: Path) -> None:
    assert main(["film", str(folder), "-o", str(folder / "p.gif"), "--side", "32"]) == 0
    with Image.open(folder / "p.gif") as film:
        assert film.size == (32, 16) and getattr(film, "n_frames", 1) == 3


def test_wrong_folders_and_options_get_a_sentence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "empty").mkdir()
    assert main(["film", str(folder / "empty"), "-o", str(folder / "p.mp4")]) == 1
    assert "holds no sample grids" in capsys.readouterr().err
    (folder / "samples-00009000.png").write_bytes(b"no picture")
    assert main(["film", str(folder), "-o", str(folder / "p.mp4")]) == 1
    assert "cannot be read as a sample grid" in capsys.readouterr().err and not (folder / "p.mp4").exists()
    for wrong in (["-o", "p.txt"], ["-o", "p.mp4", "--fps", "0"], ["-o", "p.mp4", "--side", "3"]):
        with pytest.raises(SystemExit):
            main(["film", str(folder), *wrong])
