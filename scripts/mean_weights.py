"""The mean of weights that come from one another, as a continued training or the same run at another time.

    python -m scripts.mean_weights A.safetensors B.safetensors C.safetensors -o N.safetensors

What each run spoiled is different, and averages out; what they learned together stays (Wortsman and others 2022). N has
the description and the styles of A, so its seeds look like those of A. `trainer finish` corrects its finest detail.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from terrainpaint.models.weights import load_weights, save_weights

_CPU = torch.device("cpu")


@torch.no_grad()
def take_mean(target: nn.Module, others: Sequence[nn.Module]) -> None:
    """Give a network the mean of its own weights and those of others with the same layers.

    Raises ValueError for networks with other layers.
    """
    for parts in zip(target.named_parameters(), *(other.named_parameters() for other in others), strict=True):
        values = [value for _, value in parts]
        if len({(name, value.shape) for name, value in parts}) > 1:
            raise ValueError(f"the networks differ at {parts[0][0]}")
        values[0].copy_(torch.stack(values).mean(dim=0))


def main() -> None:
    """Write the mean."""
    parser = argparse.ArgumentParser(description="Average weights that come from one another.")
    parser.add_argument("weights", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    first, *others = (load_weights(path, _CPU) for path in arguments.weights)
    take_mean(first.generator, [other.generator for other in others])
    take_mean(first.shadow, [other.shadow for other in others])
    save_weights(arguments.output, first.header, first.generator, first.shadow)
    print(arguments.output)


if __name__ == "__main__":
    main()
