"""`python -m trainer explore`: what a trained generator can make, as pictures, films and files of styles."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from terrainpaint.core.files import local_path
from terrainpaint.core.path_kinds import is_folder
from terrainpaint.core.standard_output import printable
from trainer.commands.console import Subparsers, WrongUsage, progress_bar
from trainer.commands.explore_options import add_verbs
from trainer.commands.number_lists import LARGEST_SEED, grid_size

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from trainer.exploration.latent_models import LatentModel, StyleModel
    from trainer.exploration.projection import Projection

_PICTURES = (".png", ".jpg", ".jpeg")
_FILM_STEPS, _FILM_FPS = 150, 15.0
"""A film of a projection shows about so many of its steps."""
_MOST_PICTURES = 20_000


def add_parser(commands: Subparsers) -> None:
    """Add the command and its verbs."""
    parser = commands.add_parser("explore", help="what a generator can make: grids, walks, projections …")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    add_verbs(verbs, {
        "samples": _samples, "grid": _grid, "walk": _walk, "nearest": _nearest, "mix": _mix, "project": _project,
        "vary": _vary, "directions": _directions,
    })  # fmt: skip


def _samples(arguments: argparse.Namespace) -> None:
    from trainer.exploration.outputs import write_pictures

    _require_folder(arguments.output, "'explore grid' writes seeds as one picture")
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
    import numpy as np

    from trainer.exploration.outputs import enlarged, film_enlargement, write_film, write_pictures
    from trainer.sampling.progress_film import FILM_SUFFIXES

    suffix = arguments.output.suffix.lower()
    is_film = suffix in FILM_SUFFIXES
    if not is_film and suffix and suffix not in _PICTURES:
        raise WrongUsage("the output is a film (.mp4, .gif or .webp), a picture (.png or .jpg) with the steps side by "
                         "side, or a folder for them")  # fmt: skip
    steps = arguments.steps or (60 if is_film else 8)
    stops = arguments.through or arguments.seeds
    if len(stops) < 2:
        raise WrongUsage("a walk comes by two seeds at least, as in --seeds 0,5")
    _require_few(len(stops) * steps, "--seeds or --steps")
    model, count, pictures = _pictures_of_walk(arguments, steps)
    if is_film:
        times = film_enlargement(model.size_px, arguments.enlarge)
        with progress_bar("Filming") as progress:
            shown = (enlarged(each, times) for each in pictures)
            write_film(arguments.output, shown, count, arguments.fps, progress)
        print(f"{arguments.output}: {count} pictures, {count / arguments.fps:.1f} s")
        return
    drawn = []
    with progress_bar("Drawing") as progress:
        for number, each in enumerate(pictures):
            progress(number / count)
            drawn.append(each)
    if suffix:
        _write_grid(arguments, np.stack(drawn), steps if arguments.loop else count)
    else:
        names = [f"step-{number:04}" for number in range(count)]
        write_pictures(arguments.output, np.stack(drawn), names, arguments.enlarge)
        print(f"{arguments.output}: {count} pictures")


def _pictures_of_walk(
    arguments: argparse.Namespace, steps: int
) -> tuple[LatentModel, int, Iterator[NDArray[np.uint8]]]:
    """The generator, and the number and the pictures (S, S, 3) of a walk, which are drawn one by one."""
    import torch

    from trainer.exploration.loading import load_model, load_style_model
    from trainer.exploration.projection import between
    from trainer.exploration.walks import walk

    options = arguments.truncation, arguments.cutoff
    if arguments.through:
        styled = load_style_model(arguments.source, arguments.device)
        stops = [_start(text, styled, *options) for text in arguments.through]
        path = walk(stops, steps, arguments.loop, between)
        return styled, len(path), (each.picture(styled) for each in path)
    load = load_model if arguments.space == "z" else load_style_model
    model = load(arguments.source, arguments.device)
    latents = model.latents(arguments.seeds)
    if arguments.space == "z":
        points = [
            model.points(each[None], *options)
            for each in walk(list(latents), steps, arguments.loop, model.latent_between)
        ]
    else:
        ends = list(torch.split(model.points(latents, *options), 1))
        points = walk(ends, steps, arguments.loop, model.point_between)
    return model, len(points), (model.pictures(each)[0] for each in points)


def _mix(arguments: argparse.Namespace) -> None:
    import numpy as np

    from trainer.exploration.loading import load_style_model
    from trainer.exploration.styles import mixed

    _require_picture(arguments.output)
    _require_few(len(arguments.rows) * len(arguments.columns), "--rows or --columns")
    model = load_style_model(arguments.source, arguments.device)
    layers = _layers(arguments.layers, model.style_count, tuple(range(model.style_count // 2)))
    options = arguments.truncation, arguments.cutoff
    rows, columns = (model.styles(seeds, *options) for seeds in (arguments.rows, arguments.columns))
    left, top = (model.pictures(model.points(model.latents(seeds), *options))
                 for seeds in (arguments.rows, arguments.columns))  # fmt: skip
    sheet = [np.full((1, *left.shape[1:]), 255, np.uint8), top]
    with progress_bar("Drawing") as progress:
        for row, styles in enumerate(mixed(rows, columns, layers)):
            progress(row / len(rows))
            noise = model.noise_of(arguments.rows[row])
            sheet += [left[row : row + 1], *(model.draw_styles(each[None], noise) for each in styles)]
    _write_grid(arguments, np.concatenate(sheet), 1 + len(columns))


def _project(arguments: argparse.Namespace) -> None:
    from trainer.exploration.loading import load_stylegan2_model
    from trainer.exploration.outputs import film_enlargement
    from trainer.exploration.projection import project
    from trainer.exploration.projection_files import ProjectionFiles, read_target
    from trainer.metrics.feature_pyramid import FeaturePyramid

    _require_folder(arguments.output, "projection.png is in it")
    model = load_stylegan2_model(arguments.source, arguments.device)
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

    from trainer.exploration.loading import load_style_model
    from trainer.exploration.styles import varied

    _require_picture(arguments.output)
    model = load_style_model(arguments.source, arguments.device)
    start = _start(arguments.start, model)
    layers = _layers(arguments.layers, len(start.styles))
    columns, rows = arguments.grid
    seeds = range(arguments.seed, arguments.seed + columns * rows - 1)
    if not seeds:
        raise WrongUsage("--grid has two pictures at least, since the first is the original")
    if seeds[-1] > LARGEST_SEED:
        raise WrongUsage(f"--seed and those that follow it are at most {LARGEST_SEED}")
    styles = varied(start.styles, model.styles(seeds), model.mean_style, arguments.amount, layers)
    pictures = [start.picture(model)[None], start.pictures(model, styles)]
    _write_grid(arguments, np.concatenate(pictures), columns)


def _directions(arguments: argparse.Namespace) -> None:
    import numpy as np

    from terrainpaint.core.files import FileTransaction
    from trainer.exploration.loading import load_style_model
    from trainer.exploration.outputs import write_sheet
    from trainer.exploration.styles import directions, moved

    if arguments.steps % 2 == 0:
        raise WrongUsage("--steps is odd, so that the middle picture is the start")
    _require_few(arguments.count * arguments.steps, "--count or --steps")
    model = load_style_model(arguments.source, arguments.device)
    start = _start(arguments.start, model)
    layers = _layers(arguments.layers, model.style_count)
    if arguments.count > model.style_length:
        raise WrongUsage(f"--count is at most {model.style_length} for these weights")
    found, changes = directions(model.style_weights(), layers, arguments.count)
    _, deviation = model.style_statistics()
    distances = (np.linspace(-1, 1, arguments.steps) if arguments.steps > 1 else np.zeros(1)) * arguments.amount
    strips = []
    with progress_bar("Drawing") as progress:
        for number, direction in enumerate(found):
            progress(number / len(found))
            styles = moved(start.styles, direction.to(model.device), (distances * deviation).tolist(), layers)
            strips.append(start.pictures(model, styles))
    picture = arguments.output
    if picture.suffix.lower() not in _PICTURES:
        picture = arguments.output / "directions.png"
    with FileTransaction() as files:
        write_sheet(files, picture, np.concatenate(strips), arguments.steps, arguments.enlarge)
        with files.path(picture.with_suffix(".npz")).open("wb") as file:
            np.savez(file, allow_pickle=False, directions=found.numpy(), squared_changes=changes.numpy(),
                     layers=np.array(layers), unit=np.float32(deviation))  # fmt: skip
    print(picture)


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
    if is_folder(arguments.training):
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
    from trainer.exploration.loading import load_model

    model = load_model(arguments.source, arguments.device)
    return model, _drawn(model, model.points(model.latents(seeds), arguments.truncation, arguments.cutoff))


def _drawn(model: LatentModel, points: Tensor) -> NDArray[np.uint8]:
    with progress_bar("Drawing") as progress:
        return model.pictures(points, progress)


def _start(text: str, model: StyleModel, truncation: float = 1.0, cutoff: int | None = None) -> Projection:
    """The styles of a seed, or those of a file, which are not truncated."""
    from trainer.exploration.projection import Projection, load_projection

    if not text.isdecimal():
        return load_projection(local_path(text), model)
    if int(text) > LARGEST_SEED:
        raise WrongUsage(f"a seed is at most {LARGEST_SEED}, not {text}")
    return Projection(model.styles([int(text)], truncation, cutoff)[0], model.noise_of(int(text)))


def _layers(given: tuple[int, ...] | None, count: int, usual: tuple[int, ...] | None = None) -> tuple[int, ...]:
    if given is None:
        return tuple(range(count)) if usual is None else usual
    if given[-1] >= count:
        raise WrongUsage(f"--layers names layer {given[-1]}, and the generator has 0 to {count - 1}")
    return given


def _require_picture(path: Path) -> None:
    if path.suffix.lower() not in _PICTURES:
        raise WrongUsage("the picture is a .png or .jpg")


def _require_folder(path: Path, advice: str) -> None:
    if path.suffix.lower() in _PICTURES:
        raise WrongUsage(f"the output is a folder; {advice}")


def _require_few(count: int, options: str) -> None:
    if count > _MOST_PICTURES:
        raise WrongUsage(f"{count} pictures are more than {_MOST_PICTURES}; choose less in {options}")


def _write_grid(arguments: argparse.Namespace, pictures: NDArray[np.uint8], columns: int) -> None:
    from terrainpaint.core.files import FileTransaction
    from trainer.exploration.outputs import write_sheet

    with FileTransaction() as files:
        write_sheet(files, arguments.output, pictures, columns, arguments.enlarge)
    print(arguments.output)
