"""What a training run is told: one frozen dataclass, filled from defaults, a TOML file and flags, in this order."""

from __future__ import annotations

import argparse
import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from terrainpaint.errors import TrainingError


@dataclass(frozen=True)
class TrainConfig:
    """Every number of a run; `help` is what the command line says of it."""

    images: int = dataclasses.field(default=400_000, metadata={"help": "length of the run in images shown"})
    batch: int = dataclasses.field(default=6, metadata={"help": "images in a step"})
    crop_px: int = dataclasses.field(default=128, metadata={"help": "side of a crop in pixels"})
    generator_rate: float = dataclasses.field(default=3e-4, metadata={"help": "learning rate of the generator"})
    discriminator_rate: float = dataclasses.field(default=2e-4, metadata={"help": "learning rate of the discriminator"})
    feature_weight: float = dataclasses.field(default=30.0, metadata={"help": "weight of feature matching"})
    mean_weight: float = dataclasses.field(default=20.0, metadata={"help": "weight of L1 on means of 16 x 16 px"})
    style_noise: float = dataclasses.field(default=0.3, metadata={"help": "deviation of noise added to real styles"})
    ema_images: float = dataclasses.field(
        default=10_000.0, metadata={"help": "half-life of the averaged weights, in images"}
    )
    discriminator_widths: tuple[int, ...] = dataclasses.field(
        default=(48, 96, 192, 256), metadata={"help": "channels of each stride-2 convolution"}
    )
    discriminator_scales: int = dataclasses.field(default=2, metadata={"help": "scales, each half of the one before"})
    precision: str = dataclasses.field(default="bf16", metadata={"help": "bf16 or fp32"})
    device: str = dataclasses.field(default="auto", metadata={"help": "auto, cpu, cuda or mps"})
    seed: int = dataclasses.field(default=0, metadata={"help": "seed of crops, styles and first weights"})
    sheet_images: int = dataclasses.field(default=10_000, metadata={"help": "images between sample sheets"})
    save_images: int = dataclasses.field(default=10_000, metadata={"help": "images between checkpoints"})
    log_images: int = dataclasses.field(default=400, metadata={"help": "images between lines of the log"})

    def __post_init__(self) -> None:
        for name in ("images", "batch", "crop_px", "sheet_images", "save_images", "log_images", "discriminator_scales"):
            if getattr(self, name) < 1:
                raise TrainingError(f"{name} must be at least 1, not {getattr(self, name)}.")
        if self.crop_px % 16:
            raise TrainingError(f"crop_px must be a multiple of 16, not {self.crop_px}.")
        if self.precision not in ("bf16", "fp32"):
            raise TrainingError(f"precision must be bf16 or fp32, not {self.precision}.")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """One flag for each field; a flag that is not given leaves the file's or the default value."""
    for each in dataclasses.fields(TrainConfig):
        default = " ".join(map(str, each.default)) if isinstance(each.default, tuple) else each.default
        parser.add_argument(
            "--" + each.name.replace("_", "-"),
            type=int if isinstance(each.default, tuple) else type(each.default),
            nargs="+" if isinstance(each.default, tuple) else None,
            default=None,
            help=f"{each.metadata['help']} ({default})",
        )


def from_flags(arguments: argparse.Namespace, file: Path | None) -> TrainConfig:
    """The config of a run. Raises TrainingError for a key that does not exist or a value of the wrong kind."""
    values: dict[str, Any] = {}
    if file is not None:
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise TrainingError(f"{file} is not a readable TOML file: {error}.") from error
    names = [each.name for each in dataclasses.fields(TrainConfig)]
    for name, value in values.items():
        if name not in names:
            raise TrainingError(f"{file} has a key {name!r} that does not exist; there are: {', '.join(names)}.")
        values[name] = _checked(file, name, value)
    for name in names:
        if (given := getattr(arguments, name)) is not None:
            values[name] = tuple(given) if isinstance(given, list) else given
    return TrainConfig(**values)


def _checked(file: Path | None, name: str, value: Any) -> Any:
    wanted = get_type_hints(TrainConfig)[name]
    if wanted == tuple[int, ...]:
        if isinstance(value, list) and all(type(each) is int for each in value):
            return tuple(value)
    elif type(value) is wanted or (wanted is float and type(value) is int):
        return wanted(value)
    raise TrainingError(f"{file}: {name} must be of the kind of {getattr(TrainConfig, name)!r}, not {value!r}.")
