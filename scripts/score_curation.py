"""Score curation on a folder whose truth is known: the numbers of docs/curation.md.

    python -m scripts.score_curation FOLDER INDEX.csv OUT [STRANGERS ...]

The index has a line for each file: `file` (relative to the index), `category` and `exact_duplicate` (0 or 1). OUT is
the folder that `python -m trainer curate FOLDER -o OUT` wrote; its cache saves the time for the features. STRANGERS are
folders of other pictures.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from trainer.curation.duplicates import duplicate_groups
from trainer.curation.examples import goodness
from trainer.curation.outliers import isolation
from trainer.curation.pictures import Cache, Pictures, look_at_files, look_of
from trainer.data.folder_files import find_files
from trainer.data.image_folder import read_rgb
from trainer.metrics.features import Features
from trainer.metrics.features_option import EFFICIENTNET

GOOD = frozenset(
    {"animals", "plants", "food", "people", "buildings", "tools", "transportation", "recreation", "geography", "office"}
    | {"education"}
)
BAD = frozenset({"computer", "shapes", "special", "logos"})
DRAWS, STRANGERS = 10, 30
SEEDS = 20
COPIES = 500
LEAST_CONTRAST = 10


def main() -> None:
    """Print the scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("index", type=Path)
    parser.add_argument("curated", type=Path, metavar="OUT")
    parser.add_argument("strangers", type=Path, nargs="*")
    arguments = parser.parse_args()
    network = Features.load(Path(EFFICIENTNET), torch.device("cpu"))
    cache = Cache(arguments.curated / "cache.npz", network.label)
    pictures = look_at_files(find_files(arguments.folder), network, cache)
    with arguments.index.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    truth = {(arguments.index.parent / line["file"]).relative_to(arguments.folder).as_posix(): line for line in lines}
    exact = np.array([truth[name]["exact_duplicate"] == "1" for name in pictures.names])
    category = np.array([truth[name]["category"].split("/")[0] for name in pictures.names])
    _score_exact(pictures, exact)
    unique = [index for index in range(len(pictures)) if not exact[index]]
    _score_changed_copies(arguments.folder, pictures.subset(unique))
    quality = np.where(np.isin(category, sorted(GOOD)), 1, np.where(np.isin(category, sorted(BAD)), 0, -1))[unique]
    features = pictures.subset(unique).features()
    strangers = {name: features[category[unique] == name] for name in sorted(BAD - {"logos"})}
    for folder in arguments.strangers:
        strangers[folder.name] = look_at_files(find_files(folder), network, cache).features()
    _score_strangers(features[quality == 1], strangers)
    _score_noise(features, quality)


def _score_exact(pictures: Pictures, exact: NDArray[np.bool_]) -> None:
    found = {copy.index for group in duplicate_groups(pictures, near=0) for copy in group.copies}
    right = sum(bool(exact[index]) for index in found)
    print(f"exact duplicates: {len(found)} found, {exact.sum()} known, {right} of them the same files")


def _score_changed_copies(folder: Path, pictures: Pictures) -> None:
    """Recall of copies that are made here: of how many pictures the copy and the original do not both stay."""
    dropped = {copy.index for group in duplicate_groups(pictures) for copy in group.copies}
    contrast = pictures.small().reshape(len(pictures), -1, 3).std(axis=1).max(axis=1)
    distinct = [index for index in range(len(pictures)) if index not in dropped and contrast[index] > LEAST_CONTRAST]
    print(f"near duplicates: {len(dropped)}; copies are made of {COPIES} of {len(distinct)} others")
    chosen = np.random.default_rng(0).choice(distinct, COPIES, replace=False)

    def jpeg(rgb: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
        return np.asarray(cv2.imdecode(cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 1), np.uint8)

    def scaled(rgb: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
        way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=way), np.uint8)

    def mirrored(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.ascontiguousarray(rgb[:, ::-1])

    changes: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
        "half size": lambda rgb: scaled(rgb, 0.5),
        "twice the size": lambda rgb: scaled(rgb, 2),
        "JPEG quality 50": lambda rgb: jpeg(rgb, 50),
        "JPEG quality 20": lambda rgb: jpeg(rgb, 20),
        "half size, JPEG quality 50": lambda rgb: jpeg(scaled(rgb, 0.5), 50),
        "mirrored": mirrored,
        "mirrored, 60 %, JPEG quality 60": lambda rgb: jpeg(scaled(mirrored(rgb), 0.6), 60),
        "darker, less contrast": lambda rgb: np.clip(rgb * 0.85 + 10, 0, 255).astype(np.uint8),
        "cropped by 1 px": lambda rgb: rgb[1:-1, 1:-1].copy(),
        "cropped by 4 %": lambda rgb: rgb[5:-5, 5:-5].copy(),
    }
    nothing = np.zeros_like(pictures.looks[0].features)
    originals = [read_rgb(folder / pictures.names[index]) for index in chosen]
    for name, change in changes.items():
        looks = [look_of(f"{name} {number}".encode(), change(rgb), nothing) for number, rgb in enumerate(originals)]
        copies = Pictures(tuple(f"~copy {number}" for number in range(COPIES)), tuple(looks))
        both = Pictures(pictures.names + copies.names, pictures.looks + copies.looks)
        gone = {copy.index for group in duplicate_groups(both) for copy in group.copies}
        first = len(pictures)
        recall = np.mean([first + number in gone or int(index) in gone for number, index in enumerate(chosen)])
        print(f"copies, {name}: {recall:.1%} found", flush=True)


def _score_strangers(good: NDArray[np.float32], strangers: dict[str, NDArray[np.float32]]) -> None:
    """How well the distance to neighbours finds a few strangers of one sort among the good pictures."""
    for name, pool in strangers.items():
        for neighbours in (5, 50):
            rows = []
            for seed in range(DRAWS):
                some = pool[np.random.default_rng(seed).choice(len(pool), STRANGERS, replace=False)]
                distances = isolation(np.concatenate([good, some]), neighbours)
                strange = np.arange(len(distances)) >= len(good)
                first = strange[np.argsort(-distances)[:STRANGERS]]
                rows.append((roc_auc_score(strange, distances), first.mean()))
            print(f"{STRANGERS} of {name} among {len(good)}, {neighbours} neighbours: area under the curve {{}}, "
                  f"among the {STRANGERS} most isolated {{}}".format(*_ranges(rows)), flush=True)  # fmt: skip


def _ranges(rows: Sequence[tuple[float, ...]]) -> list[str]:
    """Mean and range of each column."""
    values = np.array(rows)
    return [f"{column.mean():.3f} ({column.min():.3f} to {column.max():.3f})" for column in values.T]


def _score_noise(features: NDArray[np.float32], quality: NDArray[np.int64]) -> None:
    known = np.flatnonzero(quality >= 0)
    bad = quality[known] == 0
    print(f"noise: {bad.sum()} of {len(known)} different pictures")
    distances = isolation(features)[known]
    print(f"noise by outliers: area under the curve {roc_auc_score(bad, distances):.3f}, "
          f"noise among the 100 most isolated {bad[np.argsort(-distances)[:100]].mean():.0%}")  # fmt: skip
    for count in (5, 10, 20):
        rows = []
        for seed in range(SEEDS):
            random = np.random.default_rng(seed)
            good_ones = random.choice(np.flatnonzero(quality == 1), count, replace=False)
            bad_ones = random.choice(np.flatnonzero(quality == 0), count, replace=False)
            rest = np.setdiff1d(known, [*good_ones, *bad_ones])
            scores, is_bad = goodness(features, good_ones.tolist(), bad_ones.tolist())[rest], quality[rest] == 0
            flagged = scores < 0.5
            rows.append((
                roc_auc_score(is_bad, -scores), average_precision_score(is_bad, -scores), is_bad[flagged].mean(),
                flagged[is_bad].mean(),
            ))  # fmt: skip
        print(f"noise by {count} + {count} examples, {SEEDS} draws: area under the curve {{}}, average precision {{}}, "
              "precision {}, recall {}".format(*_ranges(rows)), flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
