"""A short run of the smallest network: what torchrun starts in a test. Arguments: prepared set, folder of the run."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from tests.trainer.runs import SHARED, quiet, train_terrain
from trainer.data.tile_set import load_tile_set

if __name__ == "__main__":
    torch.set_num_threads(1)
    train_terrain(load_tile_set(Path(sys.argv[1])), SHARED, Path(sys.argv[2]), quiet)
