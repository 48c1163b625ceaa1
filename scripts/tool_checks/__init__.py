"""Checks of exported files in the programs that people use; `make check-tools` runs them."""
