"""Many terrains: maps x seeds x styles, what of them is done already, and the report."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from terrainpaint import __version__
from terrainpaint.api.chosen_weights import detail_weights_of
from terrainpaint.api.export_plans import planned_files
from terrainpaint.api.requests import DEFAULT_STYLE, NO_LOOK, FilesRequest, MapReading, TerrainRequest
from terrainpaint.core.assets import shipped_looks, shipped_styles
from terrainpaint.core.checked_json import JsonObject, parse_object
from terrainpaint.core.files import atomic_path, input_error, open_regular, read_regular, why_unreadable
from terrainpaint.core.path_kinds import is_file, is_folder
from terrainpaint.core.quoting import shown
from terrainpaint.errors import OptionError, OutputError
from terrainpaint.export.presets import find_preset

REPORT = "terrainpaint-batch.json"
SUFFIXES = frozenset({".bmp", ".gif", ".jpg", ".jpeg", ".ora", ".png", ".terrainpaint", ".tif", ".tiff", ".webp"})
"""Of the files of a folder that are taken for maps or projects."""
MOST_JOBS = 100_000
_MOST_REPORT_BYTES = 256 << 20
_MOST_HASHED_BYTES = 1 << 30
"""Of a larger file, which is hardly a map, the size and the time stand for the content: reading it takes too long."""
_SAVED_EVERY_S = 2.0
_TOKENS = ("map", "style", "seed")
DONE, FAILED, WAITING = "done", "failed", "waiting"


@dataclass(frozen=True)
class BatchJob:
    """One terrain and its files, `folder`/`name` + suffix of each format."""

    map: Path
    folder: Path
    name: str
    reading: MapReading
    terrain: TerrainRequest
    files: FilesRequest


@dataclass
class BatchRecord:
    """What is known of a job. `state` is DONE, FAILED or WAITING; `was_done` is whether it was skipped as done.

    `fingerprint` stands for all that the files depend on; `sizes` has path and bytes of each file.
    """

    fingerprint: str = ""
    state: str = WAITING
    was_done: bool = False
    error: str = ""
    seconds: float = 0.0
    sizes: dict[str, int] = field(default_factory=dict)

    def is_current(self, fingerprint: str) -> bool:
        """Whether the files are there and depend on the same as before."""
        return (
            self.state == DONE
            and self.fingerprint == fingerprint
            and all(_size(Path(path)) == size for path, size in self.sizes.items())
        )


def find_maps(paths: Sequence[Path], out: Path) -> list[Path]:
    """The files, and the maps and projects in folders, sorted by name. Raises OptionError, and InputFileError for a
    folder that cannot be read."""
    found: list[Path] = []
    for path in paths:
        if is_folder(path):
            if path.resolve() == out.resolve():
                raise OptionError(f"{out} has the maps; choose another folder for the files, or they become maps too.")
            try:
                entries = sorted(path.iterdir())
            except OSError as error:
                raise input_error(path, error) from error
            inside = [entry for entry in entries if entry.suffix.lower() in SUFFIXES and is_file(entry)]
            if not inside:
                raise OptionError(f"{path} has no maps or projects; choose another folder.")
            found += inside
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def planned_jobs(
    maps: Sequence[Path],
    seeds: Sequence[int | None],
    styles: Sequence[str | None],
    out: Path,
    pattern: str | None,
    reading: MapReading,
    terrain: TerrainRequest,
    files: FilesRequest,
) -> list[BatchJob]:
    """Each map with each style and each seed; None keeps that of a project.

    `pattern` is the start of the names of files with the tokens {map}, {style} and {seed}, and folders before slashes;
    None takes the map and what varies. Raises OptionError, also when two jobs would write the same files.
    """
    if len(maps) * len(seeds) * len(styles) > MOST_JOBS:
        raise OptionError(f"These are over {MOST_JOBS} terrains; choose fewer maps, seeds or styles.")
    unknown = [style for style in styles if style is not None and style not in shipped_styles()]
    if unknown:
        raise OptionError(f'There is no style "{shown(unknown[0])}"; choose from {", ".join(shipped_styles())}.')
    chosen = _usual_pattern(seeds, styles) if pattern is None else _checked(pattern)
    jobs = []
    for path in maps:
        for style in styles:
            for seed in seeds:
                request = replace(terrain, seed=seed, style=style)
                place = out / _filled(chosen, path, request)
                jobs.append(BatchJob(path, place.parent, place.name, reading, request, files))
    if jobs:
        planned_files(jobs[0].folder, jobs[0].name, files)  # so that a wrong option is said before anything else
    same = [place for place, count in Counter(job.folder / job.name for job in jobs).items() if count > 1]
    if same:
        raise OptionError(
            f"{same[0]} would be written twice; choose other names, such as --name '{{map}}-{{style}}-{{seed}}', or "
            "rename one of the maps."
        )
    return jobs


def fingerprint(job: BatchJob) -> str:
    """What stands for all that the files of a job depend on. Raises OSError when one of them cannot be read."""
    terrain = {**asdict(job.terrain), "device": "", "weights": "", "detail_weights": "", "look": ""}
    styles, looks = shipped_styles(), shipped_looks()
    # What a project names may be any of those that are installed.
    weights = [job.terrain.weights] if job.terrain.weights else [styles[name] for name in styles]
    if job.terrain.style is not None:
        weights = [styles[job.terrain.style]]
    if job.files.detail != 1:
        weights.append(detail_weights_of(job.terrain))
    if job.terrain.look is None:
        weights += looks.values()
    elif job.terrain.look != NO_LOOK:
        weights.append(looks.get(job.terrain.look, Path(job.terrain.look)))
    preset = None if job.files.preset is None else asdict(find_preset(job.files.preset))
    facts = {
        "version": __version__,
        "map": _digest(job.map),
        "reading": asdict(job.reading),
        "terrain": terrain,
        "weights": [_digest(path) for path in weights],
        "lines": None if job.terrain.lines is None else _digest(job.terrain.lines),
        "files": asdict(job.files),
        "preset": preset,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


class BatchReport:
    """The records of all jobs, in a JSON file in the folder of the files, which is saved as they end."""

    def __init__(self, out: Path, jobs: Sequence[BatchJob]) -> None:
        """Read the report of an earlier run in the folder, if there is one. Raises OutputError for another file."""
        self.path = out / REPORT
        before = _read(self.path)
        self.jobs = jobs
        self.records = [before.get(_key(job), BatchRecord()) for job in jobs]
        self._saved_at = 0.0

    def skip_current(self) -> list[int]:
        """Mark what is done and unchanged; return the indices of the other jobs."""
        waiting = []
        for index, (job, record) in enumerate(zip(self.jobs, self.records, strict=True)):
            try:
                current = fingerprint(job)
            except OSError:
                current = ""  # the job itself says what is wrong with its map
            record.was_done = bool(current) and record.is_current(current)
            if not record.was_done:
                self.records[index] = BatchRecord(current)
                waiting.append(index)
        return waiting

    def end(self, index: int, paths: Sequence[Path], error: str, seconds: float) -> None:
        """Note the end of a job: its files, or why there are none."""
        record = self.records[index]
        record.state, record.error, record.seconds = (FAILED if error else DONE), error, round(seconds, 3)
        record.sizes = {str(path): _size(path) or 0 for path in paths}
        if time.monotonic() - self._saved_at > _SAVED_EVERY_S:
            self.save()

    def save(self) -> None:
        """Write the report. Raises OutputError."""
        self._saved_at = time.monotonic()
        counts = Counter(record.state for record in self.records)
        facts = {
            "program": f"TerrainPaint {__version__}",
            **{state: counts[state] for state in (DONE, FAILED, WAITING)},
            "jobs": [_encoded(job, record) for job, record in zip(self.jobs, self.records, strict=True)],
        }
        with atomic_path(self.path) as temporary:
            temporary.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", "utf-8")

    def table(self) -> Iterator[str]:
        """Lines for people: each job with its state, time and size or reason, and the sums."""
        names = [str(Path(_key(job)).relative_to(self.path.parent)) for job in self.jobs]
        width = max(len("terrain"), *map(len, names))
        yield f"{'terrain':<{width}}  {'state':<11}  {'time':>8}  result"
        for name, record in zip(names, self.records, strict=True):
            state = "done before" if record.was_done else record.state
            size = sum(record.sizes.values())
            count = f"{len(record.sizes)} file{'' if len(record.sizes) == 1 else 's'}"
            result = record.error or f"{count}, {size / 1e6:.1f} MB"
            yield f"{name:<{width}}  {state:<11}  {record.seconds:>6.1f} s  {result}"
        failed = sum(record.state == FAILED for record in self.records)
        skipped = sum(record.was_done for record in self.records)
        yield f"{len(names)} terrains: {len(names) - failed - skipped} written, {skipped} done before, {failed} failed"


def _usual_pattern(seeds: Sequence[int | None], styles: Sequence[str | None]) -> str:
    return "{map}" + ("-{style}" if len(styles) > 1 else "") + ("-{seed}" if len(seeds) > 1 else "")


def _checked(pattern: str) -> str:
    tokens = re.findall(r"\{([^{}]*)\}", pattern)
    unknown = [token for token in tokens if token not in _TOKENS]
    if unknown or Path(pattern).is_absolute() or ".." in Path(pattern).parts or not Path(pattern).name:
        what = f"the unknown token {{{unknown[0]}}}" if unknown else "no name within the folder"
        raise OptionError(
            f'The name "{pattern}" has {what}; use {{map}}, {{style}} and {{seed}}, such as "{{map}}-{{seed}}".'
        )
    return pattern


def _filled(pattern: str, path: Path, request: TerrainRequest) -> str:
    style = request.weights.stem if request.weights else request.style
    values = {"map": path.stem, "style": style or DEFAULT_STYLE, "seed": str(request.seed or 0)}
    return re.sub(r"\{([^{}]*)\}", lambda token: values[token[1]], pattern)


def _key(job: BatchJob) -> str:
    return str(job.folder / job.name)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _digest(path: Path) -> str:
    status = path.stat()
    if status.st_size > _MOST_HASHED_BYTES:
        return f"{status.st_size} bytes at {status.st_mtime_ns}"
    return _digest_of(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest_of(path: Path, size: int, time_ns: int) -> str:
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _encoded(job: BatchJob, record: BatchRecord) -> dict[str, object]:
    return {
        "name": _key(job),
        "map": str(job.map),
        "style": job.terrain.style,
        "seed": job.terrain.seed,
        "state": record.state,
        "was_done": record.was_done,
        "error": record.error,
        "seconds": record.seconds,
        "files": record.sizes,
        "fingerprint": record.fingerprint,
    }


def _read(path: Path) -> Mapping[str, BatchRecord]:
    """Name of a job → its record in the report of an earlier run."""
    try:
        text = read_regular(path, _MOST_REPORT_BYTES).decode("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        reason = why_unreadable(error) if isinstance(error, OSError) else "it is no text"
        raise OutputError(f"{path} cannot be read: {reason}; remove it to begin again.") from error
    try:
        jobs = parse_object(text)["jobs"]
        if not isinstance(jobs, list):
            raise ValueError("jobs must be a list")
        return dict(_decoded(JsonObject(job, "jobs")) for job in jobs)
    except ValueError as error:
        raise OutputError(f"{path} is no report of a batch: {error}; remove it to begin again.") from error


def _decoded(values: JsonObject) -> tuple[str, BatchRecord]:
    """Raises ValueError."""
    sizes = values["files"]
    if not isinstance(sizes, dict) or not all(isinstance(size, int) for size in sizes.values()):
        values.refuse("files", "paths with their bytes")
    name, state, mark, error = (values[key] for key in ("name", "state", "fingerprint", "error"))
    if not all(isinstance(text, str) for text in (name, state, mark, error)):
        raise ValueError("name, state, fingerprint and error must be texts")
    return name, BatchRecord(mark, state, False, error, values.number("seconds", 0, 1e9), sizes)
