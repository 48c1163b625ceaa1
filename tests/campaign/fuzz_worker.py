"""`python -m tests.campaign.fuzz_worker READER NAME CORPUS FOUND SECONDS`: damages files, guided by coverage.

Files of one name for one reader. Those that reach code which no other one reached are kept in the folder CORPUS, and
those with findings in the folder FOUND, each with the text of what happened.
"""

from __future__ import annotations

import hashlib
import random
import re
import sys
import tempfile
from pathlib import Path

import atheris

_INSTRUMENTED = ["terrainpaint", "trainer", "zipfile", "tomllib", "json"]


def main(reader: str, name: str, corpus: Path, found: Path, seconds: int) -> None:
    """Fuzz one reader for some time."""
    folder = Path(tempfile.mkdtemp())
    # Code is instrumented when it is imported, which readers do when they are called.
    with atheris.instrument_imports(include=_INSTRUMENTED):
        from tests.campaign.mutations import mutated
        from tests.campaign.readers import READERS
        from tests.campaign.worker import Judge

        judge = Judge(READERS[reader].read)
        valid = corpus / f"valid-{name}"
        (folder / name).write_bytes(valid.read_bytes())
        judge.judged(folder / name)

    def one(data: bytes) -> None:
        path = folder / name
        path.write_bytes(data)
        outcome, text = judge.judged(path)
        for left in folder.iterdir():
            left.unlink()
        if outcome == "finding":
            stem = hashlib.sha256(_kind(text).encode()).hexdigest()[:12]
            (found / f"{stem}.txt").write_text(text)
            (found / f"{stem}-{name}").write_bytes(data)

    def mutator(data: bytes, most: int, seed: int) -> bytes:
        # Half are damaged inside their container, which libFuzzer does not know, with right checksums.
        draw = random.Random(seed)
        changed = mutated(draw, bytes(data)) if draw.random() < 0.5 else atheris.Mutate(data, most)
        return bytes(changed[:most])

    options = [
        "fuzz", str(corpus), f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=0",
        f"-max_len={2 * valid.stat().st_size + 4096}",
        f"-artifact_prefix={found}/died-", "-print_final_stats=1", "-report_slow_units=60", "-verbosity=0",
    ]  # fmt: skip
    atheris.Setup(options, one, custom_mutator=mutator)
    atheris.Fuzz()


def _kind(text: str) -> str:
    """What two findings of one kind have in common: where it happened, without values."""
    places = re.findall(r'File "([^"]+)", line (\d+)', text)
    return repr(places[-3:]) if places else re.sub(r"\d+|/[^ ]*", "", text)[:80]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]), int(sys.argv[5]))
