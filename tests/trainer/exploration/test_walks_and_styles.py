"""Walks, mixing, variations, directions and the schedule of projection, on values that are known."""

import argparse
import math

import numpy as np
import pytest
import torch

from terrainpaint.models.stylegan2 import StyleGan2Generator, StyleGan2Shape
from trainer.commands.number_lists import grid_size, layer_list, seed_list
from trainer.exploration.projection import Projection, between, noise_penalty, rate_at, style_noise_at
from trainer.exploration.styles import directions, mixed, moved, varied
from trainer.exploration.walks import on_sphere, straight, walk
from trainer.losses.feature_distance import feature_distance


def test_on_the_sphere_half_of_a_right_angle_is_45_degrees() -> None:
    east, north = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 4.0])
    middle = on_sphere(east, north, 0.5)
    assert middle.tolist() == pytest.approx([3 / math.sqrt(2)] * 2)  # the length is in between too
    assert straight(east, north, 0.5).tolist() == [1, 2]
    third = on_sphere(east / 2, north / 4, 1 / 3)
    assert third.tolist() == pytest.approx([math.cos(math.pi / 6), math.sin(math.pi / 6)])
    for end, part in ((east, 0.0), (north, 1.0)):
        assert on_sphere(east, north, part).tolist() == pytest.approx(end.tolist(), abs=1e-6)
    assert on_sphere(east, east, 0.3).tolist() == pytest.approx([2, 0])
    assert not on_sphere(east, -east, 0.3).isnan().any()


def test_an_open_walk_has_both_ends_and_a_closed_one_closes() -> None:
    points = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    path = torch.stack(walk(list(points), 4, False, straight))
    assert len(path) == 9 and torch.equal(path[[0, 4, 8]], points)
    assert torch.allclose(path[1], points[0].lerp(points[1], 0.25))
    loop = torch.stack(walk(list(points), 4, True, straight))
    assert len(loop) == 12 and torch.equal(loop[:8], path[:8])
    # One more step would be the first point again: a film of it runs on without a halt.
    back = torch.stack(walk([*points, points[0]], 4, False, straight))
    assert torch.equal(back[:-1], loop) and torch.equal(back[-1], loop[0])
    assert torch.allclose(loop[-1], points[2].lerp(points[0], 0.75))


def test_noise_between_two_projections_keeps_its_variance() -> None:
    random = torch.Generator().manual_seed(0)
    one, other = (Projection(torch.full((4, 3), value), (torch.randn(1, 1, 64, 64, generator=random),))
                  for value in (0.0, 2.0))  # fmt: skip
    middle = between(one, other, 0.25)
    assert (middle.styles == 0.5).all() and float(middle.noise[0].std()) == pytest.approx(1, abs=0.05)
    assert torch.equal(between(one, other, 0).noise[0], one.noise[0])


def test_mixing_takes_the_layers_of_the_column() -> None:
    rows, columns = torch.zeros(2, 4, 3), torch.ones(3, 4, 3)
    styles = mixed(rows, columns, [0, 1])
    assert styles.shape == (2, 3, 4, 3)
    assert (styles[:, :, :2] == 1).all() and (styles[:, :, 2:] == 0).all()


def test_variations_add_the_deviation_of_other_styles() -> None:
    styles, others, mean = torch.zeros(4, 3), torch.full((2, 4, 3), 3.0), torch.ones(3)
    found = varied(styles, others, mean, 0.5, [2, 3])
    assert (found[:, :2] == 0).all() and (found[:, 2:] == 1).all()
    assert (varied(styles, others, mean, 0, [2, 3]) == 0).all()


def test_directions_are_the_eigenvectors_of_the_stacked_weights() -> None:
    torch.manual_seed(1)
    generator = StyleGan2Generator(StyleGan2Shape(16, base_channels=64, most_channels=8, latent=6))
    found, changes = directions(generator.synthesis.style_weights(), [0, 2, 5], 6)
    assert torch.allclose(found @ found.T, torch.eye(6), atol=1e-5)
    weights = generator.synthesis.style_weights()
    stacked = torch.cat([weights[layer] for layer in (0, 2, 5)])
    # A step along a direction changes the scales by the root of its value; the first changes them the most.
    assert torch.allclose((stacked @ found.T).square().sum(dim=0), changes, rtol=1e-4)
    assert (changes[:-1] >= changes[1:]).all()
    assert (found.gather(1, found.abs().argmax(dim=1, keepdim=True)) > 0).all()
    other = torch.randn(6)
    assert (stacked @ (other / other.norm())).square().sum() <= changes[0] * (1 + 1e-5)
    styles = torch.randn(6, 6)
    path = moved(styles, found[0], [-1.0, 0.0, 2.0], [1])
    assert torch.equal(path[1], styles) and torch.allclose(path[2, 1] - styles[1], 2 * found[0], atol=1e-6)
    assert torch.equal(path[:, 2:], styles[2:].expand(3, -1, -1))


def test_the_schedule_is_the_published_one() -> None:
    assert [rate_at(step, 1000) for step in (0, 25, 50, 400, 750, 875)] == pytest.approx([0, 0.05, 0.1, 0.1, 0.1, 0.05])
    assert rate_at(999, 1000) < 1e-5
    assert [style_noise_at(step, 1000) for step in (0, 375, 750, 900)] == pytest.approx([0.05, 0.0125, 0, 0])


def test_the_penalty_of_noise_sees_structure_at_all_scales() -> None:
    constant = torch.ones(1, 1, 8, 8)
    assert float(noise_penalty([constant])) == pytest.approx(2)  # two axes
    assert float(noise_penalty([torch.ones(1, 1, 16, 16)])) == pytest.approx(4)  # and two scales
    assert float(noise_penalty([torch.ones(1, 1, 4, 4), constant])) == pytest.approx(4)
    rows = torch.arange(8) % 2 * 2.0 - 1
    stripes = rows[:, None].expand(8, 8)[None, None]
    assert float(noise_penalty([stripes])) == pytest.approx(2)
    white = torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    assert float(noise_penalty([white])) < 0.1


def test_the_distance_of_features_is_that_of_their_directions() -> None:
    one = [torch.zeros(1, 2, 4, 4), torch.zeros(1, 3, 1, 1)]
    one[0][:, 0], one[1][:, 1] = 5.0, 0.1
    other = [torch.zeros(1, 2, 4, 4), one[1] * 7]
    other[0][:, 1, :, :2], other[0][:, 0, :, 2:] = 3.0, 1.0
    # Half of the places have features at a right angle, whose squared distance is 2.
    assert float(feature_distance(one, other)) == pytest.approx(1, abs=1e-5)
    assert float(feature_distance(one, one)) == 0


def test_lists_of_seeds_layers_and_sizes() -> None:
    assert seed_list("3,7,20-22") == (3, 7, 20, 21, 22) and seed_list(" 5 ") == (5,)
    assert layer_list("8,0-2,1") == (0, 1, 2, 8)
    sizes = {"9": (3, 3), "20": (5, 4), "6x4": (6, 4), "1": (1, 1), "7": (7, 1), "4×2": (4, 2)}
    assert {text: grid_size(text) for text in sizes} == sizes


@pytest.mark.parametrize(("read", "text", "message"), [
    (seed_list, "5-2", "write 2-5"), (seed_list, "-1", "no seeds"), (seed_list, "a", "no seeds"),
    (seed_list, "", "no seeds"), (seed_list, "1,,2", "no seeds"), (seed_list, "1-99999", "more than 10000"),
    (seed_list, "4294967296", "at most 4294967295"), (layer_list, "x", "no layers"), (grid_size, "0", "1 to 10000"),
    (grid_size, "3x", "is no grid"), (grid_size, "999x999", "1 to 10000"), (seed_list, "²", "no seeds"),
])  # fmt: skip
def test_nonsense_is_refused(read: object, text: str, message: str) -> None:
    assert callable(read)
    with pytest.raises(argparse.ArgumentTypeError, match=message):
        read(text)


def test_seeds_are_those_of_numpy() -> None:
    from terrainpaint.models.stylegan2 import latents_of

    assert np.allclose(latents_of([7, 3], 5)[1].numpy(), np.random.RandomState(3).randn(5))
