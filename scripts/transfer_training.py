"""Give weights of one style what a training changed in another, by adding the difference of the weights.

    python -m scripts.transfer_training TARGET.safetensors --before B.safetensors --after A.safetensors -o N.safetensors

B and A are weights before and after a training; TARGET has the same ancestor as B. The last two layers of TARGET stay.
A may have inputs that the others lack, such as guides: N has them too. What comes out is a start for a short training,
which needs far fewer images than a start from A.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from terrainpaint.models.terrain_generator import TerrainGenerator
from terrainpaint.models.weights import Weights, load_weights, save_weights
from trainer.systems.terrain.build import load_grown

_CPU = torch.device("cpu")
_KEPT = "head_"
"""The layers that `finish` has corrected begin with this."""


def transferred(target: Weights, before: Weights, after: Weights) -> TerrainGenerator:
    """The generator of `after`, changed in place to that of `target` plus the difference of `after` and `before`.

    Raises RuntimeError for weights whose networks have other layers.
    """
    new = after.generator
    changed = {name: value.clone() for name, value in new.named_parameters()}
    load_grown(new, before.generator.state_dict())
    for name, value in new.named_parameters():
        changed[name].sub_(value)
    load_grown(new, target.generator.state_dict())
    with torch.no_grad():
        for name, value in new.named_parameters():
            if not name.startswith(_KEPT):
                value.add_(changed[name])
    return new


def main() -> None:
    """Write the new weights."""
    parser = argparse.ArgumentParser(description="Add what a training changed to other weights.")
    parser.add_argument("target", type=Path)
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--after", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    target, before, after = (load_weights(path, _CPU) for path in (arguments.target, arguments.before, arguments.after))
    header = replace(target.header, network=after.header.network, config=after.header.config)
    with torch.no_grad():
        new = transferred(target, before, after)
    save_weights(arguments.output, header, new, target.shadow)
    print(arguments.output)


if __name__ == "__main__":
    main()
