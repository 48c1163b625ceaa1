"""The averaged networks: what is shown, measured and published."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn


class Averaged(nn.Module):
    """Exponential moving average of the generator and the shadow generator."""

    def __init__(self, generator: nn.Module, shadow: nn.Module) -> None:
        super().__init__()
        # Any: what they offer beside parameters is the business of those who made them.
        self.generator: Any
        self.shadow: Any
        self.generator, self.shadow = copy.deepcopy(generator), copy.deepcopy(shadow)
        self.requires_grad_(False)

    @torch.no_grad()
    def follow(self, generator: nn.Module, shadow: nn.Module, half_lives: float) -> None:
        """Move towards the networks for a time counted in half-lives."""
        share = 1 - 0.5**half_lives
        for slow, fast in ((self.generator, generator), (self.shadow, shadow)):
            for mine, theirs in zip(slow.parameters(), fast.parameters(), strict=True):
                mine.lerp_(theirs, share)
