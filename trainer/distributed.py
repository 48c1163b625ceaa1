"""Several processes that train as one, started by torchrun: each has its share of the images of every step.

Gradients are averaged with one all-reduce a network and step. The hooks of DistributedDataParallel would hide the
transfer behind the backward pass, but they do not go with gradient penalties, which differentiate twice.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import nn

from terrainpaint.errors import TrainingError
from terrainpaint.models.devices import pick_device

_PATIENCE = timedelta(minutes=30)
"""The first process writes checkpoints and sheets while the others wait."""


@dataclass(frozen=True)
class Team:
    """The processes of a run: this one is number `rank` of `size` and uses `device`."""

    rank: int
    size: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """This process's images of the `count` of a step. Raises TrainingError when they cannot be shared evenly."""
        if count % self.size:
            raise TrainingError(f"A batch of {count} images cannot be shared by {self.size} processes; use a multiple "
                                f"of {self.size}.")  # fmt: skip
        each = count // self.size
        return slice(self.rank * each, (self.rank + 1) * each)

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace gradients by their means over the processes."""
        if self.size == 1:
            return
        gradients = [each.grad for each in parameters if each.grad is not None]
        together = torch.cat([each.reshape(-1) for each in gradients])
        dist.all_reduce(together)
        together /= self.size
        for gradient, mean in zip(gradients, torch.split(together, [each.numel() for each in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient))

    def average(self, values: dict[str, float]) -> dict[str, float]:
        """Means over the processes of values with the same names."""
        if self.size == 1:
            return values
        together = torch.tensor(list(values.values()), dtype=torch.float64, device=self.device)
        dist.all_reduce(together)
        return dict(zip(values, (together / self.size).tolist(), strict=True))

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process: a signal may reach only one of them."""
        return flag if self.size == 1 else self.average({"flag": float(flag)})["flag"] > 0

    def agree(self, images: int) -> None:
        """Raise TrainingError unless all processes start from the same checkpoint."""
        low, high = (self._extreme(images, operation) for operation in (dist.ReduceOp.MIN, dist.ReduceOp.MAX))
        if low != high:
            raise TrainingError(f"The processes found checkpoints of {low} and of {high} images; the folder of the run "
                                "must be on a disk that all machines see.")  # fmt: skip

    def _extreme(self, value: int, operation: dist.ReduceOp.RedOpType) -> int:
        if self.size == 1:
            return value
        found = torch.tensor([value], device=self.device)
        dist.all_reduce(found, op=operation)
        return int(found)


def leads() -> bool:
    """Whether this process is the first, or the only one, that torchrun started."""
    return int(os.environ.get("RANK", "0")) == 0


def is_alone() -> bool:
    """Whether this process trains by itself."""
    return int(os.environ.get("WORLD_SIZE", "1")) == 1


@contextmanager
def joined(device: str) -> Iterator[Team]:
    """The team of the processes that torchrun started, or of this one alone; `device` as `pick_device` knows it.

    On CUDA each process takes the graphics card of its number on its machine, and they talk through NCCL; elsewhere
    through Gloo. Raises DeviceError when there is no such device.
    """
    found = pick_device(device)
    if is_alone():
        yield Team(0, 1, found)
        return
    if found.type == "cuda":
        found = pick_device(f"cuda:{os.environ['LOCAL_RANK']}")
        torch.cuda.set_device(found)
    dist.init_process_group("nccl" if found.type == "cuda" else "gloo", timeout=_PATIENCE)
    yield Team(dist.get_rank(), dist.get_world_size(), found)
    # Not after an error: the others may be in the middle of a transfer, and torchrun ends them.
    dist.destroy_process_group()
