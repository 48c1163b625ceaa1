import importlib.util
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from terrainpaint.errors import OutputError, TrainingError
from terrainpaint.models.spade_terrain.attention import AttentionConfig
from terrainpaint.models.spade_terrain.reference_network import ReferenceConfig
from terrainpaint.models.terrain_generator import GeneratorConfig
from terrainpaint.models.weights import load_weights
from tests.trainer.losses.test_losses import squeezenet_state
from tests.trainer.runs import NETWORK, Configs, changed, quiet, train_terrain
from trainer.__main__ import main
from trainer.data.tile_set import TileSet, save_tile_set
from trainer.loop.checkpoints import best_checkpoint, load_checkpoint, newest_checkpoint
from trainer.loop.event_file import EventFile
from trainer.loop.run_log import RunLog
from trainer.systems.terrain.publishing import publish

pytestmark = pytest.mark.usefixtures("few_samples_of_style")

CPU = torch.device("cpu")
NARROW = ReferenceConfig(widths=(16,) * 7, hidden=8)
REFERENCE = {"discriminator_widths": (8, 8), "discriminator_scales": 2, "spectral_norm": False, "feature_weight": 0.0,
             "mean_weight": 0.0, "beta1": 0.5, "clip_norm": 100.0, "balance": "ratio"}  # fmt: skip


def everything(folder: Path) -> Configs:
    """All that can be switched on together."""
    save_file(squeezenet_state(), folder / "squeezenet.safetensors")
    return changed(
        batch=2, images=8, accumulate=2, rescale=1.2, turn=True, schedule="cosine", warmup_images=4, clip_norm=1.0,
        adversarial="relativistic", r1_weight=1.0, r2_weight=1.0, penalty_steps=2, leak_weight=1.0, relief_weight=1.0,
        sea_weight=1.0, perceptual=str(folder / "squeezenet.safetensors"), perceptual_weight=0.1, balance="dynamic",
        balance_resume=0.71, augment=("colour", "translation", "cutout"), beta1=0.5, log_images=6, save_images=100,
        sample_images=100,
    )  # fmt: skip


def stopped_and_resumed(
    labelled: TileSet, config: Configs, folder: Path, network: GeneratorConfig
) -> dict[str, dict[str, object]]:
    """The last checkpoints of four steps, and of two, resume, and two."""
    train_terrain(labelled, config, folder / "whole", quiet, network=network)
    steps = iter([False, False, True])
    train_terrain(labelled, config, folder / "broken", quiet, cancel=lambda: next(steps), network=network)
    train_terrain(labelled, config, folder / "broken", quiet, network=network)
    return {name: load_checkpoint(newest_checkpoint(folder / name), CPU) for name in ("whole", "broken")}


def assert_equal(one: object, other: object, where: str = "") -> None:
    """Bit for bit, through dicts and lists."""
    if isinstance(one, dict):
        assert set(one) == set(other), where
        for name, value in one.items():
            assert_equal(value, other[name], f"{where}.{name}")
    elif isinstance(one, list):
        assert len(one) == len(other), where
        for index, value in enumerate(one):
            assert_equal(value, other[index], f"{where}.{index}")
    elif isinstance(one, torch.Tensor):
        assert torch.equal(one, other), where
    elif not where.startswith((".log", ".best", ".distance")):
        assert one == other, where


@pytest.mark.parametrize(("adversarial", "stop"), [("relativistic", 0.72), ("segmentation", 9.0)])
def test_a_resumed_run_with_everything_on_is_an_unbroken_run(
    labelled: TileSet, tmp_path: Path, adversarial: str, stop: float
) -> None:
    config = changed(everything(tmp_path), adversarial=adversarial, balance_stop=stop)
    found = stopped_and_resumed(labelled, config, tmp_path, NETWORK)
    assert_equal(found["whole"], found["broken"])
    # The means of a line of the log do not care where the run was broken either.
    lines = [(tmp_path / name / "log.jsonl").read_text().splitlines() for name in ("whole", "broken")]
    whole, broken = (next(each for each in map(json.loads, lines_of) if "r1" in each) for lines_of in lines)
    assert {name: value for name, value in whole.items() if "_ms" not in name and "per_s" not in name} == {
        name: value for name, value in broken.items() if "_ms" not in name and "per_s" not in name
    }
    assert {"perceptual", "leak", "r2", "generator_trained", "batch_ms", "step_ms"} <= set(whole)


@pytest.mark.parametrize(
    ("version", "network"),
    [("1.0", NARROW), ("1.1", NARROW),
     ("1.2", AttentionConfig(widths=NARROW.widths, hidden=8, heads=2, crop_px=32))],
)  # fmt: skip
def test_a_reference_network_trains_resumes_and_is_published(
    labelled: TileSet, tmp_path: Path, version: str, network: ReferenceConfig
) -> None:
    config = changed(network=f"spade-terrain-{version}", save_images=100, sample_images=100, **REFERENCE)
    found = stopped_and_resumed(labelled, config, tmp_path, network)
    assert_equal(found["whole"], found["broken"])
    header = publish(newest_checkpoint(tmp_path / "whole"), tmp_path / "w.safetensors", "MIT")
    assert header.network == f"spade-terrain-{version}" and header.config == network
    loaded = load_weights(tmp_path / "w.safetensors", CPU).generator.state_dict()
    assert all(torch.equal(value, found["whole"]["averaged"][f"generator.{name}"]) for name, value in loaded.items())


@pytest.mark.parametrize("adversarial", ["hinge", "non-saturating", "lsgan"])
def test_a_step_in_parts_is_the_whole_step(labelled: TileSet, tmp_path: Path, adversarial: str) -> None:
    # Spectral norm looks at the weights once a part, so it is left out.
    whole = changed(
        batch=4,
        images=4,
        spectral_norm=False,
        adversarial=adversarial,
        leak_weight=1.0,
        r1_weight=0.1,
        relief_weight=1.0,
        sea_weight=1.0,
    )
    for name, config in (("whole", whole), ("parts", changed(whole, accumulate=2))):
        train_terrain(labelled, config, tmp_path / name, quiet)
    one, two = (load_checkpoint(newest_checkpoint(tmp_path / name), CPU) for name in ("whole", "parts"))
    for optimizer in ("generator_step", "discriminator_step"):
        gradients = [[each["exp_avg"] for each in run[optimizer]["state"].values()] for run in (one, two)]
        largest = max(float(each.abs().max()) for each in gradients[0])
        for gradient, other in zip(*gradients, strict=True):
            # Sums in another order, and kinks of the losses between them: equal up to rounding, whatever the processor.
            assert float((gradient - other).norm()) <= 0.01 * float(gradient.norm()) + 1e-4 * largest


def test_fp16_scales_its_losses(labelled: TileSet, tmp_path: Path) -> None:
    state = load_checkpoint(
        train_terrain(labelled, changed(images=2, precision="fp16", flip_route=False), tmp_path, quiet), CPU
    )
    assert state["generator_scaler"]["scale"] > 1 and state["discriminator_scaler"]["scale"] > 1


def test_the_newest_checkpoints_and_the_best_are_kept(labelled: TileSet, tmp_path: Path) -> None:
    config = changed(images=10, save_images=2, keep=2, sample_images=100)
    train_terrain(labelled, config, tmp_path, quiet)
    lines = map(json.loads, (tmp_path / "log.jsonl").read_text().splitlines())
    distances = {each["images"]: each["validation_score"] for each in lines if "validation_score" in each}
    best = min(distances, key=distances.__getitem__)
    assert sorted(distances) == [2, 4, 6, 8, 10]
    kept = {int(each.stem[-8:]) for each in tmp_path.glob("checkpoint-*.pt")}
    assert kept == {8, 10, best}
    assert best_checkpoint(tmp_path) == tmp_path / f"checkpoint-{best:08d}.pt"
    with pytest.raises(TrainingError, match="holds no checkpoint"):
        best_checkpoint(tmp_path / "nowhere")


def test_tensorboard_has_the_losses_and_the_sheet(labelled: TileSet, tmp_path: Path) -> None:
    train_terrain(labelled, changed(images=4), tmp_path, quiet)
    board = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [each.step for each in board.Scalars("discriminator")] == [2, 4]
    assert board.Tags()["images"] == ["samples"] and "validation_score" in board.Tags()["scalars"]


def test_an_event_file_that_is_removed_or_cannot_be_written_is_followed_by_another(tmp_path: Path) -> None:
    folder = tmp_path / "tensorboard"
    events = EventFile(folder, 0)
    events.add_values({"loss": 1.0}, 2)
    threads = threading.active_count()
    shutil.rmtree(folder)
    events.add_values({"loss": 2.0}, 4)
    shutil.rmtree(folder)
    folder.write_text("no folder")
    for images in (6, 8):
        with pytest.raises(OSError, match="exists"):
            events.add_values({"loss": 3.0}, images)
    folder.unlink()
    events.add_picture("samples", np.zeros((4, 6, 3), np.uint8), 10)
    events.add_values({"loss": 4.0}, 10)
    events.close()
    assert threading.active_count() == threads
    board = EventAccumulator(str(folder)).Reload()
    assert [(each.step, each.value) for each in board.Scalars("loss")] == [(10, 4.0)]
    assert [(each.width, each.height) for each in board.Images("samples")] == [(6, 4)]
    # A run that goes on after 6 images replaces what the one before wrote beyond them.
    events = EventFile(folder, 6)
    events.add_values({"loss": 5.0}, 8)
    events.close()
    assert [each.step for each in EventAccumulator(str(folder)).Reload().Scalars("loss")] == [8]


def test_the_log_of_a_run_that_broke_off_has_no_line_twice(labelled: TileSet, tmp_path: Path) -> None:
    train_terrain(labelled, changed(images=4), tmp_path, quiet)
    with (tmp_path / "log.jsonl").open("a") as log:
        log.write('{"images": 6, "discriminator": 9}\n{"images": 8, "discr')
    train_terrain(labelled, changed(images=6), tmp_path, quiet)
    lines = [json.loads(each) for each in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [each["images"] for each in lines if "discriminator" in each] == [2, 4, 6]
    assert all(each.get("discriminator") != 9 for each in lines)


def test_a_log_that_a_power_cut_damaged_is_continued(tmp_path: Path) -> None:
    good = b'{"images": 2, "loss": 1.0}\n'
    (tmp_path / "log.jsonl").write_bytes(good + b"\xff\xfe\x00\x00\n" + b"[" * 100_000 + b"\n" + good)
    with RunLog(tmp_path, 4, {}, "", pytest.fail) as log:
        log.note(6, {"loss": 0.5})
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["images"] for line in lines] == [2, 2, 6]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_log_that_is_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log.jsonl")
    with pytest.raises(OutputError, match="is a pipe or a device"):
        RunLog(tmp_path, 4, {}, "", pytest.fail)


def test_a_full_disk_in_the_middle_of_saving_leaves_the_run_intact(labelled: TileSet, tmp_path: Path) -> None:
    config = changed(sample_images=100)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill_up() -> bool:
        saved = newest_checkpoint(tmp_path)
        if saved is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (saved.stat().st_size // 2, before[1]))
        return False

    try:
        with pytest.raises(OutputError, match=r"checkpoint-00000008\.pt could not be written"):
            train_terrain(labelled, config, tmp_path, quiet, fill_up)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [each.name for each in tmp_path.glob("*.pt")] == ["checkpoint-00000004.pt"]
    assert not [each for each in tmp_path.iterdir() if each.name.startswith(".")]
    assert newest_checkpoint(tmp_path).name == "checkpoint-00000004.pt"
    train_terrain(labelled, config, tmp_path, quiet)
    assert load_checkpoint(newest_checkpoint(tmp_path), CPU)["images"] == 8


def test_a_checkpoint_that_cannot_be_written_does_not_end_the_run(labelled: TileSet, tmp_path: Path) -> None:
    blocked, warnings = tmp_path / "checkpoint-00000004.pt", list[str]()
    blocked.mkdir()
    config = changed(images=8, sample_images=2)
    (tmp_path / "samples-00000002.png").mkdir()
    last = train_terrain(labelled, config, tmp_path, quiet, warn=warnings.append)
    assert [Path(each.split()[0]).name for each in warnings] == ["samples-00000002.png", blocked.name]
    state = load_checkpoint(last, CPU)
    assert state["images"] == 8 and state["best"]["images"] == 8


def test_a_run_whose_folder_is_removed_goes_on_in_a_new_one(labelled: TileSet, tmp_path: Path) -> None:
    folder, warnings = tmp_path / "run", list[str]()

    def report(images: int, losses: dict[str, float]) -> None:
        if images == 4:
            shutil.rmtree(folder)

    last = train_terrain(labelled, changed(images=10), folder, report, warn=warnings.append)
    assert load_checkpoint(last, CPU)["images"] == 10
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [each["images"] for each in lines if "discriminator" in each] == [6, 8, 10]
    assert not warnings


def test_the_train_command_survives_a_reader_that_goes_away(labelled: TileSet, tmp_path: Path) -> None:
    save_tile_set(tmp_path / "set.npz", labelled)
    options = "--images 6 --batch 2 --crop-px 32 --discriminator-widths 8 8 --log-images 2 --device cpu"
    command = f"{sys.executable} -m trainer train {tmp_path}/set.npz -o {tmp_path}/run {options} | head -1"
    result = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, check=False)
    assert (result.returncode, result.stderr) == (0, b"")
    assert load_checkpoint(newest_checkpoint(tmp_path / "run"), CPU)["images"] == 6


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_step_and_saves(
    labelled: TileSet, tmp_path: Path, capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    save_tile_set(tmp_path / "set.npz", labelled)
    config = "images = 1000000\nbatch = 2\ncrop_px = 32\ndiscriminator_widths = [8, 8]\nlog_images = 2\n"
    (tmp_path / "c.toml").write_text(config + 'device = "cpu"\nprecision = "fp32"\n')
    log, over = tmp_path / "run" / "log.jsonl", threading.Event()

    def interrupt() -> None:
        while not over.wait(0.05):
            if log.exists() and log.stat().st_size:
                os.kill(os.getpid(), number)
                return

    handlers = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        run = ["train", str(tmp_path / "set.npz"), "-o", str(tmp_path / "run"), "--config", str(tmp_path / "c.toml")]
        assert main(run) == 0
    finally:
        over.set()
        thread.join()
    said = capsys.readouterr().out
    assert "left:" in said and "resume with the same command" in said
    state = load_checkpoint(newest_checkpoint(tmp_path / "run"), CPU)
    assert 2 <= state["images"] < 1_000_000
    assert [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)] == handlers


def test_a_checkpoint_of_another_kind_of_network_is_refused(labelled: TileSet, tmp_path: Path) -> None:
    train_terrain(labelled, changed(images=2), tmp_path, quiet)
    other = changed(network="spade-terrain-1.0", **REFERENCE)
    with pytest.raises(TrainingError, match=r"of the network spade-local, not of spade-terrain-1\.0"):
        train_terrain(labelled, other, tmp_path, quiet, network=NARROW)


@pytest.mark.parametrize(
    "content", [b"root:x:0:0:root:/root:/bin/bash\nq\x00", b"", b"PK\x03\x04 and no more", bytes(4096)]
)
def test_any_bytes_that_are_no_checkpoint_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "checkpoint-00000002.pt"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=r"checkpoint-00000002\.pt is not a readable checkpoint"):
        load_checkpoint(path, CPU)
    with pytest.raises(TrainingError, match="does not exist"):
        load_checkpoint(tmp_path / "nowhere.pt", CPU)


def test_a_checkpoint_of_a_newer_version_is_refused(labelled: TileSet, tmp_path: Path) -> None:
    last = train_terrain(labelled, changed(images=2), tmp_path, quiet)
    state = torch.load(last, weights_only=True)
    torch.save(state | {"version": 99}, last)
    with pytest.raises(TrainingError, match="newer version"):
        train_terrain(labelled, changed(images=4), tmp_path, quiet)


def test_a_run_of_the_first_format_goes_on(labelled: TileSet, tmp_path: Path) -> None:
    for name in ("new", "old"):
        train_terrain(labelled, changed(images=4), tmp_path / name, quiet)
    path = newest_checkpoint(tmp_path / "old")
    state = torch.load(path, weights_only=True)
    for name in ("generator_scaler", "discriminator_scaler", "balance", "best", "distance", "log", "system"):
        del state[name]
    torch.save(state | {"version": 1}, path)
    found = [
        load_checkpoint(train_terrain(labelled, changed(images=6), tmp_path / name, quiet), CPU)
        for name in ("new", "old")
    ]
    assert_equal(*found)


@pytest.mark.skipif(importlib.util.find_spec("wandb") is not None, reason="Weights & Biases is installed")
def test_weights_and_biases_must_be_installed_to_be_used(labelled: TileSet, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="pip install wandb"):
        train_terrain(labelled, changed(wandb="terrain"), tmp_path, quiet)
