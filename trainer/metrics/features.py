"""Features of pictures, computed by a network that was trained on photographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from trainer.losses.perceptual import PerceptualNetwork, load_perceptual

# Number of modules up to the deepest features → name of the network, and the factor of its features. The factor brings
# the features of SqueezeNet to a root mean square of about 0.5, like those of Inception. Without it the largest
# features alone would decide KID, whose cubic kernel adds 1 to the scalar product.
_NETWORKS = {12: ("SqueezeNet 1.1", 1 / 16), 30: ("VGG19", 1.0)}


class Features:
    """The deepest features of a network, averaged over the picture."""

    def __init__(self, network: PerceptualNetwork, device: torch.device) -> None:
        self._network, self._device = network.to(device), device
        self.name, self._scale = _NETWORKS[len(network.features)]

    @classmethod
    def load(cls, path: Path, device: torch.device) -> Features:
        """Read a state dict of torchvision's squeezenet1_1 or vgg19. Raises TrainingError when it is neither."""
        return cls(load_perceptual(path), device)

    def of(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, H, W, 3) uint8 sRGB → (N, F) float32."""
        with torch.inference_mode():
            x = torch.from_numpy(pictures).to(self._device).permute(0, 3, 1, 2).float() / 255  # (N, 3, H, W)
            deepest = self._network(x)[-1].mean(dim=(2, 3)) * self._scale  # (N, F)
        return np.asarray(deepest.cpu().numpy(), np.float32)


def mean_distance(values: NDArray[np.float32]) -> float:
    """Mean Euclidean distance of all pairs of rows (N, F)."""
    return float(torch.pdist(torch.from_numpy(values).double()).mean())
