"""The commands of `python -m trainer`, a module each: `add_parser` adds its options, `run` carries it out.

Libraries that are slow to import are imported inside `run`, so that `--help` and wrong usage answer at once.
"""
