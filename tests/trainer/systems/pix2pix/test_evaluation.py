"""The evaluation of pix2pix, from a generator or a file to figures and a page."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from tests.trainer.losses.test_losses import squeezenet_state
from tests.trainer.pictures_in_pairs import make_picture
from tests.trainer.systems.pix2pix.test_pix2pix import CONFIG, RUN, pairs, trained
from trainer.__main__ import main
from trainer.data.colour_table import ColourTable
from trainer.data.pair_crops import PairCropping, PairCut, fixed_pairs, pair_places
from trainer.data.pair_set import PairSet, save_pair_set
from trainer.data.tile_set import TRAIN, VALIDATION
from trainer.metrics.features import Features
from trainer.metrics.pairwise import published_measures
from trainer.metrics.set_figures import SetFigures
from trainer.systems.pix2pix.evaluation import OUTPUTS, Evaluation, measure

__all__ = ["pairs"]  # the fixture
CROPPING = PairCropping(32, PairCut.PATCHES)


def colours(held_out: int = 2) -> PairSet:
    """Smooth pictures of 64 px and their negatives."""
    source = np.stack([make_picture(64, seed) for seed in range(5)])
    split = np.array([TRAIN] * (5 - held_out) + [VALIDATION] * held_out, np.uint8)
    return PairSet(source, 255 - source, split, tuple("abcde"), np.full((5, 2), np.nan, np.float32), "colours",
                   "negative", "nobody", None)  # fmt: skip


def measured(
    pairs: PairSet,
    generate: Callable[[Tensor, int], Tensor],
    cropping: PairCropping = CROPPING,
    features: Features | None = None,
) -> Evaluation:
    held_out = pairs.subset(VALIDATION)
    places = pair_places(held_out, cropping)
    return measure(generate, held_out, pairs.subset(TRAIN), cropping, places, features, {}, lambda fraction: None)


def test_a_perfect_generator_and_what_needs_no_network() -> None:
    def negative(source: Tensor, number: int) -> Tensor:
        return -source

    evaluation = measured(colours(), negative)
    figures = evaluation.figures
    assert len(evaluation.names) == 8 and evaluation.names[3] == "d (32, 32)"
    assert list(figures) == list(OUTPUTS)
    perfect = figures["generated"]
    assert perfect["SSIM"]["minimum"] == pytest.approx(1) and perfect["PSNR"]["mean"] == pytest.approx(100)
    assert perfect["L1"]["maximum"] == pytest.approx(0, abs=1e-6) and perfect["HP-L1"]["mean"] < 1e-5
    itself = figures["source itself"]["L1"]
    sources, targets = (torch.from_numpy(each) / 127.5 - 1 for each in (evaluation.source, evaluation.target))
    errors = (sources - targets).abs().mean(dim=(1, 2, 3)).numpy()
    assert itself["mean"] == pytest.approx(errors.mean(), abs=1e-5)
    assert itself["standard deviation"] == pytest.approx(errors.std(), abs=1e-5)  # that of a population
    assert [itself["minimum"], itself["maximum"]] == pytest.approx([errors.min(), errors.max()], abs=1e-5)
    # The negative of a colour depends on that colour alone, in steps of 16.
    assert figures["mean colour"]["L1"]["mean"] < 0.3 * itself["mean"]
    assert np.array_equal(evaluation.generated, evaluation.target)
    assert evaluation.memorising == pytest.approx(1)


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_a_copy_of_a_training_target_is_found(is_mirrored: bool) -> None:
    pairs = colours()
    train = pairs.subset(TRAIN)
    copied = pair_places(train, CROPPING)[[5]]
    target = fixed_pairs(train, CROPPING, copied).target

    def memorised(source: Tensor, number: int) -> Tensor:
        return target.flip(3) if is_mirrored else target

    evaluation = measured(pairs, memorised)
    assert set(evaluation.nearest_names) == {"b (0, 32)"} and evaluation.distance.max() < 1e-6
    assert evaluation.memorising == pytest.approx(0, abs=1e-6)
    expected = (target[0].movedim(0, -1).numpy() + 1) * 127.5
    assert np.abs(evaluation.nearest[0] - expected).max() < 1


def test_whole_pictures_and_margins_are_measured_as_they_were_trained() -> None:
    seen = []

    def shown(source: Tensor, number: int) -> Tensor:
        seen.append((source.shape[-1], number))
        return source[:, :, 6:-6, 6:-6]

    evaluation = measured(colours(), shown, PairCropping(48, PairCut.RESIZE, margin_px=6))
    assert seen == [(60, 0), (60, 1)] and evaluation.names == ("d", "e")
    assert np.array_equal(evaluation.generated, evaluation.source)
    assert np.array_equal(evaluation.values[0], evaluation.values[1])


def test_without_training_pairs_there_is_no_nearest_one() -> None:
    pairs = replace(colours(), split=np.full(5, VALIDATION, np.uint8))
    evaluation = measured(pairs, lambda source, number: source)
    assert np.isnan(evaluation.distance).all() and set(evaluation.nearest_names) == {""}


def test_the_table_of_colours_is_the_mean_of_the_targets() -> None:
    source = np.zeros((1, 32, 32, 3), np.uint8)
    target = np.zeros((1, 32, 32, 3), np.uint8)
    source[0, :16] = (200, 10, 10)
    target[0, :8], target[0, 8:16], target[0, 16:] = (10, 20, 30), (30, 40, 50), (250, 0, 0)
    pairs = replace(colours(), source=source, target=target, split=np.zeros(1, np.uint8), names=("a",))
    table = ColourTable.of(pairs)
    assert table(source[0])[0, 0].tolist() == [20, 30, 40] and table(source[0])[31, 0].tolist() == [250, 0, 0]
    other = np.array([[[255, 60, 60], [40, 40, 40]]], np.uint8)  # colours that do not occur
    assert table(other).tolist() == [[[20, 30, 40], [250, 0, 0]]]


def evaluate(weights: Path, folder: Path, *more: str) -> list[str]:
    return ["evaluate", "--weights", str(weights), "--data", str(folder / "pairs.npz"), "-o", str(folder / "report"),
            "--device", "cpu", *more]  # fmt: skip


def test_one_command_writes_figures_and_a_page_without_other_files(
    pairs: PairSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_pair_set(tmp_path / "pairs.npz", pairs)
    run = tmp_path / "run"
    checkpoint = trained(pairs, run)
    assert main(evaluate(run, tmp_path)) == 0
    output = capsys.readouterr().out
    assert "HP-L1" in output and "standard deviation" in output and "report.html" in output
    text = (tmp_path / "report" / "results.json").read_text()
    results = json.loads(text)
    assert results["setup"]["crops"] == 2 and results["setup"]["dropout"] == "on" and len(results["crops"]) == 2
    assert results["setup"]["styles"] == "red discs → green discs" and results["setup"]["field"] == 16
    mean = results["measures"]["generated"]["L1"]["mean"]
    assert mean == pytest.approx(np.mean([crop["L1"] for crop in results["crops"]]))
    assert results["nearest training target"]["ratio"] > 0
    page = (tmp_path / "report" / "report.html").read_text()
    assert page.count("<img") == 4 * 2 + 4 * 2 and str(tmp_path) not in page + text
    assert all(source.startswith("data:image/jpeg;base64,") for source in re.findall(r'src="([^"]*)"', page))
    assert not re.findall(r"<script|<link|@import|url\(", page)
    # The dropout is seeded: the same command gives the same figures; another seed or none, others.
    assert main(evaluate(checkpoint, tmp_path)) == 0
    again = json.loads((tmp_path / "report" / "results.json").read_text())
    assert again["measures"] == results["measures"]
    for more in (("--seed", "7"), ("--dropout", "off"), ("--statistics", "collected")):
        assert main(evaluate(checkpoint, tmp_path, *more)) == 0
        other = json.loads((tmp_path / "report" / "results.json").read_text())
        assert other["measures"]["generated"] != results["measures"]["generated"]
        assert other["measures"]["source itself"] == results["measures"]["source itself"]
    assert main(evaluate(checkpoint, tmp_path, "--pictures", "1")) == 0
    assert json.loads((tmp_path / "report" / "results.json").read_text())["setup"]["crops"] == 1


def test_sets_are_compared_with_their_targets_and_the_floor_with_others(tmp_path: Path) -> None:
    save_file(squeezenet_state(), tmp_path / "squeezenet.safetensors")
    features = Features.load(tmp_path / "squeezenet.safetensors", torch.device("cpu"))
    perfect = measured(colours(), lambda source, number: -source, features=features)
    sets = perfect.sets
    assert sets is not None and sets.floor is not None and sets.count == 8 and sets.label == features.label
    assert sets.generated.fid == pytest.approx(0, abs=1e-6) and sets.generated.precision == sets.generated.recall == 1
    # Of 12 crops of training targets, 8 that are the same in each call are the floor.
    expected = SetFigures.of(features.of(perfect.target), features.of(perfect.source))
    copied = measured(colours(), lambda source, number: source, features=features).sets
    assert copied is not None and copied.generated == expected
    assert sets.floor.fid > 1e6 * sets.generated.fid and copied.floor == sets.floor
    # With more crops than training has, there is no floor.
    few = measured(colours(held_out=4), lambda source, number: -source, features=features).sets
    assert few is not None and few.count == 16 and few.floor is None


def test_the_figures_of_sets_are_in_the_table_the_page_and_the_json(
    pairs: PairSet, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    split = np.array([TRAIN] * 2 + [VALIDATION] * 5, np.uint8)
    save_pair_set(tmp_path / "pairs.npz", replace(pairs, split=split))
    save_file(squeezenet_state(), tmp_path / "squeezenet.safetensors")
    checkpoint = trained(pairs, tmp_path / "run")
    command = evaluate(checkpoint, tmp_path, "--features", str(tmp_path / "squeezenet.safetensors"))
    assert main(command) == 0
    assert "KID (SqueezeNet 1.1" in capsys.readouterr().out
    results = json.loads((tmp_path / "report" / "results.json").read_text())
    assert results["sets"]["N"] == 5 and results["sets"]["training targets"] is None
    assert set(results["sets"]["generated"]) == {"fid", "kid", "precision", "recall", "diversity"}
    assert len(results["setup"]["features sha256"]) == 64
    assert "KID (SqueezeNet 1.1" in (tmp_path / "report" / "report.html").read_text()
    # Without the option and the package there are no such figures.
    monkeypatch.setattr("trainer.metrics.features.find_spec", lambda name: None)
    assert main(evaluate(checkpoint, tmp_path)) == 0
    assert json.loads((tmp_path / "report" / "results.json").read_text())["sets"] is None
    assert main([*command, "--pictures", "4"]) == 1
    assert "4 held-out crops" in capsys.readouterr().err


def test_reversed_weights_are_measured_in_their_direction(pairs: PairSet, tmp_path: Path) -> None:
    save_pair_set(tmp_path / "pairs.npz", pairs)
    checkpoint = trained(pairs, tmp_path / "run", replace(CONFIG, reverse=True), RUN)
    assert main(evaluate(checkpoint, tmp_path)) == 0
    results = json.loads((tmp_path / "report" / "results.json").read_text())
    assert results["setup"]["styles"] == results["setup"]["styles of the set"] == "green discs → red discs"


def test_wrong_files_and_options_are_one_sentence(
    pairs: PairSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_pair_set(tmp_path / "pairs.npz", replace(pairs, split=np.zeros(len(pairs), np.uint8)))
    checkpoint = trained(pairs, tmp_path / "run")
    assert main(evaluate(checkpoint, tmp_path)) == 1
    assert "has no held-out pairs" in capsys.readouterr().err
    assert main(evaluate(tmp_path / "nowhere.pt", tmp_path)) == 1
    assert main(evaluate(tmp_path, tmp_path)) == 1 and "holds no checkpoint" in capsys.readouterr().err
    for more, message in [
        (("--crops", "9"), "--crops is for terrain"), (("--count", "9"), "--count is for dcgan"),
        (("--pictures", "-1"), "--pictures must be at least 1"),
    ]:  # fmt: skip
        with pytest.raises(SystemExit):
            main(evaluate(checkpoint, tmp_path, *more))
        assert message in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["evaluate", "--weights", str(checkpoint), "-o", str(tmp_path)])
    assert "--data is needed" in capsys.readouterr().err


def test_measures_are_of_unrounded_pictures() -> None:
    """A generator's fractions of a grey level count, as in the original."""
    evaluation = measured(colours(), lambda source, number: -source + 0.001)
    assert evaluation.figures["generated"]["L1"]["mean"] == pytest.approx(0.001, rel=0.01)
    held_out = colours().subset(VALIDATION)
    batch = fixed_pairs(held_out, CROPPING, pair_places(held_out, CROPPING)[:1])
    expected = published_measures(batch.target[0], -batch.source[0] + 0.001)
    assert np.allclose(evaluation.values[0, 0], expected)
