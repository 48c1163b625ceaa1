"""The reference networks: their published sizes, their receptive fields, and what each layer computes."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from terrainpaint.models.networks import NETWORKS
from terrainpaint.models.noise import rerolled, seeded
from terrainpaint.models.spade_terrain.attention import AttentionConfig, AttentionReference, LocalAttention, ScaledSum
from terrainpaint.models.spade_terrain.modulated import MapScale, ModulatedConv2d
from terrainpaint.models.spade_terrain.reference_network import LEVELS, ReferenceConfig, ReferenceNetwork, mirrored
from terrainpaint.models.windows import Window
from tests.models import small
from tests.models.small_spade_terrain import CONFIGS, NAMES, network, output

ROOT = Path(__file__).resolve().parents[2]
STYLE = torch.tensor([[0.4, -1.2, 0.7, 1.0]])[:, :, None, None]


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


# As published


@pytest.mark.parametrize(
    ("name", "parameters", "gigaflops"),
    [
        # Published: 70 to 90 million and 1,750 to 1,790 GFLOP, with two or three blocks of 768 channels.
        ("spade-terrain-1.0", 90_506_020, 1791),
        ("spade-terrain-1.1", 64_232_212, 1203),
        ("spade-terrain-1.2", 20_034_284, 515),
    ],
)
def test_published_size(name: str, parameters: int, gigaflops: int) -> None:
    published = NETWORKS[name].new_generator(NETWORKS[name].config())
    assert sum(tensor.numel() for tensor in published.parameters()) == parameters
    assert len(published.config.style_names) == 16
    ids, noise = small.random_ids(64, 64), seeded([1])
    with FlopCounterMode(display=False) as counter:
        albedo, elevation = published(ids, Window((0, 64), (0, 64)), noise, torch.zeros(1, 16))
    assert (albedo.shape, elevation.shape) == ((1, 3, 64, 64), (1, 1, 64, 64))
    assert round(counter.get_total_flops() * 64 / 1e9) == gigaflops  # of 512 x 512 px


def test_published_widths_and_levels() -> None:
    config = ReferenceConfig()
    assert config.widths == (768, 768, 768, 384, 192, 96, 48)
    assert [512 >> level for level in LEVELS] == [16, 32, 32, 64, 128, 256, 512]
    assert (config.hidden, config.latents) == (128, 16)
    assert config.elevation_scale**2 > 10_935, "the deepest sea is within the range of tanh"


def test_attention_and_scaled_sums_are_where_features_are_64_px_or_less() -> None:
    with torch.device("meta"):
        published = AttentionReference(AttentionConfig())
    for level, block in zip(LEVELS, published.blocks, strict=True):
        kinds = [type(module) for module in block.modules()]
        assert (LocalAttention in kinds) == (ScaledSum in kinds) == (256 >> level <= 64)
        assert kinds.count(LocalAttention) <= 1
        convolutions = [module for module in block.modules() if isinstance(module, ModulatedConv2d)]
        assert sum(layer.weight.shape[-1] == 3 for layer in convolutions) == (1 if 256 >> level <= 64 else 2)


# Output


@pytest.mark.parametrize("name", NAMES)
def test_shapes_types_and_ranges(name: str) -> None:
    window = Window((-3, 90), (40, 101))
    generator = network(name)
    read = generator.input_window(window)
    assert (read.rows, read.cols) == ((-32, 96), (32, 128))
    albedo, elevation = generator(small.random_ids(128, 96), window, seeded([5]), STYLE)
    assert (albedo.shape, elevation.shape) == ((1, 3, 93, 61), (1, 1, 93, 61))
    assert albedo.dtype == elevation.dtype == torch.float32
    assert 0 <= float(albedo.min()) < float(albedo.max()) <= 1
    assert -1 <= float(elevation.min()) < float(elevation.max()) <= 1
    assert float(albedo.std()) > 0.01 and float(elevation.std()) > 0.01
    assert generator.reach_px is None


def test_the_input_window_has_whole_cells_and_at_least_two() -> None:
    generator = network("spade-terrain-1.0")
    for span, expected in (((0, 1), (0, 64)), ((0, 33), (0, 64)), ((31, 65), (0, 96)), ((-1, 0), (-32, 32))):
        assert generator.input_window(Window(span, span)) == Window(expected, expected)
    with pytest.raises(ValueError, match="the map covers"):
        generator(small.random_ids(64, 32), Window((0, 64), (0, 64)), seeded([0]), STYLE)


@pytest.mark.parametrize("name", NAMES)
def test_every_tensor_has_a_gradient(name: str) -> None:
    with torch.inference_mode(False):
        generator = NETWORKS[name].new_generator(CONFIGS[name]).train()
        ids = small.random_ids(64, 96)
        window, styles = Window((0, 64), (0, 96)), STYLE.repeat(2, 1, 1, 1)
        albedo, elevation = generator(ids.repeat(2, 1, 1), window, seeded([1, 2]), styles)
        (albedo.square().mean() + elevation.square().mean()).backward()
        for tensor, value in generator.named_parameters():
            assert value.grad is not None and bool(value.grad.isfinite().all()), tensor
            # An instance norm removes what is the same everywhere.
            if not (name.endswith("1.0") and tensor.startswith("start.")):
                assert float(value.grad.abs().max()) > 0, tensor


@pytest.mark.parametrize("name", NAMES)
def test_bfloat16_is_close_and_has_no_terraces(name: str) -> None:
    generator, ids = network(name), small.random_ids(64, 64)
    albedo, elevation = output(generator, ids, STYLE)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half_albedo, half_elevation = output(generator, ids, STYLE)
        height = generator.decode_elevation(half_elevation)
    assert half_albedo.dtype == half_elevation.dtype == height.dtype == torch.float32
    assert 0 < float((half_albedo - albedo).abs().mean()) < 0.05
    assert float((half_elevation - elevation).abs().mean()) < 0.1 * float(elevation.std())
    assert height.unique().numel() > 0.9 * height.numel()


def test_encoding_and_decoding_of_elevation_are_inverse() -> None:
    generator, heights = network("spade-terrain-1.0"), torch.tensor([0.0, 8848.0, -10_935.0, 0.5])
    encoded = generator.encode_elevation(heights)
    assert float(encoded.abs().max()) < 1
    torch.testing.assert_close(generator.decode_elevation(encoded), heights)


# Seeds

DIGEST = """
import hashlib, torch
from tests.models import small
from tests.models.small_spade_terrain import network, output
torch.set_num_threads(1)
with torch.inference_mode():
    result = torch.cat(output(network("{name}"), small.random_ids(64, 96), torch.ones(1, 4), seed=99), dim=1)
print(hashlib.sha256(result.numpy().tobytes()).hexdigest())
"""


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_gives_the_same_bytes_in_two_processes(name: str) -> None:
    code = DIGEST.format(name=name)
    other = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    here = torch.cat(output(network(name), small.random_ids(64, 96), torch.ones(1, 4), seed=99), dim=1)
    assert other.stdout.strip() == hashlib.sha256(here.numpy().tobytes()).hexdigest()


@pytest.mark.parametrize("name", NAMES)
def test_another_seed_changes_texture_and_height(name: str) -> None:
    generator, ids = network(name), small.random_ids(64, 64)
    for one, two in zip(output(generator, ids, STYLE, seed=1), output(generator, ids, STYLE, seed=2), strict=True):
        assert float((one != two).float().mean()) > 0.5  # black pixels are equal


@pytest.mark.parametrize("name", NAMES)
def test_latent_numbers_change_the_output_except_with_instance_norm(name: str) -> None:
    generator, ids = network(name), small.random_ids(64, 64)
    difference = (output(generator, ids, STYLE)[1] - output(generator, ids, -STYLE)[1]).abs().max()
    if name == "spade-terrain-1.0":
        assert float(difference) < 1e-3
    else:
        assert float(difference) > 0.05


@pytest.mark.parametrize("name", NAMES)
def test_rerolled_noise_changes_the_output(name: str) -> None:
    generator, ids, window = network(name), small.random_ids(64, 64), Window((0, 64), (0, 64))
    rerolls = torch.zeros(64, 64, dtype=torch.uint8)
    rerolls[40:, 40:] = 1
    changed_output = generator(ids, window, rerolled(5, rerolls.numpy(), (window.rows, window.cols)), STYLE)[1]
    assert float((changed_output != output(generator, ids, STYLE)[1])[0, 0, 40:, 40:].float().mean()) > 0.9


@pytest.mark.parametrize("name", NAMES)
def test_maps_of_a_batch_do_not_mix(name: str) -> None:
    generator = network(name)
    ids = torch.cat([small.random_ids(64, 64), small.random_ids(64, 64, cell_px=9)])
    window, styles = Window((0, 64), (0, 64)), torch.cat([STYLE, -STYLE])
    both = torch.cat(generator(ids, window, seeded([8, 9]), styles), dim=1)
    for index, seed in enumerate((8, 9)):
        single = torch.cat(generator(ids[[index]], window, seeded([seed]), styles[[index]]), dim=1)
        torch.testing.assert_close(both[[index]], single, rtol=0, atol=1e-4)


# Receptive field


MIDDLE_PX = 527
"""The coarsest level reads the middles of its cells. This is one, near the middle of 1024 px."""


RECEPTIVE_PX = 333
"""Largest distance of a pixel of the map from a pixel of the result of version 1.1 that depends on it."""


def changed(generator: ReferenceNetwork, side: int, place: int) -> Tensor:
    """(H, W) bool: where one changed pixel of a map of one class, on its diagonal, changes the output."""
    ids = torch.full((1, side, side), 2, dtype=torch.uint8)
    edited = ids.clone()
    edited[0, place, place] = 5
    window = Window((0, side), (0, side))
    before, after = (generator.unshaded(map_ids, window, seeded([5]), STYLE) for map_ids in (ids, edited))
    return (before != after).any(dim=1)[0]


def test_instance_norm_reads_the_whole_map() -> None:
    assert float(changed(network("spade-terrain-1.0"), 512, 15).float().mean()) > 0.99


def test_modulated_convolutions_read_a_part_of_the_map() -> None:
    where = changed(network("spade-terrain-1.1"), 1024, MIDDLE_PX).nonzero() - MIDDLE_PX
    assert RECEPTIVE_PX - 32 <= int(where.abs().max()) <= RECEPTIVE_PX


def test_scaled_sums_read_a_larger_part_of_the_map() -> None:
    where = changed(network("spade-terrain-1.2"), 1024, MIDDLE_PX).nonzero() - MIDDLE_PX
    assert int(where.abs().max()) > RECEPTIVE_PX


# Layers


def test_padding_repeats_the_outermost_pixels() -> None:
    row = torch.tensor([[[[1.0, 2, 3]]]]).expand(1, 1, 2, 3)
    assert mirrored(row, 2)[0, 0, 0].tolist() == [2, 1, 1, 2, 3, 3, 2]
    assert mirrored(row, 2).shape == (1, 1, 6, 7)


def test_demodulation_keeps_the_size_of_the_features_whatever_the_scale() -> None:
    torch.manual_seed(0)
    layer = ModulatedConv2d(16, 16, 3, MapScale(16, 8))
    x, fractions = torch.randn(1, 16, 24, 24), F.one_hot(small.random_ids(24, 24).long(), 7).movedim(-1, 1).float()
    assert 0.9 < float(layer(x, fractions).std()) < 1.1
    # Ten times the weights give the same output.
    before = layer(x, fractions)
    layer.weight.mul_(10)
    torch.testing.assert_close(layer(x, fractions), before, rtol=1e-3, atol=1e-3)
    layer.scale.tell.bias.add_(1)
    layer.scale.tell.weight.mul_(2)
    layer.scale.tell.bias.mul_(2).sub_(1)  # 1 + scale is now twice as large
    assert 0.9 < float(layer(x, fractions).std()) < 1.1


def test_each_pixel_is_a_modulated_and_demodulated_convolution() -> None:
    torch.manual_seed(0)
    layer = ModulatedConv2d(3, 2, 3, MapScale(3, 4))
    x, fractions = torch.randn(1, 3, 5, 5), torch.rand(1, 7, 5, 5)
    scale = 1 + layer.scale(fractions)
    weight = layer.weight * scale[0, :, 1:4, 1:4]  # of the pixel (2, 2)
    weight = weight / weight.square().sum(dim=(1, 2, 3), keepdim=True).sqrt()
    expected = (weight * x[0, :, 1:4, 1:4]).sum(dim=(1, 2, 3))
    torch.testing.assert_close(layer(x, fractions)[0, :, 2, 2], expected, rtol=1e-4, atol=1e-5)


def test_attention_equals_its_definition() -> None:
    torch.manual_seed(0)
    layer = LocalAttention(8, 2, 3)
    query, key, value = torch.randn(3, 1, 8, 5, 6)
    result = layer(query, key, value)
    for row, col in ((2, 3), (0, 0), (4, 5), (0, 2)):
        for head in range(2):
            channels = slice(4 * head, 4 * head + 4)
            scores, values = [], []
            for down in range(3):
                for right in range(3):
                    there = row + down - 1, col + right - 1
                    if 0 <= there[0] < 5 and 0 <= there[1] < 6:
                        relative = torch.cat([layer.row[down, head], layer.col[right, head]])
                        scores.append(query[0, channels, row, col] @ (key[0, channels, *there] + relative) / 2)
                        values.append(value[0, channels, *there])
            expected = torch.stack(scores).softmax(dim=0) @ torch.stack(values)
            torch.testing.assert_close(result[0, channels, row, col], expected, rtol=1e-4, atol=1e-5)


def test_scaled_sum_adds_the_means_of_a_binary_tree() -> None:
    layer = ScaledSum(1, 4)
    assert layer.blocks == [(1, 1), (2, 1), (2, 2), (4, 2), (4, 4)]
    picture = torch.arange(16.0).reshape(1, 1, 4, 4)
    weights = torch.tensor([0.4, 0.3, 0.15, 0.1, 0.05])
    layer.weight.copy_(weights.log()[:, None])
    # For the pixel (0, 0): the means of 1 x 1, 2 x 1, 2 x 2, 4 x 2 and 4 x 4 px.
    expected = weights @ torch.tensor([0.0, 2.0, 2.5, 6.5, 7.5])
    assert float(layer(picture)[0, 0, 0, 0]) == pytest.approx(float(expected))


@pytest.mark.parametrize("size", [(2, 2), (2, 8), (5, 7), (13, 3)])
def test_scaled_sum_of_any_size_is_a_mean(size: tuple[int, int]) -> None:
    layer = ScaledSum(3, 8)
    layer.weight.normal_()
    torch.testing.assert_close(layer(torch.full((1, 3, *size), 5.0)), torch.full((1, 3, *size), 5.0))


def test_new_networks_are_not_saturated() -> None:
    torch.manual_seed(0)
    for name in NAMES:
        generator: nn.Module = NETWORKS[name].new_generator(CONFIGS[name])
        albedo, elevation = output(generator, small.random_ids(96, 96), STYLE)
        assert float(elevation.abs().max()) < 0.999 and float(albedo.std()) > 1e-3
