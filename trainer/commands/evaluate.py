"""`python -m trainer evaluate`: its options, and what it writes and says."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.commands.console import Subparsers, WrongUsage, progress_bar

if TYPE_CHECKING:
    from trainer.evaluation.parts import Part


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("evaluate", help="measure weights on held-out land and write a report")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="weights file (.safetensors)")
    parser.add_argument("--data", type=Path, metavar="SET.npz", help="labelled prepared set with held-out tiles")
    parser.add_argument("--features", type=Path, metavar="FILE",
                        help="state dict of torchvision's squeezenet1_1 or vgg19, .safetensors or .pth")  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="folder of the report")
    parser.add_argument("--crops", type=int, default=400, help="held-out crops (400)")
    parser.add_argument("--crop-px", type=int, default=256, help="side of a crop in pixels (256)")
    parser.add_argument("--uniform-px", type=int, default=2048, metavar="N",
                        help="side of the maps of one class that are searched for repetition (2048)")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="seed of everything random (0)")
    parser.add_argument(
        "--segmenter", type=Path, metavar="FILE", help="segmenter to use, or to train where there is none (in FOLDER)"
    )
    parser.add_argument("--shard", type=_shard, default=(0, 1), metavar="I/N", help="measure one part of N only")
    parser.add_argument(
        "--merge", type=Path, nargs="+", metavar="PART.npz", help="make the report of all parts instead"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (auto)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Measure the weights, or merge parts, and write the report."""
    from trainer.evaluation.evaluate import Options, evaluate
    from trainer.evaluation.parts import load_part, merge, save_part

    if arguments.merge is not None:
        _report(merge([load_part(path) for path in arguments.merge]), arguments.output)
        return
    for name in ("weights", "data", "features"):
        if getattr(arguments, name) is None:
            raise WrongUsage(f"--{name} is needed, or --merge with the parts of an evaluation")
    shared = ("weights", "data", "features", "crops", "crop_px", "uniform_px", "seed", "device", "segmenter", "shard")
    options = Options(**{name: getattr(arguments, name) for name in shared})
    part = evaluate(options, arguments.output, progress_bar)
    number, count = options.shard
    if count == 1:
        _report(part, arguments.output)
        return
    path = arguments.output / f"part-{number + 1}-of-{count}.npz"
    save_part(path, part)
    print(f"{path}: join the parts with 'python -m trainer evaluate --merge PART... -o FOLDER'")


def _report(part: Part, folder: Path) -> None:
    import json

    import cv2
    from rich.console import Console
    from rich.table import Table as Printed

    from terrainpaint.core.files import FileTransaction
    from trainer.evaluation.pages import JPEG_QUALITY, generated_sheet, report_html, report_markdown
    from trainer.evaluation.results import results
    from trainer.evaluation.tables import tables

    found = results(part)
    sheet = generated_sheet(part, found["told"]["pixel_size_m"])
    packed = cv2.imencode(".jpg", sheet[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    with FileTransaction() as files:
        files.path(folder / "results.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        files.path(folder / "report.html").write_text(report_html(part, found), encoding="utf-8")
        files.path(folder / "report.md").write_text(report_markdown(found, "report.jpg"), encoding="utf-8")
        files.path(folder / "report.jpg").write_bytes(packed.tobytes())
    console = Console()
    if not console.is_terminal:
        console.width = 120
    for table in tables(found):
        printed = Printed(title=table.title, title_justify="left")
        for column, name in enumerate(table.columns):
            printed.add_column(name, justify="right" if column else "left")
        for row in table.rows:
            printed.add_row(*row)
        console.print(printed)
    print(folder / "report.html")


def _shard(text: str) -> tuple[int, int]:
    if not (found := re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not I/N, as in 1/4")
    return int(found[1]) - 1, int(found[2])
