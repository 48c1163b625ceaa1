"""The contract between the training loop and what is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trainer.loop.config import Config
from trainer.loop.distributed import World

DISCRIMINATOR = "discriminator"
"""The key of `System.networks` that `discriminator_loss` trains; `generator_loss` trains the other networks."""


@dataclass(frozen=True)
class Losses:
    """The loss of one network: `total` is a scalar to differentiate, `values` are the scalars to log by name."""

    total: Tensor
    values: Mapping[str, Tensor]


class Batch(Protocol):
    """The images that one process has of a step."""

    def parts(self, count: int) -> Sequence[Any]:
        """Split into `count` batches of equal size, for gradient accumulation."""


class System(Protocol):
    """Networks, losses and data of one kind of model.

    Everything random in a batch comes from the generator that `batch` is given, or from torch's global state, which the
    loop seeds with the number of images seen. So a resumed run equals an unbroken one.
    """

    @property
    def name(self) -> str:
        """The key in the table of systems."""

    @property
    def config(self) -> Config:
        """The configuration, besides that of the run."""

    @property
    def networks(self) -> nn.ModuleDict:
        """What a checkpoint holds; has the key `DISCRIMINATOR`."""

    @property
    def ema(self) -> Sequence[str]:
        """The keys of `networks` whose weights are averaged over time."""

    def batch(self, random: torch.Generator, images: int, shard: slice) -> Batch:
        """The images `shard` of the step that begins after `images` images.

        `random` is a generator on the CPU; it advances as if all images of the step were drawn, so that all processes
        draw the same.
        """

    def discriminator_loss(self, batch: Any) -> Losses:
        """The loss of the discriminator; `values` has at least "discriminator". Called before `generator_loss`."""

    def generator_loss(self, batch: Any) -> Losses:
        """The loss of the other networks, for the same batch; it may reuse what `discriminator_loss` stored in it."""

    def sample_grid(self, ema: nn.ModuleDict) -> NDArray[np.uint8]:
        """(H, W, 3) sRGB: what the averaged networks generate for inputs that stay the same for the whole run."""

    def validation_score(self, ema: nn.ModuleDict) -> float:
        """Distance of generated images from held-out ones; lower is better. It selects the best checkpoint."""

    def description(self) -> dict[str, Any]:
        """What else a checkpoint stores for publishing: at least `network`, a dict with `name` and `config`."""


@runtime_checkable
class PenalisedSystem(Protocol):
    """A system with penalties that are computed every few steps only, each in a step of the optimiser of its own after
    that of the losses (lazy regularisation, Karras and others 2020).

    A penalty counts `interval` times as much, which is for the system to weight. Rates and decays of Adam are adapted
    to the additional steps.
    """

    @property
    def discriminator_interval(self) -> int:
        """Steps between penalties of the discriminator; 0: none."""

    @property
    def generator_interval(self) -> int:
        """Steps between penalties of the other networks; 0: none."""

    def discriminator_penalty(self, batch: Any) -> Losses:
        """The penalty of the discriminator, for the batch of the step."""

    def generator_penalty(self, batch: Any) -> Losses:
        """The penalty of the other networks, for the batch of the step."""


@runtime_checkable
class SampledSystem(Protocol):
    """A system whose real pictures are worth a look beside its sample grids."""

    def real_grid(self) -> NDArray[np.uint8]:
        """(H, W, 3) sRGB: pictures that it is trained on, in a grid like that of its samples."""


@runtime_checkable
class PictureSystem(Protocol):
    """A system whose pictures can be measured against held-out ones."""

    def real_pictures(self, count: int) -> NDArray[np.uint8]:
        """(N, H, W, 3) sRGB: held-out pictures, always the same, N at most `count` and 0 where nothing is held out."""

    def generated_pictures(self, ema: nn.ModuleDict, count: int) -> NDArray[np.uint8]:
        """(`count`, H, W, 3) sRGB of the averaged networks, from inputs that stay the same for the whole run."""


@dataclass(frozen=True)
class Measured:
    """`values` figures by name, to log; the one called `best`, lower is better, selects the best checkpoint."""

    values: Mapping[str, float]
    best: str


Measure = Callable[[nn.ModuleDict], Measured]
"""Measures what the averaged networks generate."""

PrepareMeasure = Callable[[System], Measure]
"""Creates the `Measure` of a system. Raises TrainingError when its pictures cannot be measured."""

Build = Callable[[World, Path | None], System]
"""Creates the system of a run on a device. The path is weights or a checkpoint to warm-start from; None to start with
random weights, or to resume."""
