"""`terrainpaint batch`: many maps, seeds and styles, in worker processes, with a report."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

from terrainpaint.api.batch import BatchReport, find_maps, planned_jobs
from terrainpaint.api.batch_workers import run_jobs
from terrainpaint.cli.arguments import BatchArguments
from terrainpaint.cli.dry_run import batch_needs_lines
from terrainpaint.cli.terminal import ProgressLine, say
from terrainpaint.core.assets import shipped_styles
from terrainpaint.errors import BatchError


def batch(arguments: BatchArguments) -> Iterator[str]:
    """Write the files of all terrains; return the lines of the table, or with `dry_run` what they will need.

    What is done and unchanged is skipped, and a failure does not stop the others. Raises OptionError for what is wrong
    with all of them, OutputError, and the lines raise BatchError at their end when a terrain failed.
    """
    styles = tuple(shipped_styles()) if arguments.styles == ("all",) else arguments.styles
    jobs = planned_jobs(
        find_maps(arguments.maps, arguments.folder), arguments.seeds, styles, arguments.folder, arguments.name,
        arguments.reading, arguments.terrain, arguments.files,
    )  # fmt: skip
    report = BatchReport(arguments.folder, jobs)
    waiting = report.skip_current()
    if arguments.dry_run:
        return batch_needs_lines(report, waiting, arguments.workers)
    report.save()
    try:
        _run(report, waiting, arguments)
    finally:
        report.save()
    return _result(report)


def _result(report: BatchReport) -> Iterator[str]:
    yield from report.table()
    failed = sum(bool(record.error) for record in report.records)
    if failed:
        raise BatchError(f"{failed} of {len(report.jobs)} terrains failed; {report.path} has the reasons.")


def _run(report: BatchReport, waiting: list[int], arguments: BatchArguments) -> None:
    began, failed = time.monotonic(), 0
    with (
        ProgressLine(arguments.quiet) as line,
        closing(run_jobs(((index, report.jobs[index]) for index in waiting), arguments.workers)) as outcomes,
    ):
        line.show(_progress(0, len(waiting), 0, 0.0))
        for done, outcome in enumerate(outcomes, start=1):
            report.end(outcome.index, outcome.paths, outcome.error, outcome.seconds)
            failed += bool(outcome.error)
            line.show("")
            for sentence in (outcome.error, *(() if arguments.quiet else outcome.notes)):
                if sentence:
                    say(sentence)
            line.show(_progress(done, len(waiting), failed, time.monotonic() - began))


def _progress(done: int, count: int, failed: int, elapsed_s: float) -> str:
    text = f"{done} of {count} terrains" + (f", {failed} failed" if failed else "")
    return text if not done or done == count else f"{text}, {_duration(elapsed_s / done * (count - done))} left"


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 100 * 60 else f"{seconds / 3600:.1f} h"
