"""`python -m trainer nearest`: are samples new, or copies of training pictures?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from terrainpaint.core.files import local_path
from terrainpaint.core.path_kinds import is_folder, is_there
from trainer.commands.console import Subparsers, WrongUsage, left_out_line, progress_bar
from trainer.commands.sample import PICTURE_SUFFIXES, samples_of
from trainer.metrics.features_option import EFFICIENTNET, FEATURES_HELP

if TYPE_CHECKING:
    from trainer.data.picture_sources import Pictures
    from trainer.metrics.features import TwoLayers
    from trainer.metrics.novelty import Novelty

PAGE_FILE, FIGURES_FILE = "nearest.html", "nearest.json"
MOST_SAMPLES, MOST_NEAREST = 10_000, 100
_USUAL_SIDE_PX = 128
_NAMES = {"late": "late layer", "early": "early layer", "pixels": "pixels"}


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("nearest", help="find the training pictures that samples are most like, and copies")
    parser.add_argument("samples", type=local_path, metavar="SAMPLES", help="folder of a run, a checkpoint, published "
                        "weights, a sample grid, or a folder of pictures")  # fmt: skip
    parser.add_argument("training", type=local_path, metavar="TRAINING",
                        help="tile set (.npz) or folder of pictures that it was trained on")  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER",
                        help=f"folder for {PAGE_FILE} and {FIGURES_FILE}")  # fmt: skip
    parser.add_argument("--features", type=Path, default=Path(EFFICIENTNET), metavar=f"FILE|{EFFICIENTNET}",
                        help=f"{FEATURES_HELP} ({EFFICIENTNET})")  # fmt: skip
    parser.add_argument("--count", type=int, default=64, help="samples of a run, a checkpoint or weights (64)")
    parser.add_argument("--nearest", type=int, default=24, metavar="N", help="nearest pictures of each (24)")
    parser.add_argument("--both-ways", type=int, default=32, metavar="N",
                        help="random training pictures whose nearest samples are listed (32)")  # fmt: skip
    parser.add_argument("--quantile", type=float, default=0.99, metavar="Q",
                        help="a sample may be a copy when it is nearer to a training picture than this fraction of "
                             "the training pictures is to another one (0.99)")  # fmt: skip
    parser.add_argument("--cell", type=int, metavar="PX", help="side of the pictures of a grid (that of the tiles)")
    parser.add_argument("--size", type=int, metavar="PX", help="side at which pictures are compared (that of the "
                        "samples; for folders that of the tiles, or 128)")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="seed of the first sample and of what is drawn (0)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (auto)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the page and the figures."""
    _check(arguments)
    from terrainpaint.core.files import FileTransaction
    from terrainpaint.errors import TrainingError
    from terrainpaint.models.devices import pick_device
    from trainer.data.picture_sources import refuse_layout_set
    from trainer.metrics.features import LEAST_SIDE_PX, Features
    from trainer.metrics.novelty import novelty
    from trainer.reports.novelty_page import figures_json, novelty_page

    if not is_folder(arguments.training):
        refuse_layout_set(arguments.training)
    features = Features.load(arguments.features, pick_device(arguments.device))
    samples, training = _pictures(arguments)
    if samples.size_px < LEAST_SIDE_PX:
        raise TrainingError(f"{arguments.samples} has pictures of {samples.size_px} px, too small for features; "
                            f"enlarge them with --size {LEAST_SIDE_PX} or more.")  # fmt: skip
    if len(training) < 2:
        raise TrainingError(f"{arguments.training} has one picture; the comparison needs two at least.")
    layers: list[TwoLayers] = []
    for title, pictures in (("Features of the samples", samples), ("Features of the training pictures", training)):
        with progress_bar(title) as progress:
            layers.append(features.layers(pictures.pixels, progress))
    with progress_bar("Comparing") as progress:
        found = novelty(layers[0], layers[1], samples.pixels, training.pixels, arguments.nearest,
                        arguments.both_ways, arguments.quantile, arguments.seed, progress)  # fmt: skip
    setup = {
        "samples": str(arguments.samples),
        "training": str(arguments.training),
        "number of samples": len(samples),
        "number of training pictures": len(training),
        "size_px": samples.size_px,
        "features": features.name,
        "features sha256": features.sha256,
        "quantile": arguments.quantile,
        "seed": arguments.seed,
    }
    figures = _figures(setup, found, samples, training)
    folder = arguments.output
    with FileTransaction() as files:
        files.path(folder / FIGURES_FILE).write_text(figures_json(figures), encoding="utf-8")
        page = novelty_page(figures, samples.pixels, training.pixels)
        files.path(folder / PAGE_FILE).write_text(page, encoding="utf-8")
    _print(figures)
    print(folder / PAGE_FILE)


def _check(arguments: argparse.Namespace) -> None:
    if not 1 <= arguments.count <= MOST_SAMPLES:
        raise WrongUsage(f"--count is 1 to {MOST_SAMPLES}")
    if not 1 <= arguments.nearest <= MOST_NEAREST:
        raise WrongUsage(f"--nearest is 1 to {MOST_NEAREST}")
    if not 0 <= arguments.both_ways <= MOST_SAMPLES:
        raise WrongUsage(f"--both-ways is 0 to {MOST_SAMPLES}")
    if not 0.5 <= arguments.quantile < 1:
        raise WrongUsage("--quantile is from 0.5 to below 1")
    for name in ("cell", "size"):
        value = getattr(arguments, name)
        if value is not None and not 8 <= value <= 4096:
            raise WrongUsage(f"--{name} is 8 to 4096")
    if arguments.seed < 0:
        raise WrongUsage("--seed is 0 at least")


def _pictures(arguments: argparse.Namespace) -> tuple[Pictures, Pictures]:
    """The samples and the training pictures, at the same size."""
    from trainer.data.picture_sources import pictures_of_folder, pictures_of_tile_set

    of_tiles = None if is_folder(arguments.training) else pictures_of_tile_set(arguments.training)
    tile_px = None if of_tiles is None else of_tiles.size_px
    samples = _samples(arguments, tile_px)
    if arguments.size is not None:
        samples = samples.resized(arguments.size)
    if of_tiles is not None:
        return samples, of_tiles.resized(samples.size_px)
    with progress_bar("Reading the training pictures") as progress:
        return samples, _said(pictures_of_folder(arguments.training, samples.size_px, progress))


def _samples(arguments: argparse.Namespace, tile_px: int | None) -> Pictures:
    from terrainpaint.errors import TrainingError
    from trainer.data.picture_sources import Pictures, pictures_of_folder, pictures_of_grid
    from trainer.loop.checkpoints import newest_checkpoint

    source, usual_px = arguments.samples, arguments.size or tile_px or _USUAL_SIDE_PX
    if not is_there(source):
        raise TrainingError(f"{source} does not exist; name a run, a checkpoint, weights, a sample grid or a folder of "
                            "pictures.")  # fmt: skip
    if is_folder(source) and newest_checkpoint(source) is None:
        with progress_bar("Reading the samples") as progress:
            return _said(pictures_of_folder(source, usual_px, progress))
    if source.suffix.lower() in PICTURE_SUFFIXES:
        return pictures_of_grid(source, arguments.cell or tile_px or _USUAL_SIDE_PX)
    pixels = samples_of(source, arguments.count, arguments.seed)
    return Pictures(pixels, tuple(f"seed {arguments.seed + number}" for number in range(len(pixels))))


def _said(pictures: Pictures) -> Pictures:
    """The pictures, after the files that were left out were printed."""
    for name, reason in pictures.left_out:
        print(left_out_line(name, reason))
    return pictures


def _figures(setup: dict[str, Any], found: Novelty, samples: Pictures, training: Pictures) -> dict[str, Any]:
    """All results as plain values."""

    def listed(indices: Any, similarities: Any, names: tuple[str, ...]) -> list[dict[str, Any]]:
        return [{"index": index, "name": names[index], "similarity": round(similarity, 4)}
                for index, similarity in zip(indices.tolist(), similarities.tolist(), strict=True)]  # fmt: skip

    results: dict[str, Any] = {"setup": setup, "fraction of duplicates": found.duplicates, "layers": {}}
    for name, layer in found.layers.items():
        results["layers"][name] = {
            "threshold": layer.threshold,
            "authenticity": layer.authenticity,
            "similarity between real pictures": layer.between_real.tolist(),
            "median similarity between real pictures": float(layer.between_real[len(layer.between_real) // 2]),
            "mean similarity": float(layer.nearest_training.best.mean()),
        }
    results["samples"] = [
        {
            "index": index,
            "name": name,
            "may be a copy": bool(found.may_be_copy[index]),
            **{
                layer: {
                    "percentile": float(values.percentile[index]),
                    "nearest": listed(values.nearest_training.indices[index],
                                      values.nearest_training.similarity[index], training.names),
                }
                for layer, values in found.layers.items()
            },
        }
        for index, name in enumerate(samples.names)
    ]  # fmt: skip
    results["training"] = [
        {
            "index": row,
            "name": training.names[row],
            **{
                layer: listed(values.nearest_samples.indices[index], values.nearest_samples.similarity[index],
                              samples.names)
                for layer, values in found.layers.items()
            },
        }
        for index, row in enumerate(found.shown_training.tolist())
    ]  # fmt: skip
    return results


def _print(figures: dict[str, Any]) -> None:
    copies = [sample for sample in figures["samples"] if sample["may be a copy"]]
    late = figures["layers"]["late"]
    print(f"{len(copies)} of {len(figures['samples'])} samples may be copies; {late['authenticity']:.0%} are farther "
          "from their nearest training picture than that is from another one")  # fmt: skip
    for sample in copies:
        layer = max(figures["layers"], key=lambda name: sample[name]["percentile"])
        found = sample[layer]["nearest"][0]
        threshold = figures["layers"][layer]["threshold"]
        print(f"may be a copy: {sample['name']} of {found['name']} ({_NAMES[layer]}, similarity "
              f"{found['similarity']:.3f}, threshold {threshold:.3f})")  # fmt: skip
