"""What a training run is told: one frozen dataclass, filled from defaults, a TOML file and flags, in this order."""

from __future__ import annotations

import argparse
import dataclasses
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, get_type_hints

from terrainpaint.errors import TrainingError

_NAMES = tuple[str, ...]
_NUMBERS = tuple[int, ...]


def _field(default: Any, told: str, choices: tuple[str, ...] = (), least: float | None = None) -> Any:
    """`told` is what the command line says of it; `choices` the possible words; `least` the smallest number."""
    return dataclasses.field(default=default, metadata={"help": told, "choices": choices, "least": least})


@dataclass(frozen=True)
class TrainConfig:
    """Every number of a run. Raises TrainingError for values that cannot be."""

    network: str = _field("spade-local", "the network to train",
                          ("spade-local", "spade-terrain-1.0", "spade-terrain-1.1", "spade-terrain-1.2"))  # fmt: skip
    start: str = _field(
        "", "weights or checkpoint that a new run begins with; blocks which it lacks do nothing at first"
    )
    images: int = _field(400_000, "length of the run in images shown", least=1)
    batch: int = _field(6, "images in a step, of all processes together", least=1)
    accumulate: int = _field(1, "parts that a process computes its images of a step in, to save memory", least=1)
    crop_px: int = _field(128, "side of a crop in pixels", least=1)
    rescale: float = _field(1.0, "largest factor that crops are enlarged or reduced by at random, heights too", least=1)
    simple_maps: float = _field(0.0, "share of crops whose land is painted in larger areas, as people paint", least=0)
    turn: bool = _field(False, "turn and mirror crops at random; for textures without light in them")

    generator_rate: float = _field(3e-4, "learning rate of the generator", least=0)
    discriminator_rate: float = _field(2e-4, "learning rate of the discriminator", least=0)
    beta1: float = _field(0.0, "decay of Adam's mean of gradients", least=0)
    beta2: float = _field(0.99, "decay of Adam's mean of squares", least=0)
    schedule: str = _field("constant", "how the learning rates fall", ("constant", "linear", "cosine"))
    warmup_images: int = _field(0, "images over which the rates rise to their values", least=0)
    decay_from: float = _field(0.0, "share of the run after which the rates fall", least=0)
    final_rate: float = _field(0.0, "share of the rates that is left at the end", least=0)
    clip_norm: float = _field(0.0, "largest norm of the gradient of a network; 0: any", least=0)

    adversarial: str = _field("hinge", "adversarial loss",
                              ("hinge", "non-saturating", "relativistic", "lsgan", "segmentation"))  # fmt: skip
    flip_route: bool = _field(True, "judge each terrain a second time, flipped before it is shaded")
    r1_weight: float = _field(0.0, "weight of the gradient penalty at real pictures", least=0)
    r2_weight: float = _field(0.0, "weight of the gradient penalty at made pictures", least=0)
    penalty_steps: int = _field(1, "steps between gradient penalties, which then weigh as much more", least=1)
    feature_weight: float = _field(30.0, "weight of feature matching", least=0)
    mean_weight: float = _field(20.0, "weight of L1 on means: of colour over 16 x 16 px, of elevation over 64", least=0)
    relief_weight: float = _field(0.0, "weight of how strong the relief of each size is", least=0)
    sea_weight: float = _field(0.0, "weight of L1 on the elevation of the sea", least=0)
    perceptual: str = _field("", "state dict of VGG19 or SqueezeNet 1.1 with torchvision's names")
    perceptual_weight: float = _field(0.0, "weight of the perceptual loss on terrain and on height as grey", least=0)
    projected: bool = _field(False, "judge the features of --perceptual too, of terrain and relief (Projected GAN)")
    leak_weight: float = _field(0.0, "weight of the correlation of albedo and slopes", least=0)

    balance: str = _field("none", "when the generator is trained", ("none", "ratio", "dynamic"))
    balance_ratio: int = _field(1, "steps of the discriminator to one of the generator (ratio)", least=1)
    balance_stop: float = _field(2.0, "loss of the discriminator from which the generator rests (dynamic)")
    balance_resume: float = _field(1.5, "loss under which it is trained again (dynamic)")

    discriminator_widths: tuple[int, ...] = _field((48, 96, 192, 256), "channels of each stride-2 convolution", least=1)
    discriminator_scales: int = _field(
        2, "scales, each a half of the one before; in the reference networks a quarter", least=1
    )
    spectral_norm: bool = _field(True, "hold the discriminator's weights by their spectral norm")
    augment: tuple[str, ...] = _field((), "differentiable augmentation of what is judged",
                                      ("colour", "translation", "cutout"))  # fmt: skip

    style_noise: float = _field(0.3, "deviation of noise added to real styles", least=0)
    ema_images: float = _field(10_000.0, "half-life of the averaged weights, in images", least=1)
    precision: str = _field("bf16", "what the networks compute in", ("bf16", "fp16", "fp32"))
    device: str = _field("auto", "auto, cpu, cuda or mps")
    seed: int = _field(0, "seed of crops, styles and first weights", least=0)

    sheet_images: int = _field(10_000, "images between sample sheets", least=1)
    save_images: int = _field(10_000, "images between checkpoints", least=1)
    keep: int = _field(2, "newest checkpoints that are kept, besides the best one", least=1)
    log_images: int = _field(400, "images between lines of the log", least=1)
    wandb: str = _field("", "project of Weights & Biases to log to")

    def __post_init__(self) -> None:
        for each in dataclasses.fields(self):
            value, choices, least = getattr(self, each.name), each.metadata["choices"], each.metadata["least"]
            values = value if isinstance(value, tuple) else (value,)
            if choices and not set(values) <= set(choices):
                raise TrainingError(f"{each.name} must be {_listed(choices)}, not {_shown(value)}.")
            # Not "value < least": a number that is none is never less.
            if least is not None and not all(number >= least for number in values):
                raise TrainingError(f"{each.name} must be at least {least}, not {_shown(value)}.")
        if self.crop_px % 16:
            raise TrainingError(f"crop_px must be a multiple of 16, not {self.crop_px}.")
        if self.batch % self.accumulate:
            raise TrainingError(f"batch must be a multiple of accumulate, not {self.batch} and {self.accumulate}.")
        for name in ("beta1", "beta2"):
            if getattr(self, name) >= 1:
                raise TrainingError(f"{name} must be below 1, not {getattr(self, name)}.")
        if self.needs_perceptual and not self.perceptual:
            from trainer.losses.perceptual import HOW_TO_GET

            wanted = "The projected discriminator" if self.projected else "The perceptual loss"
            raise TrainingError(f"{wanted} needs a network, as --perceptual FILE; {HOW_TO_GET}.")
        if self.projected and self.network != "spade-local":
            raise TrainingError(f"projected is for the network spade-local, not for {self.network}.")
        if self.projected and self.crop_px < 48:
            raise TrainingError(f"projected wants a crop_px of at least 48, not {self.crop_px}.")
        if self.projected and (self.adversarial == "segmentation" or self.r1_weight or self.r2_weight):
            raise TrainingError("projected goes neither with the segmentation loss nor with gradient penalties.")

    @property
    def needs_perceptual(self) -> bool:
        """Whether the network of `perceptual` is used."""
        return bool(self.perceptual_weight) or self.projected


def config_names() -> list[str]:
    """The published configs, one a system."""
    return sorted(each.name.removesuffix(".toml") for each in resources.files("trainer.configs").iterdir()
                  if each.name.endswith(".toml"))  # fmt: skip


def add_flags(parser: argparse.ArgumentParser) -> None:
    """One flag for each field; a flag that is not given leaves the file's or the default value."""
    for each in dataclasses.fields(TrainConfig):
        several = isinstance(each.default, tuple)
        default = _shown(each.default)
        told: dict[str, Any] = {"help": f"{each.metadata['help']} ({default})" if default else each.metadata["help"]}
        if isinstance(each.default, bool):
            told["action"] = argparse.BooleanOptionalAction
        else:
            told["type"] = (int if each.name == "discriminator_widths" else str) if several else type(each.default)
            told["nargs"] = ("*" if not each.default else "+") if several else None
            told["choices"] = each.metadata["choices"] or None
            told["metavar"] = None if each.metadata["choices"] else each.name.rsplit("_", 1)[-1].upper()
        parser.add_argument("--" + each.name.replace("_", "-"), default=None, **told)


def from_flags(arguments: argparse.Namespace, file: Path | None) -> TrainConfig:
    """The config of a run; `file` is a TOML file, or the name of a published config.

    Raises TrainingError for a key that does not exist or a value of the wrong kind.
    """
    values = {} if file is None else _read(file)
    for each in dataclasses.fields(TrainConfig):
        if (given := getattr(arguments, each.name)) is not None:
            values[each.name] = tuple(given) if isinstance(given, list) else given
    return TrainConfig(**values)


def _read(file: Path) -> dict[str, Any]:
    published = str(file) in config_names() and not file.exists()
    source = resources.files("trainer.configs").joinpath(f"{file}.toml") if published else file
    try:
        values = tomllib.loads(source.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{file} is not a readable TOML file: {error}; there are also the published configs "
                            f"{_listed(tuple(config_names()))}.") from error  # fmt: skip
    names = [each.name for each in dataclasses.fields(TrainConfig)]
    for name in values:
        if name not in names:
            raise TrainingError(f"{file} has a key {name!r} that does not exist; there are: {', '.join(names)}.")
    return {name: _checked(file, name, value) for name, value in values.items()}


def _checked(file: Path, name: str, value: Any) -> Any:
    wanted = get_type_hints(TrainConfig)[name]
    if wanted in (_NAMES, _NUMBERS):
        kind = str if wanted == _NAMES else int
        if isinstance(value, list) and all(type(each) is kind for each in value):
            return tuple(value)
    elif type(value) is wanted or (wanted is float and type(value) is int):
        return wanted(value)
    raise TrainingError(f"{file}: {name} must be of the kind of {getattr(TrainConfig, name)!r}, not {value!r}.")


def _shown(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _listed(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
