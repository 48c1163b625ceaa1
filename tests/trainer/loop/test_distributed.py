import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from terrainpaint.errors import TrainingError
from tests.trainer.runs import SHARED, quiet, train_terrain
from trainer.data.tile_set import TileSet, load_tile_set, save_tile_set
from trainer.loop.checkpoints import load_checkpoint, newest_checkpoint
from trainer.loop.distributed import World

CPU = torch.device("cpu")
ROOT = Path(__file__).resolve().parents[3]


def test_two_processes_have_the_gradients_of_one_with_all_images(labelled: TileSet, tmp_path: Path) -> None:
    save_tile_set(tmp_path / "set.npz", labelled)
    # As torchrun starts them, which holds the port while they live.
    store = torch.distributed.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(store.port), "WORLD_SIZE": "2"}
    address |= {"TORCHELASTIC_USE_AGENT_STORE": "True", "TORCHELASTIC_RESTART_COUNT": "0"}
    command = [sys.executable, "-m", "tests.trainer.loop.worker", str(tmp_path / "set.npz"), str(tmp_path / "two")]
    workers = [
        subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True,
                         env={**os.environ, **address, "RANK": str(rank), "LOCAL_RANK": str(rank)})
        for rank in range(2)
    ]  # fmt: skip
    train_terrain(load_tile_set(tmp_path / "set.npz"), SHARED, tmp_path / "one", quiet)
    for worker in workers:
        _, said = worker.communicate(timeout=600)
        assert worker.returncode == 0, said
    two, one = (load_checkpoint(newest_checkpoint(tmp_path / name), CPU) for name in ("two", "one"))
    for optimizer in ("generator_step", "discriminator_step"):
        # Adam remembers nothing but the gradient after a single step, for beta1 is 0.
        whole, shared = ([each["exp_avg"] for each in run[optimizer]["state"].values()] for run in (one, two))
        largest = max(float(each.abs().max()) for each in whole)
        for gradient, other in zip(whole, shared, strict=True):
            assert torch.allclose(gradient, other, rtol=1e-3, atol=1e-5 * largest)
    assert torch.equal(one["random"], two["random"])
    assert sorted(each.name for each in (tmp_path / "two").iterdir()) == sorted(
        each.name for each in (tmp_path / "one").iterdir()
    )


def test_images_are_shared_evenly() -> None:
    shards = [World(rank, 3, CPU).shard(12) for rank in range(3)]
    assert [list(range(12))[each] for each in shards] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    with pytest.raises(TrainingError, match="multiple of 3"):
        World(0, 3, CPU).shard(8)
