"""`python -m trainer places`: makes the index of real places that is installed with the program."""

from __future__ import annotations

import argparse
from pathlib import Path

from terrainpaint.core.files import local_path
from trainer.commands.console import Subparsers, WrongUsage, progress_bar

NEAR_KM = 1000.0


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("places", help="make the index of real places that terrain is compared with")
    parser.add_argument("tile_sets", type=local_path, nargs="+", metavar="SET.npz",
                        help="labelled tile sets of the same tiles, one of each style")  # fmt: skip
    parser.add_argument("--countries", type=local_path, required=True, metavar="FILE",
                        help="countries-50m.json of the npm package world-atlas (Natural Earth)")  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="places.npz")
    parser.add_argument("--step", type=int, default=64, metavar="PX", help="distance of the pieces in a tile (64)")
    parser.add_argument("--check", action="store_true",
                        help="measure how often the most alike pieces that do not overlap lie nearby")  # fmt: skip
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the index."""
    from terrainpaint.core.files import atomic_path
    from terrainpaint.core.places import save_places
    from trainer.data.country_names import CountryNames
    from trainer.data.tile_set import load_tile_set
    from trainer.systems.terrain.place_index import PIECE_PX, make_index, retrieval

    if not 8 <= arguments.step <= 4096:
        raise WrongUsage("--step is 8 to 4096")
    countries = CountryNames.load(arguments.countries)
    sets = {path: load_tile_set(path) for path in arguments.tile_sets}
    with progress_bar("Measuring") as progress:
        index = make_index(sets, countries, arguments.step, progress)
    with atomic_path(arguments.output) as temporary:
        save_places(temporary, index)
    print(f"{arguments.output}: {len(index):,} pieces of {PIECE_PX} px, {arguments.output.stat().st_size / 1e6:.2f} MB")
    if arguments.check:
        for style in index.colours:
            found = retrieval(index, style, index.side_km, NEAR_KM)
            print(f"{style}: the most alike piece lies within {NEAR_KM:g} km in {found['first']:.1%} of the cases, one "
                  f"of five in {found['five']:.1%}, by chance in {found['random']:.1%}; median distance "
                  f"{found['km']:,.0f} km, by chance {found['random km']:,.0f} km")  # fmt: skip
