"""The evaluate command, from files to files."""

import json
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import safetensors.torch
import torch

from terrainpaint.errors import TrainingError
from terrainpaint.models.networks import NETWORKS
from terrainpaint.models.shadow import ShadowConfig, ShadowGenerator
from terrainpaint.models.spade_local import SpadeLocal, SpadeLocalConfig
from terrainpaint.models.spade_terrain.reference_network import ReferenceConfig
from terrainpaint.models.weights import WeightsHeader, save_weights
from tests.trainer.lands import small_set
from trainer.__main__ import main
from trainer.data.tile_set import TRAIN, VALIDATION, save_tile_set
from trainer.systems.terrain.evaluation import segmenter
from trainer.systems.terrain.evaluation.evaluation import Options, was_seen_in_training
from trainer.systems.terrain.evaluation.measurements import Measurements, load_measurements, merge, save_measurements
from trainer.systems.terrain.evaluation.real_crops import RealCrops
from trainer.systems.terrain.evaluation.segmenter import class_ious, confusion_matrix

CPU = torch.device("cpu")
FIRES = {3: (64, 16, 64), 4: (128, 16, 64), 6: (128, 32, 128), 7: (256, 32, 128), 9: (256, 48, 192),
         10: (384, 48, 192), 11: (384, 64, 256)}  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with weights that were never trained, a set, and features of a random SqueezeNet."""
    folder = tmp_path_factory.mktemp("evaluated")
    save_tile_set(folder / "set.npz", small_set())
    torch.manual_seed(0)
    config = SpadeLocalConfig(widths=(16, 16, 16, 16), blocks=(1, 1, 1, 1), hidden=8)
    header = WeightsHeader("spade-local", config, ShadowConfig(), 2000.0, "made-up", "nobody", "MIT", {"images": 7})
    save_weights(folder / "w.safetensors", header, SpadeLocal(config), ShadowGenerator(ShadowConfig()))
    state = {"features.0.weight": torch.randn(64, 3, 3, 3) / 5, "features.0.bias": torch.zeros(64)}
    for index, (width, squeezed, expanded) in FIRES.items():
        for name, shape in (("squeeze", (squeezed, width, 1, 1)), ("expand1x1", (expanded, squeezed, 1, 1)),
                            ("expand3x3", (expanded, squeezed, 3, 3))):  # fmt: skip
            state[f"features.{index}.{name}.weight"] = torch.randn(shape) * (2 / np.prod(shape[1:])) ** 0.5
            state[f"features.{index}.{name}.bias"] = torch.zeros(shape[0])
    safetensors.torch.save_file(state, folder / "features.safetensors")
    return folder


@pytest.fixture(autouse=True)
def few_training_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segmenter, "STEPS", 3)


def command(files: Path, output: Path, *more: str) -> list[str]:
    return ["evaluate", "--weights", str(files / "w.safetensors"), "--data", str(files / "set.npz"), "--features",
            str(files / "features.safetensors"), "-o", str(output), "--crops", "9", "--crop-px", "64",
            "--uniform-px", "128", "--device", "cpu", *more]  # fmt: skip


def test_one_command_writes_figures_and_a_report_without_other_files(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(files, tmp_path)) == 0
    output = capsys.readouterr().out
    assert (
        "KID (SqueezeNet 1.1 " in output
        and "N = 9), hillshade" in output
        and "mIoU" in output
        and "Laplacian L1" in output
    )
    results = json.loads((tmp_path / "results.json").read_text())
    setup = results["setup"]
    assert setup["crops"] == 9 and setup["held-out tiles"] == 2 and setup["images"] == 7
    views = ("shaded terrain", "shaded terrain, half size", "albedo", "hillshade", "hillshade, half size")
    assert tuple(results["distances"]) == views
    for view in views:
        distances = results["distances"][view]
        assert distances["FID"] > 0 and distances["FID floor"] > 0
        assert np.isfinite([distances["KID"], distances["KID floor"]]).all()
        assert distances["places"] is None  # two held-out tiles are too few
    ssim = results["pairs"]["SSIM"]
    assert ssim["minimum"] <= ssim["mean"] <= ssim["maximum"]
    for name in ("real", "generated"):
        assert np.sum(results["segmentation consistency"][name]["confusion"]) == 9 * 64 * 64
        assert 0 <= results["segmentation consistency"][name]["mIoU"] <= 1
    assert results["elevation"]["mountain"]["W1"] > 0 and results["elevation"]["desert"]["W1"] is None
    assert list(results["leak"]["albedo generated"]) == ["N", "NE", "E", "SE", "S", "SW", "W", "NW"]
    # Locality and determinism do not depend on training.
    assert results["checks"]["repeats"] is True and results["checks"]["seam_height_m"] < 0.1
    assert list(results["repetition"]["peaks"]) == ["grassland", "forest", "hills", "desert", "mountain", "tundra"]
    assert all(0 < peak < 1 for peak in results["repetition"]["peaks"].values())
    assert [each["squares"] for each in results["repetition"]["squares"].values()] == [4] * 6
    assert set(results["finest"]) == {"albedo", "shaded", "height"} and min(results["finest"].values()) > 0
    colours = results["colours"]
    assert colours["desert"] == {"real": None, "generated": None}
    assert (
        colours["water"]["real"] == pytest.approx([20, 90, 200], abs=5) and len(colours["mountain"]["generated"]) == 3
    )
    assert results["squares"]["real"]["grassland"]["squares"] == results["squares"]["generated"]["grassland"]["squares"]
    page = (tmp_path / "report.html").read_text()
    assert page.count("<img") == 8 * 8 + 2 * 5
    assert all(source.startswith("data:image/jpeg;base64,") for source in re.findall(r'src="([^"]*)"', page))
    assert not re.findall(r"<script|<link|@import|url\(", page) and "prefers-color-scheme: dark" in page
    figures = (tmp_path / "report.md").read_text()
    assert "N = 9), hillshade | " in figures and "flattered" not in figures and str(files) not in figures + page
    assert cv2.imread(str(tmp_path / "report.jpg")).shape == (5 * 70, 6 * 70, 3)


def test_land_of_another_set_is_measured_in_place_of_the_held_out_tiles(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiles = small_set()
    third = replace(tiles.subset(TRAIN), height=tiles.subset(TRAIN).height // 2)
    save_tile_set(tmp_path / "third.npz", third)
    assert main(command(files, tmp_path / "report", "--held-out", str(tmp_path / "third.npz"))) == 0
    results = json.loads((tmp_path / "report" / "results.json").read_text())
    assert results["setup"]["held-out tiles"] == len(third)
    assert len(results["setup"]["held-out set sha256"]) == 64
    save_tile_set(tmp_path / "third.npz", replace(third, style="other"))
    capsys.readouterr()
    assert main(command(files, tmp_path / "none", "--held-out", str(tmp_path / "third.npz"))) == 1
    assert "third.npz of 'other'" in capsys.readouterr().err


def test_a_network_that_is_not_local_is_measured_too(files: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = ReferenceConfig(widths=(8,) * 7, hidden=8)
    network = NETWORKS["spade-terrain-1.0"]
    header = WeightsHeader("spade-terrain-1.0", config, ShadowConfig(), 2000.0, "made-up", "nobody", "MIT", {})
    save_weights(tmp_path / "r.safetensors", header, network.new_generator(config), network.shadow(ShadowConfig()))
    arguments = command(files, tmp_path)
    arguments[arguments.index(str(files / "w.safetensors"))] = str(tmp_path / "r.safetensors")
    assert main(arguments) == 0
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["setup"]["network"] == "spade-terrain-1.0" and results["checks"]["repeats"] is True
    assert results["setup"]["images"] is None and results["distances"]["hillshade"]["FID"] > 0


def test_merged_parts_give_the_figures_of_one_piece(files: Path, tmp_path: Path) -> None:
    segmenter_option = ["--segmenter", str(tmp_path / "s.safetensors")]
    assert main(command(files, tmp_path / "whole", *segmenter_option)) == 0
    for shard in ("2/3", "1/3", "3/3"):
        assert main(command(files, tmp_path / "parts", *segmenter_option, "--shard", shard)) == 0
    parts = [str(path) for path in sorted((tmp_path / "parts").glob("part-*.npz"), reverse=True)]
    assert len(parts) == 3 and not (tmp_path / "parts" / "results.json").exists()
    assert main(["evaluate", "--merge", *parts, "-o", str(tmp_path / "joined")]) == 0
    whole, joined = (json.loads((tmp_path / name / "results.json").read_text()) for name in ("whole", "joined"))
    for results in (whole, joined):
        results["checks"].pop("seconds_512")
    assert whole == joined
    assert (tmp_path / "whole" / "report.jpg").read_bytes() == (tmp_path / "joined" / "report.jpg").read_bytes()


def test_incomplete_and_mixed_parts_are_refused(tmp_path: Path) -> None:
    def part(numbers: list[int], weights: str = "w") -> Measurements:
        return Measurements({"crop@all": np.array(numbers)}, {"n": np.array([1])}, {"crops": 4, "weights": weights}, {})

    first, second = part([0, 2]), part([1, 3])
    joined = merge([second, first])
    assert joined.rows["crop@all"].tolist() == [0, 1, 2, 3] and joined.sums["n"].tolist() == [2]
    with pytest.raises(TrainingError, match="2 of 4 crops"):
        merge([first])
    with pytest.raises(TrainingError, match="given twice"):
        merge([first, first])
    with pytest.raises(TrainingError, match="weights is w in one and v in another"):
        merge([first, part([1, 3], "v")])
    save_measurements(tmp_path / "p.npz", first)
    assert load_measurements(tmp_path / "p.npz").setup == first.setup
    (tmp_path / "q.npz").write_bytes((tmp_path / "p.npz").read_bytes()[:-60])
    save_measurements(tmp_path / "r.npz", Measurements({"a@all": np.zeros(2)}, {}, {"crops": 4}, {}))
    rows = {"crop@all": np.arange(2), "a@all": np.zeros(3)}
    save_measurements(tmp_path / "s.npz", Measurements(rows, {}, {"crops": 4}, {}))
    for name in ("q.npz", "nowhere.npz", "r.npz", "s.npz"):
        with pytest.raises(TrainingError, match=name):
            load_measurements(tmp_path / name)


def test_the_segmenter_learns_the_classes_and_is_the_same_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segmenter, "STEPS", 40)
    prepared = small_set()
    train_crops, test_crops = (RealCrops(prepared.subset(split), 64, 200, 0) for split in (TRAIN, VALIDATION))
    first, second = (segmenter.train(train_crops, 2000.0, 5, CPU) for _ in range(2))
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name]), name
    crops = [test_crops[index] for index in range(6)]
    predicted = first.classes(
        np.stack([crop.picture for crop in crops]), np.stack([crop.height for crop in crops]), 2000.0
    )
    ious = class_ious(confusion_matrix(np.stack([crop.ids for crop in crops]), predicted))
    assert predicted.shape == (6, 64, 64) and ious[[0, 1, 5]].mean() > 0.5


def test_a_segmenter_is_reused_for_its_own_style_only(files: Path, tmp_path: Path) -> None:
    regions = RealCrops(small_set(), 64, 20, 0)
    path = tmp_path / "s.safetensors"
    _, digest = segmenter.load_or_train(path, regions, 2000.0, "made-up", 0, CPU)
    written = path.read_bytes()
    assert (
        segmenter.load_or_train(path, regions, 2000.0, "made-up", 9, CPU)[1] == digest and path.read_bytes() == written
    )
    with pytest.raises(TrainingError, match="another style"):
        segmenter.load_or_train(path, regions, 2000.0, "other", 0, CPU)
    for wrong in (written[:200], (files / "features.safetensors").read_bytes()):
        path.write_bytes(wrong)
        with pytest.raises(TrainingError, match="not a segmenter"):
            segmenter.load_or_train(path, regions, 2000.0, "made-up", 0, CPU)


def test_wrong_inputs_are_reported(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepared = small_set()
    others = {
        "satellite.npz": (small_set("satellite"), "style 'made-up'"),
        "fine.npz": (small_set(pixel_size_m=30.0), "pixels of 2000 m"),
        "learned.npz": (prepared.subset(TRAIN), "no held-out regions"),
        "bare.npz": (prepared.with_labels(prepared.labels[:, :0]), "no maps"),
        "tiny.npz": (replace(prepared, valid=prepared.valid & False), "wholly valid"),
    }
    for name, (other, message) in others.items():
        save_tile_set(tmp_path / name, other)
        arguments = command(files, tmp_path / "out")
        arguments[arguments.index(str(files / "set.npz"))] = str(tmp_path / name)
        assert main(arguments) == 1
        output = capsys.readouterr().err
        assert message in output and output.count("\n") == 1, name
    (tmp_path / "text.safetensors").write_text("features")
    for features in (tmp_path / "text.safetensors", tmp_path / "none.pth", files / "w.safetensors"):
        arguments = command(files, tmp_path / "out")
        arguments[arguments.index(str(files / "features.safetensors"))] = str(features)
        assert main(arguments) == 1
        output = capsys.readouterr().err
        assert str(features) in output and output.count("\n") == 1
    assert main(command(files, tmp_path / "out", "--shard", "4/3")) == 1
    assert "no shard 4 of 3" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"), [(["--data", "s.npz"], "--weights is needed"), (["--shard", "half"], "'half' is not I/N")]
)
def test_wrong_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", "-o", "out", *arguments])
    assert ended.value.code == 2 and message in capsys.readouterr().err


@pytest.mark.parametrize(("name", "value"), [("crops", 1), ("crop_px", 100), ("crop_px", 32)])
def test_options_out_of_range(name: str, value: int) -> None:
    with pytest.raises(TrainingError, match=name):
        Options(Path("w"), Path("d"), Path("f"), **{name: value})


def test_features_that_the_training_compared_are_known_by_the_name_of_their_file() -> None:
    settings = {"perceptual": "squeezenet1_1-b8a52dc0.pth", "projected": True, "perceptual_weight": 0.0}
    assert was_seen_in_training(settings, "SqueezeNet 1.1") and not was_seen_in_training(settings, "EfficientNet-Lite0")
    assert not was_seen_in_training(settings | {"projected": False}, "SqueezeNet 1.1")
    assert not was_seen_in_training({"images": 7}, "SqueezeNet 1.1")
