import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from terrainpaint.errors import TrainingError
from terrainpaint.models.encoding import encode_elevation
from tests.trainer.runs import changed
from trainer.data.augment import KINDS, draw_augmentation
from trainer.loop.optimisation import balance_of, rate_factor
from trainer.losses.adversarial import ADVERSARIAL, Adversarial
from trainer.losses.gradient_penalty import gradient_penalty
from trainer.losses.matching import feature_matching, mean_difference
from trainer.losses.perceptual import load_perceptual, perceptual_loss
from trainer.metrics.sliced_wasserstein import patch_distance
from trainer.networks.multiscale_discriminator import no_norm
from trainer.systems.terrain.discriminators import SegmentationDiscriminator, segmentation_loss
from trainer.systems.terrain.losses import relief_energy, sea_level, shading_leak

CPU = torch.device("cpu")
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


def test_rare_classes_weigh_more_in_the_segmentation_loss() -> None:
    scores = torch.zeros(2, 8, 4, 4)
    heavier = segmentation_loss(LABELS, LABELS, torch.tensor([3.0, 1, 1, 1, 1, 1, 1]))
    fraction = float((LABELS == 0).float().mean())
    found = heavier.generator(scores, None)
    assert float(found) == pytest.approx(math.log(8) * (1 + 2 * fraction), rel=1e-5)


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
        state[f"features.{place}.weight"] = torch.zeros(1).expand(after, before, 3, 3)
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


def test_vgg19_is_known_by_its_names(tmp_path: Path) -> None:
    torch.save(vgg19_state(), tmp_path / "vgg19.pth")
    network = load_perceptual(tmp_path / "vgg19.pth")
    assert [each.shape[1:] for each in network(torch.rand(1, 3, 32, 32))] == [
        (64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4), (512, 2, 2)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "no such file"),
        (b"nonsense", "no tensors"),
        ({"weight": torch.ones(3)}, "neither VGG19 nor SqueezeNet"),
        ({**squeezenet_state(), "features.4.squeeze.weight": torch.ones(3)}, "other shapes"),
        ([1, 2], "no tensors"),
    ],
)
def test_a_file_that_is_no_perceptual_network_is_said_in_a_sentence(tmp_path: Path, content: object, told: str) -> None:
    path = tmp_path / "perceptual.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
        (tmp_path / "perceptual.safetensors").write_bytes(content)
        with pytest.raises(TrainingError, match=told):
            load_perceptual(tmp_path / "perceptual.safetensors")
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(TrainingError, match=rf"(?s)perceptual\.pth.*{told}.*download"):
        load_perceptual(path)


def test_shading_in_the_albedo_is_found_and_no_relief_is_bent() -> None:
    torch.manual_seed(0)
    height = nn.functional.interpolate(torch.randn(2, 1, 12, 12) * 500, size=(64, 64), mode="bicubic")
    height.requires_grad_()
    diagonal = torch.zeros_like(height)
    diagonal[:, :, 1:-1, 1:-1] = height[:, :, 2:, 1:-1] - height[:, :, :-2, 1:-1]
    diagonal[:, :, 1:-1, 1:-1] += height[:, :, 1:-1, 2:] - height[:, :, 1:-1, :-2]
    lit = 0.5 + 0.1 * torch.tanh(10 * diagonal.detach() / 4000)
    east = torch.zeros_like(lit)
    east[:, :, :, 1:-1] = torch.tanh(10 * (height[:, :, :, 2:] - height[:, :, :, :-2]).detach() / 4000)
    plain = torch.rand(2, 1, 64, 64)
    # Half of each square: the slope along the light tells nothing of it.
    assert shading_leak(lit, height, 2000.0) > 0.4
    assert shading_leak(1 - lit, height, 2000.0) > 0.4
    assert shading_leak(east, height, 2000.0) > 0.4
    assert shading_leak(plain, height, 2000.0) < 0.02
    assert shading_leak(torch.full_like(plain, 0.5), height, 2000.0) == 0
    plain.requires_grad_()
    shading_leak(plain, height, 2000.0).backward()
    assert height.grad is None and float(plain.grad.abs().max()) > 0


def test_the_sea_is_at_0_m_and_nothing_else_has_to_be() -> None:
    labels = torch.zeros(1, 4, 4, dtype=torch.int64)
    labels[0, 3] = 5
    height = torch.zeros(1, 1, 4, 4)
    height[0, 0, 0] = 40  # a lake
    real, made = encode_elevation(height, 43), encode_elevation(height + 9, 43)
    assert sea_level(made, real, height, labels) == pytest.approx(3 / 43 / 2, abs=1e-6)
    beside = real + (made - real) * ((height > 0) | (labels != 0)[:, None])
    assert sea_level(beside, real, height, labels) == 0
    assert sea_level(made, real, height, labels + 1) == 0


def test_relief_energy_is_of_strength_and_size_and_not_of_place() -> None:
    torch.manual_seed(0)
    fine = 400 * torch.randn(2, 1, 128, 128)
    assert relief_energy(fine, fine) == 0
    assert relief_energy(2 * fine, fine) == pytest.approx(math.log(2), abs=0.05)
    assert relief_energy(fine + 3000, fine) == pytest.approx(0, abs=1e-3)
    # Elsewhere, and mirrored, it is as strong: only chance is left, which tells most where an area has few hills.
    assert relief_energy(400 * torch.randn(2, 1, 128, 128), fine) < 0.15 < relief_energy(1.5 * fine, fine)
    coarse = nn.functional.interpolate(fine[:, :, ::8, ::8], scale_factor=8, mode="bicubic")
    assert relief_energy(coarse, fine) > 0.5
    # Nobody sees a metre.
    assert relief_energy(torch.zeros(1, 1, 64, 64), 0.5 * torch.randn(1, 1, 64, 64)) < 0.05
    assert relief_energy(torch.zeros(1, 1, 16, 16), torch.zeros(1, 1, 16, 16)) == 0


def test_the_generator_rests_between_the_thresholds() -> None:
    balance = balance_of(changed(balance="dynamic").run)
    found = [balance.trains_generator(loss) for loss in (1.9, 1.99, 2.0, 1.8, 1.5, 1.49, 1.8, 2.5)]
    assert found == [True, True, False, False, False, True, True, False]
    again = balance_of(changed(balance="dynamic").run)
    again.load_state_dict(balance.state_dict())
    assert not again.trains_generator(1.8)


def test_a_fixed_ratio_and_none() -> None:
    balance = balance_of(changed(balance="ratio", balance_ratio=3).run)
    assert [balance.trains_generator(9.0) for _ in range(7)] == [False, False, True, False, False, True, False]
    again = balance_of(changed(balance="ratio", balance_ratio=3).run)
    again.load_state_dict(balance.state_dict())
    assert [again.trains_generator(9.0) for _ in range(2)] == [False, True]
    assert all(balance_of(changed().run).trains_generator(9.0) for _ in range(3))


def test_rates_rise_and_fall_by_the_clock() -> None:
    assert rate_factor(123, changed().run) == 1
    linear = changed(images=100, schedule="linear", decay_from=0.5, final_rate=0.1).run
    assert [rate_factor(each, linear) for each in (0, 50, 75, 100)] == pytest.approx([1, 1, 0.55, 0.1])
    cosine = changed(images=100, schedule="cosine").run
    assert [rate_factor(each, cosine) for each in (0, 50, 100, 200)] == pytest.approx([1, 0.5, 0, 0], abs=1e-9)
    warm = changed(images=100, batch=10, warmup_images=40).run
    assert [rate_factor(each, warm) for each in (0, 10, 30, 40, 90)] == pytest.approx([0.25, 0.5, 1, 1, 1])


def test_augmentation_changes_real_and_made_alike_and_lets_the_gradient_through() -> None:
    augmentation = draw_augmentation(KINDS, 3, torch.Generator().manual_seed(0), CPU)
    seen = torch.rand(3, 15, 32, 32).requires_grad_()
    changed_twice = augmentation(torch.cat([seen, seen]))
    assert torch.equal(changed_twice[:3], changed_twice[3:]) and not torch.equal(changed_twice[:3], seen)
    assert torch.allclose(augmentation.part(slice(1, 2))(seen[1:2]), changed_twice[1:2])
    (gradient,) = torch.autograd.grad(changed_twice.sum(), seen)
    assert float(gradient.abs().sum()) > 0
    nothing = draw_augmentation((), 3, torch.Generator().manual_seed(0), CPU)
    assert nothing(seen) is seen


def test_translation_moves_all_channels_and_brings_in_zeros() -> None:
    augmentation = draw_augmentation(("translation",), 8, torch.Generator().manual_seed(3), CPU)
    seen = 1 + torch.rand(8, 15, 32, 32)
    for before, after in zip(seen, augmentation(seen), strict=True):
        rows, cols = (torch.nonzero(after[0].amax(dim=axis) > 0).squeeze(1) for axis in (1, 0))
        assert len(rows) >= 28 and len(cols) >= 28
        down = int(rows[0]) or len(rows) - 32
        along = int(cols[0]) or len(cols) - 32
        inside = after[:, rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
        origin = before[:, max(0, -down) : 32 - max(0, down), max(0, -along) : 32 - max(0, along)]
        assert torch.equal(inside, origin)


def test_cutout_takes_at_most_a_quarter_and_colour_only_the_picture() -> None:
    random = torch.Generator().manual_seed(0)
    seen = torch.ones(8, 15, 32, 32)
    cut = draw_augmentation(("cutout",), 8, random, CPU)(seen)
    share = 1 - cut.mean(dim=(1, 2, 3))
    assert float(share.min()) > 0 and float(share.max()) <= 0.26
    noisy = torch.rand(8, 15, 32, 32)
    coloured = draw_augmentation(("colour",), 8, random, CPU)(noisy)
    assert torch.equal(coloured[:, 3:], noisy[:, 3:]) and not torch.allclose(coloured[:, :3], noisy[:, :3])


@pytest.mark.parametrize("widths", [(8,), (8, 12, 16)])
def test_the_segmentation_discriminator_names_every_pixel_without_the_map(widths: tuple[int, ...]) -> None:
    discriminator = SegmentationDiscriminator(widths, no_norm)
    seen = torch.rand(2, 15, 32, 32)
    (scale,) = discriminator(seen)
    assert scale[-1].shape == (2, 8, 32, 32) and len(scale) == 2 * len(widths) + 1
    other = torch.cat([seen[:, :-7], torch.rand(2, 7, 32, 32)], dim=1)
    assert torch.equal(discriminator(other)[0][-1], scale[-1])


def test_the_held_out_distance_grows_with_what_is_wrong() -> None:
    random = torch.Generator().manual_seed(0)
    land = nn.functional.interpolate(torch.randn(4, 4, 12, 12, generator=random), size=(48, 48), mode="bicubic")
    land += 0.1 * torch.randn(land.shape, generator=random)
    blurred = nn.functional.avg_pool2d(land, 5, stride=1, padding=2)
    more = land + 0.5 * torch.randn(land.shape, generator=random)
    assert patch_distance(land, land) == 0
    assert patch_distance(land.flip(3), land) < 0.5 * min(patch_distance(blurred, land), patch_distance(more, land))
    assert patch_distance(more, land) == patch_distance(more, land)
