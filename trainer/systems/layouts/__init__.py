"""Layouts: maps of the seven classes from noise, learned from the labelled Earth."""
