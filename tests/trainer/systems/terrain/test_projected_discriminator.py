from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.utils.parametrizations import spectral_norm

from terrainpaint.errors import TrainingError
from tests.trainer.loop.test_loop import assert_equal, stopped_and_resumed
from tests.trainer.losses.test_losses import squeezenet_state
from tests.trainer.runs import NETWORK, changed, quiet, train_terrain
from trainer.data.tile_set import TileSet
from trainer.losses.perceptual import load_perceptual
from trainer.networks.multiscale_discriminator import MultiscaleDiscriminator
from trainer.systems.terrain.build import load_grown
from trainer.systems.terrain.config import TerrainConfig
from trainer.systems.terrain.discriminators import LOCAL_CHANNELS
from trainer.systems.terrain.projected_discriminator import ProjectedDiscriminator

pytestmark = pytest.mark.usefixtures("few_samples_of_style")

DEPTHS = 4


@pytest.fixture
def features(tmp_path: Path) -> Path:
    save_file(squeezenet_state(), tmp_path / "squeezenet.safetensors")
    return tmp_path / "squeezenet.safetensors"


def projected(features: Path) -> ProjectedDiscriminator:
    torch.manual_seed(0)
    base = MultiscaleDiscriminator(LOCAL_CHANNELS, (8, 8), 2)
    return ProjectedDiscriminator(base, load_perceptual(features), spectral_norm).eval()


def scores(discriminator: ProjectedDiscriminator, x: Tensor) -> list[Tensor]:
    torch.manual_seed(1)  # the light on the relief
    return [scale[-1].detach() for scale in discriminator(x)]


def test_terrain_relief_and_map_matter_at_every_depth(features: Path) -> None:
    discriminator, x = projected(features), torch.rand(2, LOCAL_CHANNELS, 64, 64)
    found = discriminator(x)
    assert [len(each) for each in found] == [3, 3, *[1] * 2 * DEPTHS]
    sides = [each[-1].shape[-1] for each in found[2:]]
    assert sides == sides[:DEPTHS] * 2 == sorted(sides[:DEPTHS], reverse=True) * 2
    before = scores(discriminator, x)
    terrain, relief = slice(2, 2 + DEPTHS), slice(2 + DEPTHS, None)
    for channels, touched, left in ((slice(0, 3), terrain, relief), (slice(4, 6), relief, terrain)):
        other = x.clone()
        other[:, channels] += 0.3 * torch.rand_like(other[:, channels])
        after = scores(discriminator, other)
        assert not any(map(torch.equal, before[touched], after[touched]))
        assert all(map(torch.equal, before[left], after[left]))
    other = x.clone()
    other[:, -7:] = other[:, -7:].flip(1)
    assert not any(map(torch.equal, before, scores(discriminator, other)))


def test_smaller_pictures_are_discriminated_too_and_an_older_discriminator_continues(features: Path) -> None:
    one, x = projected(features), torch.rand(1, LOCAL_CHANNELS, 192, 192)
    base = MultiscaleDiscriminator(LOCAL_CHANNELS, (8, 8), 2)
    three = ProjectedDiscriminator(base, load_perceptual(features), spectral_norm, scales=3).eval()
    load_grown(three, one.state_dict())
    before, after = scores(one, x), scores(three, x)
    assert len(after) == 2 + 3 * 2 * DEPTHS
    assert all(map(torch.equal, before, after[: len(before)]))
    # Detail of one pixel is gone in the smaller pictures; wider structure is not.
    fine, coarse = x.clone(), x.clone()
    fine[:, :3, ::2] += 0.3
    fine[:, :3, 1::2] -= 0.3
    coarse[:, :3, :64] += 0.3
    small = slice(len(before), len(before) + DEPTHS)
    assert all(torch.allclose(*each, atol=1e-4) for each in zip(after[small], scores(three, fine)[small], strict=True))
    assert not any(map(torch.equal, after[small], scores(three, coarse)[small]))


def test_each_size_has_room(features: Path) -> None:
    with pytest.raises(TrainingError, match="at least 192, not 128"):
        TerrainConfig(projected=True, perceptual=str(features), projected_scales=3, crop_px=128)


def test_ridges_of_any_direction_are_visible(features: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lit from north-west alone, ridges that run to south-east would look like a plain."""
    discriminator, x = projected(features), torch.zeros(1, LOCAL_CHANNELS, 48, 48)
    waves = 0.1 * torch.sin(torch.arange(48)[:, None] + torch.arange(48))
    shown: list[Tensor] = []
    see = discriminator.network.forward
    monkeypatch.setattr(discriminator.network, "forward", lambda picture: shown.append(picture) or see(picture))
    for seed in range(8):
        torch.manual_seed(seed)
        for sign in (1, -1):
            x[0, 4], x[0, 5] = waves, sign * waves
            discriminator(x)
            contrasts = sorted(shown[-1].std(dim=(0, 2, 3)).tolist())
            assert contrasts[0] < 1e-6 and contrasts[2] > 0.02


def test_the_input_gets_a_gradient_and_the_features_do_not(features: Path) -> None:
    discriminator, x = projected(features), torch.rand(1, LOCAL_CHANNELS, 64, 64, requires_grad=True)
    sum(each[-1].sum() for each in discriminator(x)[2:]).backward()
    assert x.grad is not None
    moved = x.grad.abs().sum(dim=(0, 2, 3)) > 0
    assert moved.tolist() == [channel < 3 or channel in (4, 5) for channel in range(LOCAL_CHANNELS)]
    assert all(each.grad is None for each in discriminator.network.parameters())


def test_a_run_leaves_the_features_and_projections_as_they_are_and_resumes(
    labelled: TileSet, tmp_path: Path, features: Path
) -> None:
    config = changed(projected=True, perceptual=str(features), crop_px=48, save_images=100, sample_images=100)
    found = stopped_and_resumed(labelled, config, tmp_path, NETWORK)
    assert_equal(found["whole"], found["broken"])
    first = train_terrain(labelled, changed(config, images=2), tmp_path / "first", quiet)
    assert first is not None
    trained, begun = found["whole"]["discriminator"], torch.load(first, weights_only=True)["discriminator"]
    assert isinstance(trained, dict)
    fixed = [name for name in trained if name.startswith("network.") or ".mixed." in name]
    learns = [name for name in trained if ".score." in name and name.endswith("original")]
    assert len(fixed) == len(projected(features).network.state_dict()) + 2 * DEPTHS
    assert all(torch.equal(trained[name], begun[name]) for name in fixed)
    assert learns and not any(torch.equal(trained[name], begun[name]) for name in learns)
