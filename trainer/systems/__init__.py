"""The table of systems: what `--system` and the `system` of a checkpoint stand for.

Systems do not import one another. What is slow to import is imported when it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.path_kinds import is_there
from terrainpaint.core.progress import Progress
from terrainpaint.core.quoting import shown
from terrainpaint.core.weights_formats import is_look
from terrainpaint.errors import TrainingError
from trainer.loop.config import IN_EPOCHS, Config, RunConfig, listed, make_configs, read_values
from trainer.systems.dcgan.config import DcganConfig
from trainer.systems.layouts.config import LayoutsConfig
from trainer.systems.pix2pix.config import Pix2pixConfig
from trainer.systems.stylegan2.config import Stylegan2Config
from trainer.systems.super_resolution.config import SuperResolutionConfig
from trainer.systems.terrain.config import TerrainConfig

if TYPE_CHECKING:
    from trainer.data.detail_set import DetailSet
    from trainer.data.layout_set import LayoutSet
    from trainer.data.pair_set import PairSet
    from trainer.data.tile_set import TileSet
    from trainer.loop.system import Build


@dataclass(frozen=True)
class SystemEntry:
    """`config` its configuration; `configs` the package of its published configurations, of which `default` has its
    default values; `load(path)` reads the kind of set that it is trained on; `epoch(data, config)` is the number of
    images of an epoch; `build(data, run, config)` how a run creates it; `publish(checkpoint, target, licence)` writes
    its weights file and returns a description of it; `sample(path, count, seed)` generates pictures (N, H, W, 3) uint8
    from a checkpoint or a weights file, None where they need more than noise; `translate(path, input, output, seed,
    progress)` makes pictures of those of a file or folder and returns a line of text for each thing to print, None
    where pictures are made of something else."""

    config: type[Config]
    configs: str
    default: str
    load: Callable[[Path], Any]
    epoch: Callable[[Any, Any], int]
    build: Callable[[Any, RunConfig, Any], Build]
    publish: Callable[[Path, Path, str], str]
    sample: Callable[[Path, int, int], NDArray[np.uint8]] | None = None
    translate: Callable[[Path, Path, Path, int, Progress], list[str]] | None = None


def _load_tiles(path: Path) -> TileSet:
    from trainer.data.pair_set import is_pair_set
    from trainer.data.tile_set import load_tile_set

    if is_pair_set(path):
        raise TrainingError(f"{path} is a set of pairs, which trains pix2pix: add --system pix2pix, or make a tile set "
                            "with 'python -m trainer prepare'.")  # fmt: skip
    return load_tile_set(path)


def _epoch_of_tiles(tiles: TileSet, _config: Config) -> int:
    return max(1, len(tiles) - int(tiles.split.sum()))


def _build_terrain(tiles: TileSet, run: RunConfig, config: TerrainConfig) -> Build:
    from trainer.systems.terrain.system import terrain_build

    return terrain_build(tiles, run, config)


def _publish_terrain(checkpoint: Path, target: Path, licence: str) -> str:
    from trainer.systems.terrain.publishing import publish

    header = publish(checkpoint, target, licence)
    return f"{header.network}, style {header.style}"


def _build_dcgan(tiles: TileSet, run: RunConfig, config: DcganConfig) -> Build:
    from trainer.systems.dcgan.system import dcgan_build

    return dcgan_build(tiles, run, config)


def _publish_dcgan(checkpoint: Path, target: Path, licence: str) -> str:
    from trainer.systems.dcgan.weights import publish

    return publish(checkpoint, target, licence)


def _sample_dcgan(path: Path, count: int, seed: int) -> NDArray[np.uint8]:
    from trainer.systems.dcgan.weights import sample

    return sample(path, count, seed)


def _build_stylegan2(tiles: TileSet, run: RunConfig, config: Stylegan2Config) -> Build:
    from trainer.systems.stylegan2.system import stylegan2_build

    return stylegan2_build(tiles, run, config)


def _publish_stylegan2(checkpoint: Path, target: Path, licence: str) -> str:
    from trainer.systems.stylegan2.weights import publish

    return publish(checkpoint, target, licence)


def _sample_stylegan2(path: Path, count: int, seed: int) -> NDArray[np.uint8]:
    from trainer.systems.stylegan2.weights import sample

    return sample(path, count, seed)


def _load_layouts(path: Path) -> LayoutSet:
    from trainer.data.layout_set import load_layout_set

    return load_layout_set(path)


def _epoch_of_layouts(layouts: LayoutSet, _config: Config) -> int:
    return max(1, len(layouts) - int(layouts.split.sum()))


def _build_layouts(layouts: LayoutSet, run: RunConfig, config: LayoutsConfig) -> Build:
    from trainer.systems.layouts.system import layouts_build

    return layouts_build(layouts, run, config)


def _publish_layouts(checkpoint: Path, target: Path, licence: str) -> str:
    from trainer.systems.layouts.weights import publish

    return publish(checkpoint, target, licence)


def _sample_layouts(path: Path, count: int, seed: int) -> NDArray[np.uint8]:
    from trainer.systems.layouts.weights import sample

    return sample(path, count, seed)


def _load_details(path: Path) -> DetailSet | TileSet:
    from trainer.data.detail_set import is_detail_set, load_detail_set

    return load_detail_set(path) if is_detail_set(path) else _load_tiles(path)


def _epoch_of_details(data: DetailSet | TileSet, config: SuperResolutionConfig) -> int:
    tiles = len(data) - int(data.split.sum())
    return max(1, tiles * data.tile_px**2 // config.crop_px**2)


def _build_super_resolution(data: DetailSet | TileSet, run: RunConfig, config: SuperResolutionConfig) -> Build:
    from trainer.data.detail_set import DetailSet
    from trainer.systems.super_resolution.picture_system import picture_build
    from trainer.systems.super_resolution.system import land_build

    if isinstance(data, DetailSet):
        return land_build(data, run, config)
    return picture_build(data, run, config)


def _publish_super_resolution(checkpoint: Path, target: Path, licence: str) -> str:
    from trainer.systems.super_resolution.weights import publish

    return publish(checkpoint, target, licence)


def _finer_pictures(path: Path, source: Path, target: Path, seed: int, progress: Progress) -> list[str]:
    from trainer.systems.super_resolution.picture_files import finer_files

    return finer_files(path, source, target, seed, progress)


def _load_pairs(path: Path) -> PairSet:
    from trainer.data.pair_set import load_pair_set

    return load_pair_set(path)


def _epoch_of_pairs(pairs: PairSet, config: Pix2pixConfig) -> int:
    from trainer.systems.pix2pix.system import epoch_images

    return epoch_images(pairs, config)


def _build_pix2pix(pairs: PairSet, run: RunConfig, config: Pix2pixConfig) -> Build:
    from trainer.systems.pix2pix.system import pix2pix_build

    return pix2pix_build(pairs, run, config)


def _publish_pix2pix(checkpoint: Path, target: Path, licence: str) -> str:
    from trainer.systems.pix2pix.weights import publish

    return publish(checkpoint, target, licence)


def _translate_pix2pix(path: Path, source: Path, target: Path, seed: int, progress: Progress) -> list[str]:
    from terrainpaint.models.devices import pick_device
    from trainer.systems.pix2pix.picture_files import translate_files
    from trainer.systems.pix2pix.weights import load_translator

    return translate_files(load_translator(path, pick_device("auto")), source, target, seed, progress)


SYSTEMS: Mapping[str, SystemEntry] = {
    "terrain": SystemEntry(
        TerrainConfig, "trainer.systems.terrain.configs", "default",
        _load_tiles, _epoch_of_tiles, _build_terrain, _publish_terrain,
    ),
    "dcgan": SystemEntry(
        DcganConfig, "trainer.systems.dcgan.configs", "dcgan-64",
        _load_tiles, _epoch_of_tiles, _build_dcgan, _publish_dcgan, _sample_dcgan,
    ),
    "stylegan2": SystemEntry(
        Stylegan2Config, "trainer.systems.stylegan2.configs", "auto-256",
        _load_tiles, _epoch_of_tiles, _build_stylegan2, _publish_stylegan2, _sample_stylegan2,
    ),
    "layouts": SystemEntry(
        LayoutsConfig, "trainer.systems.layouts.configs", "layouts-64",
        _load_layouts, _epoch_of_layouts, _build_layouts, _publish_layouts, _sample_layouts,
    ),
    "pix2pix": SystemEntry(
        Pix2pixConfig, "trainer.systems.pix2pix.configs", "pix2pix-70-patches",
        _load_pairs, _epoch_of_pairs, _build_pix2pix, _publish_pix2pix,
        translate=_translate_pix2pix,
    ),
    "super_resolution": SystemEntry(
        SuperResolutionConfig, "trainer.systems.super_resolution.configs", "fine-land",
        _load_details, _epoch_of_details, _build_super_resolution, _publish_super_resolution,
        translate=_finer_pictures,
    ),
}  # fmt: skip


def system_of(path: Path) -> str:
    """The system of a checkpoint or of a weights file. Raises TrainingError when it cannot be read or is unknown."""
    import torch

    from trainer.loop.checkpoints import load_checkpoint
    from trainer.systems.picture_weights import read_description

    if path.suffix == ".safetensors":
        system = "pix2pix" if is_look(path) else read_description(path).values.get("system", "terrain")
    else:
        system = load_checkpoint(path, torch.device("cpu"))["system"]
    if not isinstance(system, str) or system not in SYSTEMS:
        raise TrainingError(f"{path} is of the unknown system {shown(system)!r}; update TerrainPaint to use it.")
    return system


def published_configs() -> dict[str, str]:
    """The name of each published configuration → its system."""
    return {name: system for system, entry in SYSTEMS.items() for name in sorted(_files(entry))}


def default_values(system: str) -> dict[str, Any]:
    """The default values of a system's runs, by the names of the fields of `RunConfig` and of its configuration."""
    entry = SYSTEMS[system]
    return read_values(_files(entry)[entry.default], (RunConfig, entry.config))


def load_configs(system: str, file: Path | None, flags: Mapping[str, Any]) -> tuple[RunConfig, Config]:
    """The configurations of a run: the defaults of the system, then a TOML file, or the published configuration of that
    name, then the flags.

    Raises TrainingError for a file that cannot be read or belongs to another system, and for wrong keys and values.
    """
    entry = SYSTEMS[system]
    kinds = (RunConfig, entry.config)
    values = default_values(system)
    if file is not None:
        values = _over(values, read_values(_source(system, file), kinds))
    run, own = make_configs(_over(values, flags), kinds)
    assert isinstance(run, RunConfig)
    return run, own


def _over(values: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Values, and later ones that take precedence: a length in images also replaces one in epochs."""
    replaced = {epochs: 0 for epochs, images in IN_EPOCHS.items() if images in later}
    return {**values, **replaced, **later}


def _source(system: str, file: Path) -> Traversable | Path:
    if is_there(file):
        return file
    files = _files(SYSTEMS[system])
    if str(file) in files:
        return files[str(file)]
    other = published_configs().get(str(file))
    if other is not None:
        raise TrainingError(f"{file} is a configuration of the system {other}; add --system {other}, or choose one of "
                            f"{listed(sorted(files))}.")  # fmt: skip
    raise TrainingError(f"{file} does not exist; name a .toml file or a published configuration: "
                        f"{listed(sorted(files))}.")  # fmt: skip


def _files(entry: SystemEntry) -> dict[str, Traversable]:
    return {each.name.removesuffix(".toml"): each for each in resources.files(entry.configs).iterdir()
            if each.name.endswith(".toml")}  # fmt: skip
