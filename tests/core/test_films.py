"""Films of every format, whole or not at all."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from terrainpaint.core.films import FORMATS, Timing, filmed
from terrainpaint.errors import OptionError, OutputError


def shot(fraction: float) -> Generator[float, None, NDArray[np.uint8]]:
    yield 0.5
    return np.full((48, 64, 3), fraction * 255, np.uint8)


@pytest.mark.parametrize("kind", ["mp4", "webp", "gif"])
def test_a_film_has_every_picture(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"turn.{kind}"
    done = list(filmed(path, FORMATS[kind][1], shot, Timing(0.5, 20)))
    assert done == sorted(done) and done[-1] <= 1
    film = cv2.VideoCapture(str(path)) if kind == "mp4" else None
    if film is not None:
        levels = [float(film.read()[1].mean()) for _ in range(10)]
        assert not film.read()[0]
        assert film.get(cv2.CAP_PROP_FPS) == 20
        film.release()
    else:
        with Image.open(path) as animation:
            levels = [float(np.asarray(frame.convert("L")).mean()) for frame in ImageSequence.Iterator(animation)]
            assert animation.info["duration"] == 50
            assert animation.info["loop"] == 0
    assert len(levels) == 10
    assert np.abs(np.diff(levels) - 255 / 10).max() < 6


def test_numbered_pictures_keep_their_transparency(tmp_path: Path) -> None:
    def clear(fraction: float) -> Generator[float, None, NDArray[np.uint8]]:
        yield 1.0
        return np.full((4, 6, 4), (10, 20, 30, round(100 * fraction)), np.uint8)

    list(filmed(tmp_path / "turn.png", FORMATS["png"][1], clear, Timing(1, 4)))
    assert FORMATS["png"][1].first_file(tmp_path / "turn.png") == tmp_path / "turn_0001.png"
    assert [path.name for path in sorted(tmp_path.iterdir())] == [f"turn_{number:04d}.png" for number in range(1, 5)]
    pixels = [np.asarray(Image.open(path))[2, 3].tolist() for path in sorted(tmp_path.iterdir())]
    assert pixels == [[10, 20, 30, alpha] for alpha in (0, 25, 50, 75)]


def test_webp_films_keep_their_transparency(tmp_path: Path) -> None:
    def clear(fraction: float) -> Generator[float, None, NDArray[np.uint8]]:
        yield 1.0
        picture = np.full((32, 32, 4), (200, 60, round(200 * fraction), 255), np.uint8)
        picture[:, :16, 3] = 0
        return picture

    list(filmed(tmp_path / "turn.webp", FORMATS["webp"][1], clear, Timing(1, 4)))
    with Image.open(tmp_path / "turn.webp") as animation:
        frames = [np.asarray(frame.convert("RGBA")) for frame in ImageSequence.Iterator(animation)]
    assert len(frames) == 4
    assert all(frame[:, :12, 3].max() == 0 and frame[:, 20:, 3].min() == 255 for frame in frames)


@pytest.mark.parametrize("kind", list(FORMATS))
def test_a_film_that_is_dropped_half_way_leaves_nothing(tmp_path: Path, kind: str) -> None:
    steps = filmed(tmp_path / f"turn{FORMATS[kind][1].suffix}", FORMATS[kind][1], shot, Timing(0.5, 20))
    for _ in range(4):
        next(steps)
    steps.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["turn.avi", "turn", "folder.mp4"])
def test_a_film_that_cannot_be_written_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(OutputError, match=name):
        list(filmed(tmp_path / name, FORMATS["mp4"][1], shot, Timing(0.1, 20)))
    assert [path.name for path in tmp_path.iterdir()] == ["folder.mp4"]


def test_an_animation_that_does_not_fit_into_memory_is_refused_at_its_first_picture(tmp_path: Path) -> None:
    def large(fraction: float) -> Generator[float, None, NDArray[np.uint8]]:
        yield 1.0
        return np.zeros((1000, 1000, 3), np.uint8)

    with pytest.raises(OptionError, match="MP4"):
        list(filmed(tmp_path / "turn.webp", FORMATS["webp"][1], large, Timing(60, 30)))
    assert list(tmp_path.iterdir()) == []
