"""Pictures per second of processor time in training steps of pix2pix, and beside a public implementation of it.

Both run in this process by turns on one thread, so what else the machine does slows both alike.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from terrainpaint.models.devices import keep_freed_memory
from trainer.data.pair_set import PairSet
from trainer.loop.distributed import World
from trainer.loop.optimisation import TrainStep
from trainer.systems import SYSTEMS, load_configs

CPU = torch.device("cpu")
SIDE_PX = 286
# The networks of PyTorch-GAN: instance norm, and a discriminator whose last stride but one is 2.
FLAGS = {"norm": "instance", "discriminator_norm": "instance", "field": 94, "halve": True, "adversarial": "lsgan",
         "cut": "resize", "precision": "fp32", "device": "cpu"}  # fmt: skip
_THEIR_MODELS = Path("implementations", "pix2pix", "models.py")


def bench_pix2pix(beside: Path | None = None, repeats: int = 5) -> dict[str, float]:
    """256 px, batch 1, the U-Net of 54 M weights. `beside` is a checkout of eriklindernoren/PyTorch-GAN, whose networks
    and steps are measured too."""
    keep_freed_memory()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    steps = {"pix2pix": _our_step()}
    if beside is not None:
        steps["pix2pix_of_pytorch_gan"] = _their_step(beside)
    fastest = {name: float("inf") for name in steps}
    for turn in range(repeats + 1):  # the first is the warm-up
        for name, step in steps.items():
            start = time.process_time()
            step()
            if turn:
                fastest[name] = min(fastest[name], time.process_time() - start)
    torch.set_num_threads(threads)
    measured = {f"train_{name}_images_per_cpu_s": 1 / seconds for name, seconds in fastest.items()}
    if beside is not None:
        measured["train_pix2pix_over_pytorch_gan"] = fastest["pix2pix_of_pytorch_gan"] / fastest["pix2pix"]
    return measured


def _our_step() -> Callable[[], object]:
    random = np.random.default_rng(0)
    pairs = PairSet(
        *random.integers(0, 255, (2, 4, SIDE_PX, SIDE_PX, 3), dtype=np.uint8),
        split=np.zeros(4, np.uint8),
        names=("a", "b", "c", "d"),
        centre_deg=np.zeros((4, 2), np.float32),
        source_style="noise",
        target_style="noise",
        credits="",
        pixel_size_m=None,
    )
    torch.manual_seed(0)
    run, own = load_configs("pix2pix", Path("pix2pix-70-resized"), FLAGS)
    world = World(0, 1, CPU)
    system = SYSTEMS["pix2pix"].build(pairs, run, own)(world, None)
    step, drawn = TrainStep(system, run, world), torch.Generator().manual_seed(0)
    return lambda: step(system.batch(drawn, 0, slice(None)), 0)


def _their_step(checkout: Path) -> Callable[[], object]:
    """Their networks, losses, optimisers and order of steps, with a picture that is in memory already."""
    spec = importlib.util.spec_from_file_location("pytorch_gan_models", checkout / _THEIR_MODELS)
    if spec is None or spec.loader is None or not (checkout / _THEIR_MODELS).exists():
        raise SystemExit(f"{checkout} is no checkout of eriklindernoren/PyTorch-GAN: it has no {_THEIR_MODELS}")
    models = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(models)
    torch.manual_seed(0)
    generator, discriminator = models.GeneratorUNet(), models.Discriminator()
    for network in (generator, discriminator):
        network.apply(models.weights_init_normal)
    squares, difference = nn.MSELoss(), nn.L1Loss()
    optimizers = [torch.optim.Adam(each.parameters(), 2e-4, betas=(0.5, 0.999)) for each in (generator, discriminator)]
    source, target = torch.rand(2, 1, 3, 256, 256) * 2 - 1

    def judged(picture: Tensor, is_real: bool) -> Tensor:
        logits = discriminator(picture, source)
        loss: Tensor = squares(logits, torch.full_like(logits, float(is_real)))
        return loss

    def step() -> None:
        optimizers[0].zero_grad()
        fake = generator(source)
        (judged(fake, True) + 100 * difference(fake, target)).backward()
        optimizers[0].step()
        optimizers[1].zero_grad()
        (0.5 * (judged(target, True) + judged(fake.detach(), False))).backward()
        optimizers[1].step()

    return step


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beside", type=Path, metavar="DIR", help="checkout of eriklindernoren/PyTorch-GAN")
    for key, value in bench_pix2pix(parser.parse_args().beside).items():
        print(f"{key} {value:.3f}", flush=True)
