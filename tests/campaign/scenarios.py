"""Everything that a campaign does to running programs."""

from __future__ import annotations

import random
import shutil
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.campaign.dead_worker import dead_worker
from tests.campaign.files import Findings
from tests.campaign.kills import KILLS
from tests.campaign.programs import Scenario
from tests.campaign.removed_folders import removed_folders, removed_run
from tests.campaign.rivals import rivals

SCENARIOS: Mapping[str, Scenario] = {
    **KILLS, "two programs": rivals, "dead worker": dead_worker, "removed folders": removed_folders,
    "removed run": removed_run,
}  # fmt: skip


def tried_scenarios(draw: random.Random, kept: Path, goes_on: Callable[[], bool], findings: Findings) -> Counter[str]:
    """Try them until `goes_on` says no, and count. Each gets as much time as the others; folders with findings stay."""
    counts: Counter[str] = Counter()
    spent = dict.fromkeys(SCENARIOS, 0.0)
    while goes_on():
        name = min(spent, key=lambda each: spent[each])
        begin = time.monotonic()
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as text:
            folder = Path(text)
            try:
                problem = SCENARIOS[name](draw, folder)
            except Exception:  # of any kind: it is a finding
                problem = traceback.format_exc()
            counts[name] += 1
            if problem:
                left = kept / f"{name.replace(' ', '-')}-{counts[name]}"
                shutil.copytree(folder, left, dirs_exist_ok=True, ignore=shutil.ignore_patterns("settings"))
                findings.add(name, problem, left)
        spent[name] += time.monotonic() - begin
    return counts
