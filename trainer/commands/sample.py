"""`python -m trainer sample`: pictures from noise as a grid, or from other pictures as files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from terrainpaint.core.files import local_path
from terrainpaint.core.path_kinds import is_folder
from terrainpaint.core.progress import Progress
from terrainpaint.core.standard_output import printable
from trainer.commands.console import Subparsers, WrongUsage, progress_bar
from trainer.commands.number_lists import LARGEST_SEED

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_PICTURES = 10_000
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("sample", help="draw pictures with a run or a weights file")
    parser.add_argument("source", type=Path, metavar="RUN", help="folder of a run, a checkpoint, or published weights")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="GRID.png",
                        help="picture to write; a folder where --input is one")  # fmt: skip
    parser.add_argument("--input", type=local_path, metavar="FILE_OR_FOLDER",
                        help="pictures that pix2pix makes others of, and super_resolution finer ones")  # fmt: skip
    parser.add_argument("--rows", type=int, default=8, help="rows of the grid (8)")
    parser.add_argument("--columns", type=int, default=8, help="columns of the grid (8)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first picture; the others count on (0)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the grid, or a picture for each of `--input`."""
    from terrainpaint.core.files import FileTransaction, write_image
    from trainer.sampling.grid import picture_grid

    if not 1 <= arguments.rows * arguments.columns <= MOST_PICTURES or arguments.rows < 1:
        raise WrongUsage(f"--rows and --columns are 1 at least, and {MOST_PICTURES} pictures together at most")
    last = LARGEST_SEED + 1 - arguments.rows * arguments.columns
    if not 0 <= arguments.seed <= last:
        raise WrongUsage(f"--seed is from 0 to {last}, with so many pictures")
    writes_folder = arguments.input is not None and is_folder(arguments.input)
    if not writes_folder and arguments.output.suffix.lower() not in PICTURE_SUFFIXES:
        raise WrongUsage("the picture is a .png, .jpg or .webp")
    if arguments.input is not None:
        with progress_bar("Drawing") as progress:
            lines = _translate(arguments.source, arguments.input, arguments.output, arguments.seed, progress)
        print("\n".join(map(printable, lines)))
        return
    pictures = samples_of(arguments.source, arguments.rows * arguments.columns, arguments.seed)
    grid = picture_grid(pictures, arguments.columns)
    with FileTransaction() as files:
        write_image(files.path(arguments.output), grid[:, :, ::-1])
    print(arguments.output)


def _translate(source: Path, pictures: Path, output: Path, seed: int, progress: Progress) -> list[str]:
    from terrainpaint.errors import TrainingError
    from trainer.loop.checkpoints import checkpoint_of
    from trainer.systems import SYSTEMS, system_of

    path = checkpoint_of(source) if is_folder(source) else source
    system = system_of(path)
    translate = SYSTEMS[system].translate
    if translate is None:
        raise TrainingError(f"{path} is of the system {system}, which makes no pictures of pictures; leave out "
                            "--input.")  # fmt: skip
    return translate(path, pictures, output, seed, progress)


def samples_of(source: Path, count: int, seed: int) -> NDArray[np.uint8]:
    """(`count`, S, S, 3) uint8: pictures of the folder of a run, a checkpoint, or published weights.

    Raises TrainingError for a file that cannot be used, and for systems that need more than noise.
    """
    from terrainpaint.errors import TrainingError
    from trainer.loop.checkpoints import checkpoint_of
    from trainer.systems import SYSTEMS, system_of

    path = checkpoint_of(source) if is_folder(source) else source
    system = system_of(path)
    sample = SYSTEMS[system].sample
    if SYSTEMS[system].translate is not None:
        raise TrainingError(f"{path} is of the system {system}, which makes pictures of pictures; name them with "
                            "--input of 'python -m trainer sample'.")  # fmt: skip
    if sample is None:
        raise TrainingError(f"{path} is of the system {system}, which needs more than noise; publish it and use "
                            "'terrainpaint generate' with a map.")  # fmt: skip
    return sample(path, count, seed)
