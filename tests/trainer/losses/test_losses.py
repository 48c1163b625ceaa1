import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from terrainpaint.errors import TrainingError
from trainer.losses.adversarial import ADVERSARIAL, Adversarial
from trainer.losses.gradient_penalty import gradient_penalty
from trainer.losses.matching import feature_matching, mean_difference
from trainer.losses.perceptual import load_perceptual, perceptual_loss
from trainer.systems.terrain.discriminators import segmentation_loss

LABELS = torch.randint(0, 7, (2, 4, 4), generator=torch.Generator().manual_seed(0))
KINDS_OF_LOSS = (*ADVERSARIAL, "segmentation")


def loss_of(kind: str, routes: int = 1) -> Adversarial:
    """The loss for maps `LABELS`, of fakes that were shown `routes` times."""
    if kind == "segmentation":
        return segmentation_loss(LABELS, LABELS.repeat(routes, 1, 1), torch.ones(7))
    return ADVERSARIAL[kind]


def confident(kind: str, real: bool) -> Tensor:
    """Scores of a discriminator that is sure of it."""
    if kind != "segmentation":
        return torch.full((2, 1, 4, 4), 3.0 if real else -3.0)
    ids = LABELS if real else torch.full_like(LABELS, 7)
    return 5 * nn.functional.one_hot(ids, 8).movedim(-1, 1).float()


@pytest.mark.parametrize("kind", KINDS_OF_LOSS)
def test_each_side_is_content_when_it_wins(kind: str) -> None:
    loss, real, fake = loss_of(kind), confident(kind, True), confident(kind, False)
    assert loss.discriminator(real, fake) < loss.discriminator(fake, real)
    assert loss.generator(real, real) < loss.generator(fake, real)
    assert (loss.realness(real) > loss.realness(fake)).all()
    # With two routes, each fake is paired with the real picture of the same map.
    both = loss_of(kind, routes=2).generator(torch.cat([fake, fake]), real)
    assert both == pytest.approx(float(loss.generator(fake, real)), rel=1e-6)


@pytest.mark.parametrize(
    ("kind", "discriminator", "generator"),
    [
        ("hinge", 0.5 + 1.2, -0.2),
        ("non-saturating", math.log(1 + math.exp(-0.5)) + math.log(1 + math.exp(0.2)), math.log(1 + math.exp(-0.2))),
        ("relativistic", math.log(1 + math.exp(-0.3)), math.log(1 + math.exp(0.3))),
        ("lsgan", 0.25 + 0.04, 0.64),
    ],
)
def test_losses_are_what_the_papers_say(kind: str, discriminator: float, generator: float) -> None:
    real, fake = torch.full((1, 1, 2, 2), 0.5), torch.full((1, 1, 2, 2), 0.2)
    assert float(ADVERSARIAL[kind].discriminator(real, fake)) == pytest.approx(discriminator, rel=1e-5)
    assert float(ADVERSARIAL[kind].generator(fake, real)) == pytest.approx(generator, rel=1e-5)


def test_the_gradient_penalty_of_a_plane_is_its_slope() -> None:
    weights = torch.randn(3, 5, 5, generator=torch.Generator().manual_seed(1))

    class Plane(nn.Module):
        def forward(self, x: Tensor) -> list[list[Tensor]]:
            return [[(x * weights).sum(dim=(1, 2, 3))[:, None, None, None]]]

    seen = torch.randn(4, 3, 5, 5)
    penalty = gradient_penalty(Plane(), seen, lambda scores: scores)
    assert float(penalty) == pytest.approx(float(weights.square().sum() / 2), rel=1e-5)


def test_matching_is_nothing_for_equal_pictures() -> None:
    one, other = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32)
    assert feature_matching([[one, one]], [[one, one]]) == 0
    assert feature_matching([[one, one]], [[one, one + 1]]) == pytest.approx(0.5)
    assert mean_difference(one, one, 16) == 0
    # Only the means of areas count.
    turned = one.flip(2).unflatten(2, (2, 16)).flip(2).flatten(2, 3)
    assert mean_difference(one, turned, 16) == pytest.approx(0, abs=1e-6)
    assert mean_difference(one, turned, 8) > 0.01
    assert mean_difference(one, one.flip(2), 64) == pytest.approx(0, abs=1e-6)  # all of it, where there is less
    assert mean_difference(one, other, 16) > 0


SQUEEZED = {3: (64, 16, 64), 4: (128, 16, 64), 6: (128, 32, 128), 7: (256, 32, 128), 9: (256, 48, 192),
            10: (384, 48, 192), 11: (384, 64, 256), 12: (512, 64, 256)}  # fmt: skip


def squeezenet_state() -> dict[str, Tensor]:
    """Random numbers under the names and in the shapes of torchvision's squeezenet1_1."""
    torch.manual_seed(0)
    state = {"features.0.weight": torch.randn(64, 3, 3, 3) / 5, "features.0.bias": torch.zeros(64)}
    for index, (before, squeezed, expanded) in SQUEEZED.items():
        shapes = {"squeeze": (squeezed, before, 1, 1), "expand1x1": (expanded, squeezed, 1, 1),
                  "expand3x3": (expanded, squeezed, 3, 3)}  # fmt: skip
        for name, shape in shapes.items():
            state[f"features.{index}.{name}.weight"] = torch.randn(shape) / math.sqrt(math.prod(shape[1:]))
            state[f"features.{index}.{name}.bias"] = torch.zeros(shape[0])
    return state


def vgg19_state() -> dict[str, Tensor]:
    """The same of vgg19, with zeros."""
    widths = [3, 64, 64, 128, 128, *[256] * 4, *[512] * 8]
    places = [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34]
    state = {}
    for place, before, after in zip(places, widths[:-1], widths[1:], strict=True):
        state[f"features.{place}.weight"] = torch.zeros(after, before, 3, 3)
        state[f"features.{place}.bias"] = torch.zeros(after)
    return state | {"classifier.0.bias": torch.zeros(4096)}


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_the_perceptual_loss_tells_pictures_apart(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"squeezenet{suffix}"
    save_file(squeezenet_state(), path) if suffix == ".safetensors" else torch.save(squeezenet_state(), path)
    network = load_perceptual(path)
    one, other = torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64)
    assert [each.shape[1] for each in network(one)] == [64, 128, 256, 384, 512]
    assert perceptual_loss(network, one, one) == 0 < perceptual_loss(network, one, other)
    assert perceptual_loss(network, one[:, :1], other[:, :1]) > 0  # grey
    assert not any(each.requires_grad for each in network.parameters())


@pytest.mark.parametrize("is_archive", [True, False], ids=["present", "as torchvision has it"])
def test_vgg19_is_known_by_its_names(tmp_path: Path, is_archive: bool) -> None:
    torch.save(vgg19_state(), tmp_path / "vgg19.pth", _use_new_zipfile_serialization=is_archive)
    network = load_perceptual(tmp_path / "vgg19.pth")
    assert [each.shape[1:] for each in network(torch.rand(1, 3, 32, 32))] == [
        (64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4), (512, 2, 2)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"nonsense", "no tensors"),
        ({"weight": torch.ones(3)}, "neither VGG19 nor SqueezeNet"),
        ({**squeezenet_state(), "features.4.squeeze.weight": torch.ones(3)}, "other shapes"),
        ([1, 2], "no tensors"),
    ],
)
def test_a_file_that_is_no_perceptual_network_is_one_sentence(tmp_path: Path, content: object, message: str) -> None:
    path = tmp_path / "perceptual.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
        (tmp_path / "perceptual.safetensors").write_bytes(content)
        with pytest.raises(TrainingError, match=message):
            load_perceptual(tmp_path / "perceptual.safetensors")
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(TrainingError, match=rf"(?s)perceptual\.pth.*{message}.*download"):
        load_perceptual(path)
