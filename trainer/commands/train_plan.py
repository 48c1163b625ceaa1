"""The plan of a run, as `train --dry-run` prints it."""

from __future__ import annotations

import math

from trainer.commands.console import duration
from trainer.loop.config import RunConfig
from trainer.loop.rehearsal import Rehearsal


def plan_lines(system: str, device: str, epoch: int, run: RunConfig, measured: Rehearsal) -> list[str]:
    """One line for each fact. `epoch` images are one time through the set; `device` a description of it."""
    steps = math.ceil(run.images / run.batch)
    parts = f" in {run.accumulate} parts of {run.batch // run.accumulate}" if run.accumulate > 1 else ""
    networks = ", ".join(f"{name} {count:,}" for name, count in measured.parameters.items())
    memory = measured.memory_bytes / 2**30
    place = "of the graphics card" if device.startswith("cuda") else "of main memory, with Python and the set"
    kept = (run.keep + 1) * measured.checkpoint_bytes / 2**20
    lines = [
        f"system     {system} on {device}",
        f"networks   {networks} parameters",
        f"length     {run.images:,} images, {steps:,} steps of {run.batch}{parts}, {run.images / epoch:,.1f} times "
        f"through {epoch:,} pictures",
        f"memory     {memory:.1f} GB {place}",
        f"time       {measured.step_s:.2f} s a step, {run.batch / measured.step_s:,.1f} images a second, "
        f"{duration(measured.step_s * steps)} in all, without measurements",
        f"files      {_times(run.images, run.sample_images, 'sample grid')}, "
        f"{_times(run.images, run.save_images, 'checkpoint')} of which at most {run.keep + 1} are kept, "
        f"{kept:,.0f} MB together",
    ]
    if run.measure_images:
        lines.append(f"figures    {_times(run.images, run.measure_images, 'measurement')} of FID and KID")
    return lines


def _times(images: int, interval: int, what: str) -> str:
    count = max(1, images // interval)
    return f"{count:,} {what}{'s' if count > 1 else ''}"
