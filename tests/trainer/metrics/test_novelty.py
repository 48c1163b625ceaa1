"""Nearest neighbours, and the threshold for copies, on features whose neighbours are known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.metrics.features import TwoLayers
from trainer.metrics.nearest import nearest
from trainer.metrics.novelty import Novelty, novelty


def test_nearest_is_by_cosine_and_in_order() -> None:
    keys = np.array([[1, 0], [0, 2], [3, 3], [-1, 0]], np.float32)
    found = nearest(np.array([[5, 0.1], [0, 0]], np.float32), keys, 3)
    assert found.indices[0].tolist() == [0, 2, 1]
    assert found.similarity[0].tolist() == pytest.approx([0.9998, 0.7212, 0.0200], abs=1e-4)
    assert found.indices[1].tolist() == [0, 1, 2] and found.similarity[1].tolist() == [0, 0, 0]
    assert nearest(keys, keys, 9).indices.shape == (4, 4)
    with pytest.raises(ValueError, match="nothing to compare"):
        nearest(keys, keys[:0], 1)


def test_blocks_do_not_change_the_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    queries, keys = (random.normal(size=(size, 5)).astype(np.float32) for size in (23, 40))

    def even(block: slice) -> NDArray[np.bool_]:
        rows = np.arange(23)[block]
        return np.asarray((np.arange(40)[None] + rows[:, None]) % 2 == 0)

    whole = nearest(queries, keys, 6, even)
    monkeypatch.setattr("trainer.metrics.nearest._BLOCK_VALUES", 90)
    parts = nearest(queries, keys, 6, even)
    assert np.array_equal(whole.indices, parts.indices)
    assert ((whole.indices + np.arange(23)[:, None]) % 2 == 1).all()


def compared(
    samples: NDArray[np.float32],
    pictures: NDArray[np.uint8],
    training: NDArray[np.float32],
    of_samples: NDArray[np.uint8] | None = None,
) -> Novelty:
    if of_samples is None:
        of_samples = np.random.default_rng(9).integers(0, 256, (len(samples), *pictures.shape[1:]), np.uint8)
    features = TwoLayers(samples, samples), TwoLayers(training, training)
    return novelty(*features, of_samples, pictures, 4, 5, 0.99, seed=1)


@pytest.fixture
def training() -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    random = np.random.default_rng(5)
    pictures = random.integers(0, 256, (300, 16, 16, 3), np.uint8)
    return pictures, random.normal(size=(300, 12)).astype(np.float32)


def test_copies_are_beyond_the_threshold_and_new_samples_are_not(
    training: tuple[NDArray[np.uint8], NDArray[np.float32]],
) -> None:
    pictures, features = training
    random = np.random.default_rng(6)
    new = random.normal(size=(100, 12)).astype(np.float32)
    copies = features[:3] + random.normal(size=(3, 12)).astype(np.float32) * 0.05
    found = compared(np.concatenate([copies, new]), pictures, features)
    assert found.may_be_copy[:3].all() and found.may_be_copy[3:].sum() <= 6
    late = found.layers["late"]
    assert late.nearest_training.indices[:3, 0].tolist() == [0, 1, 2] and (late.percentile[:3] == 1).all()
    # New samples of the same distribution are as near to the training pictures as these are to one another.
    assert 0.3 < late.authenticity < 0.7
    centred = features - features.mean(axis=0)
    units = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    cosine = units @ units.T
    np.fill_diagonal(cosine, -1)
    assert late.threshold == pytest.approx(float(np.quantile(cosine.max(axis=1), 0.99)), abs=1e-5)
    for layer in found.layers.values():
        hit = layer.nearest_samples.indices[:, 0]
        assert layer.nearest_samples.similarity.shape == (5, 4) and hit.max() < 103


def test_copies_that_noise_hides_from_a_network_are_found_by_their_pixels(
    training: tuple[NDArray[np.uint8], NDArray[np.float32]],
) -> None:
    pictures, features = training
    large = np.repeat(np.repeat(pictures, 4, axis=1), 4, axis=2)
    random = np.random.default_rng(7)
    noisy = np.clip(large[:5] + random.normal(0, 20, (5, 64, 64, 3)), 0, 255).astype(np.uint8)
    elsewhere = random.normal(size=(5, 12)).astype(np.float32)
    found = compared(elsewhere, large, features, noisy)
    pixels = found.layers["pixels"]
    assert found.may_be_copy.all() and pixels.nearest_training.indices[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert (pixels.nearest_training.best > pixels.threshold).all() and pixels.authenticity == 0


def test_duplicates_do_not_raise_the_threshold(training: tuple[NDArray[np.uint8], NDArray[np.float32]]) -> None:
    pictures, features = training
    plain = compared(features[:2], pictures, features)
    changed = np.clip(pictures.astype(int) + 1, 0, 255).astype(np.uint8)
    doubled = compared(features[:2], np.concatenate([pictures, changed]), np.concatenate([features, features * 1.01]))
    assert plain.duplicates == 0 and doubled.duplicates == 1
    assert doubled.layers["late"].threshold == pytest.approx(plain.layers["late"].threshold, abs=0.02)


def test_a_set_of_nothing_but_duplicates_names_no_sample() -> None:
    pictures = np.zeros((4, 16, 16, 3), np.uint8)
    features = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    assert not compared(features, pictures, features, pictures).may_be_copy.any()
