"""The readers of the trainer: sets, weights of pictures, projections, checkpoints, configurations, lists."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.campaign.reader import Reader

if TYPE_CHECKING:
    from torch import Tensor

    from trainer.exploration.latent_models import StyleGan2Model


def _read_tile_set(path: Path) -> object:
    from trainer.data.tile_set import load_tile_set

    return load_tile_set(path)


def _tile_set_files(folder: Path) -> list[Path]:
    from tests.trainer.data.test_tile_set import make_set
    from tests.trainer.picture_sets import discs
    from trainer.data.tile_set import save_tile_set

    save_tile_set(folder / "a.npz", make_set(variants=2))
    save_tile_set(folder / "pictures.npz", discs(6, 2, named="disc"))
    return [folder / "a.npz", folder / "pictures.npz"]


def _read_pair_set(path: Path) -> object:
    from trainer.data.pair_set import load_pair_set

    return load_pair_set(path)


def _pair_set_files(folder: Path) -> list[Path]:
    from tests.trainer.systems.pix2pix.test_evaluation import colours
    from trainer.data.pair_set import save_pair_set

    save_pair_set(folder / "a.npz", colours())
    return [folder / "a.npz"]


def _read_layout_set(path: Path) -> object:
    from trainer.data.layout_set import load_layout_set

    return load_layout_set(path)


def _layout_set_files(folder: Path) -> list[Path]:
    from tests.trainer.systems.layouts.sets import island_set
    from trainer.data.layout_set import save_layout_set

    save_layout_set(folder / "a.npz", island_set(4, 64, 1))
    return [folder / "a.npz"]


def _read_detail_set(path: Path) -> object:
    from trainer.data.detail_set import load_detail_set

    return load_detail_set(path)


def _detail_set_files(folder: Path) -> list[Path]:
    from tests.trainer.systems.super_resolution.sets import small_set
    from trainer.data.detail_set import save_detail_set

    save_detail_set(folder / "a.npz", small_set(48))
    return [folder / "a.npz"]


def _read_picture_weights(path: Path) -> object:
    """As `sample` and `translate` do."""
    import torch

    from trainer.systems import SYSTEMS, system_of
    from trainer.systems.pix2pix.weights import load_translator

    system = system_of(path)
    sample = SYSTEMS[system].sample
    if sample is not None:
        return sample(path, 1, 0)
    return load_translator(path, torch.device("cpu")) if system == "pix2pix" else system


def _picture_weights_files(folder: Path) -> list[Path]:
    from tests.trainer.exploration.generators import dcgan_weights, style_weights
    from trainer.systems import SYSTEMS

    checkpoint = next(path for path in _checkpoint_files(folder) if path.name == "pix2pix.pt")
    SYSTEMS["pix2pix"].publish(checkpoint, folder / "pix2pix.safetensors", "MIT")
    return [
        style_weights(folder / "stylegan2.safetensors"), dcgan_weights(folder / "dcgan.safetensors"),
        folder / "pix2pix.safetensors",
    ]  # fmt: skip


@cache
def _style_model() -> StyleGan2Model:
    import torch

    from terrainpaint.models.stylegan2 import StyleGan2Generator
    from tests.trainer.exploration.generators import SHAPE
    from trainer.exploration.latent_models import StyleGan2Model

    return StyleGan2Model(Path("a.safetensors"), StyleGan2Generator(SHAPE).to(torch.device("cpu")))


def _read_projection(path: Path) -> object:
    from trainer.exploration.projection import load_projection

    return load_projection(path, _style_model())


def _projection_files(folder: Path) -> list[Path]:
    shape, maps = _style_model().generator.shape, _style_model().generator.synthesis.noise_maps()
    w = np.zeros((1, shape.style_count, shape.latent), np.float32)
    noise: dict[str, Any] = {f"noise_{index}": each[0, 0].numpy() for index, each in enumerate(maps)}
    np.savez(folder / "whole.npz", w=w, **noise)
    np.savez(folder / "short.npz", w=w)
    return [folder / "whole.npz", folder / "short.npz"]


def _read_list(path: Path) -> object:
    from trainer.curation.examples import read_labels
    from trainer.data.keep_list import read_keep_list

    return read_labels(path) if path.name.startswith("labels") else read_keep_list(path)


def _list_files(folder: Path) -> list[Path]:
    (folder / "keep.txt").write_text('# kept\na/b.png\n"c\\nd.png"\nä.png\n', encoding="utf-8")
    (folder / "labels.txt").write_text('good a.png\nbad\tb.png\ngood "c d.png"\n', encoding="utf-8")
    return [folder / "keep.txt", folder / "labels.txt"]


def _read_measurements(path: Path) -> object:
    from trainer.systems.terrain.evaluation.measurements import load_measurements, merge

    return merge([load_measurements(path)])


def _measurements_files(folder: Path) -> list[Path]:
    from trainer.systems.terrain.evaluation.measurements import Measurements, save_measurements

    rows = {"crop@all": np.arange(4), "height@all": np.linspace(0, 1, 4)}
    save_measurements(folder / "a.npz", Measurements(rows, {"n": np.array([1, 2])}, {"crops": 4, "weights": "w"}, {}))
    return [folder / "a.npz"]


def _read_checkpoint(path: Path) -> object:
    from trainer.systems import SYSTEMS, system_of
    from trainer.systems.layouts.weights import load

    system = system_of(path)
    if system == "layouts":
        return load(path)  # publishing them measures thousands of layouts
    return SYSTEMS[system].publish(path, path.with_name("published"), "MIT")


def _checkpoint_files(folder: Path) -> list[Path]:
    import torch

    from terrainpaint.models.fine_land import FineLandConfig, FineLandStep
    from terrainpaint.models.fine_land_weights import NETWORK as FINE_LAND
    from terrainpaint.models.weights import load_weights
    from tests.generation.dream_networks import SHAPE as LAYOUT
    from tests.generation.dream_networks import random_networks
    from tests.models.weights_files import HEADER, VALID
    from tests.trainer.exploration.generators import dcgan_weights, style_weights
    from trainer.networks.pix2pix_shapes import UNetShape
    from trainer.networks.unet import UNet
    from trainer.systems.dcgan.weights import load as load_dcgan
    from trainer.systems.pix2pix.generators import described
    from trainer.systems.stylegan2.weights import load as load_stylegan2

    (folder / "a.safetensors").write_bytes(VALID)
    weights = load_weights(folder / "a.safetensors", torch.device("cpu"))
    averaged = {f"generator.{name}": value for name, value in weights.generator.state_dict().items()}
    averaged |= {f"shadow.{name}": value for name, value in weights.shadow.state_dict().items()}
    header = json.loads(HEADER.to_json())
    data = {"style": "atlas", "credits": "", "pixel_size_m": 2000.0}
    _write_checkpoint(folder / "terrain.pt", {"name": HEADER.network, "config": header["config"]}, averaged, data,
                      shadow_config=header["shadow_config"])  # fmt: skip
    style = load_stylegan2(style_weights(folder / "a.safetensors")).generator
    dcgan = load_dcgan(dcgan_weights(folder / "a.safetensors")).generator
    unet, layouts = UNet(UNetShape(size_px=32, width=4)), random_networks().generator
    fine = FineLandConfig(2000.0, 8, 1, (4, 2), 4, 0, (2, 2))
    steps = {"first": asdict(fine), "second": asdict(replace(fine, cell_m=500.0))}
    pairs = {"source_style": "a", "target_style": "b", "credits": "", "pixel_size_m": None}
    for name, network, generator, own in (
        ("stylegan2", {"name": "stylegan2", "config": asdict(style.shape)}, style, data),
        ("dcgan", {"name": "dcgan", "config": asdict(dcgan.shape)}, dcgan, data),
        ("layouts", {"name": "layout", "config": asdict(LAYOUT)}, layouts, {"credits": "", "km": [1000.0, 4000.0]}),
        ("pix2pix", described(unet), unet, pairs),
        ("super_resolution", {"name": FINE_LAND, "config": steps}, FineLandStep(fine), {"credits": ""}),
    ):
        averaged = {f"generator.{key}": value for key, value in generator.state_dict().items()}
        _write_checkpoint(folder / f"{name}.pt", network, averaged, own, system=name)
    names = ("terrain", "stylegan2", "dcgan", "layouts", "pix2pix", "super_resolution")
    return [folder / f"{name}.pt" for name in names]


def _write_checkpoint(
    path: Path, network: Mapping[str, Any], averaged: Mapping[str, Tensor], data: Mapping[str, Any], **others: Any
) -> None:
    import torch

    from trainer.loop.checkpoints import FORMAT_VERSION

    common = {
        "version": FORMAT_VERSION, "images": 4, "system": "terrain", "averaged": averaged, "log": {},
        "settings": {"size_px": 32}, "network": network, "data": data, "best": {"images": 4, "distance": 0.5},
        "random": torch.get_rng_state(),
    }  # fmt: skip
    torch.save({**common, **others}, path)


def _read_config(path: Path) -> object:
    from trainer.systems import load_configs

    return load_configs("terrain", path, {})


def _config_files(folder: Path) -> list[Path]:
    path = folder / "a.toml"
    path.write_text('images = 100\nbatch = 2\nadversarial = "hinge"\ndiscriminator_widths = [8, 16]\nturn = true\n')
    return [path]


TRAINER_READERS: Mapping[str, Reader] = {
    "tile set": Reader(_read_tile_set, _tile_set_files),
    "pair set": Reader(_read_pair_set, _pair_set_files),
    "layout set": Reader(_read_layout_set, _layout_set_files),
    "detail set": Reader(_read_detail_set, _detail_set_files),
    "picture weights": Reader(_read_picture_weights, _picture_weights_files),
    "projection": Reader(_read_projection, _projection_files),
    "checkpoint": Reader(_read_checkpoint, _checkpoint_files),
    "configuration": Reader(_read_config, _config_files),
    "list": Reader(_read_list, _list_files),
    "measurements": Reader(_read_measurements, _measurements_files),
}
