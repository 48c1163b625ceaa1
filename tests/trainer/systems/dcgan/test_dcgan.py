"""DCGAN from a folder of pictures to a weights file, with the commands of docs/training.md."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from terrainpaint.errors import TrainingError
from tests.trainer.loop.test_loop import assert_equal
from trainer.__main__ import main
from trainer.data.tile_set import TileSet, load_tile_set
from trainer.loop.checkpoints import checkpoint_of, load_checkpoint
from trainer.loop.config import RunConfig
from trainer.loop.distributed import World
from trainer.loop.loop import train
from trainer.networks.dcgan import DcganDiscriminator, DcganGenerator, DcganShape
from trainer.systems import load_configs
from trainer.systems.dcgan.config import DcganConfig
from trainer.systems.dcgan.system import dcgan_build
from trainer.systems.dcgan.weights import load, sample

CPU = torch.device("cpu")
CONFIG = DcganConfig(size_px=32, width=4, noise=8, augment=("translation",), mirror=True)
RUN = RunConfig(
    images=32, batch=8, accumulate=2, beta1=0.5, ema_images=16, precision="fp32", device="cpu", log_images=8,
    save_images=100, sample_images=100,
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty discs and squares of any colour, larger than the pictures that are trained."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for index in range(20):
        picture = np.full((48, 40, 3), 255, np.uint8)
        colour = random.integers(0, 200, 3).tolist()
        if index % 2:
            cv2.circle(picture, (20, 24), int(random.integers(6, 18)), colour, -1)
        else:
            cv2.rectangle(picture, (8, 10), (30, int(random.integers(20, 40))), colour, -1)
        cv2.imwrite(str(folder / f"{index:02}.png"), picture)
    return folder


@pytest.fixture(scope="module")
def pictures(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("set") / "pictures.npz"
    prepare = ["prepare", "--pictures", str(folder), "--style", "shapes", "--credits", "nobody", "--tile", "32"]
    assert main([*prepare, "--cuts", "whole", "--validation", "0.2", "-o", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def tiles(pictures: Path) -> TileSet:
    return load_tile_set(pictures)


def trained(tiles: TileSet, folder: Path, run: RunConfig = RUN, stop_after: int = 100) -> Path:
    steps = iter(range(stop_after + 1))
    train(dcgan_build(tiles, run, CONFIG), run, folder, lambda images, losses: None, lambda: next(steps) == stop_after)
    return checkpoint_of(folder)


@pytest.mark.parametrize(
    ("size_px", "generator", "discriminator"),
    [
        # A dense layer with its norm, then 5 x 5 kernels, biases and norms: weights, bias and two numbers of the norm.
        (64, 101 * 8192 + 2 * 8192 + sum(25 * a * b + 3 * b for a, b in ((512, 256), (256, 128), (128, 64)))
         + 25 * 64 * 3 + 3,
         25 * 3 * 64 + 64 + sum(25 * a * b + 3 * b for a, b in ((64, 128), (128, 256), (256, 512))) + 8192 + 1),
        (128, 101 * 16384 + 2 * 16384
         + sum(25 * a * b + 3 * b for a, b in ((1024, 512), (512, 256), (256, 128), (128, 64))) + 25 * 64 * 3 + 3,
         25 * 3 * 64 + 64 + sum(25 * a * b + 3 * b for a, b in ((64, 128), (128, 256), (256, 512), (512, 1024)))
         + 16384 + 1),
    ],
)  # fmt: skip
def test_the_published_networks(size_px: int, generator: int, discriminator: int) -> None:
    shape = DcganShape(size_px, 64, 100)
    networks = DcganGenerator(shape), DcganDiscriminator(shape)
    assert [sum(each.numel() for each in network.parameters()) for network in networks] == [generator, discriminator]
    pictures = networks[0](torch.randn(2, 100))
    assert pictures.shape == (2, 3, size_px, size_px) and float(pictures.detach().abs().max()) <= 1
    assert networks[1](pictures).shape == (2, 1, 1, 1)
    weights = networks[0].up[0].weight.detach()
    assert float(weights.abs().max()) <= 0.04 and float(weights.std()) == pytest.approx(0.0176, rel=0.05)


def test_a_resumed_run_is_an_unbroken_run(tiles: TileSet, tmp_path: Path) -> None:
    trained(tiles, tmp_path / "whole")
    trained(tiles, tmp_path / "broken", stop_after=2)
    trained(tiles, tmp_path / "broken")
    whole, broken = (load_checkpoint(checkpoint_of(tmp_path / name), CPU) for name in ("whole", "broken"))
    assert_equal(whole, broken)
    assert whole["images"] == 32 and whole["system"] == "dcgan"


def test_without_averaging_the_published_weights_are_the_trained_ones(tiles: TileSet, tmp_path: Path) -> None:
    state = load_checkpoint(trained(tiles, tmp_path, RunConfig(**{**vars(RUN), "ema_images": 0.0})), CPU)
    assert all(torch.equal(value, state["averaged"][f"generator.{name}"]) for name, value in state["generator"].items())


def test_it_learns_the_colours_of_its_pictures(tiles: TileSet, tmp_path: Path) -> None:
    """All corners of the pictures are white: so are those of what is generated after some hundred steps."""
    run = RunConfig(**{**vars(RUN), "images": 3200, "batch": 16, "accumulate": 1, "ema_images": 0.0,
                       "generator_rate": 2e-3, "discriminator_rate": 2e-3})  # fmt: skip
    generated = sample(trained(tiles, tmp_path, run, stop_after=1000), 16, 0)
    assert generated.shape == (16, 32, 32, 3)
    assert generated[:, :3, :3].mean() > 200 > generated[:, 12:20, 12:20].mean()


def test_prepare_train_resume_sample_and_publish_with_a_command_each(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.toml").write_text("size_px = 32\nwidth = 4\nnoise = 8\nbatch = 8\nlog_images = 8\n")
    run = ["train", str(pictures), "-o", str(tmp_path / "run"), "--system", "dcgan", "--config",
           str(tmp_path / "c.toml"), "--device", "cpu"]  # fmt: skip
    assert main([*run, "--images", "16"]) == 0 and main([*run, "--images", "32"]) == 0
    said = capsys.readouterr().out
    assert "Training dcgan on cpu" in said and "32 of 32 images" in said
    assert [each.name for each in sorted((tmp_path / "run").glob("samples-*.png"))] == [
        "samples-00000016.png", "samples-00000032.png"
    ]  # fmt: skip
    grid, real = (cv2.imread(str(tmp_path / "run" / name)) for name in ("samples-00000032.png", "real.png"))
    assert real.shape[1] == grid.shape[1]
    assert grid.shape == (320, 320, 3)
    weights = tmp_path / "shapes.safetensors"
    assert main(["publish", str(tmp_path / "run"), "-o", str(weights), "--licence", "CC0-1.0"]) == 0
    assert "dcgan of 32 px, style shapes" in capsys.readouterr().out
    for source, name in ((tmp_path / "run", "run.png"), (weights, "weights.png")):
        assert main(["sample", str(source), "-o", str(tmp_path / name), "--rows", "2", "--columns", "3"]) == 0
    assert (tmp_path / "run.png").read_bytes() == (tmp_path / "weights.png").read_bytes()
    assert cv2.imread(str(tmp_path / "run.png")).shape == (64, 96, 3)
    file = load(weights)
    assert (file.style, file.credits, file.licence) == ("shapes", "nobody", "CC0-1.0")
    assert file.training["images"] == 32 and file.training["precision"] in ("bf16", "fp32")


def test_pictures_are_those_of_their_seeds(tiles: TileSet, tmp_path: Path) -> None:
    checkpoint = trained(tiles, tmp_path)
    few, more, later = sample(checkpoint, 2, 5), sample(checkpoint, 4, 5), sample(checkpoint, 2, 7)
    assert np.array_equal(more[:2], few) and np.array_equal(more[2:], later) and not np.array_equal(few, later)


@pytest.mark.parametrize(
    ("run", "config", "message"),
    [
        ({}, {"size_px": 64}, "have 32 px and the networks 64 px.*--tile 64"),
        ({"batch": 8, "accumulate": 8}, {}, "too small for batch norm"),
    ],
)
def test_what_does_not_fit_is_refused(
    tiles: TileSet, tmp_path: Path, run: dict[str, int], config: dict[str, int], message: str
) -> None:
    runs = RunConfig(**{**vars(RUN), **run})
    with pytest.raises(TrainingError, match=message):
        train(dcgan_build(tiles, runs, DcganConfig(**{**vars(CONFIG), **config})), runs, tmp_path, lambda *_: None)


@pytest.mark.parametrize("config", [{"size_px": 48}, {"width": 9999}, {"noise": 0}])
def test_networks_that_cannot_be_are_refused(config: dict[str, int]) -> None:
    with pytest.raises(TrainingError, match=next(iter(config))):
        DcganConfig(**config)


def test_terrain_is_no_system_of_pictures_and_a_dcgan_is_no_terrain(
    tiles: TileSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from terrainpaint.cli import main as program
    from terrainpaint.core.assets import asset_path

    atlas = asset_path("weights/atlas.safetensors")
    assert main(["sample", str(atlas), "-o", str(tmp_path / "grid.png")]) == 1
    assert "terrainpaint generate" in capsys.readouterr().err
    weights = tmp_path / "w.safetensors"
    assert main(["publish", str(trained(tiles, tmp_path / "run")), "-o", str(weights)]) == 0
    capsys.readouterr()
    assert program(["info", str(weights)]) == 1
    error = capsys.readouterr().err
    assert "w.safetensors" in error and error.count("\n") == 1 and "python -m trainer sample" in error


@pytest.mark.parametrize("change", ["cut", "shape", "width", "version", "text"])
def test_damaged_weights_are_one_sentence(
    tiles: TileSet, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: str
) -> None:
    path = tmp_path / "w.safetensors"
    assert main(["publish", str(trained(tiles, tmp_path / "run")), "-o", str(path)]) == 0
    tensors = load_file(path)
    header = {"format": "terrainpaint-picture-generator", "version": 1, "system": "dcgan", "network": "dcgan",
              "config": {"size_px": 32, "width": 4, "noise": 8}, "style": "s", "credits": "", "licence": "",
              "training": {}}  # fmt: skip
    if change == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    elif change == "text":
        path.write_text("not weights")
    else:
        if change == "shape":
            tensors["dense.weight"] = tensors["dense.weight"][:-1].clone()
        elif change == "width":
            header["config"] = {"size_px": 32, "width": 10**9, "noise": 8}
        else:
            header["version"] = 99
        save_file(tensors, path, {"terrainpaint": json.dumps(header)})
    capsys.readouterr()
    assert main(["sample", str(path), "-o", str(tmp_path / "grid.png")]) == 1
    error = capsys.readouterr().err
    assert "w.safetensors" in error or "width" in error
    assert error.count("\n") == 1 and not (tmp_path / "grid.png").exists()


@pytest.mark.parametrize(
    "flags", [["--rows", "0"], ["--columns", "-2"], ["--seed", "-1"], ["--seed", "4294967295"], ["-o", "grid.txt"]]
)
def test_wrong_usage_of_sample(tmp_path: Path, flags: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["sample", str(tmp_path), "-o", str(tmp_path / "grid.png"), *flags])
    assert exit_.value.code == 2


@pytest.mark.parametrize(("statistics", "is_equal"), [("collected", True), ("batch", False)])
def test_a_batch_in_parts_has_the_gradients_of_the_whole_where_its_norm_does_not_depend_on_the_parts(
    tiles: TileSet, statistics: str, is_equal: bool
) -> None:
    """With the batch norm of training, each part has statistics of its own: 1,024 in parts of 128 are not 1,024."""
    config = replace(CONFIG, augment=(), mirror=False)
    gradients = []
    for accumulate in (1, 4):
        run = replace(RUN, batch=32, accumulate=accumulate)
        system = dcgan_build(tiles, run, config)(World(0, 1, CPU), None)
        system.networks.load_state_dict(_weights(config))
        system.networks.train(statistics == "batch")
        batch = system.batch(torch.Generator().manual_seed(0), 0, slice(0, 32))
        for loss in (system.discriminator_loss, system.generator_loss):
            for part in batch.parts(accumulate):
                if loss == system.generator_loss:
                    system.discriminator_loss(part)
                torch.autograd.backward(loss(part).total / accumulate)
        gradients.append(
            torch.cat([each.grad.flatten() for each in system.networks.parameters() if each.grad is not None])
        )
    difference = float((gradients[0] - gradients[1]).norm() / gradients[0].norm())
    assert (difference < 1e-4) == is_equal, difference


def _weights(config: DcganConfig) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    shape = DcganShape(config.size_px, config.width, config.noise)
    networks = torch.nn.ModuleDict({"generator": DcganGenerator(shape), "discriminator": DcganDiscriminator(shape)})
    return dict(networks.state_dict())


def test_the_published_batch_of_1024_fits_in_parts(tiles: TileSet, tmp_path: Path) -> None:
    run = replace(RUN, images=2048, batch=1024, accumulate=64, log_images=1024)
    state = load_checkpoint(trained(tiles, tmp_path, run), CPU)
    assert state["images"] == 2048 and state["settings"]["batch"] == 1024
    assert all(bool(value.isfinite().all()) for value in state["generator"].values())


@pytest.mark.parametrize("name", ["dcgan-64", "dcgan-128"])
def test_the_published_configurations(name: str) -> None:
    run, config = load_configs("dcgan", Path(name), {})
    assert isinstance(config, DcganConfig)
    assert (config.size_px, config.width, config.noise) == (int(name[6:]), 64, 100)
    assert (run.batch, run.generator_rate, run.discriminator_rate, run.beta1) == (1024, 2e-4, 2e-4, 0.5)
    assert 10_000 <= run.images / run.batch <= 15_000 and config.adversarial == "non-saturating"
