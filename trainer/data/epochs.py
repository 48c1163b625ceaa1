"""The order in which a run goes through its pictures: a new permutation for each epoch."""

from __future__ import annotations

import torch
from torch import Tensor


def shuffled_indices(count: int, first: int, number: int, seed: int) -> Tensor:
    """(`number`,) int64: the indices of the images `first` and following of a run, in 0..`count` - 1.

    Every picture appears once in each epoch of `count` images. The order depends on the seed and the place in the run
    only, so a resumed run needs no state for it.
    """
    images = torch.arange(first, first + number)
    indices = torch.empty(number, dtype=torch.int64)
    for epoch in range(first // count, (first + number - 1) // count + 1):
        order = torch.randperm(count, generator=torch.Generator().manual_seed(seed * 1_000_003 + epoch))
        is_here = images // count == epoch
        indices[is_here] = order[images[is_here] % count]
    return indices
