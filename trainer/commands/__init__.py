"""The commands of `python -m trainer`, one module for each: `add_parser` adds its options, `run` executes it.

Libraries that are slow to import are imported inside `run`, so that `--help` and wrong usage answer at once.
"""
