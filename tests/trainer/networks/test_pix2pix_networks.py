import pytest
import torch
from torch import nn

from trainer.networks.patch_gan import PatchDiscriminator
from trainer.networks.picture_norm import LocalNorm, PictureBatchNorm, norm_of
from trainer.networks.pix2pix_shapes import FIELDS, PatchShape, UNetShape, field_px
from trainer.networks.unet import UNet

PUBLISHED = {0: 1, 1: 16, 2: 34, 3: 70, 4: 142, 5: 286}
MISTAKEN = {1: 22, 2: 46, 3: 94, 4: 190, 5: 382}


def test_fields_are_those_of_the_number_of_halvings() -> None:
    assert all(field_px(layers) == field for field, layers in FIELDS.items())
    halvings = {field: sum(layer.stride == 2 for layer in layers[:-2]) for field, layers in FIELDS.items()}
    assert {halvings[field]: field for field in PUBLISHED.values()} == PUBLISHED
    assert {halvings[field]: field for field in MISTAKEN.values()} == MISTAKEN


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("padding", ["same", "one"])
def test_a_logit_depends_on_its_field_and_on_nothing_else(field: int, padding: str) -> None:
    torch.manual_seed(0)
    discriminator = PatchDiscriminator(PatchShape(field, 2, "none", padding))
    for convolution in discriminator.layers:
        nn.init.uniform_(convolution.weight, 0.1, 0.2)  # or the gradients of the outermost pixels could be rounded to 0
    side = 2 * field + 64
    pictures = torch.ones(2, 1, 3, side, side, requires_grad=True)
    logits = discriminator(pictures[0], pictures[1])
    middle = logits.shape[2] // 2
    logits[0, 0, middle, middle].backward()
    seen = pictures.grad.ne(0).all(dim=2).all(dim=0)[0]
    assert pictures.grad.ne(0).any(dim=2).any(dim=0)[0].equal(seen)
    rows, cols = seen.any(dim=1).nonzero(), seen.any(dim=0).nonzero()
    assert len(rows) == len(cols) == field and int(seen.sum()) == field**2


@pytest.mark.parametrize(
    ("field", "same", "one", "weights"),
    [(1, 256, 256, None), (16, 128, 126, None), (70, 32, 30, 2_768_705), (286, 8, 6, None)],
)
def test_sizes_of_the_logits(field: int, same: int, one: int, weights: int | None) -> None:
    for padding, expected in (("same", same), ("one", one)):
        shape = PatchShape(field, 64, "batch", padding)
        discriminator = PatchDiscriminator(PatchShape(field, 4, "batch", padding))
        assert shape.logits_px(256) == expected
        assert discriminator(*torch.zeros(2, 1, 3, 256, 256)).shape == (1, 1, expected, expected)
    if weights is not None:
        assert sum(each.numel() for each in PatchDiscriminator(shape).parameters()) == weights


@pytest.mark.parametrize("size_px", [30, 33, 48])
def test_the_sizes_of_logits_are_predicted_for_odd_sizes_too(size_px: int) -> None:
    for padding in ("same", "one"):
        shape = PatchShape(70, 2, "none", padding)
        logits = PatchDiscriminator(shape)(*torch.zeros(2, 1, 3, size_px, size_px))
        assert logits.shape[2:] == (shape.logits_px(size_px),) * 2


@pytest.mark.parametrize(("size_px", "widths"), [
    (128, (64, 128, 256, 512, 512, 512, 512)),
    (256, (64, 128, 256, 512, 512, 512, 512, 512)),
    (512, (64, 128, 256, 512, 512, 512, 512, 512, 512)),
])  # fmt: skip
def test_widths_of_the_published_u_nets(size_px: int, widths: tuple[int, ...]) -> None:
    assert UNetShape(size_px).widths == widths


def test_the_u_net_of_256_px_has_its_published_number_of_weights() -> None:
    with torch.device("meta"):
        down = 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 4 * 512 * 512)
        up = 16 * (512 * 512 + 3 * 1024 * 512 + 1024 * 256 + 512 * 128 + 256 * 64 + 128 * 3)
        norms = 2 * (128 + 256 + 4 * 512 + 4 * 512 + 256 + 128 + 64)
        network = UNet(UNetShape())
    assert sum(each.numel() for each in network.parameters()) == down + up + norms + 64 + 512 + 3


@pytest.mark.parametrize("norm", ["batch", "instance", "local", "none"])
def test_a_u_net_takes_any_multiple_of_its_size_and_learns_at_its_bottleneck(norm: str) -> None:
    torch.manual_seed(0)
    network = UNet(UNetShape(32, 4, norm))
    pictures = network(torch.randn(1, 3, 64, 96))
    assert pictures.shape == (1, 3, 64, 96) and float(pictures.detach().abs().max()) <= 1
    network.zero_grad()
    network(torch.randn(1, 3, 32, 32)).square().sum().backward()
    # A norm of one pixel would cut off the gradient of the convolution before it.
    assert float(network.down[-1].weight.grad.abs().max()) > 0
    assert float(network.down[0].weight.detach().std()) == pytest.approx(0.02, rel=0.3)


def test_dropout_is_that_of_the_seed() -> None:
    network = UNet(UNetShape(64, 4))
    source = torch.randn(1, 3, 64, 64)
    results = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        results.append(network(source))
    assert torch.equal(results[0], results[1]) and not torch.equal(results[0], results[2])
    assert network.dropped == 2 and UNet(UNetShape(32, 4)).dropped == 1


def test_batch_norm_with_the_statistics_of_each_picture() -> None:
    norm = PictureBatchNorm(3)
    nn.init.normal_(norm.weight)
    pictures = torch.randn(2, 3, 8, 8) * 3 + 1
    alone = [norm(picture[None]) for picture in pictures]  # training with batches of one
    norm.eval()
    assert torch.allclose(norm(pictures), torch.cat(alone), atol=1e-6)
    norm.uses_collected = True
    before = norm.running_mean.clone()
    assert not torch.allclose(norm(pictures), torch.cat(alone), atol=0.1)
    assert torch.equal(norm.running_mean, before)


def test_the_local_norm_has_the_statistics_of_one_position() -> None:
    norm = norm_of("local", 8)
    assert isinstance(norm, LocalNorm)
    x = torch.randn(2, 8, 3, 4)
    y = norm(x)
    assert torch.allclose(y.mean(dim=1), torch.zeros(2, 3, 4), atol=1e-6)
    x[:, :, 0, 0] += 5
    assert torch.equal(norm(x)[:, :, 1:], y[:, :, 1:])
