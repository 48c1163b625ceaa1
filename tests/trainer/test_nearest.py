"""`python -m trainer nearest` from folders, grids and weights to its page and figures."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from tests.trainer.losses.test_losses import squeezenet_state
from trainer.__main__ import main
from trainer.loop.config import RunConfig
from trainer.loop.loop import train
from trainer.systems.dcgan.config import DcganConfig
from trainer.systems.dcgan.system import dcgan_build

SIZE = 32


def drawing(number: int) -> NDArray[np.uint8]:
    random = np.random.default_rng(number)
    small = random.integers(0, 256, (4, 4, 3), np.uint8)
    return np.asarray(cv2.resize(small, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC), np.uint8)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random network, a folder of 40 training pictures, their tile set, and a folder of 12 samples."""
    folder = tmp_path_factory.mktemp("nearest")
    save_file(squeezenet_state(), folder / "squeezenet.safetensors")
    for name, first, count in (("training", 0, 40), ("samples", 1000, 12)):
        (folder / name).mkdir()
        for number in range(count):
            cv2.imwrite(str(folder / name / f"{number:02}.png"), drawing(first + number))
    # A training picture with a little noise: a copy.
    noise = np.random.default_rng(1).normal(0, 3, (SIZE, SIZE, 3))
    copy = np.clip(drawing(7) + noise, 0, 255).astype(np.uint8)
    cv2.imwrite(str(folder / "samples" / "12.png"), copy)
    (folder / "samples" / "notes.txt").write_text("no picture")
    prepare = ["prepare", "--pictures", str(folder / "training"), "--style", "shapes", "--tile", str(SIZE), "--cuts"]
    assert main([*prepare, "whole", "--validation", "0", "-o", str(folder / "set.npz")]) == 0
    return folder


def nearest(files: Path, samples: Path, training: str, output: Path, *more: str) -> int:
    features = ["--features", str(files / "squeezenet.safetensors"), "-o", str(output), "--device", "cpu"]
    return main(["nearest", str(samples), str(files / training), *features, *more])


@pytest.mark.parametrize("training", ["training", "set.npz"])
def test_a_copy_is_found_in_a_folder(
    files: Path, tmp_path: Path, training: str, capsys: pytest.CaptureFixture[str]
) -> None:
    size = ("--size", str(SIZE)) if training == "training" else ()
    assert nearest(files, files / "samples", training, tmp_path, "--nearest", "5", "--both-ways", "6", *size) == 0
    figures = json.loads((tmp_path / "nearest.json").read_text("utf-8"))
    assert figures["setup"]["size_px"] == SIZE and figures["setup"]["number of training pictures"] == 40
    named = [sample["name"] for sample in figures["samples"] if sample["may be a copy"]]
    assert "12.png" in named and len(named) <= 2  # one of a hundred real pictures would be named as well
    copy = figures["samples"][12]
    assert copy["late"]["nearest"][0]["name"] == copy["early"]["nearest"][0]["name"] == "07.png"
    assert copy["late"]["nearest"][0]["similarity"] > figures["layers"]["late"]["threshold"]
    assert all(len(sample["early"]["nearest"]) == 5 for sample in figures["samples"])
    assert len(figures["training"]) == 6 and len(figures["training"][0]["late"]) == 5
    page = (tmp_path / "nearest.html").read_text("utf-8")
    assert "12.png" in page and page.count('class="near"') >= 1 and "<script" not in page
    printed = capsys.readouterr().out
    assert f"{len(named)} of 13 samples may be copies" in printed and "may be a copy: 12.png of 07.png" in printed
    assert "left out: notes.txt" in printed


def test_samples_of_a_grid_are_its_cells(files: Path, tmp_path: Path) -> None:
    row = np.concatenate([drawing(7), drawing(2000), drawing(2001)], axis=1)
    last = np.concatenate([drawing(2002), np.full((SIZE, 2 * SIZE, 3), 255, np.uint8)], axis=1)
    cv2.imwrite(str(tmp_path / "grid.png"), np.concatenate([row, last]))
    assert nearest(files, tmp_path / "grid.png", "set.npz", tmp_path / "out") == 0
    samples = json.loads((tmp_path / "out" / "nearest.json").read_text("utf-8"))["samples"]
    assert [sample["name"] for sample in samples] == [
        "row 1, column 1", "row 1, column 2", "row 1, column 3", "row 2, column 1"
    ]  # fmt: skip
    assert [sample["may be a copy"] for sample in samples] == [True, False, False, False]


def test_samples_of_a_run_are_drawn_from_it(files: Path, tmp_path: Path) -> None:
    from trainer.data.tile_set import load_tile_set

    tiles = load_tile_set(files / "set.npz")
    run = RunConfig(images=8, batch=8, precision="fp32", device="cpu", log_images=8, save_images=8, sample_images=100)
    config = DcganConfig(size_px=32, width=4, noise=8)
    train(dcgan_build(tiles, run, config), run, tmp_path / "run", lambda images, losses: None, lambda: False)
    assert nearest(files, tmp_path / "run", "set.npz", tmp_path / "out", "--count", "3", "--seed", "5") == 0
    figures = json.loads((tmp_path / "out" / "nearest.json").read_text("utf-8"))
    assert [sample["name"] for sample in figures["samples"]] == ["seed 5", "seed 6", "seed 7"]
    assert torch.is_grad_enabled()


@pytest.mark.parametrize(
    ("samples", "training", "more", "message"),
    [
        ("none", "set.npz", (), "none does not exist"),
        ("samples", "none.npz", (), "none.npz cannot be read"),
        ("samples", "squeezenet.safetensors", (), "is not a tile set"),
        ("samples", "set.npz", ("--size", "16"), "enlarge them with --size"),
        ("samples/00.png", "set.npz", ("--cell", "20"), "not a grid of pictures of 20 px"),
        ("squeezenet.safetensors", "set.npz", (), "squeezenet.safetensors"),
    ],
)
def test_bad_input_is_one_sentence(
    files: Path, tmp_path: Path, samples: str, training: str, more: tuple[str, ...], message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert nearest(files, files / samples, training, tmp_path / "out", *more) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1 and not (tmp_path / "out").exists()


@pytest.mark.parametrize("wrong", [("--count", "0"), ("--nearest", "101"), ("--quantile", "1"), ("--seed", "-1")])
def test_wrong_options_are_wrong_usage(files: Path, tmp_path: Path, wrong: tuple[str, str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        nearest(files, files / "samples", "set.npz", tmp_path, *wrong)
    assert stopped.value.code == 2
