from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.curation.duplicates import Likeness, duplicate_groups, leaks
from trainer.curation.pictures import Pictures, look_of

Picture = NDArray[np.uint8]


def drawing(seed: int, rows: int = 128, cols: int = 128) -> Picture:
    """Some filled figures on a plain ground."""
    random = np.random.default_rng(seed)
    canvas = np.full((rows, cols, 3), random.integers(150, 256, 3), np.uint8)
    for _ in range(7):
        centre = [int(value) for value in random.integers(10, (cols - 10, rows - 10))]
        colour = [int(value) for value in random.integers(0, 256, 3)]
        axes = [int(value) for value in random.integers(6, 40, 2)]
        cv2.ellipse(canvas, centre, axes, float(random.integers(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
    return canvas


def pictures_of(named: dict[str, Picture]) -> Pictures:
    """Looks as those of lossless files, with no features."""
    nothing = np.zeros(1, np.float16)
    return Pictures(
        tuple(named), tuple(look_of(cv2.imencode(".png", rgb)[1].tobytes(), rgb, nothing) for rgb in named.values())
    )


def found(pictures: Pictures, near: float = 12.0) -> dict[str, list[tuple[str, Likeness]]]:
    return {
        pictures.names[group.kept]: [(pictures.names[copy.index], copy.likeness) for copy in group.copies]
        for group in duplicate_groups(pictures, near)
    }


def groups_of(pictures: Pictures) -> dict[str, set[str]]:
    return {kept: {name for name, _ in copies} for kept, copies in found(pictures).items()}


def jpeg(rgb: Picture, quality: int) -> Picture:
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 1), np.uint8)


CHANGES: dict[str, tuple[Callable[[Picture], Picture], Likeness]] = {
    "the same": (lambda rgb: rgb, Likeness.SAME_FILE),
    "half": (lambda rgb: cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), Likeness.NEAR),
    "half, compressed": (
        lambda rgb: jpeg(cv2.resize(rgb, (64, 64), interpolation=cv2.INTER_AREA), 80),
        Likeness.NEAR,
    ),
    "compressed": (lambda rgb: jpeg(rgb, 40), Likeness.NEAR),
    "brighter": (lambda rgb: np.clip(rgb * 0.85 + 20, 0, 255).astype(np.uint8), Likeness.NEAR),
    "noisy": (
        lambda rgb: np.clip(rgb + np.random.default_rng(0).normal(0, 6, rgb.shape), 0, 255).astype(np.uint8),
        Likeness.NEAR,
    ),
    "mirrored": (lambda rgb: np.ascontiguousarray(rgb[:, ::-1]), Likeness.MIRRORED),
    "mirrored, reduced": (
        lambda rgb: cv2.resize(rgb[:, ::-1], (90, 90), interpolation=cv2.INTER_AREA),
        Likeness.MIRRORED,
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_copies_of_a_picture_are_found_and_other_pictures_are_not(change: str) -> None:
    alter, likeness = CHANGES[change]
    named = {f"{seed}.png": drawing(seed) for seed in range(12)}
    named["copy.png"] = alter(named["5.png"])
    assert found(pictures_of(named)) == {"5.png": [("copy.png", likeness)]}


def test_upside_down_and_recoloured_pictures_are_no_copies() -> None:
    named = {"a.png": drawing(1), "b.png": drawing(1)[::-1].copy(), "c.png": drawing(1)[:, :, ::-1].copy()}
    assert found(pictures_of(named)) == {}


def test_pictures_of_one_series_are_told_apart_by_a_small_part() -> None:
    card = drawing(3)
    other = card.copy()
    other[40:56, 40:56] = 255 - other[40:56, 40:56]
    assert found(pictures_of({"a.png": card, "b.png": other})) == {}


def test_another_aspect_ratio_is_no_copy() -> None:
    wide = cv2.resize(drawing(2), (192, 128), interpolation=cv2.INTER_AREA)
    assert found(pictures_of({"a.png": drawing(2), "b.png": wide})) == {}


def test_the_largest_copy_stays_and_among_equal_ones_the_first_by_name() -> None:
    large = cv2.resize(drawing(4), (200, 200), interpolation=cv2.INTER_CUBIC)
    groups = found(pictures_of({"b.png": drawing(4), "z.png": large, "a.png": drawing(4)}))
    assert groups == {"z.png": [("a.png", Likeness.NEAR), ("b.png", Likeness.NEAR)]}
    assert list(found(pictures_of({"b.png": drawing(4), "a.png": drawing(4)}))) == ["a.png"]


def test_the_groups_do_not_depend_on_the_order_of_the_files() -> None:
    named = {f"{seed}.png": cv2.resize(drawing(seed % 6), (120 + seed, 120 + seed)) for seed in range(18)}
    backwards = dict(reversed(named.items()))
    assert groups_of(pictures_of(named)) == groups_of(pictures_of(backwards)) != {}


def test_a_chain_of_small_changes_does_not_join_unlike_pictures() -> None:
    steps = [np.full((64, 64, 3), 255, np.uint8) for _ in range(24)]
    for number, step in enumerate(steps):
        cv2.circle(step, (14 + number, 32), 12, (20, 20, 20), -1, cv2.LINE_AA)
    pictures = pictures_of({f"{number:02d}.png": step for number, step in enumerate(steps)})
    groups = found(pictures, near=40)
    assert len(groups) > 2 and all(len(copies) < 12 for copies in groups.values())


def test_blank_pictures_are_alike_only_when_they_are_the_same() -> None:
    named = {f"{value}.png": np.full((64, 64, 3), value, np.uint8) for value in (0, 128, 255)}
    assert found(pictures_of(named)) == {}


def test_without_a_tolerance_only_exact_copies_are_found() -> None:
    named = {"a.png": drawing(1), "b.png": jpeg(drawing(1), 90), "c.png": drawing(1)}
    assert found(pictures_of(named), near=0) == {"a.png": [("c.png", Likeness.SAME_FILE)]}


def test_the_same_pixels_in_another_file_are_an_exact_copy() -> None:
    nothing = np.zeros(1, np.float16)
    looks = tuple(look_of(data, drawing(1), nothing) for data in (b"one file", b"another"))
    assert found(Pictures(("a.png", "b.bmp"), looks)) == {"a.png": [("b.bmp", Likeness.SAME_PIXELS)]}


def test_more_pictures_than_a_block_are_compared_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.curation.duplicates._QUERIES", 4)
    named = {f"{seed:02d}.png": drawing(seed) for seed in range(11)}
    named |= {f"z{seed}.png": jpeg(drawing(seed), 60) for seed in (0, 4, 10)}
    groups = found(pictures_of(named))
    assert groups == {f"{seed:02d}.png": [(f"z{seed}.png", Likeness.NEAR)] for seed in (0, 4, 10)}


def leaked(training: Sequence[Picture], validation: Sequence[Picture]) -> list[tuple[int, int, Likeness]]:
    ours = pictures_of({f"t{index}": rgb for index, rgb in enumerate(training)})
    theirs = pictures_of({f"v{index}": rgb for index, rgb in enumerate(validation)})
    return [(match.index, match.other, match.likeness) for match in leaks(ours, theirs)]


def test_copies_of_validation_pictures_are_leaks() -> None:
    training = [drawing(seed) for seed in range(8)]
    validation = [drawing(20), jpeg(drawing(2), 60), drawing(3), training[6][:, ::-1].copy()]
    assert leaked(training, validation) == [
        (2, 1, Likeness.NEAR),
        (3, 2, Likeness.SAME_FILE),
        (6, 3, Likeness.MIRRORED),
    ]
    assert leaked(training, []) == [] and leaked([], validation) == []
