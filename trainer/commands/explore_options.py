"""The verbs of `python -m trainer explore` and their options."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from terrainpaint.core.files import local_path
from trainer.commands.console import Subparsers, WrongUsage
from trainer.commands.number_lists import LARGEST_SEED, grid_size, layer_list, seed_list
from trainer.metrics.features_option import EFFICIENTNET, FEATURES_HELP

Run = Callable[[argparse.Namespace], None]
_RANGES: Mapping[str, tuple[float, float]] = {
    "enlarge": (1, 64), "steps": (1, 100_000), "fps": (1, 240), "count": (1, 10_000), "nearest": (1, 100),
    "seed": (0, LARGEST_SEED), "truncation": (-10, 10), "cutoff": (0, 100), "amount": (-100, 100),
}  # fmt: skip
"""Option → least and largest value."""


def add_verbs(verbs: Subparsers, runs: Mapping[str, Run]) -> None:
    """Add all verbs; `runs` says what each of them does, after its numbers were checked."""
    _add_verbs_of_seeds(verbs, runs)
    _add_verbs_of_styles(verbs, runs)


def _add_verbs_of_seeds(verbs: Subparsers, runs: Mapping[str, Run]) -> None:
    samples = _verb(verbs, runs, "samples", "write a picture of each seed", "FOLDER")
    samples.add_argument("--seeds", type=seed_list, default=(0,), help="such as 3,7,20-29 (0)")
    _add_truncation(samples)
    grid = _verb(verbs, runs, "grid", "write the pictures of seeds as one", "PICTURE")
    grid.add_argument("--seeds", type=seed_list, help="such as 3,7,20-29 (from 0 on)")
    grid.add_argument("--grid", type=grid_size, metavar="N|CxR",
                      help="number of pictures, or columns x rows (that of the seeds, or 9)")  # fmt: skip
    _add_truncation(grid)
    walk = _verb(verbs, runs, "walk", "go from seed to seed, as a film or as steps", "FILM|PICTURE|FOLDER")
    walk.add_argument("--seeds", type=seed_list, default=(0, 1, 2), help="where the walk comes by (0,1,2)")
    walk.add_argument("--space", choices=("z", "w"), default="z",
                      help="on the sphere of latents, or straight between styles (z)")  # fmt: skip
    walk.add_argument("--through", nargs="+", metavar="SEED|FILE.npz",
                      help="instead of --seeds: seeds and projections, straight between styles")  # fmt: skip
    walk.add_argument("--steps", type=int, help="steps from each seed to the next (60 in a film, else 8)")
    walk.add_argument("--loop", action="store_true", help="return to the first seed")
    walk.add_argument("--fps", type=float, default=30.0, help="pictures a second of a film (30)")
    _add_truncation(walk)
    nearest = _verb(verbs, runs, "nearest", "show the training pictures that samples are most like", "PICTURE")
    nearest.add_argument("training", type=local_path, metavar="TRAINING",
                         help="tile set (.npz) or folder of pictures that it was trained on")  # fmt: skip
    nearest.add_argument("--seeds", type=seed_list, default=tuple(range(8)), help="such as 3,7,20-29 (0-7)")
    nearest.add_argument("--nearest", type=int, default=6, metavar="N", help="training pictures of each (6)")
    _add_features(nearest)
    _add_truncation(nearest)


def _add_verbs_of_styles(verbs: Subparsers, runs: Mapping[str, Run]) -> None:
    mix = _verb(verbs, runs, "mix", "mix the styles of seeds in a grid", "PICTURE")
    mix.add_argument("--rows", type=seed_list, default=(0, 1, 2, 3), metavar="SEEDS", help="of the rows (0-3)")
    mix.add_argument("--columns", type=seed_list, default=(10, 11, 12, 13, 14), metavar="SEEDS",
                     help="of the columns (10-14)")  # fmt: skip
    mix.add_argument("--layers", type=layer_list, help="layers that get the styles of the column (the coarser half)")
    _add_truncation(mix)
    project = _verb(verbs, runs, "project", "find the styles whose picture is most like a given one", "FOLDER")
    project.add_argument("picture", type=local_path, metavar="PICTURE", help="its middle square is projected")
    project.add_argument("--steps", type=int, default=1000, help="steps of the search (1000)")
    project.add_argument("--space", choices=("w", "w+"), default="w",
                         help="one style for all layers, or one for each (w)")  # fmt: skip
    project.add_argument("--no-film", action="store_true", help="do not write projection.mp4")
    project.add_argument("--seed", type=int, default=0, help="seed of the noise (0)")
    _add_features(project)
    vary = _verb(verbs, runs, "vary", "variations around a seed or a projection", "PICTURE")
    _add_start(vary)
    vary.add_argument("--amount", type=float, default=0.5, help="0: none, 1: as different as two samples (0.5)")
    vary.add_argument("--layers", type=layer_list, help="layers whose styles vary (all)")
    vary.add_argument("--grid", type=grid_size, default=(3, 3), metavar="N|CxR",
                      help="number of pictures, or columns x rows; the first is the original (9)")  # fmt: skip
    vary.add_argument("--seed", type=int, default=0, help="seed of the variations (0)")
    found = _verb(verbs, runs, "directions", "find what the generator can change, and show it", "FOLDER|PICTURE")
    _add_start(found)
    found.add_argument("--count", type=int, default=8, help="directions (8)")
    found.add_argument("--layers", type=layer_list, help="layers that are moved, such as 0-3 for the form (all)")
    found.add_argument("--amount", type=float, default=0.7,
                       help="how far; 1 is how far samples lie from the mean (0.7)")  # fmt: skip
    found.add_argument("--steps", type=int, default=7, help="pictures of each direction, an odd number (7)")


def _verb(verbs: Subparsers, runs: Mapping[str, Run], name: str, text: str, output: str) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=text)
    parser.add_argument("source", type=Path, metavar="RUN", help="folder of a run, a checkpoint, or published weights")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar=output, help="what to write")
    parser.add_argument("--enlarge", type=int, metavar="TIMES",
                        help="enlarge pictures by a whole factor (1; films: to 256 px at least)")  # fmt: skip
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (auto)")
    parser.set_defaults(run=_checked(runs[name]))
    return parser


def _add_truncation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--truncation", type=float, default=1.0, metavar="PSI",
                        help="1: full variety; 0.7: nearer to the mean, with fewer faults (1)")  # fmt: skip
    parser.add_argument("--cutoff", type=int, metavar="N", help="do so in the first N layers only (all)")


def _add_features(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--features", type=Path, default=Path(EFFICIENTNET), metavar=f"FILE|{EFFICIENTNET}",
                        help=f"{FEATURES_HELP} ({EFFICIENTNET})")  # fmt: skip


def _add_start(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--start", default="0", metavar="SEED|FILE.npz",
                        help="a seed, or the projection.npz that 'explore project' wrote (0)")  # fmt: skip


def _checked(run: Run) -> Run:
    def checked(arguments: argparse.Namespace) -> None:
        for name, (least, most) in _RANGES.items():
            value = getattr(arguments, name, None)
            if value is not None and not least <= value <= most:
                raise WrongUsage(f"--{name} is {least:g} to {most:g}")
        run(arguments)

    return checked
