"""The evaluation of a DCGAN: its figures, its page, and what is refused."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from safetensors.torch import save_file

from tests.trainer.losses.test_losses import squeezenet_state
from tests.trainer.picture_sets import discs, of_pictures
from trainer.__main__ import main
from trainer.data.tile_set import TRAIN, VALIDATION, load_tile_set, save_tile_set
from trainer.systems.dcgan.weights import sample


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a few steps on 40 discs, 12 of them held out; its weights; features."""
    folder = tmp_path_factory.mktemp("files")
    save_tile_set(folder / "discs.npz", discs(40, 12))
    save_file(squeezenet_state(), folder / "squeezenet.safetensors")
    command = ["train", str(folder / "discs.npz"), "-o", str(folder / "run"), "--system", "dcgan", "--size-px", "32",
               "--width", "4", "--noise", "8", "--batch", "8", "--images", "16", "--device", "cpu"]  # fmt: skip
    assert main(command) == 0
    assert main(["publish", str(folder / "run"), "-o", str(folder / "w.safetensors")]) == 0
    return folder


def evaluate(files: Path, output: Path, weights: str = "w.safetensors", data: str = "discs.npz") -> list[str]:
    return ["evaluate", "--weights", str(files / weights), "--data", str(files / data), "--features",
            str(files / "squeezenet.safetensors"), "-o", str(output), "--device", "cpu"]  # fmt: skip


def figures_in(output: Path) -> dict[str, dict[str, float]]:
    figures: dict[str, dict[str, float]] = json.loads((output / "results.json").read_text())
    return figures


def test_weights_and_the_run_they_come_from_have_the_same_figures(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(evaluate(files, tmp_path / "weights")) == 0
    assert "FID (SqueezeNet 1.1" in capsys.readouterr().out
    assert main(evaluate(files, tmp_path / "run", weights="run")) == 0
    found, of_run = figures_in(tmp_path / "weights"), figures_in(tmp_path / "run")
    assert found["generated"] == of_run["generated"] and found["setup"]["N"] == 12
    assert found["setup"]["training pictures"] == 28
    # Discs are nearer to discs than what a network makes after two steps.
    assert found["real"]["fid"] < found["generated"]["fid"]
    page = (tmp_path / "weights" / "report.html").read_text()
    assert page.count("data:image/jpeg") == 2 + 8 * 7 and "N = 12" in page
    assert "N = 12" in (tmp_path / "weights" / "report.md").read_text()
    picture = cv2.imread(str(tmp_path / "weights" / "report.jpg"))
    assert picture is not None and picture.shape == (64, 256, 3)


def test_copies_of_training_pictures_are_found(files: Path, tmp_path: Path) -> None:
    """A set whose training pictures are the samples of the weights."""
    copies = sample(files / "w.safetensors", 10, 0)
    held_out = load_tile_set(files / "discs.npz").subset(VALIDATION).texture[:10]
    split = np.repeat(np.array([TRAIN, VALIDATION], np.uint8), 10)
    save_tile_set(tmp_path / "copies.npz", of_pictures(np.concatenate([copies, held_out]), split))
    command = evaluate(files, tmp_path / "out")
    command[command.index(str(files / "discs.npz"))] = str(tmp_path / "copies.npz")
    assert main(command) == 0
    novelty = figures_in(tmp_path / "out")["novelty"]
    assert novelty["authenticity"] < 0.5


@pytest.mark.parametrize(("make", "message"), [
    (lambda: discs(40, 3), "holds out 3 of 40 pictures"),
    (lambda: discs(40, 12, side=64), "makes pictures of 32 px"),
])  # fmt: skip
def test_sets_that_do_not_fit(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], make: object, message: str
) -> None:
    assert callable(make)
    save_tile_set(files / "other.npz", make())
    assert main(evaluate(files, tmp_path, data="other.npz")) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


@pytest.mark.parametrize(("more", "message"), [
    (["--crops", "9"], "--crops is for terrain"),
    (["--shard", "1/2"], "--shard is for terrain"),
])  # fmt: skip
def test_options_of_another_system(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*evaluate(files, tmp_path), *more])
    assert ended.value.code == 2 and message in capsys.readouterr().err


@pytest.mark.parametrize(("flag", "value"), [("--count", "4"), ("--seed", "-1")])
def test_numbers_out_of_range(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], flag: str, value: str
) -> None:
    assert main([*evaluate(files, tmp_path), flag, value]) == 1
    error = capsys.readouterr().err
    assert "must be at least" in error and error.count("\n") == 1
