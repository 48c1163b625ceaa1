"""What the commands of the trainer print."""

import pytest

from trainer.commands.console import duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (290, "5 min"), (7500, "2 h 05 min"), (47 * 3600, "47 h 00 min"), (12 * 86_400 + 4 * 3600, "12 days 4 h"),
        (82 * 365.25 * 86_400, "82 years"),
    ],
)  # fmt: skip
def test_long_times_are_days_and_years(seconds: float, text: str) -> None:
    assert duration(seconds) == text
