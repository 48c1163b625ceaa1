"""`python -m trainer explore`: what a trained generator can make, as pictures, films and files of styles."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from terrainpaint.core.files import local_path
from terrainpaint.core.standard_output import printable
from trainer.commands.console import Subparsers, WrongUsage, progress_bar
from trainer.commands.number_lists import LARGEST_SEED, grid_size, layer_list, seed_list
from trainer.metrics.features_option import EFFICIENTNET, FEATURES_HELP

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from trainer.exploration.latent_models import LatentModel, StyleModel
    from trainer.exploration.projection import Projection

_PICTURES = (".png", ".jpg", ".jpeg")
_FILM_STEPS, _FILM_FPS = 150, 15.0
"""A film of a projection shows about so many of its steps."""
_MOST_STEPS, _MOST_PICTURES, _LARGEST_AMOUNT = 100_000, 20_000, 100.0


def add_parser(commands: Subparsers) -> None:
    """Add the command and its verbs."""
    parser = commands.add_parser(
        "explore", help="grids, walks, mixed styles, projections and directions of a generator"
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    _add_verbs_of_seeds(verbs)
    _add_verbs_of_styles(verbs)


def _add_verbs_of_seeds(verbs: Subparsers) -> None:
    samples = _verb(verbs, "samples", "write a picture of each seed", _samples, "FOLDER")
    samples.add_argument("--seeds", type=seed_list, default=(0,), help="such as 3,7,20-29 (0)")
    _add_truncation(samples)
    grid = _verb(verbs, "grid", "write the pictures of seeds as one", _grid, "PICTURE")
    grid.add_argument("--seeds", type=seed_list, help="such as 3,7,20-29 (from 0 on)")
    grid.add_argument("--grid", type=grid_size, metavar="N|CxR",
                      help="number of pictures, or columns x rows (that of the seeds, or 9)")  # fmt: skip
    _add_truncation(grid)
    walk = _verb(verbs, "walk", "go from seed to seed, as a film or as steps", _walk, "FILM|PICTURE|FOLDER")
    walk.add_argument("--seeds", type=seed_list, default=(0, 1, 2), help="where the walk comes by (0,1,2)")
    walk.add_argument("--space", choices=("z", "w"), default="z",
                      help="on the sphere of latents, or straight between styles (z)")  # fmt: skip
    walk.add_argument("--steps", type=int, help="steps from each seed to the next (60 in a film, else 8)")
    walk.add_argument("--loop", action="store_true", help="return to the first seed")
    walk.add_argument("--fps", type=float, default=30.0, help="pictures a second of a film (30)")
    _add_truncation(walk)
    nearest = _verb(verbs, "nearest", "show the training pictures that samples are most like", _nearest, "PICTURE")
    nearest.add_argument("training", type=local_path, metavar="TRAINING",
                         help="tile set (.npz) or folder of pictures that it was trained on")  # fmt: skip
    nearest.add_argument("--seeds", type=seed_list, default=tuple(range(8)), help="such as 3,7,20-29 (0-7)")
    nearest.add_argument("--nearest", type=int, default=6, metavar="N", help="training pictures of each (6)")
    _add_features(nearest)
    _add_truncation(nearest)


def _add_verbs_of_styles(verbs: Subparsers) -> None:
    mix = _verb(verbs, "mix", "mix the styles of seeds in a grid", _mix, "PICTURE")
    mix.add_argument("--rows", type=seed_list, default=(0, 1, 2, 3), metavar="SEEDS", help="of the rows (0-3)")
    mix.add_argument("--columns", type=seed_list, default=(10, 11, 12, 13, 14), metavar="SEEDS",
                     help="of the columns (10-14)")  # fmt: skip
    mix.add_argument("--layers", type=layer_list, help="layers that get the styles of the column (the coarser half)")
    _add_truncation(mix)
    project = _verb(verbs, "project", "find the styles whose picture is most like a given one", _project, "FOLDER")
    project.add_argument("picture", type=local_path, metavar="PICTURE", help="its middle square is projected")
    project.add_argument("--steps", type=int, default=1000, help="steps of the search (1000)")
    project.add_argument("--space", choices=("w", "w+"), default="w",
                         help="one style for all layers, or one for each (w)")  # fmt: skip
    project.add_argument("--no-film", action="store_true", help="do not write projection.mp4")
    project.add_argument("--seed", type=int, default=0, help="seed of the noise (0)")
    _add_features(project)
    vary = _verb(verbs, "vary", "variations around a seed or a projection", _vary, "PICTURE")
    _add_start(vary)
    vary.add_argument("--amount", type=float, default=0.3, help="0: none, 1: as different as two samples (0.3)")
    vary.add_argument("--layers", type=layer_list, help="layers whose styles vary (all)")
    vary.add_argument("--grid", type=grid_size, default=(3, 3), metavar="N|CxR",
                      help="number of pictures, or columns x rows; the first is the original (9)")  # fmt: skip
    vary.add_argument("--seed", type=int, default=0, help="seed of the variations (0)")
    found = _verb(verbs, "directions", "find what the generator can change, and show it", _directions, "FOLDER")
    _add_start(found)
    found.add_argument("--count", type=int, default=8, help="directions (8)")
    found.add_argument("--layers", type=layer_list, help="layers that are moved, such as 0-3 for the form (all)")
    found.add_argument("--amount", type=float, default=3.0,
                       help="how far, in deviations of a number of the styles (3)")  # fmt: skip
    found.add_argument("--steps", type=int, default=7, help="pictures of each direction, an odd number (7)")


def _verb(
    verbs: Subparsers, name: str, text: str, run: Callable[[argparse.Namespace], None], output: str
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=text)
    parser.add_argument("source", type=Path, metavar="RUN", help="folder of a run, a checkpoint, or published weights")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar=output, help="what to write")
    parser.add_argument("--enlarge", type=int, metavar="TIMES",
                        help="enlarge pictures by a whole factor (1; films: to 256 px at least)")  # fmt: skip
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (auto)")
    parser.set_defaults(run=_checked(run))
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


def _checked(run: Callable[[argparse.Namespace], None]) -> Callable[[argparse.Namespace], None]:
    """The verb, after its numbers were checked."""

    def checked(arguments: argparse.Namespace) -> None:
        ranges: dict[str, tuple[float, float]] = {
            "enlarge": (1, 64), "steps": (1, _MOST_STEPS), "fps": (1, 240), "count": (1, 10_000), "nearest": (1, 100),
            "seed": (0, LARGEST_SEED), "truncation": (-10, 10), "cutoff": (0, 100),
            "amount": (-_LARGEST_AMOUNT, _LARGEST_AMOUNT),
        }  # fmt: skip
        for name, (least, most) in ranges.items():
            value = getattr(arguments, name, None)
            if value is not None and not least <= value <= most:
                raise WrongUsage(f"--{name} is {least:g} to {most:g}")
        run(arguments)

    return checked


def _samples(arguments: argparse.Namespace) -> None:
    from trainer.exploration.outputs import write_pictures

    _, pictures = _pictures_of_seeds(arguments, arguments.seeds)
    names = [f"seed-{seed:04}" for seed in arguments.seeds]
    write_pictures(arguments.output, pictures, names, arguments.enlarge)
    print(f"{arguments.output}: {len(pictures)} pictures")


def _grid(arguments: argparse.Namespace) -> None:
    _require_picture(arguments.output)
    seeds, size = arguments.seeds, arguments.grid
    if seeds is None:
        columns, rows = size or (3, 3)
        seeds = tuple(range(columns * rows))
    else:
        columns, rows = size or grid_size(str(len(seeds)))
    if len(seeds) != columns * rows:
        raise WrongUsage(f"--grid has {columns} x {rows} places, and --seeds names {len(seeds)} seeds")
    _write_grid(arguments, _pictures_of_seeds(arguments, seeds)[1], columns)


def _walk(arguments: argparse.Namespace) -> None:
    from trainer.exploration.latent_models import load_model, load_style_model
    from trainer.exploration.outputs import write_pictures
    from trainer.exploration.walks import on_sphere, straight, walk
    from trainer.sampling.progress_film import FILM_SUFFIXES

    suffix = arguments.output.suffix.lower()
    is_film = suffix in FILM_SUFFIXES
    if not is_film and suffix and suffix not in _PICTURES:
        raise WrongUsage("the output is a film (.mp4, .gif or .webp), a picture (.png or .jpg) with the steps side by "
                         "side, or a folder for them")  # fmt: skip
    if len(arguments.seeds) < 2:
        raise WrongUsage("--seeds names two seeds at least, as in 0,5")
    steps = arguments.steps or (60 if is_film else 8)
    _require_few(len(arguments.seeds) * steps, "--seeds or --steps")
    load = load_model if arguments.space == "z" else load_style_model
    model = load(arguments.source, arguments.device)
    latents, options = model.latents(arguments.seeds), (arguments.truncation, arguments.cutoff)
    if arguments.space == "z":
        points = model.points(walk(latents, steps, arguments.loop, on_sphere), *options)
    else:
        points = walk(model.points(latents, *options), steps, arguments.loop, straight)
    if is_film:
        _write_film(arguments, model, points)
    elif suffix:
        _write_grid(arguments, _drawn(model, points), steps if arguments.loop else len(points))
    else:
        pictures = _drawn(model, points)
        write_pictures(arguments.output, pictures, [f"step-{n:04}" for n in range(len(pictures))], arguments.enlarge)
        print(f"{arguments.output}: {len(pictures)} pictures")


def _mix(arguments: argparse.Namespace) -> None:
    import numpy as np

    from trainer.exploration.latent_models import load_style_model
    from trainer.exploration.styles import mixed

    _require_picture(arguments.output)
    _require_few(len(arguments.rows) * len(arguments.columns), "--rows or --columns")
    model = load_style_model(arguments.source, arguments.device)
    count = model.generator.shape.style_count
    layers = _layers(arguments.layers, count, tuple(range(count // 2)))
    rows, columns = (model.points(model.latents(seeds), arguments.truncation, arguments.cutoff)
                     for seeds in (arguments.rows, arguments.columns))  # fmt: skip
    pictures = _drawn(model, mixed(rows, columns, layers).flatten(0, 1)).reshape(
        len(rows), len(columns), model.size_px, model.size_px, 3
    )
    left, top = model.pictures(rows), model.pictures(columns)
    corner = np.full((1, *left.shape[1:]), 255, np.uint8)
    sheet = [corner, top, *(part for row in range(len(rows)) for part in (left[row : row + 1], pictures[row]))]
    _write_grid(arguments, np.concatenate(sheet), 1 + len(columns))


def _project(arguments: argparse.Namespace) -> None:
    from trainer.exploration.latent_models import load_style_model
    from trainer.exploration.outputs import film_enlargement
    from trainer.exploration.projection import project
    from trainer.exploration.projection_files import ProjectionFiles, read_target
    from trainer.metrics.feature_pyramid import FeaturePyramid

    model = load_style_model(arguments.source, arguments.device)
    features = FeaturePyramid.load(arguments.features, model.device)
    target, note = read_target(arguments.picture, model.size_px)
    if note:
        print(printable(note))
    every = 0 if arguments.no_film else max(1, arguments.steps // _FILM_STEPS)
    written = ProjectionFiles(arguments.output, model, target, every)
    with progress_bar("Projecting") as progress:
        for number, step in enumerate(
            project(model, target, features, arguments.steps, arguments.seed, arguments.space == "w+")
        ):
            progress(number / arguments.steps)
            written.add(step)
    setup = {
        "weights": model.path.name, "picture": arguments.picture.name, "size_px": model.size_px,
        "features": features.label, "steps": arguments.steps, "space": arguments.space, "seed": arguments.seed,
    }  # fmt: skip
    written.write(setup, film_enlargement(model.size_px, arguments.enlarge), _FILM_FPS)
    first, last = written.distances[0], written.distances[-1]
    print(f"distance in features of {features.label}: {first:.3f} at the mean style, {last:.3f} now")
    print(arguments.output / "projection.npz")


def _vary(arguments: argparse.Namespace) -> None:
    import numpy as np

    from trainer.exploration.latent_models import load_style_model
    from trainer.exploration.styles import varied

    _require_picture(arguments.output)
    model = load_style_model(arguments.source, arguments.device)
    start = _start(arguments.start, model)
    layers = _layers(arguments.layers, len(start.styles))
    columns, rows = arguments.grid
    others = model.points(model.latents(range(arguments.seed, arguments.seed + columns * rows - 1)))
    styles = varied(start.styles, others, model.generator.mapping.mean, arguments.amount, layers)
    pictures = [start.picture(model)[None], start.pictures(model, styles)]
    _write_grid(arguments, np.concatenate(pictures), columns)


def _directions(arguments: argparse.Namespace) -> None:
    import numpy as np

    from terrainpaint.core.files import FileTransaction
    from trainer.exploration.latent_models import load_style_model
    from trainer.exploration.outputs import write_sheet
    from trainer.exploration.styles import directions, moved

    if arguments.steps % 2 == 0:
        raise WrongUsage("--steps is odd, so that the middle picture is the start")
    _require_few(arguments.count * arguments.steps, "--count or --steps")
    model = load_style_model(arguments.source, arguments.device)
    shape = model.generator.shape
    start = _start(arguments.start, model)
    layers = _layers(arguments.layers, shape.style_count)
    if arguments.count > shape.latent:
        raise WrongUsage(f"--count is at most {shape.latent} for these weights")
    found, changes = directions(model.generator.synthesis, layers, arguments.count)
    deviation = model.style_statistics()[1] / shape.latent**0.5
    distances = (np.linspace(-1, 1, arguments.steps) if arguments.steps > 1 else np.zeros(1)) * arguments.amount
    strips = []
    with progress_bar("Drawing") as progress:
        for number, direction in enumerate(found):
            progress(number / len(found))
            styles = moved(start.styles, direction.to(model.device), (distances * deviation).tolist(), layers)
            strips.append(start.pictures(model, styles))
    folder = arguments.output
    with FileTransaction() as files:
        write_sheet(files, folder / "directions.png", np.concatenate(strips), arguments.steps, arguments.enlarge)
        with files.path(folder / "directions.npz").open("wb") as file:
            np.savez(file, allow_pickle=False, directions=found.numpy(), squared_changes=changes.numpy(),
                     layers=np.array(layers), unit=np.float32(deviation))  # fmt: skip
    print(folder / "directions.png")


def _nearest(arguments: argparse.Namespace) -> None:
    import numpy as np

    from terrainpaint.core.files import FileTransaction
    from terrainpaint.models.devices import pick_device
    from trainer.data.picture_sources import pictures_of_folder, pictures_of_tile_set
    from trainer.exploration.outputs import write_sheet
    from trainer.metrics.features import Features
    from trainer.metrics.nearest import nearest

    _require_picture(arguments.output)
    features = Features.load(arguments.features, pick_device(arguments.device))
    model, pictures = _pictures_of_seeds(arguments, arguments.seeds)
    if arguments.training.is_dir():
        with progress_bar("Reading the training pictures") as progress:
            training = pictures_of_folder(arguments.training, model.size_px, progress)
    else:
        training = pictures_of_tile_set(arguments.training).resized(model.size_px)
    with progress_bar("Features of the training pictures") as progress:
        of_training = features.of(training.pixels, progress)
    # Minus the mean: without that, all pictures are alike.
    mean = of_training.mean(axis=0)
    found = nearest(features.of(pictures) - mean, of_training - mean, arguments.nearest)
    rows = [np.stack([picture, *training.pixels[indices]]) for picture, indices in
            zip(pictures, found.indices, strict=True)]  # fmt: skip
    listed = [
        {"seed": seed, "nearest": [{"name": training.names[index], "similarity": round(float(similarity), 4)}
                                   for index, similarity in zip(indices, similarities, strict=True)]}
        for seed, indices, similarities in zip(arguments.seeds, found.indices, found.similarity, strict=True)
    ]  # fmt: skip
    text = json.dumps({"features": features.label, "samples": listed}, indent=1, ensure_ascii=False) + "\n"
    with FileTransaction() as files:
        write_sheet(files, arguments.output, np.concatenate(rows), 1 + found.indices.shape[1], arguments.enlarge)
        files.path(arguments.output.with_suffix(".json")).write_text(text, encoding="utf-8")
    print(f"{arguments.output}: each sample, and its {found.indices.shape[1]} nearest training pictures")


def _pictures_of_seeds(arguments: argparse.Namespace, seeds: Sequence[int]) -> tuple[LatentModel, NDArray[np.uint8]]:
    from trainer.exploration.latent_models import load_model

    model = load_model(arguments.source, arguments.device)
    return model, _drawn(model, model.points(model.latents(seeds), arguments.truncation, arguments.cutoff))


def _drawn(model: LatentModel, points: Tensor) -> NDArray[np.uint8]:
    with progress_bar("Drawing") as progress:
        return model.pictures(points, progress)


def _start(text: str, model: StyleModel) -> Projection:
    from trainer.exploration.projection import Projection, load_projection

    if not text.isdecimal():
        return load_projection(local_path(text), model)
    if int(text) > LARGEST_SEED:
        raise WrongUsage(f"--start is a seed of at most {LARGEST_SEED}, or a file")
    return Projection(model.points(model.latents([int(text)]))[0], tuple(model.generator.synthesis.noise_maps()))


def _layers(given: tuple[int, ...] | None, count: int, usual: tuple[int, ...] | None = None) -> tuple[int, ...]:
    if given is None:
        return tuple(range(count)) if usual is None else usual
    if given[-1] >= count:
        raise WrongUsage(f"--layers names layer {given[-1]}, and the generator has 0 to {count - 1}")
    return given


def _require_picture(path: Path) -> None:
    if path.suffix.lower() not in _PICTURES:
        raise WrongUsage("the picture is a .png or .jpg")


def _require_few(count: int, options: str) -> None:
    if count > _MOST_PICTURES:
        raise WrongUsage(f"{count} pictures are more than {_MOST_PICTURES}; choose less in {options}")


def _write_grid(arguments: argparse.Namespace, pictures: NDArray[np.uint8], columns: int) -> None:
    from terrainpaint.core.files import FileTransaction
    from trainer.exploration.outputs import write_sheet

    with FileTransaction() as files:
        write_sheet(files, arguments.output, pictures, columns, arguments.enlarge)
    print(arguments.output)


def _write_film(arguments: argparse.Namespace, model: LatentModel, points: Tensor) -> None:
    from trainer.exploration.outputs import enlarged, film_enlargement, write_film

    times = film_enlargement(model.size_px, arguments.enlarge)
    pictures = (enlarged(model.pictures(point[None])[0], times) for point in points)
    with progress_bar("Filming") as progress:
        write_film(arguments.output, pictures, len(points), arguments.fps, progress)
    print(f"{arguments.output}: {len(points)} pictures, {len(points) / arguments.fps:.1f} s")
