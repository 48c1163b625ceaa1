"""`python -m tests.campaign --minutes N`: damage files and kill programs for some time, and say what was found.

Half of the time goes to programs, a quarter to damage that is guided by coverage, if atheris is installed, and the rest
to random damage. Exit code 1 when there is a finding; the files that caused it stay in the folder that is named.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.campaign.files import Findings, damaged_files
from tests.campaign.fuzz import fuzzed_files, is_installed
from tests.campaign.readers import READERS
from tests.campaign.scenarios import SCENARIOS, tried_scenarios
from tests.campaign.special import special_files


def main() -> int:
    """Run the campaign and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="how long (60)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of everything random; default: the time")
    parser.add_argument("--kept", type=Path, default=Path("findings"), help="folder for files with findings (findings)")
    arguments = parser.parse_args()
    arguments.kept.mkdir(parents=True, exist_ok=True)
    draw, findings, begin = random.Random(arguments.seed), Findings(), time.monotonic()

    special = special_files(findings)
    then = time.monotonic()
    rest = max(0.0, begin + 60 * arguments.minutes - then)

    def until(fraction: float) -> Callable[[], bool]:
        return lambda: time.monotonic() < then + rest * fraction

    tried = tried_scenarios(draw, arguments.kept, until(0.5), findings)
    fuzzed = fuzzed_files(draw, arguments.kept, until(0.75), findings) if is_installed() else 0
    files = damaged_files(draw, arguments.kept, until(1.0), findings)
    print(f"seed {arguments.seed}, {(time.monotonic() - begin) / 60:.0f} minutes")
    guided = f"{fuzzed:,} files guided by coverage" if is_installed() else "atheris is not installed"
    print(f"{special:,} special files, {files:,} damaged files, {guided}")
    for reader in READERS:
        print(f"  {reader:15} {findings.read[reader]:7,} read {findings.refused[reader]:7,} refused")
    print(f"{sum(tried.values()):,} tries with programs")
    for scenario in SCENARIOS:
        print(f"  {scenario:17} {tried[scenario]:7,}")
    print(f"{len(findings.found)} kinds of findings")
    for name, (count, first) in findings.found.items():
        print(f"\n{count} x {name}\n{first}")
    return 1 if findings.found else 0


if __name__ == "__main__":
    sys.exit(main())
