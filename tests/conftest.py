"""What all tests share."""

from __future__ import annotations

import os

from hypothesis import settings

# Before PyTorch is imported: its threads must not spin while they wait. Where other processes use the cores too, that
# made the tests of the networks seven times slower. The processes that tests start inherit it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")
if "PYTEST_XDIST_WORKER" in os.environ:  # the other cores run other tests
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# No test asserts a duration: a computer may be busy with something else.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
