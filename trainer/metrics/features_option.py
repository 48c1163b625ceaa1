"""What a command needs for its option `--features`, without loading the networks."""

from __future__ import annotations

EFFICIENTNET = "efficientnet-lite0"
"""Stands for the network that comes as a package, in place of the path of a file."""
FEATURES_HELP = (
    f"network that computes the features: {EFFICIENTNET}, of the extra 'features', or "
    "the file of a state dict of torchvision's squeezenet1_1 or vgg19, .safetensors or .pth"
)
