"""Super-resolution of pictures: from a folder of pictures to finer pictures."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tests.trainer.loop.test_loop import assert_equal
from tests.trainer.runs import quiet
from tests.trainer.systems.super_resolution.sets import hills
from trainer.__main__ import main
from trainer.data.tile_set import load_tile_set
from trainer.loop.checkpoints import checkpoint_of, load_checkpoint
from trainer.loop.config import RunConfig
from trainer.loop.loop import train
from trainer.systems.super_resolution.config import SuperResolutionConfig
from trainer.systems.super_resolution.picture_detail import PictureDetail, PictureShape
from trainer.systems.super_resolution.picture_files import finer
from trainer.systems.super_resolution.picture_system import picture_build

SMALL = ["--width", "8", "--blocks", "1", "--fine-widths", "4", "4", "--discriminator-widths", "8", "8",
         "--crop-px", "32", "--images", "8", "--batch", "2", "--plain-images", "4", "--precision", "fp32",
         "--device", "cpu", "--save-images", "4", "--sample-images", "8"]  # fmt: skip


def write_picture(path: Path, rows: int, cols: int, seed: int) -> None:
    layers = [hills(rows, cols, seed + number) for number in range(3)]
    picture = np.stack([255 * (layer - layer.min()) / np.ptp(layer) for layer in layers], axis=-1).astype(np.uint8)
    cv2.imwrite(str(path), picture)


@pytest.fixture(scope="module", params=[2, 4])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Path, Path]:
    """The factor, the tile set and the folder of a run."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "in").mkdir()
    for number in range(4):
        write_picture(folder / "in" / f"{number}.png", 140, 150, 3 * number)
    data = folder / "set.npz"
    command = ["prepare", "--pictures", str(folder / "in"), "--cuts", "centre", "--tile", "128", "-o", str(data)]
    assert main([*command, "--validation", "0.25"]) == 0
    factor = int(request.param)
    command = ["train", str(data), "--system", "super_resolution", "--config", "pictures-x4", "--factor", str(factor)]
    assert main([*command, *SMALL, "-o", str(folder / "run")]) == 0
    return factor, data, folder / "run"


def test_a_resumed_run_equals_an_unbroken_one(run: tuple[int, Path, Path], tmp_path: Path) -> None:
    factor, data, _ = run
    tiles = load_tile_set(data)
    config = SuperResolutionConfig(
        factor=factor, width=8, blocks=1, fine_widths=(4, 4), discriminator_widths=(8, 8), crop_px=32, plain_images=4
    )
    settings = RunConfig(images=8, batch=2, precision="fp32", device="cpu", log_images=4, save_images=100,
                         sample_images=100)  # fmt: skip
    for until, folder in ((8, tmp_path / "whole"), (4, tmp_path / "parts"), (8, tmp_path / "parts")):
        train(picture_build(tiles, settings, config), settings, folder, quiet, until=until)
    whole, resumed = (
        load_checkpoint(checkpoint_of(tmp_path / name), torch.device("cpu")) for name in ("whole", "parts")
    )
    for name in ("generator", "discriminator", "averaged"):
        assert_equal(whole[name], resumed[name])


def test_a_picture_becomes_finer_and_keeps_its_area_means(run: tuple[int, Path, Path], tmp_path: Path) -> None:
    factor, _, folder = run
    weights, source, target = tmp_path / "x.safetensors", tmp_path / "a.png", tmp_path / "b.png"
    assert main(["publish", str(folder), "-o", str(weights)]) == 0
    write_picture(source, 30, 41, 50)
    assert main(["sample", str(weights), "--input", str(source), "-o", str(target), "--seed", "3"]) == 0
    before, after = cv2.imread(str(source)), cv2.imread(str(target))
    assert after.shape == (30 * factor, 41 * factor, 3)
    means = after.reshape(30, factor, 41, factor, 3).mean(axis=(1, 3))
    assert np.abs(means - before).max() <= 0.51, "beyond the rounding of the pixels"


def test_the_report_of_an_evaluation(run: tuple[int, Path, Path], tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    factor, _, folder = run
    (tmp_path / "in").mkdir()
    for number in range(9):
        write_picture(tmp_path / "in" / f"{number}.png", 70, 70, 3 * number)
    data = tmp_path / "set.npz"
    command = ["prepare", "--pictures", str(tmp_path / "in"), "--cuts", "centre", "--tile", "66", "-o", str(data)]
    assert main([*command, "--validation", "0.9"]) == 0
    command = ["evaluate", "--weights", str(folder), "--data", str(data), "--features", "efficientnet-lite0"]
    assert main([*command, "-o", str(tmp_path / "report")]) == 0
    results = json.loads((tmp_path / "report" / "results.json").read_text("utf-8"))
    assert results["setup"]["times finer"] == factor
    found = results["pictures"]
    band = f"power of waves under {2 * factor} px"
    assert found["real"]["RMS difference"] == 0 and found["real"][band] == pytest.approx(1)
    assert 0 < found["bicubic"][band] < 0.9
    assert found["bicubic"]["RMS difference"] > 0
    assert "Pictures" in (tmp_path / "report" / "report.md").read_text("utf-8")


def test_too_few_held_out_pictures_are_refused(
    run: tuple[int, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, data, folder = run
    command = ["evaluate", "--weights", str(folder), "--data", str(data), "--features", "efficientnet-lite0"]
    assert main([*command, "-o", str(tmp_path / "report")]) == 1
    assert "has 1 held-out pictures, and 8 are needed" in capsys.readouterr().err


def test_a_folder_of_pictures_becomes_finer(run: tuple[int, Path, Path], tmp_path: Path) -> None:
    factor, _, folder = run
    (tmp_path / "in").mkdir()
    write_picture(tmp_path / "in" / "a.png", 12, 9, 50)
    (tmp_path / "in" / "note.txt").write_text("no picture", encoding="utf-8")
    assert main(["sample", str(folder), "--input", str(tmp_path / "in"), "-o", str(tmp_path / "out")]) == 0
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert [path.name for path in files] == ["a.png"]
    assert cv2.imread(str(files[0])).shape == (12 * factor, 9 * factor, 3)


def test_windows_fit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    network = PictureDetail(PictureShape(4, 8, 1, (4, 4))).eval()
    torch.nn.init.normal_(network.colours.out.weight, std=0.3)
    pixels = np.random.default_rng(0).integers(60, 190, (21, 33, 3)).astype(np.uint8)
    whole = finer(network, pixels, 5)
    monkeypatch.setattr("trainer.systems.super_resolution.picture_files._WINDOW", 8)
    assert np.abs(finer(network, pixels, 5).astype(int) - whole).max() <= 1
    assert not np.array_equal(finer(network, pixels, 6), whole)


def test_a_file_of_another_kind_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.generation.random_weights import write_fine_land

    write_fine_land(tmp_path / "fine.safetensors")
    write_picture(tmp_path / "a.png", 12, 9, 50)
    command = ["sample", str(tmp_path / "fine.safetensors"), "--input", str(tmp_path / "a.png")]
    assert main([*command, "-o", str(tmp_path / "b.png")]) == 1
    assert "holds the network 'fine-land', not super-resolution of pictures" in capsys.readouterr().err
