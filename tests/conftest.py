"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# No test asserts a duration: a computer may be busy with something else.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
