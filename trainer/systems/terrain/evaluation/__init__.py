"""Evaluation of terrain weights: generated land is compared with real land that training never saw."""
