"""The part of a campaign that is guided by coverage, with atheris (libFuzzer) if it is installed."""

from __future__ import annotations

import importlib.util
import random
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.campaign.files import Findings
from tests.campaign.programs import start
from tests.campaign.readers import valid_files

_SLICE_S = 30
"""Each reader has its turn so long, then the next one."""
_START_S = 180
_LARGEST = 1 << 17
"""Larger files take long and teach nothing that smaller ones do not."""


def is_installed() -> bool:
    """Whether this Python has atheris."""
    return importlib.util.find_spec("atheris") is not None


def fuzzed_files(draw: random.Random, kept: Path, goes_on: Callable[[], bool], findings: Findings) -> int:
    """Fuzz one reader after the other until `goes_on` says no; returns the number of files."""
    count = 0
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        valid = valid_files(folder / "valid")
        turns = _turns(draw, list(valid))
        while goes_on():
            reader = next(turns)
            name, _ = draw.choice(valid[reader])
            stem = f"{reader.replace(' ', '-')}-{name}"
            corpus, found = kept / "corpus" / stem, kept / f"fuzz-{stem}"
            for each in (corpus, found):
                each.mkdir(parents=True, exist_ok=True)
            for other, data in valid[reader]:
                if other == name or (Path(other).suffix == Path(name).suffix and len(data) <= _LARGEST):
                    (corpus / f"valid-{other}").write_bytes(data)
            before = set(found.iterdir())
            arguments = ["-m", "tests.campaign.fuzz_worker", reader, name, str(corpus), str(found), str(_SLICE_S)]
            child = start(arguments, folder, "fuzz")
            try:
                code: int | str = child.wait(_SLICE_S + _START_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
                code = "it hangs"
            said = (folder / "fuzz.err").read_text(errors="replace")
            done = re.search(r"number_of_executed_units: (\d+)", said)
            count += int(done.group(1)) if done else 0
            for path in sorted(set(found.iterdir()) - before):
                if re.fullmatch(r"[0-9a-f]{12}\.txt", path.name):
                    findings.add(f"{reader}, fuzzed", path.read_text(), path)
            if code:
                findings.add(f"{reader}, fuzzed", f"{said[-1000:]}\nthe process ended: {code}", found)
            elif not any(found.iterdir()):
                found.rmdir()
    return count


def _turns(draw: random.Random, readers: list[str]) -> Iterator[str]:
    while True:
        draw.shuffle(readers)
        yield from readers
