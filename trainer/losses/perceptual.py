"""Perceptual loss: L1 of the features of a pretrained classifier (Johnson and others 2016).

The two networks are built here with the tensor names of torchvision, so a state dict of either loads without
torchvision.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.core.files import read_regular, why_unreadable
from terrainpaint.errors import TrainingError
from trainer.torch_files import TorchFileError, read_torch_file

HOW_TO_GET = (
    "get VGG19 from https://download.pytorch.org/models/vgg19-dcbb9e9d.pth or SqueezeNet 1.1 from "
    "https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth"
)
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_MOST_BYTES = 1 << 31
_VGG19 = ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4)
_VGG19_TAPS = (1, 6, 11, 20, 29)
"""The first convolution of each block, after its ReLU."""
_SQUEEZENET_TAPS = (1, 4, 7, 10, 11)
"""The first convolution, then the last or second-last module of each size; the last one has many dead channels."""


class PerceptualNetwork(nn.Module):
    """The features of a picture at five depths; fixed weights."""

    def __init__(self, features: nn.Sequential, taps: Sequence[int]) -> None:
        super().__init__()
        self.features, self._taps = nn.Sequential(*list(features)[: taps[-1] + 1]), tuple(taps)
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(_DEVIATION)[:, None, None], persistent=False)
        self.mean: Tensor
        self.deviation: Tensor

    def forward(self, picture: Tensor) -> list[Tensor]:
        """(N, 3, H, W) sRGB in 0..1 → the features (N, C, h, w), fine to coarse."""
        x = (picture - self.mean) / self.deviation
        taps = []
        for index, module in enumerate(self.features):
            x = module(x)
            if index in self._taps:
                taps.append(x)
        return taps


def perceptual_loss(network: PerceptualNetwork, fake: Tensor, real: Tensor) -> Tensor:
    """Sum over the depths of the mean L1 of features, of pictures (N, 3, H, W) or (N, 1, H, W) in 0..1; a scalar."""
    pictures = torch.cat([fake, real.detach()]).expand(-1, 3, -1, -1)
    differences = [
        (fake_features.float() - real_features.float()).abs().mean()
        for fake_features, real_features in (features.chunk(2) for features in network(pictures))
    ]
    return torch.stack(differences).sum()


def load_perceptual(path: Path) -> PerceptualNetwork:
    """The network of a state dict of torchvision's `vgg19` or `squeezenet1_1`, as .safetensors or .pth.

    Only the convolutions are needed. Raises TrainingError when the file is missing or something else.
    """
    state = _read(path)
    shape = tuple(state["features.0.weight"].shape) if "features.0.weight" in state else None
    if shape == (64, 3, 3, 3) and "features.3.squeeze.weight" in state:
        features, taps = _squeezenet(), _SQUEEZENET_TAPS
    elif shape == (64, 3, 3, 3) and "features.28.weight" in state:
        features, taps = _vgg19(), _VGG19_TAPS
    else:
        raise TrainingError(f"{path} is neither VGG19 nor SqueezeNet 1.1 with the names of torchvision; {HOW_TO_GET}.")
    network = PerceptualNetwork(features, taps)
    own = network.state_dict()
    try:
        network.load_state_dict({name: value.float() for name, value in state.items() if name in own})
    except RuntimeError as error:
        raise TrainingError(f"{path} lacks tensors or has them in other shapes; {HOW_TO_GET}.") from error
    return network.eval().requires_grad_(False)


def _read(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            state = safetensors.torch.load(read_regular(path, _MOST_BYTES))
        else:
            state = read_torch_file(path, torch.device("cpu"))
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {why_unreadable(error)}, or {HOW_TO_GET}.") from error
    except (SafetensorError, TorchFileError) as error:
        raise TrainingError(f"{path} holds no tensors by name; {HOW_TO_GET}.") from error
    if not isinstance(state, dict) or not all(isinstance(each, Tensor) for each in state.values()):
        raise TrainingError(f"{path} holds no tensors by name; {HOW_TO_GET}.")
    return state


def _vgg19() -> nn.Sequential:
    """Simonyan and Zisserman 2014, configuration E, convolutions only."""
    modules: list[nn.Module] = []
    before = 3
    for block in _VGG19:
        for width in block:
            modules += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
            before = width
        modules.append(nn.MaxPool2d(2))
    return nn.Sequential(*modules)


def _squeezenet() -> nn.Sequential:
    """Iandola and others 2016, version 1.1, without the classifier."""
    pools = (nn.MaxPool2d(3, stride=2, ceil_mode=True) for _ in range(3))
    return nn.Sequential(
        nn.Conv2d(3, 64, 3, stride=2), nn.ReLU(), next(pools),
        _Fire(64, 16, 64), _Fire(128, 16, 64), next(pools),
        _Fire(128, 32, 128), _Fire(256, 32, 128), next(pools),
        _Fire(256, 48, 192), _Fire(384, 48, 192), _Fire(384, 64, 256), _Fire(512, 64, 256),
    )  # fmt: skip


class _Fire(nn.Module):
    """A narrow 1x1 convolution, then a 1x1 and a 3x3 one in parallel."""

    def __init__(self, before: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(before, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, before, h, w) → (N, 2 * expanded, h, w)."""
        x = F.relu(self.squeeze(x))
        return torch.cat([F.relu(self.expand1x1(x)), F.relu(self.expand3x3(x))], dim=1)
