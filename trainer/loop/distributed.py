"""Several processes that train one model, started by torchrun: each computes a shard of the images of every step.

Gradients are averaged with one all-reduce per network and step. The hooks of DistributedDataParallel would overlap the
transfer with the backward pass, but they do not support gradient penalties, which differentiate twice.
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

_TIMEOUT = timedelta(minutes=30)
"""The main process writes checkpoints and sample grids while the others wait."""


@dataclass(frozen=True)
class World:
    """The processes of a run: this one is number `rank` of `size` and computes on `device`."""

    rank: int
    size: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        """Whether this process writes the files and prints."""
        return self.rank == 0

    def shard(self, count: int) -> slice:
        """This process's images of the `count` of a step. Raises TrainingError when they cannot be divided evenly."""
        if count % self.size:
            raise TrainingError(f"A batch of {count} images cannot be divided among {self.size} processes; use a "
                                f"multiple of {self.size}.")  # fmt: skip
        size = count // self.size
        return slice(self.rank * size, (self.rank + 1) * size)

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace gradients by their means over the processes."""
        if self.size == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        dist.all_reduce(flat)
        flat /= self.size
        sizes = [gradient.numel() for gradient in gradients]
        for gradient, mean in zip(gradients, torch.split(flat, sizes), strict=True):
            gradient.copy_(mean.view_as(gradient))

    def average(self, values: dict[str, float]) -> dict[str, float]:
        """Means over the processes of values with the same names."""
        if self.size == 1:
            return values
        sums = torch.tensor(list(values.values()), dtype=torch.float64, device=self.device)
        dist.all_reduce(sums)
        return dict(zip(values, (sums / self.size).tolist(), strict=True))

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process: a signal may reach only one of them."""
        return flag if self.size == 1 else self.average({"flag": float(flag)})["flag"] > 0

    def check_same_step(self, images: int) -> None:
        """Raise TrainingError unless all processes start from the same checkpoint."""
        low, high = (self._extreme(images, operation) for operation in (dist.ReduceOp.MIN, dist.ReduceOp.MAX))
        if low != high:
            raise TrainingError(f"The processes found checkpoints of {low} and of {high} images; the folder of the run "
                                "must be on a disk that all machines can read.")  # fmt: skip

    def _extreme(self, value: int, operation: dist.ReduceOp.RedOpType) -> int:
        if self.size == 1:
            return value
        result = torch.tensor([value], device=self.device)
        dist.all_reduce(result, op=operation)
        return int(result)


def is_main_process() -> bool:
    """Whether this process is the first, or the only one, that torchrun started."""
    return int(os.environ.get("RANK", "0")) == 0


def is_single_process() -> bool:
    """Whether this process trains without others."""
    return int(os.environ.get("WORLD_SIZE", "1")) == 1


@contextmanager
def init_distributed(device: str) -> Iterator[World]:
    """The processes that torchrun started, or this one alone; `device` as for `pick_device`.

    On CUDA each process uses the graphics card of its local rank, and they communicate through NCCL; elsewhere through
    Gloo. Raises DeviceError when there is no such device.
    """
    picked = pick_device(device)
    if is_single_process():
        yield World(0, 1, picked)
        return
    if picked.type == "cuda":
        picked = pick_device(f"cuda:{os.environ['LOCAL_RANK']}")
        torch.cuda.set_device(picked)
    dist.init_process_group("nccl" if picked.type == "cuda" else "gloo", timeout=_TIMEOUT)
    yield World(dist.get_rank(), dist.get_world_size(), picked)
    # Not after an error: the others may be in the middle of a transfer, and torchrun ends them. All together: one that
    # still waits for another that has gone can abort at its exit.
    dist.barrier()
    dist.destroy_process_group()
