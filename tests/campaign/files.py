"""The part of a campaign with damaged files: a process for each reader, with limits of time and memory."""

from __future__ import annotations

import json
import random
import re
import select
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests.campaign.mutations import mutated
from tests.campaign.readers import valid_files

SECONDS = 20.0
"""A file that takes longer counts as one that hangs."""
_START_SECONDS = 120.0


@dataclass
class Findings:
    """How many files each reader read and refused, and the first file of each kind of finding."""

    read: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    found: dict[str, tuple[int, str]] = field(default_factory=dict)

    def add(self, reader: str, what: str, kept: Path) -> None:
        """Count a finding; those with the same last line are one, and the first is printed on stderr at once."""
        name = f"{reader}: {re.sub(r'/[^ ]*', 'PATH', what.strip().splitlines()[-1])[:200]}"
        if name not in self.found:
            print(f"{name}\n{kept}\n{what}\n", file=sys.stderr, flush=True)
        count, first = self.found.get(name, (0, f"{kept}\n{what}"))
        self.found[name] = count + 1, first


class ReaderProcess:
    """A worker that reads files with one reader; it is started again when it died."""

    def __init__(self, reader: str, folder: Path, valid: Path) -> None:
        self._reader, self._folder, self._valid = reader, folder, valid
        self._process: subprocess.Popen[str] | None = None

    def ask(self, path: Path) -> tuple[str, str]:
        """Outcome and text for a file."""
        if self._process is None:
            self._start()
            outcome, text = self._answer(self._valid, _START_SECONDS)
            if outcome != "read":
                return "finding", f"a valid file, {self._valid.name}, is not read: {text}"
        return self._answer(path, SECONDS)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _start(self) -> None:
        with (self._folder / "stderr").open("w") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.campaign.worker", self._reader],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            )  # fmt: skip

    def _answer(self, path: Path, seconds: float) -> tuple[str, str]:
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(str(path)) + "\n")
        process.stdin.flush()
        line = _line_within(process.stdout, seconds)
        if line:
            answer = json.loads(line)
            return answer["outcome"], answer["text"]
        ended = process.poll()
        self.close()
        said = (self._folder / "stderr").read_text(errors="replace")[-500:]
        hangs = ended is None and line is None
        return "finding", f"{said}\n{'it hangs' if hangs else f'the process died: {ended}'}"


def _line_within(stream: IO[str], seconds: float) -> str | None:
    """The next line; empty when the process ended, None when it took longer."""
    ready, _, _ = select.select([stream], [], [], seconds)
    return stream.readline() if ready else None


def damaged_files(draw: random.Random, kept: Path, goes_on: Callable[[], bool], findings: Findings) -> int:
    """Damage valid files and read them until `goes_on` says no; files with findings stay in `kept`."""
    count = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        valid = valid_files(folder / "valid")
        processes: dict[str, ReaderProcess] = {}
        for reader, files in valid.items():
            own = folder / reader.replace(" ", "-")
            own.mkdir()
            processes[reader] = ReaderProcess(reader, own, folder / "valid" / own.name / files[0][0])
        try:
            while goes_on():
                # A block of files for each reader: switching processes at each file would cost caches.
                for reader, files in valid.items():
                    for _ in range(20):
                        source, data = draw.choice(files)
                        path = folder / reader.replace(" ", "-") / "in" / source
                        path.parent.mkdir(exist_ok=True)
                        path.write_bytes(mutated(draw, data))
                        outcome, text = processes[reader].ask(path)
                        count += 1
                        if outcome == "finding":
                            target = kept / f"{reader.replace(' ', '-')}-{count}-{source}"
                            target.write_bytes(path.read_bytes())
                            findings.add(reader, text, target)
                        else:
                            getattr(findings, outcome)[reader] += 1
                        for left in path.parent.iterdir():
                            left.unlink()
        finally:
            for process in processes.values():
                process.close()
    return count
