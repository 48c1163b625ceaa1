"""New terrain networks for a configuration, with random weights or those of another run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.core.terrain import SNOW
from terrainpaint.errors import TrainingError
from terrainpaint.models.networks import NETWORKS
from terrainpaint.models.shadow import ShadowConfig
from terrainpaint.models.spade_local import COARSEST, SPADE_LEVELS, SpadeLocalConfig
from terrainpaint.models.terrain_generator import GeneratorConfig, TerrainGenerator
from terrainpaint.models.weights import Weights, load_weights
from trainer.loop.checkpoints import load_checkpoint
from trainer.loop.system import DISCRIMINATOR
from trainer.losses.perceptual import PerceptualNetwork
from trainer.networks.multiscale_discriminator import Norm, no_norm
from trainer.systems.terrain.adapters import Adapter, GuidedAdapter, LocalAdapter, ReferenceAdapter, TerrainNetworks
from trainer.systems.terrain.config import TerrainConfig
from trainer.systems.terrain.discriminators import SegmentationDiscriminator
from trainer.systems.terrain.projected_discriminator import PICTURES, ProjectedDiscriminator

ADAPTERS: Mapping[str, type[Adapter]] = {
    "spade-local": LocalAdapter,
    "spade-guided": GuidedAdapter,
    "spade-terrain-1.0": ReferenceAdapter,
    "spade-terrain-1.1": ReferenceAdapter,
    "spade-terrain-1.2": ReferenceAdapter,
}
"""For each terrain network of the program, how it is trained."""
_MAY_BE_NEW = re.compile(r"\.blocks\.|style_mix$|^smaller\.")
"""Residual blocks, covariances of styles, and further sizes of a projected discriminator."""
_MODULATION = re.compile(r"levels\.(\d+)\.blocks\.\d+\.before_\w+\.\w+\.weight$")
_RESIDUAL_END = re.compile(r"\.blocks\.\d+\.second\.(weight|bias)$")


def build_networks(
    config: TerrainConfig, shape: GeneratorConfig | None, perceptual: PerceptualNetwork | None, device: torch.device
) -> nn.ModuleDict:
    """Generator, shadow generator and discriminator, with weights drawn from torch's global random state.

    `shape` is the configuration of the generator, None for the default one with the widths of `config`.
    """
    network = NETWORKS[config.network]
    generator = network.new_generator(shape or _shape(config)).to(device)
    shadow = network.shadow(ShadowConfig()).to(device)
    discriminator = _discriminator(config)
    if config.projected and perceptual is not None:
        pictures = PICTURES[:1] if config.relief else PICTURES  # relief that is held cannot be corrected
        discriminator = ProjectedDiscriminator(
            discriminator, perceptual, _norm(config), config.projected_scales, pictures
        )
    discriminator.to(device)
    for module in (generator, discriminator):
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return nn.ModuleDict({"generator": generator, "shadow": shadow, DISCRIMINATOR: discriminator})


def warm_start(networks: nn.ModuleDict, path: Path) -> None:
    """Load published weights, or a checkpoint with its discriminator, which knows what to correct in them.

    Raises TrainingError for weights of another shape.
    """
    name = "unknown"
    try:
        if path.suffix == ".pt":
            state = load_checkpoint(path, torch.device("cpu"))
            name, generator, shadow = state["network"]["name"], state["generator"], state["shadow"]
            style_names = state["network"]["config"].get("style_names", ())
            load_grown(networks[DISCRIMINATOR], state["discriminator"])
        else:
            weights = load_weights(path, torch.device("cpu"))
            name = weights.header.network
            generator, shadow = weights.generator.state_dict(), weights.shadow.state_dict()
            style_names = weights.generator.config.style_names
        load_grown(networks["generator"], with_style_numbers(networks["generator"], generator, len(style_names)))
        load_grown(networks["shadow"], shadow)
    # A part of another kind makes `load_state_dict` fail in any way.
    except (KeyError, RuntimeError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise TrainingError(
            f"{path} has another network ({name}), widths or discriminator than this run; name weights or a checkpoint "
            "of the same kind as --start."
        ) from error


def held_relief(config: TerrainConfig, networks: TerrainNetworks, device: torch.device) -> TerrainNetworks | None:
    """The fixed networks of `config.relief`, None without one.

    Raises TrainingError when their generator has another shape than that of `networks`, WeightsError for a file that
    holds no weights.
    """
    if not config.relief:
        return None
    weights = load_weights(Path(config.relief), device)
    generator = matching_relief(weights, networks.generator.config)
    return TerrainNetworks(generator, weights.shadow.requires_grad_(False))


def matching_relief(weights: Weights, config: GeneratorConfig) -> TerrainGenerator:
    """The generator of `weights`, fixed, whose heights one with `config` is to have; it may have fewer style numbers.

    Raises TrainingError when it has another shape.
    """
    generator = weights.generator
    if replace(generator.config, style_names=config.style_names) != config:
        raise TrainingError(
            f"The weights of the style {weights.header.style} whose heights are to be kept have a generator of another "
            "shape; use the weights that the training started from."
        )
    return generator.requires_grad_(False)


def load_grown(network: nn.Module, values: Mapping[str, Tensor]) -> None:
    """Load values by name into a network that may have more residual blocks; new blocks start as the identity. It may
    also have more inputs, such as guides, after those of the values; they start without effect.

    The covariance of styles may be missing: every run measures it. So may the parts of a discriminator for smaller
    pictures, which start at random. Raises RuntimeError when anything else is missing,
    is unknown or has another shape.
    """
    own = network.state_dict()
    values = {name: _with_inputs(value, own[name]) if name in own else value for name, value in values.items()}
    missing = {name for name in own if name not in values and _MAY_BE_NEW.search(name)}
    network.load_state_dict({**values, **{name: own[name] for name in missing}})
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name in missing and _RESIDUAL_END.search(name):
                parameter.zero_()


def with_style_numbers(generator: nn.Module, values: Mapping[str, Tensor], former: int) -> dict[str, Tensor]:
    """The weights of a generator with `former` style numbers, for one that may have more; the new ones start without
    effect. The covariance of styles is left out then: every run measures it."""
    config = generator.config
    if not isinstance(config, SpadeLocalConfig) or len(config.style_names) <= former:
        return dict(values)
    more = len(config.style_names) - former
    grown = {}
    for name, value in values.items():
        if name.endswith("style_mix"):
            continue
        modulation = _MODULATION.match(name)
        if modulation:
            # The inputs are those of the map, the style, and then the guide.
            has_branch = COARSEST - int(modulation[1]) in SPADE_LEVELS
            at = (config.hidden if has_branch else CLASS_COUNT) + former
            none = value.new_zeros((value.shape[0], more, *value.shape[2:]))
            value = torch.cat([value[:, :at], none, value[:, at:]], dim=1)
        grown[name] = value
    return grown


def _with_inputs(value: Tensor, own: Tensor) -> Tensor:
    """The weights of a convolution, with zeros for the inputs that only `own` has."""
    more = own.shape[1] - value.shape[1] if own.ndim == value.ndim == 4 else 0
    return F.pad(value, (0, 0, 0, 0, 0, more)) if more > 0 else value


def _shape(config: TerrainConfig) -> GeneratorConfig:
    shape = NETWORKS[config.network].config()
    if config.widths:
        shape = replace(shape, widths=config.widths)
    return replace(shape, style_names=(*shape.style_names, SNOW)) if config.snow else shape


def _discriminator(config: TerrainConfig) -> nn.Module:
    adapter, widths, norm = ADAPTERS[config.network], config.discriminator_widths, _norm(config)
    if config.adversarial == "segmentation":
        return SegmentationDiscriminator(widths, norm, adapter.channels)
    return adapter.new_discriminator(widths, config.discriminator_scales, norm)


def _norm(config: TerrainConfig) -> Norm:
    return spectral_norm if config.spectral_norm else no_norm
