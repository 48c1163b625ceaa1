"""pix2pix from a set of pairs to a weights file."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from terrainpaint.cli import main as program
from terrainpaint.errors import TrainingError
from terrainpaint.models.look_weights import load_look
from tests.trainer.loop.test_loop import assert_equal
from trainer.__main__ import main
from trainer.data.pair_set import PairSet, save_pair_set
from trainer.data.tile_set import TRAIN, VALIDATION
from trainer.loop.checkpoints import checkpoint_of, load_checkpoint
from trainer.loop.config import RunConfig
from trainer.loop.distributed import World
from trainer.loop.loop import train
from trainer.loop.optimisation import TrainStep
from trainer.loop.system import DISCRIMINATOR, PictureSystem
from trainer.systems import load_configs
from trainer.systems.picture_weights import read_description
from trainer.systems.pix2pix.config import Pix2pixConfig
from trainer.systems.pix2pix.generators import translate
from trainer.systems.pix2pix.system import Pix2pixSystem, epoch_images, pix2pix_build
from trainer.systems.pix2pix.weights import load_translator

CPU = torch.device("cpu")
WORLD = World(0, 1, CPU)
CONFIG = Pix2pixConfig(size_px=32, width=4, discriminator_width=4, jitter_px=4, field=16)
LOCAL = Pix2pixConfig(
    generator="local", look_widths=(8, 8, 8), look_blocks=(1, 1, 1), size_px=32, cut="crops", field=16,
    discriminator_width=4, discriminator_norm="local",
)  # fmt: skip
RUN = RunConfig(
    images=12, batch=2, beta1=0.5, beta2=0.999, ema_images=4, precision="fp32", device="cpu", log_images=4,
    save_images=100, sample_images=100,
)  # fmt: skip


@pytest.fixture(scope="module")
def pairs() -> PairSet:
    """Discs on white, and the same discs in other colours on black: five for training, two held out."""
    random = np.random.default_rng(0)
    source, target = np.full((7, 40, 40, 3), 255, np.uint8), np.zeros((7, 40, 40, 3), np.uint8)
    for one, other in zip(source, target, strict=True):
        place, radius = random.integers(10, 30, 2).tolist(), int(random.integers(4, 10))
        cv2.circle(one, place, radius, (255, 0, 0), -1)
        cv2.circle(other, place, radius, (0, 200, 100), -1)
    return PairSet(
        source=source,
        target=target,
        split=np.array([TRAIN] * 5 + [VALIDATION] * 2, np.uint8),
        names=tuple(f"disc {index}" for index in range(7)),
        centre_deg=np.full((7, 2), np.nan, np.float32),
        source_style="red discs",
        target_style="green discs",
        credits="nobody",
        pixel_size_m=None,
    )


def trained(
    pairs: PairSet, folder: Path, config: Pix2pixConfig = CONFIG, run: RunConfig = RUN, stop_after: int = 100_000
) -> Path:
    steps = iter(range(stop_after + 1))
    build = pix2pix_build(pairs, run, config)
    train(build, run, folder, lambda images, losses: None, lambda: next(steps) == stop_after)
    return checkpoint_of(folder)


@pytest.mark.parametrize(
    ("config", "run"),
    [
        (CONFIG, RUN),
        (replace(CONFIG, norm="instance", discriminator_norm="instance", order="in-turn"), RUN),
        (replace(CONFIG, norm="local", cut="resize", adversarial="lsgan", halve=True), replace(RUN, accumulate=2)),
        (LOCAL, RUN),
    ],
)  # fmt: skip
def test_a_resumed_run_is_an_unbroken_run(
    pairs: PairSet, tmp_path: Path, config: Pix2pixConfig, run: RunConfig
) -> None:
    trained(pairs, tmp_path / "whole", config, run)
    # Sample grids and scores, which lose features and use norms too, must leave no trace.
    trained(pairs, tmp_path / "broken", config, replace(run, sample_images=2, save_images=2), stop_after=3)
    trained(pairs, tmp_path / "broken", config, run)
    whole, broken = (load_checkpoint(checkpoint_of(tmp_path / name), CPU) for name in ("whole", "broken"))
    assert_equal(whole, broken)
    assert whole["images"] == 12 and whole["system"] == "pix2pix"


def test_both_gradients_are_those_before_the_step(pairs: PairSet) -> None:
    """The generator's gradient is that of its loss with a discriminator that has not moved yet."""
    config = replace(CONFIG, norm="none", discriminator_norm="none", dropout=0.0, halve=True)
    gradients = {}
    for rate in (0.0, 1e-3):
        run = replace(RUN, discriminator_rate=rate, generator_rate=0.0)
        for order in ("together", "in-turn"):
            torch.manual_seed(0)
            system = Pix2pixSystem(pairs, run, replace(config, order=order), WORLD, None)
            batch = system.batch(torch.Generator().manual_seed(0), 0, slice(None))
            discriminator, generator = system.networks[DISCRIMINATOR], system.networks["generator"]
            loss = system.discriminator_loss(batch)
            loss.total.backward()
            with torch.no_grad():
                for parameter in discriminator.parameters():
                    parameter -= rate * parameter.grad.sign()
            total = system.generator_loss(batch)
            total.total.backward()
            gradients[rate, order] = torch.cat([each.grad.flatten() for each in generator.parameters()])
            values = {**loss.values, **total.values}
    assert torch.allclose(gradients[0.0, "together"], gradients[0.0, "in-turn"], rtol=1e-4, atol=1e-7)
    assert torch.equal(gradients[0.0, "together"], gradients[1e-3, "together"])
    assert not torch.allclose(gradients[0.0, "in-turn"], gradients[1e-3, "in-turn"], rtol=1e-4, atol=1e-7)
    assert set(values) == {"discriminator", "total_disc_loss", "real_d_loss", "fake_d_loss", "total_gen_loss",
                           "fake_d_real_class_loss", "l1_loss"}  # fmt: skip
    assert float(values["total_disc_loss"]) == pytest.approx(
        (float(values["real_d_loss"]) + float(values["fake_d_loss"])) / 2
    )
    assert float(values["total_gen_loss"]) == pytest.approx(
        float(values["fake_d_real_class_loss"]) + 100 * float(values["l1_loss"]), rel=1e-5
    )


def test_losses_are_the_binary_cross_entropy_of_sigmoids(pairs: PairSet) -> None:
    torch.manual_seed(0)
    system = Pix2pixSystem(pairs, RUN, replace(CONFIG, dropout=0.0), WORLD, None)
    batch = system.batch(torch.Generator().manual_seed(0), 0, slice(None))
    values = {**system.discriminator_loss(batch).values, **system.generator_loss(batch).values}
    with torch.no_grad():
        fake = system.networks["generator"](batch.source)
        real_class, fake_class = (torch.sigmoid(system.networks[DISCRIMINATOR](batch.source, picture))
                                  for picture in (batch.target, fake))  # fmt: skip
    expected = {
        "real_d_loss": -real_class.log().mean(), "fake_d_loss": -(1 - fake_class).log().mean(),
        "fake_d_real_class_loss": -fake_class.log().mean(), "l1_loss": (fake - batch.target).abs().mean(),
    }  # fmt: skip
    assert {name: float(values[name]) for name in expected} == pytest.approx(
        {name: float(value) for name, value in expected.items()}, rel=1e-4
    )


def test_a_step_in_parts_is_the_whole_step(pairs: PairSet) -> None:
    config = replace(CONFIG, norm="instance", discriminator_norm="instance", dropout=0.0)
    weights = []
    for accumulate in (1, 2):
        torch.manual_seed(0)
        run = replace(RUN, batch=4, accumulate=accumulate)
        system = Pix2pixSystem(pairs, run, config, WORLD, None)
        step = TrainStep(system, run, WORLD)
        step(system.batch(torch.Generator().manual_seed(0), 0, slice(None)), 0)
        weights.append(torch.cat([each.flatten() for each in system.networks.parameters()]).detach())
    # Adam's first step has the size of the rate, in whatever direction the sign of a tiny gradient points.
    assert float(((weights[0] - weights[1]).abs() > 1e-5).float().mean()) < 0.01


@pytest.mark.parametrize("config", [CONFIG, LOCAL])
def test_it_learns_the_colours_of_its_targets(pairs: PairSet, tmp_path: Path, config: Pix2pixConfig) -> None:
    run = replace(RUN, images=400, ema_images=0.0, generator_rate=2e-3)
    path = trained(pairs, tmp_path, config, run)
    system = pix2pix_build(pairs, run, config)(WORLD, None)
    state = load_checkpoint(path, CPU)
    for name, network in system.networks.items():
        network.load_state_dict(state[name])
    grid = system.sample_grid(system.networks).reshape(2, 32, 3, 32, 3).swapaxes(1, 2).astype(float)
    source, generated, target = grid[0]
    assert abs(generated - target).mean() < 30 < abs(source - target).mean()


def test_epochs_go_through_every_patch_once(pairs: PairSet) -> None:
    large = replace(pairs, source=np.repeat(np.repeat(pairs.source, 2, 1), 2, 2),
                    target=np.repeat(np.repeat(pairs.target, 2, 1), 2, 2))  # fmt: skip
    assert epoch_images(large, CONFIG) == 5 * 4 and epoch_images(large, replace(CONFIG, cut="resize")) == 5


def test_the_direction_can_be_reversed(pairs: PairSet) -> None:
    forth, back = (Pix2pixSystem(pairs, RUN, replace(CONFIG, reverse=reverse), WORLD, None)
                   for reverse in (False, True))  # fmt: skip
    batches = [system.batch(torch.Generator().manual_seed(0), 0, slice(None)) for system in (forth, back)]
    assert torch.equal(batches[0].source, batches[1].target) and torch.equal(batches[0].target, batches[1].source)
    assert back.description()["data"]["source_style"] == "green discs"


def test_pictures_of_any_size_are_translated_each_by_itself(pairs: PairSet) -> None:
    system = Pix2pixSystem(pairs, RUN, CONFIG, WORLD, None)
    generator = system.networks["generator"]
    pictures = torch.rand(3, 3, 45, 70) * 2 - 1
    together = translate(generator, pictures, seed=3)
    assert together.shape == pictures.shape
    assert torch.equal(together[1:2], translate(generator, pictures[1:2], seed=3))
    assert not torch.equal(together, translate(generator, pictures, seed=4))
    still = translate(generator, pictures, seed=3, dropout=False)
    assert torch.equal(still, translate(generator, pictures, seed=4, dropout=False))
    assert not torch.equal(still, translate(generator, pictures, dropout=False, statistics="collected"))
    local = Pix2pixSystem(pairs, RUN, LOCAL, WORLD, None).networks["generator"]
    margin = local.reach_px
    assert translate(local, torch.zeros(2, 3, 45 + 2 * margin, 16 + 2 * margin)).shape == (2, 3, 45, 16)


def test_train_and_resume_with_one_command(pairs: PairSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_pair_set(tmp_path / "pairs.npz", pairs)
    (tmp_path / "c.toml").write_text(
        "size_px = 32\nwidth = 4\ndiscriminator_width = 4\njitter_px = 4\nfield = 16\nepochs = 2\nsample_epochs = 1\n"
        "save_epochs = 2\nlog_epochs = 1\n"
    )
    run = ["train", str(tmp_path / "pairs.npz"), "-o", str(tmp_path / "run"), "--system", "pix2pix", "--config",
           str(tmp_path / "c.toml"), "--device", "cpu"]  # fmt: skip
    assert main(run) == 0 and main([*run, "--epochs", "3"]) == 0
    assert "Training pix2pix on cpu" in capsys.readouterr().out
    assert [path.name for path in sorted((tmp_path / "run").glob("samples-*.png"))] == [
        f"samples-{images:08}.png" for images in (5, 10, 15)
    ]
    grid = cv2.imread(str(tmp_path / "run" / "samples-00000015.png"))
    assert grid.shape == (2 * 32, 3 * 32, 3)
    assert checkpoint_of(tmp_path / "run").name == "checkpoint-00000015.pt"


def test_a_length_in_images_replaces_one_in_epochs() -> None:
    published, _ = load_configs("pix2pix", Path("pix2pix-286-patches"), {})
    assert (published.epochs, published.in_images(4384).images) == (200, 876_800)
    assert published.in_images(4384).save_images == 43_840
    shorter, _ = load_configs("pix2pix", Path("pix2pix-286-patches"), {"images": 5000})
    assert shorter.in_images(4384).images == 5000 and shorter.in_images(4384).sample_images == 4384


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size_px": 48}, "size_px must be 32, 64"),
        ({"field": 71}, "field must be 1, 16, 22, 34"),
        ({"width": 10**9}, "width must be at most"),
        ({"dropout": 1.0}, "dropout must be below 1"),
        ({"size_px": 32, "field": 286}, "field of 286 px is too large for crops of 32 px"),
        ({"jitter_px": 999}, "jitter_px must be at most"),
        ({"look_widths": (1, 2)}, "look_widths must be three numbers"),
        ({"norm": "layer"}, "norm must be"),
    ],
)
def test_what_cannot_be_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        Pix2pixConfig(**values)


def test_published_weights_are_those_of_the_checkpoint(
    pairs: PairSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, weights = trained(pairs, tmp_path / "run"), tmp_path / "discs.safetensors"
    assert main(["publish", str(tmp_path / "run"), "-o", str(weights), "--licence", "CC0-1.0"]) == 0
    assert "pix2pix of 32 px, red discs → green discs" in capsys.readouterr().out
    found = [load_translator(source, CPU) for source in (path, weights)]
    pictures = torch.rand(2, 3, 40, 32) * 2 - 1
    assert torch.equal(found[0](pictures, seed=1), found[1](pictures, seed=1))
    assert (found[1].margin_px, found[1].size_px) == (0, 32)
    assert (found[1].source_style, found[1].target_style, found[1].licence) == ("red discs", "green discs", "CC0-1.0")
    assert found[1].training["images"] == 12 and found[1].training["field"] == 16
    assert not torch.equal(load_translator(path, CPU, dropout=False)(pictures), found[0](pictures))


def test_a_local_network_is_published_as_a_look(
    pairs: PairSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "look.safetensors"
    trained(pairs, tmp_path / "pictures", LOCAL, replace(RUN, images=2))
    assert main(["publish", str(tmp_path / "pictures"), "-o", str(weights)]) == 1
    assert "without a ground size" in capsys.readouterr().err and not weights.exists()
    path = trained(replace(pairs, pixel_size_m=2000.0), tmp_path / "run", LOCAL, replace(RUN, images=2))
    assert main(["publish", str(tmp_path / "run"), "-o", str(weights)]) == 0
    look, translator = load_look(weights, CPU), load_translator(weights, CPU)
    assert (look.header.source, look.header.target, look.header.pixel_size_m) == ("red discs", "green discs", 2000.0)
    side = 16 + 2 * translator.margin_px
    pictures = torch.rand(1, 3, side, side) * 2 - 1
    assert torch.allclose(look.network(pictures), load_translator(path, CPU)(pictures), atol=1e-6)
    assert torch.equal(look.network(pictures), translator(pictures))


@pytest.mark.parametrize("change", ["cut", "shape", "width", "norm", "version", "text", "dcgan"])
def test_damaged_weights_are_one_sentence(pairs: PairSet, tmp_path: Path, change: str) -> None:
    path = tmp_path / "w.safetensors"
    assert main(["publish", str(trained(pairs, tmp_path / "run", run=replace(RUN, images=2))), "-o", str(path)]) == 0
    tensors, header = load_file(path), read_description(path).values
    if change == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    elif change == "text":
        path.write_text("not weights")
    else:
        if change == "shape":
            tensors["up.0.weight"] = tensors["up.0.weight"][:-1].clone()
        elif change == "version":
            header["version"] = 99
        elif change == "dcgan":
            header["network"] = "dcgan"
        else:
            header["generator"]["config"][change] = 10**9
        save_file(tensors, path, {"terrainpaint": json.dumps(header)})
    with pytest.raises(TrainingError) as caught:
        load_translator(path, CPU)
    assert "w.safetensors" in str(caught.value) or change in str(caught.value)


def test_held_out_pairs_are_measured(pairs: PairSet) -> None:
    system = pix2pix_build(pairs, RUN, CONFIG)(World(0, 1, torch.device("cpu")), None)
    assert isinstance(system, PictureSystem)
    real, generated = system.real_pictures(5), system.generated_pictures(system.networks, 5)
    assert real.shape == generated.shape and real.dtype == generated.dtype == np.uint8 and 1 <= len(real) <= 5
    # Black with green discs, as the targets are.
    assert real[..., 0].max() == 0 and real[..., 1].max() > 150
    nothing = pix2pix_build(pairs.subset(TRAIN), RUN, CONFIG)(World(0, 1, torch.device("cpu")), None)
    assert isinstance(nothing, PictureSystem) and len(nothing.real_pictures(5)) == 0


def test_sample_makes_a_picture_of_each_picture(
    pairs: PairSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = str(trained(pairs, tmp_path / "run", run=replace(RUN, images=2)).parent)
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    picture = np.random.default_rng(0).integers(0, 255, (37, 50, 3), dtype=np.uint8)
    for name in ("a.png", "a.bmp", "sub/b.png"):
        cv2.imwrite(str(folder / name), picture)
    (folder / "notes.txt").write_text("no picture")
    single = ["sample", run, "--input", str(folder / "a.png"), "-o", str(tmp_path / "one.png")]
    assert main(single) == 0 and main(["sample", run, "--input", str(folder), "-o", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "3 pictures" in said and "left out: notes.txt" in said
    made = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png"))
    assert made == ["a.png", "a.png.png", "sub/b.png"]
    assert cv2.imread(str(tmp_path / "one.png")).shape == (37, 50, 3)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "out/sub/b.png").read_bytes()
    assert main([*single, "--seed", "1"]) == 0
    assert (tmp_path / "one.png").read_bytes() != (tmp_path / "out/sub/b.png").read_bytes()


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (None, "grid.png", "name them with --input"),
        ("notes.txt", "one.png", "notes.txt is not a picture"),
        ("absent.png", "one.png", "absent.png cannot be read"),
        ("picture.png", "picture.png", "is the picture itself"),
        (".", ".", "is the folder of the pictures themselves"),
    ],
)
def test_pictures_that_cannot_be_are_one_sentence(
    pairs: PairSet, tmp_path: Path, capsys: pytest.CaptureFixture[str], source: str | None, target: str, message: str
) -> None:
    run = trained(pairs, tmp_path / "run", run=replace(RUN, images=2))
    folder = tmp_path / "in"
    folder.mkdir()
    cv2.imwrite(str(folder / "picture.png"), np.zeros((32, 32, 3), np.uint8))
    (folder / "notes.txt").write_text("no picture")
    given = [] if source is None else ["--input", str(folder / source)]
    assert main(["sample", str(run), *given, "-o", str(folder / target)]) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_the_kind_of_set_is_that_of_the_system(
    pairs: PairSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_pair_set(tmp_path / "pairs.npz", pairs)
    assert main(["train", str(tmp_path / "pairs.npz"), "-o", str(tmp_path / "run")]) == 1
    assert "set of pairs" in capsys.readouterr().err
    assert main(["train", str(tmp_path / "pairs.npz"), "-o", str(tmp_path / "run"), "--config", "dcgan-small"]) == 1
    assert "--system pix2pix" in capsys.readouterr().err


def test_a_process_has_its_pairs_of_the_whole_batch(pairs: PairSet) -> None:
    system = Pix2pixSystem(pairs, replace(RUN, batch=4), CONFIG, WORLD, None)
    randoms = [torch.Generator().manual_seed(0) for _ in range(3)]
    whole, *parts = (
        system.batch(random, 4, shard)
        for random, shard in zip(randoms, (slice(0, 4), slice(0, 2), slice(2, 4)), strict=True)
    )
    assert torch.equal(whole.source, torch.cat([part.source for part in parts]))
    assert torch.equal(whole.target, torch.cat([part.target for part in parts]))
    assert all(torch.equal(random.get_state(), randoms[0].get_state()) for random in randoms)
    assert parts[0].seed != parts[1].seed


def test_a_run_starts_from_a_checkpoint_or_from_published_weights(pairs: PairSet, tmp_path: Path) -> None:
    checkpoint, weights = trained(pairs, tmp_path / "run", run=replace(RUN, images=2)), tmp_path / "w.safetensors"
    assert main(["publish", str(checkpoint), "-o", str(weights)]) == 0
    state = load_checkpoint(checkpoint, CPU)
    for source in (checkpoint, weights):
        system = Pix2pixSystem(pairs, RUN, CONFIG, WORLD, source)
        generator = state["generator"] if source == checkpoint else load_translator(weights, CPU).generator.state_dict()
        assert_equal(dict(system.networks["generator"].state_dict()), dict(generator))
        own = dict(system.networks[DISCRIMINATOR].state_dict())
        is_same = all(torch.equal(value, state[DISCRIMINATOR][name]) for name, value in own.items())
        assert is_same == (source == checkpoint)
        with pytest.raises(TrainingError, match="of other networks than this run"):
            Pix2pixSystem(pairs, RUN, replace(CONFIG, width=8), WORLD, source)


def test_the_program_says_what_a_published_u_net_is(
    pairs: PairSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "w.safetensors"
    assert main(["publish", str(trained(pairs, tmp_path, run=replace(RUN, images=2))), "-o", str(weights)]) == 0
    assert program(["info", str(weights)]) == 1
    error = capsys.readouterr().err
    assert "python -m trainer sample" in error and error.count("\n") == 1
