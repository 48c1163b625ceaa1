"""Features of pictures by a network that was trained on photographs, from a file that the user names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from trainer.losses.perceptual import PerceptualNetwork, load_perceptual

# Modules up to the deepest features → name of the network, and what its features are multiplied by. It brings those of
# SqueezeNet to a root mean square of about 0.5, as Inception's have: the cubic kernel of KID, which adds 1 to a
# product, would see nothing but the largest features otherwise.
_NETWORKS = {12: ("SqueezeNet 1.1", 1 / 16), 30: ("VGG19", 1.0)}


class Features:
    """Means over the picture of the deepest features of a network."""

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
            x = torch.from_numpy(pictures).to(self._device).permute(0, 3, 1, 2).float() / 255
            deepest = self._network(x)[-1].mean(dim=(2, 3)) * self._scale
        return np.asarray(deepest.cpu().numpy(), np.float32)
