"""StyleGAN2 from a folder of pictures to a weights file, with the commands of docs/stylegan2.md."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from terrainpaint.errors import TrainingError
from terrainpaint.models.stylegan2 import SIZES_PX, StyleGan2Shape
from tests.trainer.loop.test_loop import assert_equal
from trainer.__main__ import main
from trainer.data.tile_set import TileSet, load_tile_set
from trainer.loop.checkpoints import checkpoint_of, load_checkpoint
from trainer.loop.config import RunConfig
from trainer.loop.distributed import World
from trainer.loop.loop import train
from trainer.loop.optimisation import TrainStep
from trainer.systems import load_configs, published_configs
from trainer.systems.stylegan2.config import Stylegan2Config
from trainer.systems.stylegan2.system import Stylegan2System, stylegan2_build
from trainer.systems.stylegan2.weights import load, publish, sample

CPU = torch.device("cpu")
ONE = World(0, 1, CPU)
# A target that every set exceeds, so that pictures are augmented from the fourth step on.
CONFIG = Stylegan2Config(
    size_px=32, base_channels=256, most_channels=16, latent=16, augment="ada", ada_images=200.0, ada_target=-1.5,
    mirror=True, freeze=1, r1_gamma=0.1, r1_interval=3, r2_gamma=0.05, path_interval=2,
)  # fmt: skip
RUN = RunConfig(
    images=48, batch=8, accumulate=2, ema_images=16, ema_ramp=0.05, precision="fp32", device="cpu", log_images=8,
    save_images=100, sample_images=100,
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty white pictures with a disc of any colour."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for index in range(30):
        picture = np.full((40, 48, 3), 255, np.uint8)
        cv2.circle(picture, (24, 20), int(random.integers(6, 14)), random.integers(0, 200, 3).tolist(), -1)
        cv2.imwrite(str(folder / f"{index:02}.png"), picture)
    return folder


@pytest.fixture(scope="module")
def pictures(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("set") / "discs.npz"
    prepare = ["prepare", "--pictures", str(folder), "--style", "discs", "--credits", "nobody", "--tile", "32"]
    assert main([*prepare, "--cuts", "whole", "--validation", "0.2", "-o", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def tiles(pictures: Path) -> TileSet:
    return load_tile_set(pictures)


def trained(
    tiles: TileSet, folder: Path, config: Stylegan2Config = CONFIG, run: RunConfig = RUN, stop_after: int = 10_000
) -> Path:
    steps = iter(range(stop_after + 1))
    build = stylegan2_build(tiles, run, config)
    train(build, run, folder, lambda images, losses: None, lambda: next(steps) == stop_after)
    return checkpoint_of(folder)


@pytest.mark.parametrize(
    "config",
    [
        CONFIG,
        replace(CONFIG, augment="diff", freeze=0, mixing=0.5),
        # R3GAN
        replace(CONFIG, adversarial="relativistic", augment="none", r1_interval=1, path_weight=0.0, mixing=0.0),
    ],
    ids=["ada", "diff", "r3gan"],
)
@pytest.mark.parametrize("stop_after", [1, 4])
def test_a_resumed_run_is_an_unbroken_run(
    tiles: TileSet, tmp_path: Path, config: Stylegan2Config, stop_after: int
) -> None:
    trained(tiles, tmp_path / "whole", config)
    trained(tiles, tmp_path / "broken", config, stop_after=stop_after)
    trained(tiles, tmp_path / "broken", config)
    whole, broken = (load_checkpoint(checkpoint_of(tmp_path / name), CPU) for name in ("whole", "broken"))
    assert_equal(whole, broken)
    assert whole["images"] == 48 and whole["system"] == "stylegan2"
    statistics = whole["statistics"]
    assert (config.augment != "ada") == (float(statistics["augmentation.probability"]) == 0)
    assert (config.path_weight > 0) == (float(statistics["path_mean"]) > 0)
    assert float(whole["generator"]["mapping.mean"].abs().sum()) > 0


def test_frozen_layers_and_constant_noise_do_not_change(tiles: TileSet, tmp_path: Path) -> None:
    first = load_checkpoint(trained(tiles, tmp_path, stop_after=1), CPU)
    last = load_checkpoint(trained(tiles, tmp_path), CPU)
    for name, is_same in (("from_picture.weight", True), ("blocks.0.down.bias", True), ("blocks.1.conv.weight", False)):
        assert torch.equal(first["discriminator"][name], last["discriminator"][name]) == is_same
    noise = "synthesis.layers.2.noise"
    assert torch.equal(first["generator"][noise], last["generator"][noise])


def test_penalties_come_at_their_intervals_and_adam_is_corrected(tiles: TileSet) -> None:
    run = replace(RUN, generator_rate=0.0025, discriminator_rate=0.002)
    config = replace(CONFIG, r1_interval=16, path_interval=4)
    system = stylegan2_build(tiles, run, config)(ONE, None)
    step = TrainStep(system, run, ONE)
    random = torch.Generator().manual_seed(0)
    penalised = []
    for images in range(0, 8 * 18, 8):
        values = step(system.batch(random, images, slice(0, 8)), images)
        penalised.append(("gradient_penalty" in values, "path_penalty" in values))
    assert [index for index, (gradient, _) in enumerate(penalised) if gradient] == [0, 16]
    assert [index for index, (_, path) in enumerate(penalised) if path] == [0, 4, 8, 12, 16]
    for name, rate, share in (("generator_step", 0.0025, 4 / 5), ("discriminator_step", 0.002, 16 / 17)):
        (group,) = step.state[name].param_groups
        assert group["lr"] == pytest.approx(rate * share) and group["betas"] == pytest.approx((0, 0.99**share))


def test_the_averaged_weights_follow_by_half_lives(tiles: TileSet, tmp_path: Path) -> None:
    """By 0.5 ** (batch / half-life), the half-life at most a twentieth of the images seen."""
    run = replace(RUN, images=8, generator_rate=0.0)
    start = load_checkpoint(trained(tiles, tmp_path / "still", run=run), CPU)
    run = replace(run, generator_rate=0.01, ema_ramp=2.0)
    moved = load_checkpoint(trained(tiles, tmp_path / "moved", run=run), CPU)
    name = "synthesis.layers.1.conv.weight"
    before, after, mean = start["generator"][name], moved["generator"][name], moved["averaged"][f"generator.{name}"]
    assert not torch.equal(before, after)
    assert torch.allclose(mean, before.lerp(after, 1 - 0.5 ** (8 / 16)), atol=1e-6)


def test_it_learns_the_colours_of_its_pictures(tiles: TileSet, tmp_path: Path) -> None:
    """The corners of all pictures are white: so are those of what is generated after a hundred steps."""
    config = replace(CONFIG, augment="none", freeze=0, r1_gamma=0.5, r1_interval=4, r2_gamma=0.0, path_weight=0.0)
    run = replace(RUN, images=800, accumulate=1, generator_rate=0.01, discriminator_rate=0.01, ema_images=50)
    generated = sample(trained(tiles, tmp_path, config, run), 16, 0)
    assert generated.shape == (16, 32, 32, 3)
    assert generated[:, :3, :3].mean() > 200 > generated[:, 12:20, 12:20].mean()


def test_prepare_train_resume_sample_and_publish_with_a_command_each(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.toml").write_text(
        "size_px = 32\nbase_channels = 128\nmost_channels = 8\nlatent = 8\nbatch = 8\nlog_images = 8\n"
    )
    run = ["train", str(pictures), "-o", str(tmp_path / "run"), "--system", "stylegan2", "--config",
           str(tmp_path / "c.toml"), "--device", "cpu"]  # fmt: skip
    assert main([*run, "--images", "16"]) == 0 and main([*run, "--images", "24", "--augment", "diff"]) == 0
    said = capsys.readouterr().out
    assert "Training stylegan2 on cpu" in said and "24 of 24 images" in said
    assert cv2.imread(str(tmp_path / "run" / "samples-00000024.png")).shape == (256, 256, 3)
    assert cv2.imread(str(tmp_path / "run" / "real.png")).shape == (96, 256, 3)
    weights = tmp_path / "discs.safetensors"
    assert main(["publish", str(tmp_path / "run"), "-o", str(weights), "--licence", "CC0-1.0"]) == 0
    assert "stylegan2 of 32 px, style discs" in capsys.readouterr().out
    for source, name in ((tmp_path / "run", "run.png"), (weights, "weights.png")):
        assert main(["sample", str(source), "-o", str(tmp_path / name), "--rows", "2", "--columns", "3"]) == 0
    assert (tmp_path / "run.png").read_bytes() == (tmp_path / "weights.png").read_bytes()
    file = load(weights)
    assert (file.style, file.credits, file.licence) == ("discs", "nobody", "CC0-1.0")
    assert file.training["images"] == 24 and not file.generator.training


def test_a_dry_run_prints_the_plan_and_writes_nothing(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = ["--size-px", "32", "--base-channels", "128", "--most-channels", "8", "--latent", "8", "--device", "cpu"]
    run = ["train", str(pictures), "-o", str(tmp_path / "run"), "--system", "stylegan2", *small, "--images", "4096",
           "--batch", "8", "--accumulate", "2", "--sample-images", "512", "--save-images", "1024"]  # fmt: skip
    assert main([*run, "--dry-run"]) == 0
    plan = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()[1:])
    assert plan["length"] == "4,096 images, 512 steps of 8 in 2 parts of 4, 170.7 times through 24 pictures"
    assert plan["networks"] == "generator 4,455, discriminator 4,653 parameters"
    assert plan["files"].startswith("8 sample grids, 4 checkpoints of which at most 3 are kept")
    assert "GB of main memory" in plan["memory"] and "s a step" in plan["time"] and not (tmp_path / "run").exists()


def test_a_run_starts_from_the_weights_of_another(tiles: TileSet, tmp_path: Path) -> None:
    start = trained(tiles, tmp_path / "first")
    run = replace(RUN, images=8, generator_rate=0.0, discriminator_rate=0.0, start=str(start), seed=5)
    state = load_checkpoint(trained(tiles, tmp_path / "second", run=run), CPU)
    first = load_checkpoint(start, CPU)
    assert state["images"] == 8
    name = "synthesis.constant"
    assert torch.equal(state["generator"][name], first["generator"][name])
    assert torch.equal(state["discriminator"]["dense.weight"], first["discriminator"]["dense.weight"])
    publish(start, tmp_path / "w.safetensors", "CC0-1.0")
    published = stylegan2_build(tiles, run, CONFIG)(ONE, tmp_path / "w.safetensors")
    assert torch.equal(published.networks["generator"].state_dict()[name], first["averaged"][f"generator.{name}"])
    other = replace(CONFIG, most_channels=8)
    with pytest.raises(TrainingError, match="of another shape"):
        stylegan2_build(tiles, run, other)(ONE, start)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size_px": 48}, "power of two from 16 to 1024, not 48"),
        ({"size_px": 64}, "have 32 px and the networks 64 px"),
        ({"freeze": 9}, "freeze must be at most 3"),
        ({"mixing": 1.5}, "mixing must be at most 1"),
        ({"augment": "ada", "ada_kinds": ()}, "ada_kinds must name a transformation"),
    ],
)
def test_wrong_values_are_refused_with_a_sentence(tiles: TileSet, values: dict[str, object], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        stylegan2_build(tiles, RUN, replace(CONFIG, **values))(ONE, None)


def test_a_set_of_few_pictures_is_refused(tiles: TileSet) -> None:
    few = tiles.take(np.arange(len(tiles)) < 9)
    with pytest.raises(TrainingError, match="pictures for training, and StyleGAN2 needs at least 10"):
        stylegan2_build(few, RUN, CONFIG)(ONE, None)


def test_weights_of_another_system_are_refused(tiles: TileSet, pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("size_px = 32\nwidth = 4\nnoise = 8\nbatch = 8\n")
    run = ["train", str(pictures), "-o", str(tmp_path / "run"), "--system", "dcgan", "--config",
           str(tmp_path / "c.toml"), "--device", "cpu", "--images", "8"]  # fmt: skip
    assert main(run) == 0
    other = checkpoint_of(tmp_path / "run")
    with pytest.raises(TrainingError, match="checkpoint of dcgan, not of StyleGAN2"):
        stylegan2_build(tiles, RUN, CONFIG)(ONE, other)
    with pytest.raises(TrainingError, match="of the network dcgan, not of a StyleGAN2"):
        load(other)
    save_file({"x": torch.zeros(1)}, tmp_path / "w.safetensors", {"terrainpaint": json.dumps({"format": "x"})})
    with pytest.raises(TrainingError, match="not a weights file of a StyleGAN2"):
        load(tmp_path / "w.safetensors")


def test_all_published_configurations_are_readable_and_their_numbers_those_of_the_papers() -> None:
    names = sorted(name for name, system in published_configs().items() if system == "stylegan2")
    assert len(names) == 11
    for name in names:
        run, own = load_configs("stylegan2", Path(name), {})
        assert isinstance(own, Stylegan2Config) and isinstance(own.shape(3), StyleGan2Shape)
        assert run.images % run.batch == 0 or run.images > 100 * run.batch
    found = {}
    for size_px in SIZES_PX[2:]:
        run, own = load_configs("stylegan2", Path(f"auto-{size_px}"), {})
        assert isinstance(own, Stylegan2Config)
        found[size_px] = (run.batch, own.gamma(run.batch), run.ema_images, own.base_channels)
    assert found[64] == (32, pytest.approx(0.0256), 10_000, 16384)
    assert found[256] == (16, pytest.approx(0.8192), 5_000, 16384)
    assert found[1024] == (4, pytest.approx(52.4288), 1_250, 32768)
    run, own = load_configs("stylegan2", Path("paper256"), {})
    assert isinstance(own, Stylegan2Config)
    assert (run.batch, own.gamma(run.batch), run.ema_images, own.mapping_layers) == (64, 1.0, 20_000, 8)


def test_pictures_are_measured_and_shown_from_fixed_seeds(tiles: TileSet) -> None:
    system = stylegan2_build(tiles, RUN, CONFIG)(ONE, None)
    assert isinstance(system, Stylegan2System)
    ema = torch.nn.ModuleDict({"generator": system.networks["generator"]})
    grid, pictures = system.sample_grid(ema), system.generated_pictures(ema, 3)
    assert np.array_equal(grid[:32, :32], pictures[0]) and np.array_equal(grid[:32, 64:96], pictures[2])
    assert len(system.real_pictures(100)) == 6 and np.isfinite(system.validation_score(ema))
