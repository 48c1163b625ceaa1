"""Beginning a run with the networks of another: of the same shape, or of a network with fewer residual blocks."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn

_RESIDUAL_END = re.compile(r"\.blocks\.\d+\.second\.(weight|bias)$")


def begin_with(network: nn.Module, values: Mapping[str, Tensor]) -> None:
    """Take over values by name. Residual blocks that have none pass their features on until they are trained; how
    styles are mixed is measured anew by every run.

    Raises RuntimeError when anything else is missing, is there too much, or has another shape.
    """
    own = network.state_dict()
    lacking = {name for name in own if name not in values and (".blocks." in name or name.endswith("style_mix"))}
    network.load_state_dict({**values, **{name: own[name] for name in lacking}})
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name in lacking and _RESIDUAL_END.search(name):
                parameter.zero_()
