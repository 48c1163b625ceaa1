"""`python -m trainer explore`: each verb, on small generators."""

import csv
import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from terrainpaint.models.stylegan2 import StyleGan2Shape, latents_of
from tests.generation.dream_networks import write_dream_weights
from tests.trainer.exploration.generators import SHAPE, cells, dcgan_weights, style_weights
from tests.trainer.losses.test_losses import squeezenet_state
from tests.trainer.picture_sets import discs
from trainer.__main__ import main
from trainer.data.tile_set import save_tile_set
from trainer.exploration.loading import load_stylegan2_model
from trainer.sampling.grid import to_uint8
from trainer.systems.dcgan.weights import sample as sample_dcgan
from trainer.systems.stylegan2.weights import sample


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of both systems, and features."""
    folder = tmp_path_factory.mktemp("weights")
    style_weights(folder / "style.safetensors")
    dcgan_weights(folder / "dcgan.safetensors")
    save_file(squeezenet_state(), folder / "squeezenet.safetensors")
    return folder


def explore(folder: Path, verb: str, output: Path, *more: str, weights: str = "style") -> list[str]:
    return ["explore", verb, str(folder / f"{weights}.safetensors"), *more, "-o", str(output), "--device", "cpu"]


def picture(path: Path) -> NDArray[np.uint8]:
    read = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert read is not None
    return np.asarray(read[:, :, ::-1], np.uint8)


def of_seeds(folder: Path, seeds: list[int], truncation: float = 1.0) -> NDArray[np.uint8]:
    """What the generator itself makes of seeds."""
    generator = load_stylegan2_model(folder / "style.safetensors", "cpu").generator
    with torch.no_grad():
        return to_uint8(generator(latents_of(seeds, SHAPE.latent), truncation))


def test_samples_and_grids_show_the_pictures_of_their_seeds(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(explore(folder, "samples", tmp_path / "single", "--seeds", "7,2-3")) == 0
    assert sorted(path.name for path in (tmp_path / "single").iterdir()) == [
        "seed-0002.png", "seed-0003.png", "seed-0007.png"
    ]  # fmt: skip
    assert np.array_equal(picture(tmp_path / "single" / "seed-0007.png"), of_seeds(folder, [7])[0])
    assert main(explore(folder, "grid", tmp_path / "grid.png")) == 0
    nine = cells(picture(tmp_path / "grid.png"))
    assert nine.shape[:2] == (3, 3) and np.array_equal(nine.reshape(-1, 32, 32, 3), of_seeds(folder, list(range(9))))
    assert np.array_equal(nine[0], sample(folder / "style.safetensors", 3, 0))
    assert main(explore(folder, "grid", tmp_path / "two.png", "--seeds", "5,1", "--truncation", "0.5")) == 0
    assert np.array_equal(cells(picture(tmp_path / "two.png"))[0], of_seeds(folder, [5, 1], 0.5))
    assert main(explore(folder, "grid", tmp_path / "twenty.png", "--grid", "20", "--truncation", "0")) == 0
    same = cells(picture(tmp_path / "twenty.png"))
    assert same.shape[:2] == (4, 5) and (same == same[0, 0]).all()  # the mean style alone
    assert main(explore(folder, "grid", tmp_path / "large.png", "--grid", "2x1", "--enlarge", "3")) == 0
    assert picture(tmp_path / "large.png").shape == (96, 192 + 3, 3)
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(explore(folder, "grid", tmp_path / "no.png", "--grid", "3x3", "--seeds", "0-7"))
    assert "3 x 3 places" in capsys.readouterr().err


@pytest.mark.parametrize("space", ["z", "w"])
def test_the_ends_of_a_walk_are_the_pictures_of_its_seeds(folder: Path, tmp_path: Path, space: str) -> None:
    more = ("--seeds", "4,9,2", "--space", space, "--steps", "3", "--truncation", "0.8")
    assert main(explore(folder, "walk", tmp_path / "walk.png", *more)) == 0
    steps = cells(picture(tmp_path / "walk.png"))[0]
    assert len(steps) == 7 and np.array_equal(steps[[0, 3, 6]], of_seeds(folder, [4, 9, 2], 0.8))
    assert not np.array_equal(steps[1], steps[0]) and not np.array_equal(steps[1], steps[3])
    # A closed walk has a row for each seed, and ends a step before it is at the first one again.
    assert main(explore(folder, "walk", tmp_path / "loop.png", *more, "--loop")) == 0
    loop = cells(picture(tmp_path / "loop.png"))
    assert loop.shape[:2] == (3, 3) and np.array_equal(loop.reshape(-1, 32, 32, 3)[:7], steps)
    assert main(explore(folder, "walk", tmp_path / "steps", *more)) == 0
    assert np.array_equal(picture(tmp_path / "steps" / "step-0006.png"), steps[6])
    assert len(list((tmp_path / "steps").iterdir())) == 7


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".webp"])
def test_a_walk_as_film(folder: Path, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"walk{suffix}"
    more = () if suffix == ".mp4" else ("--enlarge", "1")
    assert main(explore(folder, "walk", path, "--seeds", "0,1", "--steps", "6", "--loop", "--fps", "10", *more)) == 0
    if suffix != ".mp4":
        assert path.stat().st_size > 1000
        return
    film = cv2.VideoCapture(str(path))
    frames = [film.read()[1][:, :, ::-1] for _ in range(int(film.get(cv2.CAP_PROP_FRAME_COUNT)))]
    assert len(frames) == 12 and film.get(cv2.CAP_PROP_FPS) == 10 and frames[0].shape == (256, 256, 3)
    film.release()
    first, other = (cv2.resize(each, (32, 32), interpolation=cv2.INTER_AREA).astype(float) for each in frames[::6])
    wanted = of_seeds(folder, [0, 1]).astype(float)
    assert np.abs(first - wanted[0]).mean() < 15 < np.abs(first - wanted[1]).mean()
    assert np.abs(other - wanted[1]).mean() < 15


def test_the_first_row_and_column_of_a_mixing_grid_are_its_sources(folder: Path, tmp_path: Path) -> None:
    more = ("--rows", "0-1", "--columns", "10-12")
    assert main(explore(folder, "mix", tmp_path / "mix.png", *more)) == 0
    grid = cells(picture(tmp_path / "mix.png"))
    assert grid.shape[:2] == (3, 4) and (grid[0, 0] == 255).all()
    assert np.array_equal(grid[0, 1:], of_seeds(folder, [10, 11, 12]))
    assert np.array_equal(grid[1:, 0], of_seeds(folder, [0, 1]))
    generator = load_stylegan2_model(folder / "style.safetensors", "cpu").generator
    with torch.no_grad():
        row, column = (generator.styles(latents_of([seed], SHAPE.latent)) for seed in (1, 11))
        half = SHAPE.style_count // 2
        expected = to_uint8(generator.synthesis(torch.cat([column[:, :half], row[:, half:]], dim=1)))
    assert np.array_equal(grid[2, 2], expected[0])
    assert main(explore(folder, "mix", tmp_path / "all.png", *more, "--layers", f"0-{SHAPE.style_count - 1}")) == 0
    grid = cells(picture(tmp_path / "all.png"))
    assert np.abs(grid[2, 1:].astype(int) - grid[0, 1:]).max() <= 1  # the rounding depends on the number of pictures


def test_a_generated_picture_is_found_again(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(explore(folder, "samples", tmp_path, "--seeds", "5", "--truncation", "0.9")) == 0
    more = (str(tmp_path / "seed-0005.png"), "--features", str(folder / "squeezenet.safetensors"))
    assert main(explore(folder, "project", tmp_path / "found", *more, "--steps", "40")) == 0
    assert "SqueezeNet 1.1" in capsys.readouterr().out
    found = tmp_path / "found"
    target, projected = picture(found / "target.png"), picture(found / "projection.png")
    assert np.array_equal(target, picture(tmp_path / "seed-0005.png"))
    mean = of_seeds(folder, [0], 0.0)[0]
    error, first = (float(np.square(each.astype(float) - target).mean()) for each in (projected, mean))
    assert error < 0.2 * first
    rows = list(csv.DictReader((found / "losses.csv").read_text().splitlines()))
    assert len(rows) == 41 and float(rows[-1]["distance"]) < 0.3 * float(rows[0]["distance"])
    figures = json.loads((found / "projection.json").read_text())
    assert figures["last distance"] == pytest.approx(float(rows[-1]["distance"]), abs=1e-5)
    assert figures["features"].startswith("SqueezeNet 1.1") and figures["steps"] == 40
    film = cv2.VideoCapture(str(found / "projection.mp4"))
    assert (film.get(cv2.CAP_PROP_FRAME_COUNT), film.get(cv2.CAP_PROP_FRAME_WIDTH)) == (42, 512)
    film.release()
    with np.load(found / "projection.npz") as stored:
        w = stored["w"]
    assert w.shape == (1, SHAPE.style_count, SHAPE.latent) and (w == w[:, :1]).all()  # one style for all layers
    # The file gives the same picture again; variations of no amount are that picture.
    start = ("--start", str(found / "projection.npz"))
    assert main(explore(folder, "vary", tmp_path / "same.png", *start, "--grid", "2x1", "--amount", "0")) == 0
    assert np.array_equal(cells(picture(tmp_path / "same.png"))[0], np.stack([projected, projected]))
    assert main(explore(folder, "vary", tmp_path / "varied.png", *start)) == 0
    varied = cells(picture(tmp_path / "varied.png")).reshape(9, -1)
    assert np.array_equal(varied[0], projected.reshape(-1)) and len({each.tobytes() for each in varied}) == 9
    # A walk from it to a seed begins with it.
    through = ("--through", str(found / "projection.npz"), "3", "--steps", "2", "--truncation", "0.5")
    assert main(explore(folder, "walk", tmp_path / "walk.png", *through)) == 0
    steps = cells(picture(tmp_path / "walk.png"))[0]
    assert len(steps) == 3 and np.array_equal(steps[[0, 2]], np.stack([projected, of_seeds(folder, [3], 0.5)[0]]))
    # The same command finds the same.
    for name in ("again", "once more"):
        assert main(explore(folder, "project", tmp_path / name, *more, "--steps", "2", "--no-film")) == 0
    once, again = ((tmp_path / name / "losses.csv").read_text() for name in ("once more", "again"))
    assert once == again and not (tmp_path / "again" / "projection.mp4").exists()


def test_each_layer_may_have_a_style_of_its_own(folder: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "red.png"), np.full((40, 40, 3), (0, 0, 255), np.uint8))
    more = ("--features", str(folder / "squeezenet.safetensors"), "--steps", "4", "--space", "w+", "--no-film")
    assert main(explore(folder, "project", tmp_path / "red", str(tmp_path / "red.png"), *more)) == 0
    with np.load(tmp_path / "red" / "projection.npz") as stored:
        assert not (stored["w"] == stored["w"][:, :1]).all()


def test_directions_start_in_the_middle(folder: Path, tmp_path: Path) -> None:
    more = ("--start", "6", "--count", "3", "--steps", "5", "--layers", "0-3", "--amount", "1")
    assert main(explore(folder, "directions", tmp_path / "found", *more)) == 0
    sheet = cells(picture(tmp_path / "found" / "directions.png"))
    assert sheet.shape[:2] == (3, 5)
    assert all(np.array_equal(row[2], of_seeds(folder, [6])[0]) for row in sheet)
    assert len({each.tobytes() for each in sheet.reshape(15, -1)}) == 13
    with np.load(tmp_path / "found" / "directions.npz") as stored:
        found, changes, unit = stored["directions"], stored["squared_changes"], float(stored["unit"])
        assert stored["layers"].tolist() == [0, 1, 2, 3]
    assert np.allclose(found @ found.T, np.eye(3), atol=1e-5) and (np.diff(changes) <= 0).all()
    assert main(explore(folder, "directions", tmp_path / "sheet.png", *more)) == 0
    assert np.array_equal(cells(picture(tmp_path / "sheet.png")), sheet) and (tmp_path / "sheet.npz").is_file()
    generator = load_stylegan2_model(folder / "style.safetensors", "cpu").generator
    with torch.no_grad():
        styles = generator.styles(latents_of([6], SHAPE.latent))
        styles = styles.clone()
        styles[:, :4] += unit * torch.from_numpy(found[1])
        assert np.array_equal(sheet[1, 4], to_uint8(generator.synthesis(styles))[0])


@pytest.mark.parametrize("weights", ["style", "dcgan"])
def test_the_nearest_training_picture_of_a_copy_is_its_original(folder: Path, tmp_path: Path, weights: str) -> None:
    make = sample if weights == "style" else sample_dcgan
    training = make(folder / f"{weights}.safetensors", 9, 0)
    (tmp_path / "set").mkdir()
    for seed, each in enumerate(training):
        cv2.imwrite(str(tmp_path / "set" / f"picture {seed}.png"), each[:, :, ::-1])
    more = (str(tmp_path / "set"), "--seeds", "2,0", "--nearest", "4", "--features",
            str(folder / "squeezenet.safetensors"))  # fmt: skip
    assert main(explore(folder, "nearest", tmp_path / "near.png", *more, weights=weights)) == 0
    sheet = cells(picture(tmp_path / "near.png"))
    assert sheet.shape[:2] == (2, 5)
    found = json.loads((tmp_path / "near.json").read_text())
    for row, seed, listed in zip(sheet, (2, 0), found["samples"], strict=True):
        assert np.array_equal(row[0], training[seed]) and np.array_equal(row[1], training[seed])
        assert listed["seed"] == seed and listed["nearest"][0]["name"] == f"picture {seed}.png"
        assert listed["nearest"][0]["similarity"] == pytest.approx(1, abs=1e-3)


def test_dcgan_has_seeds_and_walks(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(explore(folder, "grid", tmp_path / "grid.png", "--grid", "3x1", weights="dcgan")) == 0
    expected = sample_dcgan(folder / "dcgan.safetensors", 3, 0)
    assert np.array_equal(cells(picture(tmp_path / "grid.png"))[0], expected)
    assert main(explore(folder, "walk", tmp_path / "walk.png", "--seeds", "0,2", weights="dcgan")) == 0
    steps = cells(picture(tmp_path / "walk.png"))[0]
    assert len(steps) == 9 and np.array_equal(steps[[0, 8]], expected[[0, 2]])
    capsys.readouterr()
    for verb, more, message in (
        ("grid", ("--truncation", "0.5"), "has no truncation"), ("walk", ("--space", "w"), "has no styles"),
        ("mix", (), "has no styles"), ("directions", (), "has no styles"),
    ):  # fmt: skip
        assert main(explore(folder, verb, tmp_path / "no.png", *more, weights="dcgan")) == 1
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1


def test_wrong_files_are_one_sentence(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.png").write_text("no picture")
    cv2.imwrite(str(tmp_path / "tiny.png"), np.zeros((8, 90, 3), np.uint8))
    other = style_weights(tmp_path / "other.safetensors", StyleGan2Shape(16, base_channels=64, latent=12))
    features = ("--features", str(folder / "squeezenet.safetensors"))
    cv2.imwrite(str(tmp_path / "wide.png"), np.zeros((40, 60, 3), np.uint8))
    project = ["explore", "project", str(other), str(tmp_path / "wide.png"), "-o", str(tmp_path / "p"), "--no-film"]
    assert main([*project, "--steps", "1", *features]) == 0
    assert "the middle 40 x 40 px of its 60 x 40 px" in capsys.readouterr().out
    np.savez(tmp_path / "array.npz", texture=np.zeros(3))
    for verb, more, message in (
        ("project", (str(tmp_path / "text.png"), *features), "text.png"),
        ("project", (str(tmp_path / "tiny.png"), *features), "90 x 8 px"),
        ("project", (str(tmp_path / "nowhere.png"), *features), "nowhere.png"),
        ("project", (str(tmp_path), *features), str(tmp_path)),
        ("vary", ("--start", str(tmp_path / "p" / "projection.npz")), "use the weights that it was made with"),
        ("vary", ("--start", str(tmp_path / "array.npz")), "no projection"),
        ("vary", ("--start", "nowhere.npz"), "cannot be read"),
        ("nearest", (str(tmp_path / "nowhere.npz"), *features), "nowhere.npz"),
    ):  # fmt: skip
        output = tmp_path / ("no" if verb == "project" else "no.png")
        assert main(explore(folder, verb, output, *more)) == 1, verb
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1 and not output.exists()
    assert main(["explore", "grid", str(tmp_path / "array.npz"), "-o", str(tmp_path / "no.png")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(("verb", "more", "message"), [
    ("grid", ("--seeds", "9-3"), "ends before it begins"),
    ("walk", ("--seeds", "3"), "two seeds"),
    ("walk", ("--steps", "0"), "--steps is 1"),
    ("walk", ("--fps", "nan"), "--fps is"),
    ("walk", ("--steps", "90000"), "270000 pictures are more"),
    ("mix", ("--rows", "0-9999"), "50000 pictures are more"),
    ("mix", ("--layers", "0-40"), "the generator has 0 to 7"),
    ("directions", ("--steps", "4"), "--steps is odd"),
    ("directions", ("--count", "13"), "at most 12"),
    ("vary", ("--start", "99999999999"), "a seed is at most"),
    ("vary", ("--amount", "inf"), "--amount is"),
    ("vary", ("--grid", "1"), "two pictures"),
    ("vary", ("--seed", "4294967290"), "--seed and those"),
    ("samples", ("--seeds", "one"), "are no seeds"),
])  # fmt: skip
def test_wrong_numbers_are_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str, more: tuple[str, ...], message: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(explore(folder, verb, tmp_path / "no.png", *more))
    assert ended.value.code == 2 and message in capsys.readouterr().err


def test_outputs_of_other_kinds_are_refused(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for verb, name, more, message in (
        ("grid", "grid.txt", (), "picture"), ("walk", "walk.avi", (), "picture"), ("vary", "folder", (), "picture"),
        ("samples", "one.png", (), "the output is a folder"),
        ("project", "one.jpg", ("x.png",), "the output is a folder"),
    ):  # fmt: skip
        with pytest.raises(SystemExit):
            main(explore(folder, verb, tmp_path / name, *more))
        assert message in capsys.readouterr().err


def test_the_commands_of_the_guide_run(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(__file__).parents[3] / "docs" / "explore.md").read_text(encoding="utf-8")
    commands = re.findall(r"^    python -m trainer (explore .*)$", text, re.MULTILINE)
    verbs = set(re.findall(r"^\| `([a-z]+)` \|", text, re.MULTILINE))
    assert {command.split()[1] for command in commands} == verbs
    monkeypatch.chdir(tmp_path)
    shutil.copy(folder / "style.safetensors", "birds.safetensors")
    write_dream_weights(tmp_path / "assets" / "weights" / "dreams" / "earth.safetensors")
    save_tile_set(tmp_path / "birds.npz", discs(9, 0))
    cv2.imwrite("bird.jpg", discs(1, 0).texture[0])
    for command in commands:
        words = command.split()
        if words[1] in ("project", "nearest"):
            words += ["--features", str(folder / "squeezenet.safetensors")]
        if words[1] in ("project", "walk"):
            words += ["--steps", "2"]
        assert main(words) == 0, command
        assert Path(words[words.index("-o") + 1]).exists(), command
