"""All readers of files from outside, and valid files for each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.campaign.program_readers import PROGRAM_READERS
from tests.campaign.reader import Reader
from tests.campaign.server_readers import SERVER_READERS
from tests.campaign.trainer_readers import TRAINER_READERS

READERS: Mapping[str, Reader] = {**PROGRAM_READERS, **SERVER_READERS, **TRAINER_READERS}


def valid_files(folder: Path) -> dict[str, list[tuple[str, bytes]]]:
    """For each reader, the names and contents of valid files."""
    found = {}
    for name, reader in READERS.items():
        own = folder / name.replace(" ", "-")
        own.mkdir(parents=True)
        found[name] = [(path.name, path.read_bytes()) for path in reader.files(own)]
    return found
