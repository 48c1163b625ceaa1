from dataclasses import replace

import numpy as np
import pytest
import torch

from terrainpaint.errors import TrainingError
from tests.trainer.pictures_in_pairs import make_pairs
from trainer.data.pair_crops import PairCropping, PairCut, draw_pairs, fixed_pairs, pair_places
from trainer.data.pair_set import PairSet


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def identical_pairs(side: int = 80) -> PairSet:
    source = np.random.default_rng(0).integers(0, 256, (3, side, side, 3), dtype=np.uint8)
    return replace(make_pairs(3, side, 0), source=source, target=source.copy())


@pytest.mark.parametrize("cut", list(PairCut))
@pytest.mark.parametrize("margin_px", [0, 11])
def test_identical_pictures_stay_identical(cut: PairCut, margin_px: int) -> None:
    pairs = identical_pairs()
    cropping = PairCropping(32, cut, margin_px, jitter_px=5, flip=True)
    places = pair_places(pairs, cropping)
    batch = draw_pairs(pairs, cropping, np.concatenate([places] * 6), generator())
    inner = slice(margin_px, margin_px + 32)
    assert batch.source.shape[2:] == (32 + 2 * margin_px,) * 2 and batch.target.shape[2:] == (32, 32)
    assert torch.equal(batch.source[:, :, inner, inner], batch.target)
    assert batch.target.min() >= -1 and batch.target.max() <= 1 and batch.target.std() > 0.15


def test_patches_lie_edge_to_edge_and_the_rest_is_left_out() -> None:
    pairs = identical_pairs(600)
    cropping = PairCropping(256, PairCut.PATCHES)
    places = pair_places(pairs, cropping)
    assert places.tolist()[:4] == [[0, 0, 0], [0, 0, 256], [0, 256, 0], [0, 256, 256]] and len(places) == 12
    fixed = fixed_pairs(pairs, cropping, places[7:8])
    expected = torch.from_numpy(pairs.target[1, 256:512, 256:512]).movedim(-1, 0) / 127.5 - 1
    assert torch.equal(fixed.target[0], expected)


def test_the_margin_is_what_surrounds_a_patch_and_the_repeated_edge_beyond_the_picture() -> None:
    pairs = identical_pairs(64)
    cropping = PairCropping(32, PairCut.PATCHES, margin_px=8)
    source = fixed_pairs(pairs, cropping, np.array([[0, 0, 32]])).source[0]
    padded = np.pad(pairs.source[0], ((8, 8), (8, 8), (0, 0)), mode="edge")
    assert torch.equal(source, torch.from_numpy(padded[0:48, 32:80]).movedim(-1, 0) / 127.5 - 1)


def test_resizing_takes_the_whole_picture() -> None:
    pairs = make_pairs(3, 64)
    cropping = PairCropping(32, PairCut.RESIZE)
    fixed = fixed_pairs(pairs, cropping, pair_places(pairs, cropping))
    means = pairs.source.reshape(3, 32, 2, 32, 2, 3).mean(axis=(2, 4))
    assert np.abs((fixed.source.movedim(1, -1).numpy() + 1) * 127.5 - means).max() < 1
    larger = PairCropping(96, PairCut.RESIZE)
    assert fixed_pairs(pairs, larger, pair_places(pairs, larger)).target.shape == (3, 3, 96, 96)


def test_jitter_enlarges_and_moves_but_leaves_no_border() -> None:
    """A ramp stays a ramp: its slope tells the scale, its start the shift."""
    ramp = np.broadcast_to(np.arange(60, 124, dtype=np.uint8)[None, None, :, None], (1, 64, 64, 3)).copy()
    pairs = replace(make_pairs(1, 64, 0), source=ramp, target=ramp.copy())
    for cut in (PairCut.PATCHES, PairCut.RESIZE):
        cropping = PairCropping(64, cut, jitter_px=16, flip=False)
        places = np.repeat(pair_places(pairs, cropping), 60, axis=0)
        values = (draw_pairs(pairs, cropping, places, generator()).source[:, 0, 32] + 1) * 127.5
        slopes = (values[:, 54] - values[:, 10]) / 44
        assert (slopes - 64 / 80).abs().max() < 0.04
        starts = values[:, 0] - 60
        assert starts.min() < 1 and 11 < starts.max() <= 16 * 0.8 + 1 and len(starts.round().unique()) > 8


def test_flips_mirror_about_half_of_the_pairs() -> None:
    pairs = identical_pairs(32)
    cropping = PairCropping(32, PairCut.RESIZE, flip=True)
    places = np.repeat(pair_places(pairs, cropping)[:1], 200, axis=0)
    source = draw_pairs(pairs, cropping, places, generator()).source
    plain = fixed_pairs(pairs, cropping, places[:1]).source
    is_plain = (source == plain).flatten(1).all(1)
    is_mirrored = (source == plain.flip(3)).flatten(1).all(1)
    assert bool((is_plain ^ is_mirrored).all()) and 70 < int(is_mirrored.sum()) < 130


def test_crops_keep_their_margin_inside_the_picture_where_it_fits() -> None:
    index = np.arange(64, dtype=np.uint8)
    picture = np.stack(np.broadcast_arrays(index[:, None], index[None], index[:1, None]), axis=-1)[None]
    pairs = replace(make_pairs(1, 64, 0), source=picture.copy(), target=picture.copy())
    cropping = PairCropping(32, PairCut.CROPS, margin_px=10)
    places = np.repeat(pair_places(pairs, cropping)[:1], 300, axis=0)
    source = ((draw_pairs(pairs, cropping, places, generator()).source + 1) * 127.5).round()
    assert bool((source[:, 0].diff(dim=1) == 1).all()) and bool((source[:, 1].diff(dim=2) == 1).all())
    starts = source[:, :2, 0, 0]
    assert starts.min() == 0 and starts.max() == 12 and len(starts[:, 0].unique()) == 13
    assert not torch.equal(starts[:, 0], starts[:, 1])


def test_batches_depend_on_the_generator_only_and_shards_are_parts_of_the_batch() -> None:
    pairs = identical_pairs()
    cropping = PairCropping(32, PairCut.PATCHES, jitter_px=6, flip=True)
    places = pair_places(pairs, cropping)[:8]
    one, two = generator(5), generator(5)
    whole = draw_pairs(pairs, cropping, places, one)
    part = draw_pairs(pairs, cropping, places, two, slice(4, 8))
    assert torch.equal(whole.source[4:], part.source) and torch.equal(whole.target[4:], part.target)
    assert torch.equal(one.get_state(), two.get_state())
    assert not torch.equal(draw_pairs(pairs, cropping, places, one).source, whole.source)


def test_sets_without_pairs_and_small_pictures_are_refused() -> None:
    pairs = make_pairs(2, 48, 0)
    with pytest.raises(TrainingError, match="48 px and patches of 64 px do not fit"):
        pair_places(pairs, PairCropping(64, PairCut.PATCHES))
    with pytest.raises(TrainingError, match="--validation"):
        pair_places(pairs.subset(1), PairCropping(32, PairCut.RESIZE))
