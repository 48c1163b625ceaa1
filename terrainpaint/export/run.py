"""The export itself: formats of a terrain, whole or in tiles, to files, all of them or none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from terrainpaint.core.files import FileTransaction
from terrainpaint.core.progress import Cancel, Progress, never_cancel, no_progress
from terrainpaint.errors import OptionError
from terrainpaint.export.cropping import cropped
from terrainpaint.export.detail import detailed
from terrainpaint.export.formats import Format, format_of
from terrainpaint.export.job import ExportJob, ExportOptions, ExportSource, Paths
from terrainpaint.export.mesh import height_range
from terrainpaint.export.sidecar import write_json
from terrainpaint.export.tile_jobs import TiledTerrain, TileJob
from terrainpaint.export.tile_options import Tile, Tiling

_Target = tuple[Format, Paths]
_DETAIL_PART = 0.7
"""Of the progress of an export, the part in which its terrain is made finer."""


class Readme(Protocol):
    """Returns the text for people about the files of an export with a name."""

    def __call__(self, job: ExportJob, name: str) -> str: ...


def export(
    source: ExportSource,
    target_dir: Path,
    name: str,
    formats: Sequence[str],
    options: ExportOptions,
    progress: Progress = no_progress,
    cancel: Cancel = never_cancel,
    readme: Readme | None = None,
) -> list[Path]:
    """Write `target_dir`/`name` + suffix for each of `formats`, all files or none, and return their paths.

    With `options.tiles`, each tile gets the files of the formats, and `index_path` lists the tiles. With `readme`, its
    text is written too, to `readme_path`; of tiles, it is that of the first one.

    A missing folder is created. Raises OptionError for an impossible format or name, OutputError when a file cannot be
    written, Cancelled when `cancel` returns True, ValueError when a height is not finite.
    """
    plan = _Plan.of(target_dir, name, formats, options, source.terrain.shape)
    notes = None if readme is None else (readme_path(target_dir, name), name, readme)
    source, progress = _prepared(source, options, progress, cancel)
    return _write(source, plan, options, progress, cancel, notes)


def readme_path(target_dir: Path, name: str) -> Path:
    """The text file that `export` writes with `readme`."""
    return target_dir / f"{name}_README.txt"


def index_path(target_dir: Path, name: str) -> Path:
    """The list of the tiles that `export` writes with `options.tiles`."""
    return target_dir / f"{name}_tiles.json"


def export_file(
    source: ExportSource,
    path: Path,
    format_name: str,
    options: ExportOptions,
    progress: Progress = no_progress,
    cancel: Cancel = never_cancel,
) -> list[Path]:
    """Write one format with `path` as its main file, the other files next to it; return the paths of all.

    Raises OptionError when the format does not exist or cannot have this path, or for tiles, and the errors of
    `export`.
    """
    if options.tiles is not None:
        raise OptionError(f"{path} is one file and tiles are several; choose a folder instead.")
    form = format_of(format_name)
    plan = _Plan([(form, form.paths(path))])
    source, progress = _prepared(source, options, progress, cancel)
    return _write(source, plan, options, progress, cancel, None)


def file_paths(path: Path, format_name: str) -> list[Path]:
    """The paths that `export_file` would write. Raises OptionError."""
    return list(format_of(format_name).paths(path))


def export_paths(
    target_dir: Path,
    name: str,
    formats: Sequence[str],
    options: ExportOptions | None = None,
    map_shape: tuple[int, int] | None = None,
) -> list[Path]:
    """The paths that `export` would write, so that a caller can check which files it replaces.

    The paths of tiles depend on the options and the shape (H, W) of the map; without the shape, those of tiles are left
    out. Raises OptionError.
    """
    return _Plan.of(target_dir, name, formats, options or ExportOptions(), map_shape).paths


@dataclass
class _Plan:
    """What is written: targets of the whole, and those of each tile; `index` lists the tiles."""

    whole: list[_Target]
    tiles: list[tuple[Tile, str, list[_Target]]] | None = None
    tiling: Tiling | None = None
    index: Path | None = None

    @classmethod
    def of(
        cls,
        target_dir: Path,
        name: str,
        formats: Sequence[str],
        options: ExportOptions,
        map_shape: tuple[int, int] | None,
    ) -> _Plan:
        """Raises OptionError."""
        _check_name(name)
        if not formats:
            raise OptionError("No format is chosen; 'terrainpaint formats' lists them.")
        chosen = [format_of(format_name) for format_name in dict.fromkeys(formats)]
        if options.tiles is None:
            return cls(_targets(target_dir, name, chosen))
        whole = _targets(target_dir, name, [form for form in chosen if not form.is_divided])
        if map_shape is None:
            return cls(whole)
        tiling = Tiling.of(options.exported_shape(map_shape), options.tiles)
        tiles = []
        for tile in tiling.tiles():
            stem = tiling.name(name, tile)
            _check_name(stem)
            tiles.append((tile, stem, _targets(target_dir, stem, [form for form in chosen if form.is_divided])))
        return cls(whole, tiles, tiling, index_path(target_dir, name))

    @property
    def paths(self) -> list[Path]:
        """All files."""
        parts = [self.whole, *(targets for _, _, targets in self.tiles or [])]
        return [
            *(path for targets in parts for _, paths in targets for path in paths),
            *([] if self.index is None else [self.index]),
        ]


def _check_name(name: str) -> None:
    """Raise OptionError when `name` cannot be the start of a file name."""
    if name in ("", ".", "..") or Path(name).name != name:
        raise OptionError(f'"{name}" cannot be the name of a file; choose a name without slashes.')


def _targets(target_dir: Path, name: str, formats: Sequence[Format]) -> list[_Target]:
    return [(form, form.paths(target_dir / (name + form.suffix))) for form in formats]


def _write(
    source: ExportSource,
    plan: _Plan,
    options: ExportOptions,
    progress: Progress,
    cancel: Cancel,
    notes: tuple[Path, str, Readme] | None,
) -> list[Path]:
    count = len(plan.whole) + sum(len(targets) for _, _, targets in plan.tiles or [])
    number, listed = 0, list[dict[str, object]]()
    described: tuple[ExportJob, str] | None = None
    with FileTransaction() as files:
        whole = ExportJob(source, options, files, progress, cancel)
        for job, stem, targets in _jobs(whole, plan):
            for form, paths in targets:
                job.progress = _part(progress, number, count)
                form.write(job, paths)
                job.progress(1.0)
                number += 1
            if isinstance(job, TileJob):
                described = described or (job, stem)
                listed.append(_entry(job, stem, targets))
        if plan.index is not None and plan.tiling is not None:
            write_json(whole, plan.index, _index(whole, plan.tiling, listed))
        if notes is not None:
            path, name, text = notes
            files.path(path).write_bytes(text(*(described or (whole, name))).encode())
    return [*plan.paths, *([] if notes is None else [notes[0]])]


def _jobs(whole: ExportJob, plan: _Plan) -> Iterator[tuple[ExportJob, str, list[_Target]]]:
    """The whole, then the tiles, with the starts of their names."""
    if plan.whole:
        yield whole, "", plan.whole
    if plan.tiling is not None and plan.tiles:
        terrain = TiledTerrain(whole.source, whole.options, plan.tiling)
        jobs = terrain.jobs(whole.files, whole.progress, whole.cancel)
        for job, (_, stem, targets) in zip(jobs, plan.tiles, strict=True):
            yield job, stem, targets


def _entry(job: TileJob, stem: str, targets: list[_Target]) -> dict[str, object]:
    facts = job.part_facts
    kept = ("tile_column", "tile_row", "level_of_detail", "corner_south_m", "corner_east_m")
    files = {form.name: [path.name for path in paths] for form, paths in targets}
    return {"name": stem, **{key: facts[key] for key in kept}, "files": files}


def _index(whole: ExportJob, tiling: Tiling, tiles: list[dict[str, object]]) -> dict[str, object]:
    """What an import script needs: how many tiles, of which size, where."""
    terrain = whole.source.terrain
    south_m, east_m = (old / new * terrain.pixel_size_m for old, new in zip(terrain.shape, tiling.shape, strict=True))
    low, high = height_range(terrain.height)
    return {
        "columns": tiling.columns,
        "rows": tiling.rows,
        "levels_of_detail": tiling.options.lods,
        "tile_width_px": tiling.side[1],
        "tile_height_px": tiling.side[0],
        "shared_border_px": 1,
        "pixel_size_x_m": east_m,
        "pixel_size_y_m": south_m,
        "height_min_m": low,
        "height_max_m": high,
        "skirt_m": tiling.options.skirt_m,
        "program": f"TerrainPaint {terrain.provenance.version}",
        "tiles": tiles,
    }


def _prepared(
    source: ExportSource, options: ExportOptions, progress: Progress, cancel: Cancel
) -> tuple[ExportSource, Progress]:
    """The part and the scale that are written, and the rest of the progress."""
    if options.detail == 1:
        return cropped(source, options.crop), progress
    fine = detailed(source, options.crop, options.detail, lambda fraction: progress(_DETAIL_PART * fraction), cancel)
    return fine, lambda fraction: progress(_DETAIL_PART + (1 - _DETAIL_PART) * fraction)


def _part(progress: Progress, number: int, count: int) -> Progress:
    """The `Progress` of part `number` of `count` equal parts."""
    return lambda fraction: progress((number + fraction) / count)
