"""A study with the command: parts, other sets, resuming, failures, and the figures against those of single runs."""

import json
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from terrainpaint.errors import TrainingError
from tests.trainer.losses.test_losses import squeezenet_state
from tests.trainer.picture_sets import discs, of_pictures
from trainer.__main__ import main
from trainer.data.tile_set import TRAIN, VALIDATION, TileSet, load_tile_set, save_tile_set
from trainer.loop.checkpoints import checkpoint_of, load_checkpoint
from trainer.studies.measuring import StudyFigures
from trainer.studies.plan import at_size, make_plan
from trainer.studies.study import StudyState

CPU = torch.device("cpu")
HALF, ALL = Fraction(1, 2), Fraction(1)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean set of 64 discs, 20 of them held out; a noisy one of others; a tiny network; features."""
    folder = tmp_path_factory.mktemp("files")
    save_tile_set(folder / "clean.npz", discs(64, 20, named="disc-"))
    save_tile_set(folder / "noisy.npz", discs(30, 0, seed=1, named="other-"))
    save_tile_set(folder / "large.npz", discs(30, 0, side=64, seed=2))
    save_file(squeezenet_state(), folder / "squeezenet.safetensors")
    (folder / "c.toml").write_text("size_px = 32\nwidth = 4\nnoise = 8\nbatch = 8\nlog_images = 8\nimages = 32\n")
    return folder


def study(files: Path, output: Path, *more: str, name: str = "clean") -> list[str]:
    return ["study", str(files / f"{name}.npz"), "-o", str(output), "--config", str(files / "c.toml"), "--device",
            "cpu", "--features", str(files / "squeezenet.safetensors"), *more]  # fmt: skip


def results(output: Path) -> dict[str, dict[str, object]]:
    return {run["label"]: run for run in json.loads((output / "results.json").read_text())["runs"]}


def pixels(tiles: TileSet) -> set[bytes]:
    return {picture.tobytes() for picture in tiles.subset(TRAIN).texture}


def test_smaller_parts_are_contained_in_larger_ones() -> None:
    plan = make_plan({"clean": discs(64, 20)}, [ALL, Fraction(1, 8), HALF], 1000, 0)
    assert [run.label for run in plan.runs] == ["clean, 1/8", "clean, 1/2", "clean, all"]
    assert [run.pictures for run in plan.runs] == [6, 22, 44]
    eighth, half, whole = (pixels(run.tiles) for run in plan.runs)
    assert eighth < half < whole
    assert plan.held_out.shape == plan.others.shape == (20, 32, 32, 3)
    assert not pixels(plan.runs[-1].tiles) & {picture.tobytes() for picture in plan.held_out}
    assert all(picture.tobytes() in whole for picture in plan.others)


def test_no_run_is_trained_on_what_it_is_measured_with() -> None:
    """In another set, a picture may have the name of a held-out one, or its pixels under another name."""
    clean = discs(64, 20, named="disc-")
    others = discs(10, 0, seed=5)
    pictures = np.concatenate([clean.texture[:2], others.texture])
    names = ("copy.png", "disc-1.png", "disc-2.png", *(f"new-{index}.png" for index in range(9)))
    noisy = of_pictures(pictures, np.full(12, TRAIN, np.uint8), names)
    run = make_plan({"clean": clean, "noisy": noisy}, [ALL], 1000, 0).runs[-1]
    assert (run.label, run.pictures, run.left_out) == ("noisy, all", 9, 3)
    assert run.tiles.names == names[3:]


def test_sets_of_several_sizes_are_measured_at_the_smallest() -> None:
    plan = make_plan({"large": discs(64, 20, side=64), "small": discs(30, 0)}, [ALL], 8, 0)
    assert plan.size_px == 32 and plan.held_out.shape == (8, 32, 32, 3)
    chequered = np.zeros((1, 4, 4, 3), np.uint8)
    chequered[:, ::2] = 200
    assert at_size(chequered, 2).tolist() == np.full((1, 2, 2, 3), 100).tolist()


@pytest.mark.parametrize(("count", "held_out", "fraction", "message"), [
    (40, 19, ALL, "holds out 19 pictures.*--validation"),
    (64, 20, Fraction(1, 50), "has 1 pictures to train on"),
])  # fmt: skip
def test_sets_that_are_too_small(count: int, held_out: int, fraction: Fraction, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        make_plan({"clean": discs(count, held_out)}, [fraction], 1000, 0)


def test_one_command_compares_parts_and_sets(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = study(files, tmp_path, "--fractions", "1/2", "1", "--sets", f"noisy={files / 'noisy.npz'}",
                    str(files / "large.npz"), "--rounds", "2")  # fmt: skip
    assert main(command) == 0
    found = results(tmp_path)
    assert {label: run["pictures"] for label, run in found.items()} == {
        "clean, 1/2": 22, "clean, all": 44, "noisy, all": 30, "large, all": 30
    }  # fmt: skip
    for label, run in found.items():
        figures = run["figures"]
        assert isinstance(figures, dict) and list(figures) == ["16", "32"], label
        for each in figures.values():
            assert each["fid"] > 0 and 0 <= each["precision"] <= 1 and each["nearest"] > 0
    # Real pictures are nearer to real ones than those of an untrained network are.
    clean = found["clean, all"]
    assert clean["real"]["fid"] < clean["figures"]["32"]["fid"]  # type: ignore[index]
    assert load_checkpoint(checkpoint_of(tmp_path / "runs" / "large-all"), CPU)["settings"]["size_px"] == 64
    page = (tmp_path / "study.html").read_text()
    assert page.count("data:image/jpeg") == 5 and "<svg" in page and "SqueezeNet 1.1" in page and "N = 20" in page
    assert cv2.imread(str(tmp_path / "study.jpg")) is not None
    assert "| noisy, all | 30 |" in (tmp_path / "study.md").read_text()
    printed = capsys.readouterr().out
    assert "Runs after 32 images each" in printed

    times = {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs/*/*.*")}
    assert main(command) == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs/*/*.*")} == times
    assert results(tmp_path) == found
    # Longer runs continue the same ones.
    assert main([*command, "--images", "48"]) == 0
    figures = results(tmp_path)["clean, all"]["figures"]
    assert isinstance(figures, dict) and list(figures) == ["16", "32", "48"]


def test_a_study_that_is_stopped_anywhere_ends_with_the_same_figures(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("--fractions", "1/2", "1", "--rounds", "2")
    assert main(study(files, tmp_path / "whole", *command)) == 0
    from trainer.studies import study as module

    save = module.save_figures
    calls = iter(range(100))

    def killed(*arguments: object) -> None:
        if next(calls) == 1:  # the second run is trained and not yet measured
            raise KeyboardInterrupt
        save(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "save_figures", killed)
    assert main(study(files, tmp_path / "broken", *command)) == 130
    assert main(study(files, tmp_path / "broken", *command)) == 0
    assert results(tmp_path / "broken") == results(tmp_path / "whole")


def test_a_run_that_fails_is_reported_and_the_others_go_on(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A set of another size than that of the networks, which is asked for."""
    command = study(files, tmp_path, "--fractions", "1", "--sets", f"large={files / 'large.npz'}", "--size-px", "32")
    assert main(command) == 1
    found = results(tmp_path)
    assert "have 64 px and the networks 32 px" in str(found["large, all"]["failure"])
    assert list(found["clean, all"]["figures"]) == ["32"]  # type: ignore[call-overload]
    captured = capsys.readouterr()
    assert "large, all" in captured.err and "1 of 2 runs failed" in captured.err
    assert "large, all (failed)" in (tmp_path / "study.md").read_text()


def test_the_dry_run_tells_the_plan_and_writes_nothing(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(study(files, tmp_path / "out", "--fractions", "1/4", "1", "--dry-run")) == 0
    printed = capsys.readouterr().out
    assert "clean, 1/4" in printed and "44" in printed and "0 min" in printed
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("more", "message"), [
    (("--width", "8"), "width = 4, not 8"),
    (("--part-seed", "1"), "had other pictures"),
])  # fmt: skip
def test_a_folder_of_another_study_is_refused(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], message: str
) -> None:
    assert main(study(files, tmp_path, "--fractions", "1/2", "--images", "8")) == 0
    assert main(study(files, tmp_path, "--fractions", "1/2", "--images", "8", *more)) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    (tmp_path / "study.json").write_text("{")
    assert main(study(files, tmp_path, "--fractions", "1/2")) == 1
    assert "study.json is not the description of a study" in capsys.readouterr().err


def test_runs_are_compared_where_most_of_them_were_measured() -> None:
    figures = StudyFigures(*[1.0] * 7)

    def state(measured: dict[str, tuple[int, ...]], *failed: str) -> StudyState:
        by_run = {name: dict.fromkeys(images, figures) for name, images in measured.items()}
        return StudyState(by_run, failures=dict.fromkeys(failed, "It failed."))

    assert state({"a": (), "b": ()}).compared_at() is None
    assert state({"a": (8,), "b": ()}).compared_at() == 8
    assert state({"a": (8, 16), "b": (8,)}).compared_at() == 8
    assert state({"a": (8, 16), "b": (8, 16)}).compared_at() == 16
    assert state({"a": (8, 16), "b": (8,)}, "b").compared_at() == 16


def test_damaged_figures_are_measured_again(files: Path, tmp_path: Path) -> None:
    assert main(study(files, tmp_path, "--fractions", "1")) == 0
    before = results(tmp_path)
    (path,) = tmp_path.glob("runs/*/figures-*.json")
    path.write_text(path.read_text()[:30])
    assert main(study(files, tmp_path, "--fractions", "1")) == 0
    assert results(tmp_path) == before


@pytest.mark.parametrize("more", [
    ("--fractions", "0"), ("--fractions", "3/2"), ("--fractions", "some"), ("--rounds", "0"), ("--name", "a/b"),
    ("--sets", "a=x.npz", "a=y.npz"), ("--sets", "bad name=x.npz"), ("--count", "5"),
])  # fmt: skip
def test_wrong_usage(files: Path, tmp_path: Path, more: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(study(files, tmp_path, *more))
    assert exit_.value.code == 2


def test_terrain_is_refused(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["study", str(files / "clean.npz"), "-o", str(tmp_path), "--system", "terrain", "--features",
               str(files / "squeezenet.safetensors")]  # fmt: skip
    assert main(command) == 1
    error = capsys.readouterr().err
    assert "--system dcgan" in error and error.count("\n") == 1


def test_a_set_without_held_out_pictures(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(study(files, tmp_path, name="noisy")) == 1
    error = capsys.readouterr().err
    assert "noisy holds out 0 pictures" in error and error.count("\n") == 1
    assert (load_tile_set(files / "noisy.npz").split == VALIDATION).sum() == 0
