"""A campaign of damaged files and killed programs: `python -m tests.campaign --minutes N`."""
