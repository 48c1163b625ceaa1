"""Weights files of layouts: the averaged generator, what moves its layouts, and its description."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from terrainpaint.core.checked_json import JsonObject
from terrainpaint.core.classes import CLASS_COUNT, PALETTE
from terrainpaint.core.dream_controls import CONTROL_NAMES, measures
from terrainpaint.core.dream_maps import crisp_map
from terrainpaint.errors import TrainingError, WeightsError
from terrainpaint.generation.dreamer import Dreamer
from terrainpaint.models.layout import LayoutGenerator, LayoutShape, draw_noise
from terrainpaint.models.layout_weights import (
    LayoutHeader,
    LayoutNetworks,
    Layouts,
    layout_shape,
    load_layouts,
    save_layouts,
)
from trainer.loop.checkpoints import load_checkpoint, training_settings
from trainer.systems.picture_weights import network_of, refused

MEASURED = 4096
"""Layouts that the directions are found with."""
_BATCH = 64
_REACH = 2.5
"""How far directions are followed, in standard deviations of `w`."""
_RIDGE = 1e-3


def publish(checkpoint: Path, target: Path, licence: str) -> str:
    """Write the averaged generator of a checkpoint with its directions. Returns a description of it.

    Raises TrainingError when the checkpoint cannot be used, OutputError when the file cannot be written.
    """
    layouts = _from_checkpoint(checkpoint, licence)
    fits = find_directions(layouts.networks, MEASURED, 0)
    save_layouts(target, layouts.header, layouts.networks)
    explained = ", ".join(f"{name} {fit:.0%}" for name, fit in fits.items())
    return f"layouts of {layouts.header.shape.size_px} px; its directions explain of {explained}"


def load(path: Path) -> Layouts:
    """A checkpoint or a weights file. Raises TrainingError for a file that cannot be used."""
    if path.suffix == ".pt":
        return _from_checkpoint(path, "")
    try:
        return load_layouts(path, torch.device("cpu"))
    except WeightsError as error:
        raise TrainingError(str(error)) from error


def sample_ids(path: Path, count: int, seed: int, size_px: int | None = None) -> NDArray[np.uint8]:
    """(`count`, S, S) uint8: layout n of a checkpoint or a weights file is that of the seed `seed` + n.

    With a `size_px` that is not the side of the layouts, they are crisp maps of that side, with natural borders. Raises
    TrainingError for a file that cannot be used.
    """
    dreamer = Dreamer(load(path))
    seeds = range(seed, seed + count)
    parts = [tuple(seeds[start : start + _BATCH]) for start in range(0, count, _BATCH)]
    if size_px in (None, dreamer.header.shape.size_px):
        return np.concatenate([dreamer.draw(part).logits.argmax(axis=1).astype(np.uint8) for part in parts])
    shape = size_px, size_px
    maps = [
        crisp_map(logits, shape, number)
        for part in parts
        for number, logits in zip(part, dreamer.draw(part).logits, strict=True)
    ]
    return np.stack(maps)


def sample(path: Path, count: int, seed: int) -> NDArray[np.uint8]:
    """(`count`, S, S, 3) uint8 sRGB: the same as pictures."""
    return PALETTE[sample_ids(path, count, seed)]


@torch.no_grad()
def find_directions(networks: LayoutNetworks, count: int, seed: int) -> dict[str, float]:
    """Measure `count` layouts, and store in the networks the directions of `w` along which each measure grows.

    Each is the shortest way, in standard deviations of `w`, that leaves the other measures as they are. Returns how
    much of the variance of each measure a plane through `w` explains, 0..1.
    """
    generator = networks.generator
    random = torch.Generator().manual_seed(seed)
    ws, found = [], []
    for start in range(0, count, _BATCH):
        size = min(_BATCH, count - start)
        w = generator.w(torch.randn((size, generator.shape.latent), generator=random))
        ids = generator(w, draw_noise(generator.shape, size, random)).argmax(dim=1)
        shares = torch.nn.functional.one_hot(ids, CLASS_COUNT).double().mean(dim=(1, 2))
        ws.append(w.double())
        found.append(torch.from_numpy(measures(shares.numpy())))
    w, values = torch.cat(ws), torch.cat(found)
    mean = w.mean(dim=0)
    centred = w - mean
    covariance = centred.T @ centred / len(w)
    covariance += _RIDGE * covariance.diagonal().mean() * torch.eye(len(covariance), dtype=torch.float64)
    slopes = torch.linalg.solve(covariance, centred.T @ (values - values.mean(dim=0)) / len(w))
    towards = covariance @ slopes
    inner = slopes.T @ towards
    inner += 1e-9 * inner.diagonal().mean().clamp(min=1e-9) * torch.eye(len(inner), dtype=torch.float64)
    directions = torch.linalg.solve(inner, towards.T)
    length = (directions * torch.linalg.solve(covariance, directions.T).T).sum(dim=1).clamp(min=1e-12).sqrt()
    networks.mean_w.copy_(mean)
    networks.deviation_w.copy_(w.std(dim=0))
    networks.directions.copy_(directions)
    networks.reach.copy_(_REACH / length)
    residual = (values - values.mean(dim=0) - centred @ slopes).square().mean(dim=0)
    explained = 1 - residual / values.var(dim=0, unbiased=False).clamp(min=1e-12)
    return dict(zip(CONTROL_NAMES, explained.tolist(), strict=True))


def _from_checkpoint(path: Path, licence: str) -> Layouts:
    state = load_checkpoint(path, torch.device("cpu"))
    generator = network_of(path, state, "layouts", lambda network: LayoutGenerator(_shape(network["config"])))
    with refused(f"{path} is not a checkpoint of layouts, or it is damaged."):
        networks = LayoutNetworks(generator.shape)
        networks.generator = generator
        low, high = map(float, state["data"]["km"])
        header = LayoutHeader(generator.shape, (low, high), str(state["data"]["credits"]), licence,
                              training_settings(state))  # fmt: skip
        return Layouts(path, header, networks.eval().requires_grad_(False), "")


def _shape(config: Mapping[str, Any]) -> LayoutShape:
    return layout_shape(JsonObject({**config, "widths": list(config["widths"])}))
