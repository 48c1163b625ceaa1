"""Precision, recall and nearest pictures on features whose result is known, and the figures by their names."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torchmetrics.image.fid import FrechetInceptionDistance

from tests.trainer.losses.test_losses import squeezenet_state
from trainer.metrics.cached_features import cached_features
from trainer.metrics.features import Features
from trainer.metrics.fid_kid import fid
from trainer.metrics.neighbours import nearest_distance, precision_recall
from trainer.metrics.set_figures import SetFigures, figure_name


def line(*places: float) -> NDArray[np.float32]:
    return np.array([[place, 0] for place in places], np.float32)


def test_precision_and_recall_of_places_on_a_line() -> None:
    # The third-nearest other one of each is at 3, 2, 2 and 3; so the real ones reach from -3 to 6.
    real = line(0, 1, 2, 3)
    assert precision_recall(real, real) == (1, 1)
    # All generated ones are at one place, reach nowhere, and are like real ones: full precision, no recall.
    assert precision_recall(real, line(1.5, 1.5, 1.5, 1.5)) == (1, 0)
    # From -2 the third-nearest is at 102, so these reach all real ones; one of four is near them.
    assert precision_recall(real, line(-2, 100, 200, 300)) == (0.25, 1)
    assert precision_recall(real, line(50, 50.5, 51, 51.5)) == (0, 0)


def test_the_distance_from_the_nearest() -> None:
    keys = np.array([[0, 0], [10, 0]], np.float32)
    assert nearest_distance(np.array([[3, 4], [10, 0], [12, 0]], np.float32), keys).tolist() == pytest.approx([5, 0, 2])


def test_fid_of_fewer_pictures_than_features_is_that_of_its_definition() -> None:
    random = np.random.default_rng(3)
    real, generated = (random.normal(size=(20, 48)).astype(np.float32) * scale for scale in (1, 1.5))
    measure = FrechetInceptionDistance(feature=_Features(48), normalize=True).set_dtype(torch.float64)
    for values, is_real in ((real, True), (generated, False)):
        measure.update(torch.from_numpy(values).double(), real=is_real)
    assert fid(real, generated) == pytest.approx(float(measure.compute()), rel=1e-4)


class _Features(torch.nn.Module):
    """Passes features through where torchmetrics expects a network."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.num_features = count

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features


def test_the_names_of_figures_tell_what_they_can_be_compared_with() -> None:
    features = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    figures = SetFigures.of(features, features)
    named = figures.named("EfficientNet-Lite0 579344248a93", 6)
    assert named[figure_name("kid", "EfficientNet-Lite0 579344248a93", 6)] == figures.kid
    assert "KID (EfficientNet-Lite0 579344248a93, N = 6)" in named and len(named) == 5
    assert (figures.precision, figures.recall) == (1, 1) and figures.fid == pytest.approx(0, abs=1e-9)


class Counting(Features):
    """Counts the pictures that it computes features of."""

    seen = 0

    def of(self, pictures: NDArray[np.uint8], *others: object) -> NDArray[np.float32]:
        self.seen += len(pictures)
        return super().of(pictures)


def counting(path: Path) -> Counting:
    save_file(squeezenet_state(), path)
    return Counting.load(path, torch.device("cpu"))  # type: ignore[return-value]


@pytest.mark.parametrize("damage", ["none", "cut", "changed", "text"])
def test_features_of_real_pictures_are_computed_once_and_again_when_the_file_is_damaged(
    tmp_path: Path, damage: str
) -> None:
    features = counting(tmp_path / "squeezenet.safetensors")
    pictures = np.random.default_rng(0).integers(0, 255, (5, 32, 32, 3)).astype(np.uint8)
    warnings: list[str] = []
    first = cached_features(pictures, features, tmp_path / "kept", warnings.append)
    (path,) = (tmp_path / "kept").glob("features-*.npz")
    data = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "changed":
        data[len(data) // 2] ^= 255
        path.write_bytes(data)
    elif damage == "text":
        path.write_text("nothing")
    again = cached_features(pictures, features, tmp_path / "kept", warnings.append)
    assert np.array_equal(first, again) and features.seen == (5 if damage == "none" else 10) and not warnings


def test_other_pictures_and_fewer_of_them_have_files_of_their_own(tmp_path: Path) -> None:
    features = counting(tmp_path / "squeezenet.safetensors")
    pictures = np.random.default_rng(0).integers(0, 255, (5, 32, 32, 3)).astype(np.uint8)
    for each in (pictures, pictures[:4], pictures[::-1]):
        values = cached_features(each, features, tmp_path / "kept", pytest.fail)
        assert np.array_equal(values, features.of(each))
    assert len(list((tmp_path / "kept").iterdir())) == 3


def test_a_folder_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    features = counting(tmp_path / "squeezenet.safetensors")
    (tmp_path / "kept").write_text("a file")
    warnings: list[str] = []
    pictures = np.zeros((2, 32, 32, 3), np.uint8)
    assert cached_features(pictures, features, tmp_path / "kept", warnings.append).shape == (2, 512)
    assert len(warnings) == 1 and "kept" in warnings[0]
