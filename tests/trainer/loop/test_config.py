import argparse
import dataclasses
from pathlib import Path

import pytest

from terrainpaint.errors import TrainingError
from terrainpaint.models.networks import NETWORKS
from tests.trainer.runs import Configs
from trainer.loop.config import RunConfig, add_flags, values_of_flags
from trainer.systems import SYSTEMS, default_values, load_configs, published_configs
from trainer.systems.terrain.build import ADAPTERS
from trainer.systems.terrain.config import TerrainConfig

KINDS = (RunConfig, TerrainConfig)


def configs_of(name: str, *flags: str) -> Configs:
    parser = argparse.ArgumentParser()
    add_flags(parser, KINDS, default_values("terrain"))
    run, own = load_configs("terrain", Path(name), values_of_flags(parser.parse_args(flags), KINDS))
    assert isinstance(own, TerrainConfig)
    return Configs(run, own)


def config_of(name: str, *flags: str) -> TerrainConfig:
    return configs_of(name, *flags).terrain


def test_there_is_a_published_config_for_each_network() -> None:
    names = [name for name, system in published_configs().items() if system == "terrain"]
    assert names == ["default", "spade-guided", "spade-terrain-1.0", "spade-terrain-1.1", "spade-terrain-1.2"]
    assert {config_of(name, "--perceptual", "vgg19.pth").network for name in names} == set(NETWORKS) == set(ADAPTERS)
    choices = {field.name: field.metadata["choices"] for field in dataclasses.fields(TerrainConfig)}["network"]
    assert set(choices) == set(NETWORKS)


def test_the_default_config_says_what_the_defaults_are() -> None:
    assert configs_of("default") == Configs(RunConfig(), TerrainConfig())


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_published_config_can_be_loaded(system: str) -> None:
    names = [name for name, owner in published_configs().items() if owner == system]
    assert SYSTEMS[system].default in names
    for name in names:
        flags = {"perceptual": "vgg19.pth"} if name.startswith("spade-terrain") else {}
        assert isinstance(load_configs(system, Path(name), flags)[1], SYSTEMS[system].config)


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_reference_configs_are_as_published(version: str) -> None:
    configs = configs_of(f"spade-terrain-{version}", "--perceptual", "vgg19.pth")
    run, config = configs.run, configs.terrain
    assert (run.generator_rate, run.discriminator_rate, run.beta1) == (1e-4, 1e-3, 0.5)
    assert (run.clip_norm, config.crop_px, run.batch) == (100, 256, 1 if version == "1.2" else 5)
    assert (run.balance, run.balance_stop, run.balance_resume) == ("dynamic", 2.0, 1.5)
    assert (config.adversarial, config.flip_route, config.perceptual_weight) == ("hinge", True, 0.001)
    assert (config.discriminator_widths, config.discriminator_scales) == ((128, 256, 512), 3)
    assert not config.spectral_norm and not config.feature_weight and not config.mean_weight


def test_the_perceptual_loss_asks_for_its_network() -> None:
    with pytest.raises(TrainingError, match=r"--perceptual FILE.*vgg19.*\.pth"):
        config_of("spade-terrain-1.0")
    assert config_of("spade-terrain-1.0", "--perceptual-weight", "0").perceptual == ""


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ((), "The projected discriminator needs a network, as --perceptual FILE"),
        (
            ("--perceptual", "vgg19.pth", "--network", "spade-terrain-1.0"),
            "projected is for spade-local and spade-guided, not for spade-terrain-1.0",
        ),
        (("--perceptual", "vgg19.pth", "--adversarial", "segmentation"), "neither the segmentation loss"),
        (("--perceptual", "vgg19.pth", "--crop-px", "32"), "crop_px of at least 48"),
        (("--perceptual", "vgg19.pth", "--r1-weight", "1"), "nor gradient penalties"),
    ],
)
def test_what_the_projected_discriminator_goes_with(flags: tuple[str, ...], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        config_of("default", "--projected", *flags)


def test_flags_of_every_kind() -> None:
    flags = ["--no-flip-route", "--augment", "colour", "cutout", "--discriminator-widths", "4", "8", "--turn"]
    config = config_of("default", *flags)
    assert not config.flip_route and config.turn
    assert config.augment == ("colour", "cutout") and config.discriminator_widths == (4, 8)
    assert config_of("default", "--augment").augment == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("network = 'pix2pix'", "network must be spade-local, .* not 'pix2pix'"),
        ("adversarial = 'wgan'", "adversarial must be hinge"),
        ("augment = ['colour', 'blur']", "augment must be colour"),
        ("flip_route = 1", "flip_route must be of the same type as True"),
        ("batch = 5\naccumulate = 2", "multiple of accumulate"),
        ("beta1 = 1.0", "beta1 must be below 1"),
        ("rescale = 0.5", "rescale must be at least 1"),
        ("r1_weight = nan", "r1_weight must be at least 0"),
        ("batch = 'many'", "batch must be of the same type as 6"),
        ("batch = 0", "at least 1"),
        ("crop_px = 100", "multiple of 16"),
        ("widths = [16, 16]", "widths must be 4 numbers, one for each level of the generator, not 2"),
        ("widths = [16, 16, 16, 0]", "widths must be at least 1"),
        ("network = 'spade-terrain-1.0'\nwidths = [8, 8, 8, 8]", "widths is for spade-local and spade-guided, not for"),
        ("precision = 'fp8'", "auto, bf16, fp16 or fp32"),
        ("batch = [", "not a readable TOML"),
        ("leaning = 1", "unknown key 'leaning'"),
    ],
)
def test_what_cannot_be_is_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(TrainingError, match=message):
        config_of(str(tmp_path / "c.toml"))


def test_a_config_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(
        TrainingError, match=r"spade-terrain-9 does not exist.*default, spade-guided, spade-terrain-1\.0"
    ):
        config_of("spade-terrain-9")


def test_flags_win_over_the_file_and_the_file_over_defaults(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("batch = 3\ngenerator_rate = 1\ndiscriminator_widths = [4, 8]\n")
    configs = configs_of(str(tmp_path / "c.toml"), "--batch", "5")
    assert (configs.run.batch, configs.run.generator_rate, configs.terrain.discriminator_widths) == (5, 1.0, (4, 8))
    assert configs.run.images == RunConfig().images
