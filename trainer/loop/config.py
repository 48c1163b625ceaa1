"""Configuration of a run: frozen dataclasses whose fields are the flags of the command and the keys of a TOML file.

`RunConfig` has what the loop needs; each system has a `Config` of its own. Values come from the defaults of the system,
a TOML file and the flags, in this order.
"""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, get_type_hints

from terrainpaint.core.checked_toml import MOST_BYTES, parse_toml
from terrainpaint.core.files import read_regular, why_unreadable
from terrainpaint.errors import TrainingError

STRINGS = tuple[str, ...]
INTEGERS = tuple[int, ...]
IN_EPOCHS: Mapping[str, str] = {
    "epochs": "images", "sample_epochs": "sample_images", "save_epochs": "save_images", "log_epochs": "log_images",
}  # fmt: skip
"""Fields of `RunConfig` in epochs → those in images that they replace; 0 does not."""


def setting(default: Any, text: str, choices: tuple[str, ...] = (), least: float | None = None) -> Any:
    """A field of a `Config`: `text` its line of `--help`, `choices` the possible words, `least` the minimum."""
    return dataclasses.field(default=default, metadata={"help": text, "choices": choices, "least": least})


@dataclass(frozen=True)
class Config:
    """Base of all configurations. Raises TrainingError for a value that is not one of the choices or too small."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value, choices, least = getattr(self, field.name), field.metadata["choices"], field.metadata["least"]
            values = value if isinstance(value, tuple) else (value,)
            if choices and not set(values) <= set(choices):
                raise TrainingError(f"{field.name} must be {listed(choices)}, not {reprlib.repr(value)}.")
            # Not "value < least": NaN is never less.
            if least is not None and not all(number >= least for number in values):
                raise TrainingError(f"{field.name} must be at least {least}, not {_as_text(value)}.")

    @property
    def loss_network(self) -> Path | None:
        """The file of a classifier whose features a loss compares, so that they cannot measure; None without one."""
        return None


@dataclass(frozen=True)
class RunConfig(Config):
    """What every run has: length, optimisation, device, intervals of saving. The clock counts images."""

    start: str = setting("", "weights or checkpoint to warm-start a new run from")
    images: int = setting(400_000, "length of the run in images", least=1)
    epochs: int = setting(0, "length of the run in epochs of the set, in place of images", least=0)
    batch: int = setting(6, "images in a step, of all processes together", least=1)
    accumulate: int = setting(1, "parts that a process computes its images of a step in, to save memory", least=1)

    generator_rate: float = setting(3e-4, "learning rate of the generator", least=0)
    discriminator_rate: float = setting(2e-4, "learning rate of the discriminator", least=0)
    generator_after: int = setting(0, "images that only the discriminator is trained with, at the start", least=0)
    beta1: float = setting(0.0, "decay of Adam's mean of gradients", least=0)
    beta2: float = setting(0.99, "decay of Adam's mean of squares", least=0)
    schedule: str = setting("constant", "how the learning rates fall", ("constant", "linear", "cosine"))
    warmup_images: int = setting(0, "images over which the rates rise to their values", least=0)
    decay_from: float = setting(0.0, "fraction of the run after which the rates fall", least=0)
    final_rate: float = setting(0.0, "fraction of the rates that is left at the end", least=0)
    clip_norm: float = setting(0.0, "largest norm of the gradient of a network; 0: any", least=0)

    balance: str = setting("none", "in which steps the generator is trained", ("none", "ratio", "dynamic"))
    balance_ratio: int = setting(1, "discriminator steps for each generator step (ratio)", least=1)
    balance_stop: float = setting(2.0, "loss of the discriminator from which the generator pauses (dynamic)")
    balance_resume: float = setting(1.5, "loss under which it is trained again (dynamic)")

    ema_images: float = setting(10_000.0, "half-life of the averaged weights in images; 0: no averaging", least=0)
    ema_ramp: float = setting(0.1, "largest half-life at first, as a fraction of the images seen; 0: any", least=0)
    precision: str = setting(
        "auto", "number format of the networks; auto: what the device computes fast", ("auto", "bf16", "fp16", "fp32")
    )
    device: str = setting("auto", "auto, cpu, cuda or mps")
    seed: int = setting(0, "seed of the data, the noise and the first weights", least=0)

    sample_images: int = setting(10_000, "images between sample grids", least=1)
    save_images: int = setting(10_000, "images between checkpoints", least=1)
    keep: int = setting(2, "newest checkpoints to keep, in addition to the best one", least=1)
    log_images: int = setting(400, "images between lines of the log", least=1)
    sample_epochs: int = setting(0, "epochs between sample grids, in place of images", least=0)
    save_epochs: int = setting(0, "epochs between checkpoints, in place of images", least=0)
    log_epochs: int = setting(0, "epochs between lines of the log, in place of images", least=0)
    measure_images: int = setting(
        0, "images between measurements of FID, KID, precision and recall against held-out pictures; 0: none", least=0
    )
    measure_count: int = setting(1000, "held-out pictures to measure with, at most", least=5)
    measure_features: str = setting(
        "efficientnet-lite0", "network that measures: efficientnet-lite0, or a state dict of squeezenet1_1 or vgg19"
    )
    wandb: str = setting("", "project of Weights & Biases to log to")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch % self.accumulate:
            raise TrainingError(f"batch must be a multiple of accumulate, not {self.batch} and {self.accumulate}.")
        for name in ("beta1", "beta2"):
            if getattr(self, name) >= 1:
                raise TrainingError(f"{name} must be below 1, not {getattr(self, name)}.")

    def in_images(self, epoch: int) -> RunConfig:
        """The same with all lengths in images, for a set of which an epoch has `epoch` images."""
        lengths = {images: getattr(self, epochs) * epoch for epochs, images in IN_EPOCHS.items()}
        return dataclasses.replace(self, **{name: length for name, length in lengths.items() if length})


def add_flags(parser: argparse.ArgumentParser, kinds: Sequence[type[Config]], defaults: Mapping[str, Any]) -> None:
    """Add one flag for each field of the configurations. A flag that is not given is None.

    `defaults` are the values that `--help` shows where they differ from those of the fields.
    """
    for field in _fields(kinds):
        is_tuple = isinstance(field.default, tuple)
        default = _as_text(defaults.get(field.name, field.default))
        options: dict[str, Any] = {
            "help": f"{field.metadata['help']} ({default})" if default else field.metadata["help"]
        }
        if isinstance(field.default, bool):
            options["action"] = argparse.BooleanOptionalAction
        else:
            has_integers = get_type_hints(_owner(kinds, field.name))[field.name] == INTEGERS
            options["type"] = (int if has_integers else str) if is_tuple else type(field.default)
            options["nargs"] = ("*" if not field.default else "+") if is_tuple else None
            options["choices"] = field.metadata["choices"] or None
            options["metavar"] = None if field.metadata["choices"] else field.name.rsplit("_", 1)[-1].upper()
        parser.add_argument("--" + field.name.replace("_", "-"), default=None, **options)


def read_values(source: Traversable | Path, kinds: Sequence[type[Config]]) -> dict[str, Any]:
    """The values of a TOML file by the names of the fields.

    Raises TrainingError for a file that cannot be read, an unknown key or a value of the wrong type.
    """
    try:
        values = parse_toml(read_regular(source, MOST_BYTES) if isinstance(source, Path) else source.read_bytes())
    except OSError as error:
        raise TrainingError(f"{source} cannot be read: {why_unreadable(error)}.") from error
    except ValueError as error:
        raise TrainingError(f"{source} is not a readable TOML file: {error}.") from error
    names = [field.name for field in _fields(kinds)]
    for name in values:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            advice = f"write {near[0]}" if near else "'train --help' lists the keys, with - for _"
            raise TrainingError(f"{source} has an unknown key {reprlib.repr(name)}; {advice}.")
    return {name: _checked(source, _owner(kinds, name), name, value) for name, value in values.items()}


def values_of_flags(arguments: argparse.Namespace, kinds: Sequence[type[Config]]) -> dict[str, Any]:
    """The values of the flags that were given."""
    given = {field.name: getattr(arguments, field.name) for field in _fields(kinds)}
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items() if value is not None
    }


def make_configs(values: Mapping[str, Any], kinds: Sequence[type[Config]]) -> list[Config]:
    """One configuration of each kind. Raises TrainingError for values that are out of range or exclude each other."""
    return [kind(**{field.name: values[field.name] for field in dataclasses.fields(kind) if field.name in values})
            for kind in kinds]  # fmt: skip


def settings_of(*configs: Config) -> dict[str, Any]:
    """All values of some configurations, in types that a checkpoint may hold."""
    return {name: list(value) if isinstance(value, tuple) else value
            for config in configs for name, value in dataclasses.asdict(config).items()}  # fmt: skip


def listed(words: Sequence[str]) -> str:
    """`a`, or `a, b or c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _fields(kinds: Iterable[type[Config]]) -> list[dataclasses.Field[Any]]:
    return [field for kind in kinds for field in dataclasses.fields(kind)]


def _owner(kinds: Iterable[type[Config]], name: str) -> type[Config]:
    return next(kind for kind in kinds if name in {field.name for field in dataclasses.fields(kind)})


def _checked(source: Traversable | Path, kind: type[Config], name: str, value: Any) -> Any:
    expected = get_type_hints(kind)[name]
    if expected in (STRINGS, INTEGERS):
        item = str if expected == STRINGS else int
        if isinstance(value, list) and all(type(each) is item for each in value):
            return tuple(value)
    elif type(value) is expected or (expected is float and type(value) is int):
        return expected(value)
    raise TrainingError(
        f"{source}: {name} must be of the same type as {getattr(kind, name)!r}, not {reprlib.repr(value)}."
    )


def _as_text(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
