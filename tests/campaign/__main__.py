"""`python -m tests.campaign --minutes N`: damage files and kill programs for some time, and say what was found.

Exit code 1 when there is a finding; the files that caused it stay in the folder that is named.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

from tests.campaign.files import Findings, damaged_files
from tests.campaign.kills import SCENARIOS, killed_programs
from tests.campaign.readers import READERS
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
    end = begin + 60 * arguments.minutes
    special = special_files(findings)
    # A third of the time for programs that are killed.
    kills = killed_programs(draw, lambda: time.monotonic() < begin + 20 * arguments.minutes, findings)
    files = damaged_files(draw, arguments.kept, lambda: time.monotonic() < end, findings)
    print(f"seed {arguments.seed}, {(time.monotonic() - begin) / 60:.0f} minutes")
    print(f"{special:,} special files, {files:,} damaged files")
    for reader in READERS:
        print(f"  {reader:15} {findings.read[reader]:7,} read {findings.refused[reader]:7,} refused")
    print(f"{sum(kills.values()):,} killed programs")
    for scenario in SCENARIOS:
        print(f"  {scenario:15} {kills[scenario]:7,}")
    print(f"{len(findings.found)} kinds of findings")
    for name, (count, first) in findings.found.items():
        print(f"\n{count} x {name}\n{first}")
    return 1 if findings.found else 0


if __name__ == "__main__":
    sys.exit(main())
